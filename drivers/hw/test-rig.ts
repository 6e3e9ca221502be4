// What tests of the hardware and its drivers need: a disk in memory, a bus with one controller, and
// a loop that runs tasks and lets the device work when they all wait.

import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { PciFunction } from '../../kernel/abi/board.ts';
import { DISK_STATS_BYTES } from '../../kernel/abi/disk/stats.ts';
import { EIO, PosixError } from '../../kernel/abi/errno.ts';
import type { Task } from '../../kernel/ipc/task.ts';
import { DiskStats } from '../lib/stats.ts';
import { type Disk, SECTOR_SIZE } from './disk/disk.ts';
import { gather, scatter, totalSize } from './disk/segments.ts';

export interface MemoryDisk extends Disk {
  readonly bytes: Uint8Array;
  /** Every call, as `write 512+1024` or `flush`. */
  readonly calls: string[];
  /** Byte offsets whose reads and writes fail. */
  readonly bad: Set<number>;
}

export function memoryDisk(sectorCount: number, readOnly = false): MemoryDisk {
  const bytes = new Uint8Array(sectorCount * SECTOR_SIZE);
  const calls: string[] = [];
  const bad = new Set<number>();
  const note = (op: string, offset: number, length: number) => {
    calls.push(`${op} ${offset}+${length}`);
    for (const at of bad)
      if (at >= offset && at < offset + length) throw new PosixError(EIO, `bad spot at ${at}`);
  };
  return {
    file: 'memory',
    notes: [],
    sectorCount,
    readOnly,
    bytes,
    calls,
    bad,
    readv: (offset, segments) => {
      note('read', offset, totalSize(segments));
      scatter(segments, 0, bytes.subarray(offset, offset + totalSize(segments)));
    },
    writev: (offset, segments) => {
      note('write', offset, totalSize(segments));
      gather(segments, 0, bytes.subarray(offset, offset + totalSize(segments)));
    },
    flush: () => calls.push('flush'),
    trim: (offset, length) => {
      note('trim', offset, length);
      bytes.fill(0, offset, offset + length);
    },
    close: () => calls.push('close'),
  };
}

/** What works when it is given a turn. */
export type Device = Pick<PciFunction, 'step'>;

/** Runs tasks to their ends; when all wait, the device works. A task's fault is its result. */
export function runTasks<T>(pci: Device, tasks: readonly Task<T>[]): (T | PosixError)[] {
  const results: (T | PosixError)[] = [];
  let running = tasks.length;
  const runnable: (() => void)[] = [];
  const step = (task: Task<T>, index: number) => {
    try {
      const next = task.next();
      const resume = () => runnable.push(() => step(task, index));
      if (!next.done) return void next.value.waiting.push({ resume });
      results[index] = next.value;
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      results[index] = error;
    }
    running--;
  };
  for (const [index, task] of tasks.entries()) runnable.push(() => step(task, index));
  while (running > 0) {
    const next = runnable.shift();
    if (next) next();
    else if (!pci.step() && runnable.length === 0) throw new Error('all tasks wait for nothing');
  }
  return results;
}

/** The result of one task; throws its fault. */
export function runTask<T>(pci: Device, task: Task<T>): T {
  const [result] = runTasks(pci, [task]);
  if (result instanceof PosixError) throw result;
  return result as T;
}

/** Counts that nobody looks at. */
export const uncounted = (): DiskStats =>
  new DiskStats({ ram: new SharedArrayBuffer(DISK_STATS_BYTES), address: 0, nowMs: () => 0 }, 0);

/** A clock that moves by hand, and what is due on it. */
export interface HandClock {
  ms: number;
  readonly monotonicMs: () => number;
  readonly after: (ms: number, action: () => void) => () => void;
  /** Lets time pass and runs what falls due. */
  pass(ms: number): void;
}

export function handClock(): HandClock {
  const timers = new Map<() => void, number>();
  const clock: HandClock = {
    ms: 0,
    monotonicMs: () => clock.ms,
    after: (ms, action) => {
      timers.set(action, clock.ms + ms);
      return () => void timers.delete(action);
    },
    pass(ms) {
      clock.ms += ms;
      for (const [action, at] of [...timers]) {
        if (at > clock.ms) continue;
        timers.delete(action);
        action();
      }
    },
  };
  return clock;
}

/** A directory of its own for one test file, removed at its end. */
export function tempDir(): { path: (name: string) => string; remove: () => void } {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'atoll-hw-'));
  return {
    path: (name) => path.join(dir, name),
    remove: () => fs.rmSync(dir, { recursive: true, force: true }),
  };
}
