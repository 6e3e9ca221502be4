// What top sees at one moment: /proc/PID/status, /proc/servers, /proc/hops, /proc/ipc, /proc/counters and
// /proc/meminfo, and what happened between two such moments.

import { contents, numberOf, type ProcessRow, readProcesses } from '../processes.ts';
import type { Sys } from '../sys.ts';

/** A line of /proc/servers. */
export interface ServerRow {
  readonly name: string;
  readonly pid: number;
  readonly state: string;
  readonly queue: number;
  readonly flight: number;
  readonly fids: number;
  readonly requests: number;
  readonly restarts: number;
  readonly pauseMs: number;
  readonly seat: number;
}

/** A line of /proc/hops: what the worker on a seat was woken and woke. */
export interface HopRow {
  readonly seat: number;
  readonly worker: string;
  readonly wakes: number;
}

export interface Sample {
  readonly atMs: number;
  readonly processes: readonly ProcessRow[];
  readonly servers: readonly ServerRow[];
  readonly hops: readonly HopRow[];
  readonly counters: ReadonlyMap<string, number>;
  /** In KiB. */
  readonly memory: ReadonlyMap<string, number>;
  readonly load: string;
  /** Messages that lie in rings, and in how many rings. */
  readonly queued: { readonly messages: number; readonly rings: number };
}

export function takeSample(sys: Sys): Sample {
  return {
    atMs: sys.monotonicMs(),
    processes: readProcesses(sys),
    servers: bodyOf(sys, '/proc/servers').flatMap(serverRow),
    hops: bodyOf(sys, '/proc/hops').flatMap(hopRow),
    counters: new Map(linesOf(sys, '/proc/counters').flatMap(pair)),
    memory: new Map(linesOf(sys, '/proc/meminfo').flatMap(pair)),
    load: linesOf(sys, '/proc/loadavg')[0]?.split(' ').slice(0, 3).join(', ') ?? '?',
    queued: queuesOf(bodyOf(sys, '/proc/ipc')),
  };
}

/** Events a second of a counter that two samples hold. */
export function rate(
  now: Sample,
  before: Sample | undefined,
  count: (of: Sample) => number,
): number {
  const from = before === undefined ? 0 : count(before);
  const since = before === undefined ? 0 : before.atMs;
  // A counter that was reset (a server's second life) has counted from nothing.
  const events = count(now) >= from ? count(now) - from : count(now);
  return (events * 1000) / Math.max(1, now.atMs - since);
}

export const counter =
  (name: string) =>
  (of: Sample): number =>
    of.counters.get(name) ?? 0;

export const cpuMs = (row: ProcessRow): number =>
  (numberOf(row, 'UserMs') || 0) + (numberOf(row, 'SystemMs') || 0);

/** Wake-ups of the worker that runs the process: a server's seat is in /proc/servers. */
export function wakesOf(sample: Sample, pid: number): number {
  const seat = sample.servers.find((server) => server.pid === pid)?.seat;
  const row = sample.hops.find((hop) =>
    seat === undefined ? hop.worker.endsWith(`[${pid}]`) : hop.seat === seat,
  );
  return row?.wakes ?? 0;
}

const linesOf = (sys: Sys, path: string): string[] =>
  (contents(sys, path) ?? '').split('\n').filter((line) => line !== '');

/** Without the line that names the columns. */
const bodyOf = (sys: Sys, path: string): string[] => linesOf(sys, path).slice(1);

function pair(line: string): [string, number][] {
  const match = /^(\w+):?\s+(\d+)/.exec(line);
  return match?.[1] === undefined ? [] : [[match[1], Number(match[2])]];
}

const SERVER_FIELDS = 9;

/** A name may hold blanks, the fields behind it do not. */
function serverRow(line: string): ServerRow[] {
  const words = line.trim().split(/\s+/);
  const name = words.slice(0, -SERVER_FIELDS).join(' ');
  const [pid, state = '', ...rest] = words.slice(-SERVER_FIELDS);
  const [queue = 0, flight = 0, fids = 0, requests = 0, restarts = 0, pauseMs = 0, seat = 0] =
    rest.map(Number);
  const counts = { queue, flight, fids, requests, restarts, pauseMs, seat };
  return name === '' ? [] : [{ name, pid: Number(pid), state, ...counts }];
}

function hopRow(line: string): HopRow[] {
  const match = /^(\d+)\s+(.*?)\s+\d+\s+(\d+)\s+\d+\s+\d+$/.exec(line);
  if (match?.[2] === undefined) return [];
  return [{ seat: Number(match[1]), worker: match[2], wakes: Number(match[3]) }];
}

function queuesOf(lines: readonly string[]): Sample['queued'] {
  const queued = lines.map((line) => Number(/\s(\d+)\/\d+\s+\d+\s+\d+$/.exec(line)?.[1] ?? 0));
  return { messages: queued.reduce((sum, count) => sum + count, 0), rings: lines.length };
}
