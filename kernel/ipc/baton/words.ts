// Where the baton's state lies: in the header page behind the board's own words, and in each seat's
// page behind its bell. Only the worker that holds the baton writes any of it, so that a worker which
// is terminated leaves it whole.
//
//   header +256  SEEDED  HOLDER  STRATEGY  TOP  IDLE  HANDOFFS  ASKED  –
//          +288  state of the random stream (4 words)
//          +304  virtual time, µs since power-on (f64)
//          +312  priority strategy: changes done, lowest priority given, then 8 hand-offs of a change
//          +352  when the board last had its turn (f64)
//          +384  the record of the run: record.ts
//   seat   +16   STATE  TURN  deadline in µs (f64)  URGENT  PRIORITY  STALLED  READY_SINCE  TOLD
//          where its orders were: what it tells when it is asked

import { seatPage } from '../../abi/memlayout.ts';

/** Indices into an Int32Array over `ram`. */
const BASE = 256 / 4;
export const SEEDED = BASE + 0; // 1: one baton passes
export const HOLDER = BASE + 1; // the seat that runs
export const STRATEGY = BASE + 2;
export const TOP = BASE + 3; // seats below this one may have workers
export const IDLE = BASE + 4; // 1: the board was given the baton since nobody else can go on
export const HANDOFFS = BASE + 5;
export const ASKED = BASE + 6; // 1: whoever gets a turn tells what it waits for, and gives it back
export const STREAM = BASE + 8;
export const CHANGES_DONE = BASE + 14;
export const LOWEST = BASE + 15;
export const CHANGES = BASE + 16;
export const MOST_CHANGES = 8;
export const RECORD = BASE + 32;

/** Indices into a Float64Array over `ram`. */
export const TIME = (BASE + 12) / 2;
export const LOOKED = (BASE + 24) / 2;

/** Words of a seat, behind its bell. */
export const STATE = 4;
export const TURN = 5;
const DEADLINE = 6;
export const URGENT = 8;
export const PRIORITY = 9;
export const STALLED = 10;
export const READY_SINCE = 11;
export const TOLD = 12; // bytes

/** States of a seat. */
export const OFF = 0; // no worker, or not there yet
export const READY = 1; // runs, or could
export const WAITING = 2; // for its bell, its orders, or its deadline

export const seatWord = (seat: number, word: number): number => seatPage(seat) / 4 + word;
export const seatDeadline = (seat: number): number => (seatPage(seat) / 4 + DEADLINE) / 2;
