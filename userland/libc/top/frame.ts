// The rows of top: a summary of the machine, its servers with their queues, its processes with their
// share of a CPU and the wake-ups of their worker.

import { numberOf, type ProcessRow } from '../processes.ts';
import { clusters, clusterWidth, shown } from '../tty/width.ts';
import type { Users } from '../users.ts';
import { counter, cpuMs, rate, type Sample, type ServerRow, wakesOf } from './sample.ts';

export const sortKeys = ['cpu', 'hops', 'calls', 'time', 'pid', 'user', 'command'] as const;
export type SortKey = (typeof sortKeys)[number];

export interface FrameOptions {
  sort: SortKey;
  reversed: boolean;
  /** Arguments and all, instead of names. */
  lines: boolean;
  /** Processes that did nothing are shown, too. */
  idle: boolean;
  servers: boolean;
  pids: readonly number[];
  uid: number | undefined;
}

export interface Moment {
  readonly now: Sample;
  readonly before: Sample | undefined;
  /** `12:00:00 up 0:05` */
  readonly clock: string;
}

export interface Frame {
  readonly summary: readonly string[];
  readonly servers: readonly string[];
  readonly head: string;
  readonly processes: readonly string[];
}

export function frameOf(moment: Moment, options: FrameOptions, users: Users): Frame {
  const rows = moment.now.processes
    .filter((row) => options.pids.length === 0 || options.pids.includes(numberOf(row, 'Pid')))
    .filter((row) => options.uid === undefined || numberOf(row, 'Uid') === options.uid)
    .map((row) => taskOf(moment, row, users))
    .filter((task) => options.idle || task.cpu > 0 || task.state === 'R');
  const compare = orders[options.sort];
  rows.sort((a, b) => (options.reversed ? compare(b, a) : compare(a, b)) || a.pid - b.pid);
  return {
    summary: summaryOf(moment),
    servers: options.servers ? serversOf(moment) : [],
    head: '  PID USER      NI S  %CPU    TIME+   HOPS/s  CALLS/s COMMAND',
    processes: rows.map((task) => taskLine(task, options.lines ? task.line : task.name)),
  };
}

/** Cut to the columns of a screen; control characters are shown as ^X. */
export function cutTo(text: string, columns: number): string {
  let out = '';
  let used = 0;
  for (const cluster of clusters(text)) {
    used += clusterWidth(cluster);
    if (used > columns) break;
    out += shown(cluster);
  }
  return out;
}

interface Task {
  readonly pid: number;
  readonly user: string;
  readonly nice: string;
  readonly state: string;
  readonly cpu: number;
  readonly timeMs: number;
  readonly hops: number;
  readonly calls: number;
  readonly name: string;
  readonly line: string;
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const orders: Readonly<Record<SortKey, (a: Task, b: Task) => number>> = {
  cpu: (a, b) => b.cpu - a.cpu || b.timeMs - a.timeMs,
  hops: (a, b) => b.hops - a.hops,
  calls: (a, b) => b.calls - a.calls,
  time: (a, b) => b.timeMs - a.timeMs,
  pid: (a, b) => b.pid - a.pid,
  user: (a, b) => byText(a.user, b.user),
  command: (a, b) => byText(a.name, b.name),
};

function taskOf({ now, before }: Moment, row: ProcessRow, users: Users): Task {
  const pid = numberOf(row, 'Pid');
  const same = (other: ProcessRow): boolean =>
    other['Pid'] === row['Pid'] && other['Started'] === row['Started'];
  const in_ = (sample: Sample): ProcessRow => sample.processes.find(same) ?? {};
  const uid = numberOf(row, 'Uid');
  const name = row['Name'] ?? '?';
  return {
    pid,
    user: users.userName(uid) ?? String(uid),
    nice: row['Nice'] ?? '0',
    state: row['State']?.[0] ?? '?',
    cpu: rate(now, before, (sample) => cpuMs(in_(sample))) / 10,
    timeMs: cpuMs(row),
    hops: rate(now, before, (sample) => wakesOf(sample, pid)),
    calls: rate(now, before, (sample) => numberOf(in_(sample), 'Calls') || 0),
    name,
    line: row['Cmdline'] || `[${name}]`,
  };
}

function taskLine(task: Task, command: string): string {
  return [
    String(task.pid).padStart(5),
    task.user.slice(0, 8).padEnd(8),
    task.nice.padStart(3),
    task.state,
    task.cpu.toFixed(1).padStart(5),
    minutes(task.timeMs).padStart(8),
    task.hops.toFixed(0).padStart(8),
    task.calls.toFixed(0).padStart(8),
    command,
  ].join(' ');
}

/** TIME+: minutes, seconds and hundredths. */
function minutes(ms: number): string {
  const seconds = ((ms / 1000) % 60).toFixed(2).padStart(5, '0');
  return `${Math.floor(ms / 60_000)}:${seconds}`;
}

function summaryOf({ now, before, clock }: Moment): string[] {
  const states = now.processes.map((row) => row['State']?.[0] ?? '?');
  const count = (state: string): number => states.filter((s) => s === state).length;
  const memory = (name: string): number => now.memory.get(name) ?? 0;
  const [total, free, cached] = [memory('MemTotal'), memory('MemFree'), memory('Cached')];
  const each = (name: string): string => rate(now, before, counter(name)).toFixed(0);
  const { messages, rings } = now.queued;
  return [
    `top - ${clock}, load average: ${now.load}`,
    `Tasks: ${states.length} total, ${count('R')} running, ${count('S')} sleeping, ${count('T')} stopped, ${count('Z')} zombie`,
    `KiB Mem: ${total} total, ${free} free, ${Math.max(0, total - free - cached)} used, ${cached} cached, ${memory('Dirty')} dirty`,
    `Per second: ${each('wakes')} hops, ${each('messages')} messages, ${each('syscalls')} system calls, ${each('transactions')} transactions, ${each('blockRequests')} block requests`,
    `Queues: ${messages} messages in ${rings} rings`,
  ];
}

function serversOf({ now, before }: Moment): string[] {
  if (now.servers.length === 0) return [];
  const width = Math.max(6, ...now.servers.map((server) => server.name.length));
  const head = `${'SERVER'.padEnd(width)}   PID STATE      QUEUE FLIGHT  FIDS   REQ/s  HOPS/s RESTARTS PAUSE`;
  const line = (server: ServerRow): string => {
    const same = (sample: Sample): ServerRow | undefined =>
      sample.servers.find((other) => other.name === server.name);
    const requests = rate(now, before, (sample) => same(sample)?.requests ?? 0);
    const hops = rate(now, before, (sample) => wakesOf(sample, same(sample)?.pid ?? -1));
    return [
      server.name.padEnd(width),
      (Number.isNaN(server.pid) ? '-' : String(server.pid)).padStart(5),
      server.state.padEnd(10),
      String(server.queue).padStart(5),
      String(server.flight).padStart(6),
      String(server.fids).padStart(5),
      requests.toFixed(0).padStart(7),
      hops.toFixed(0).padStart(7),
      String(server.restarts).padStart(8),
      server.pauseMs.toFixed(1).padStart(5),
    ].join(' ');
  };
  return [head, ...now.servers.map(line)];
}
