// Many system calls in one submission (kernel/abi/batch.ts), as programs see them: they describe the
// calls, and get an answer for each.

import {
  BATCH_ENTRY_SIZE,
  BATCH_MOST,
  getBatchAnswer,
  putBatchEntry,
} from '../../../kernel/abi/batch.ts';
import { EINVAL, type Errno, PosixError, toErrno } from '../../../kernel/abi/errno.ts';
import type { Stat } from '../../../kernel/abi/stat.ts';
import { getStat, STAT_SIZE, SYS } from '../../../kernel/abi/syscall.ts';
import { encodeText } from '../../../kernel/abi/text.ts';
import type { Channel } from './channel.ts';

/** A call of a batch; see the call of the same name in sys.ts. */
export type BatchCall =
  | { readonly call: 'stat' | 'lstat' | 'unlink' | 'rmdir'; readonly path: string }
  | { readonly call: 'open'; readonly path: string; readonly flags: number; readonly mode: number }
  | { readonly call: 'mkdir' | 'chmod'; readonly path: string; readonly mode: number }
  | { readonly call: 'close'; readonly fd: number }
  | {
      readonly call: 'pread' | 'pwrite';
      readonly fd: number;
      readonly bytes: Uint8Array;
      readonly offset: number;
    };

/** What became of one call: its error, its stat, its descriptor or its bytes. */
export interface BatchResult {
  readonly errno: 0 | Errno;
  readonly stat?: Stat;
  /** Of `open`. */
  readonly fd?: number;
  /** Of `pread` and `pwrite`: how many. */
  readonly count?: number;
}

/** The error of a result as it would have been thrown. */
export const errorOf = (result: BatchResult): PosixError | undefined =>
  result.errno === 0 ? undefined : new PosixError(result.errno);

/** Makes all calls, in any order; as many submissions as their paths need. */
export function runBatch(channel: Channel, calls: readonly BatchCall[]): BatchResult[] {
  const results: BatchResult[] = [];
  while (results.length < calls.length)
    results.push(...submit(channel, calls.slice(results.length, results.length + BATCH_MOST)));
  return results;
}

interface Placed {
  readonly call: BatchCall;
  readonly data: number;
}

/** Submits as many of the calls as fit the window; at least one. */
function submit(channel: Channel, calls: readonly BatchCall[]): BatchResult[] {
  const { window, view } = channel;
  const placed: Placed[] = [];
  let at = calls.length * BATCH_ENTRY_SIZE;
  for (const call of calls) {
    const data = dataOf(call);
    const size = Math.max(data.length, room(call));
    if (at + size > window.length) break;
    window.set(data, at);
    const number = SYS[call.call];
    const args = argsOf(call);
    putBatchEntry(view, placed.length, {
      ...{ number, data: at, length: data.length, room: room(call), args },
    });
    placed.push({ call, data: at });
    at += (size + 7) & ~7;
  }
  if (placed.length === 0) throw new PosixError(EINVAL, 'a call too large for a batch');
  channel.call(SYS.batch, at, placed.length);
  return placed.map(({ call, data }, i) => resultOf(channel, { call, data, index: i }));
}

const NOTHING = new Uint8Array(0);

/** What goes along: a path, or bytes to be written. */
function dataOf(call: BatchCall): Uint8Array {
  if (call.call === 'pwrite') return call.bytes;
  if (!('path' in call)) return NOTHING;
  const text = encodeText(call.path);
  if (text.includes(0)) throw new PosixError(EINVAL, 'NUL byte in a path');
  return text;
}

function room(call: BatchCall): number {
  if (call.call === 'pread') return call.bytes.length;
  return call.call === 'stat' || call.call === 'lstat' ? STAT_SIZE : 0;
}

function argsOf(call: BatchCall): [number, number, number] {
  if (call.call === 'open') return [call.flags, call.mode, 0];
  if (call.call === 'close') return [call.fd, 0, 0];
  if ('offset' in call) return [call.fd, call.bytes.length, call.offset];
  return ['mode' in call ? call.mode : 0, 0, 0];
}

function resultOf(channel: Channel, of: Placed & { index: number }): BatchResult {
  const { view, window } = channel;
  const { call, data, index } = of;
  const { errno, r0 } = getBatchAnswer(view, index);
  if (errno !== 0) return { errno: toErrno(errno) };
  if (call.call === 'open') return { errno: 0, fd: r0 };
  if (call.call === 'pread') call.bytes.set(window.subarray(data, data + r0));
  if ('offset' in call) return { errno: 0, count: r0 };
  if (room(call) === 0) return { errno: 0 };
  const stat = new DataView(window.buffer, window.byteOffset + data, STAT_SIZE);
  return { errno: 0, stat: getStat(stat) };
}
