// What an open file is when it has no bytes of its own at offsets: a pipe's end, a terminal, a PTY's
// master. The kernel moves its data itself, whoever serves the inode.

import type { Tty } from '../fs/tty/tty.ts';
import type { Task, WaitQueue } from '../ipc/task.ts';
import type { Process } from '../proc/process.ts';
import type { Call } from './call.ts';

export interface Stream {
  /** Reads up to into.length bytes, 0 at the end; waits unless `flags` say O_NONBLOCK. */
  read(call: Call, into: Uint8Array, flags: number): Task<number>;
  /** Writes all, or less when a signal interrupts after some bytes. */
  write(call: Call, from: Uint8Array, flags: number): Task<number>;
  /** The last description is closed. */
  close(): void;
  /** No descriptor refers to it any more, only calls that wait in it. */
  abandoned?(): void;
  /** What a process that alone holds it may do by itself: words for its table of descriptors. */
  readonly direct?: (
    process: Process,
  ) => { readonly inode: number; readonly flags: number } | undefined;
  /** POLL* bits that are so. */
  poll(): number;
  /** Woken whenever `poll` may answer otherwise. */
  readonly changed: readonly WaitQueue[];
  /** The terminal, or the one behind a master. */
  readonly tty: Tty | undefined;
  /** As /proc/N/fd shows it; undefined: by its path. */
  readonly label: string | undefined;
}
