// The fault area of `ram`: what survives every worker and is seen by all of them. Rules are written
// by the board at power-on and then by the kernel alone; counters are touched by whoever meets a
// point, each by one atomic operation.
//
//   +0x0000  header: words below, and the servers that are paused
//   +0x1000  RULES slots of RULE_SIZE: words of RULE, then the rule's text
//   +0x9000  LOG_ENTRIES entries of LOG_SIZE: sequence, length, time, seat, texts
//   +0x1d000 RANGES labels of places on disks: owner, volume, tag, first sector, sectors
//   +0x1f000 BADS bad ranges: rule, disk, first sector, sectors

import { FAULT_AREA } from '../../abi/memlayout.ts';

/** Words of the header. */
export const HEAD = {
  generation: 0, // odd while rules are written
  armed: 1, // bits of ARMED_BITS: kinds of points that some rule listens at
  seed: 2, // of the streams of chance
  state: 3, // hash of the name of the state that rules have gone to
  firings: 4,
  power: 5, // 0, or 1 + index of the POWER choice: the power is to be cut
  powerSeed: 6,
  nextUid: 8,
  logHead: 9, // entries ever claimed
  jumpSec: 10, // what the wall clock was moved by
  jumpMs: 11,
  driftPpm: 12,
  driftFromSec: 13, // since power-on
  clockChanges: 14,
  paused: 16, // PAUSED words: hashes of names, 0 = free
} as const;
export const PAUSED = 16;

export const RULES = 64;
export const RULE_SIZE = 512;
export const RULES_AT = FAULT_AREA + 0x1000;
/** Words of a rule's slot. */
export const RULE = {
  uid: 0, // 0 = free; never used twice
  on: 1, // 0 after `off`
  seen: 2, // hits that match
  hits: 3, // those in the rule's state and time
  fired: 4,
  random: 5, // its stream of chance
  length: 6, // of its text
  bytes: 8, // i64: bytes of the hits, for `budget`
} as const;
export const RULE_TEXT = 64;

export const LOG_ENTRIES = 128;
export const LOG_SIZE = 640;
export const LOG_AT = FAULT_AREA + 0x9000;
export const LOG_TEXT = 32;

export const RANGES = 256;
export const RANGE_SIZE = 32;
export const RANGES_AT = FAULT_AREA + 0x1d000;

export const BADS = 64;
export const BAD_SIZE = 32;
export const BADS_AT = FAULT_AREA + 0x1f000;

/** A name as a word that is never 0 (FNV-1a). */
export function nameHash(name: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x0100_0193);
  return hash | 0 || 1;
}

/** The bit of `armed` for each kind of point. */
export const ARMED_BITS = {
  ...{ blk: 1, irq: 2, ipc: 4, proc: 8, alloc: 16, sys: 32, clock: 64 },
} as const;
