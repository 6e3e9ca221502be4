// A batch: many system calls in one submission, for programs that ask the same of many files. A table
// of entries at the start of the data, what the entries need behind it; the kernel answers in place.
// The calls are made in any order, some side by side, and each succeeds or fails for itself.
//
//   entry, 64 bytes
//   +0   number  u32            +16  room   u32, bytes at `data` that the answer may take
//   +4   errno   u32, answer    +24  a0..a2 f64
//   +8   data    u32, offset    +48  r0     f64, answer
//   +12  length  u32, both ways

import { SYS } from './syscall.ts';

export const BATCH_ENTRY_SIZE = 64;
/** Entries of one submission: the kernel serves what is cached of it in one go. */
export const BATCH_MOST = 256;

/**
 * Calls that wait for nobody but a server (pread and pwrite know no pipes), and change nothing that the
 * others of a batch stand on.
 */
export const BATCHABLE: ReadonlySet<number> = new Set([
  ...[SYS.open, SYS.close, SYS.stat, SYS.lstat, SYS.mkdir, SYS.rmdir, SYS.link, SYS.symlink],
  ...[SYS.pread, SYS.pwrite],
  ...[SYS.readlink, SYS.unlink, SYS.rename, SYS.chmod, SYS.chown, SYS.utimens, SYS.access],
]);

export interface BatchEntry {
  readonly number: number;
  readonly data: number;
  readonly length: number;
  readonly room: number;
  readonly args: readonly [number, number, number];
}

export function putBatchEntry(view: DataView, index: number, entry: BatchEntry): void {
  const at = index * BATCH_ENTRY_SIZE;
  view.setUint32(at, entry.number, true);
  view.setUint32(at + 4, 0, true);
  view.setUint32(at + 8, entry.data, true);
  view.setUint32(at + 12, entry.length, true);
  view.setUint32(at + 16, entry.room, true);
  entry.args.forEach((arg, i) => {
    view.setFloat64(at + 24 + i * 8, arg, true);
  });
}

export function getBatchEntry(view: DataView, index: number): BatchEntry {
  const at = index * BATCH_ENTRY_SIZE;
  const arg = (i: number): number => view.getFloat64(at + 24 + i * 8, true);
  return {
    number: view.getUint32(at, true),
    data: view.getUint32(at + 8, true),
    length: view.getUint32(at + 12, true),
    room: view.getUint32(at + 16, true),
    args: [arg(0), arg(1), arg(2)],
  };
}

export interface BatchAnswer {
  readonly errno: number;
  readonly length: number;
  readonly r0: number;
}

export function putBatchAnswer(view: DataView, index: number, answer: BatchAnswer): void {
  const at = index * BATCH_ENTRY_SIZE;
  view.setUint32(at + 4, answer.errno, true);
  view.setUint32(at + 12, answer.length, true);
  view.setFloat64(at + 48, answer.r0, true);
}

export function getBatchAnswer(view: DataView, index: number): BatchAnswer {
  const at = index * BATCH_ENTRY_SIZE;
  return {
    errno: view.getUint32(at + 4, true),
    length: view.getUint32(at + 12, true),
    r0: view.getFloat64(at + 48, true),
  };
}
