// Who works on one name of a directory does so beside others: many lookups, and many new files, are on their
// way to the server at a time. Who wants the same name, or the directory as a whole, waits.

import { ENOENT, fail } from '../abi/errno.ts';
import { sleep, type Task, WaitQueue, wakeAll } from '../ipc/task.ts';
import type { Dentry } from './dcache.ts';

/** Runs `body` while nobody else looks up, makes or removes the name, and nothing is renamed. */
export function* onName<T>(dir: Dentry, name: string, body: () => Task<T>): Task<T> {
  const { lock, busyNames } = dir.inode ?? fail(ENOENT);
  const key = dir.key(name);
  yield* lock.share();
  try {
    for (let busy = busyNames.get(key); busy; busy = busyNames.get(key)) yield* sleep(busy);
    const mine = new WaitQueue('name');
    busyNames.set(key, mine);
    try {
      return yield* body();
    } finally {
      busyNames.delete(key);
      wakeAll(mine);
    }
  } finally {
    lock.unshare();
  }
}
