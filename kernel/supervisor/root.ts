// Builds the root's tree at boot: directories, mounts and binds, by the same calls that programs use.

import { EEXIST, PosixError } from '../abi/errno.ts';
import type { Task } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import { Call } from '../vfs/call.ts';
import type { Superblock } from '../vfs/inode.ts';
import { namei } from '../vfs/namei.ts';
import { mkdir } from '../vfs/names.ts';
import { bind, place } from './mounting.ts';

/** Runs something as a call of pid 1. */
export function* asInit<T>(kernel: Kernel, what: (call: Call) => Task<T>): Task<T> {
  const call = new Call(kernel, kernel.processes.init);
  try {
    return yield* what(call);
  } finally {
    call.end();
  }
}

export function* makeDirectories(kernel: Kernel, names: readonly string[]): Task<void> {
  for (const name of names) yield* makeDirectory(kernel, `/${name}`);
}

export function* makeDirectory(kernel: Kernel, path: string): Task<void> {
  try {
    yield* asInit(kernel, (call) => mkdir(call, path, 0o755));
  } catch (error) {
    if (!(error instanceof PosixError && error.errno === EEXIST)) throw error;
  }
}

export function* mountAt(
  kernel: Kernel,
  target: string,
  superblock: Superblock,
  source: string = superblock.source,
): Task<void> {
  yield* asInit(kernel, function* (call) {
    const { mount, dentry } = yield* namei(call, target, { follow: true });
    const options = superblock.readOnly ? 'ro' : 'rw';
    place(kernel, superblock, { on: { mount, dentry }, target, source, options });
  });
}

export function* bindAt(kernel: Kernel, source: string, target: string): Task<void> {
  yield* asInit(kernel, function* (call) {
    const from = yield* namei(call, source, { follow: true });
    const on = yield* namei(call, target, { follow: true });
    const at = { on: { mount: on.mount, dentry: on.dentry }, target };
    bind(kernel, { mount: from.mount, dentry: from.dentry }, at);
  });
}
