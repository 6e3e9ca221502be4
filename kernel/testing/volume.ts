// A cached volume for tests: a file system in memory behind a transport that counts requests, and
// can hold them back or refuse them.

import type { Errno } from '../abi/errno.ts';
import type { Caller } from '../fs/caller.ts';
import { heapChunks } from '../fs/mem-data.ts';
import { MemFs } from '../fs/memfs.ts';
import { sleep, type Task, WaitQueue, wakeAll } from '../ipc/task.ts';
import { learnSpace } from '../mm/write.ts';
import { NinepClient, type Request, type Transport } from '../ninep/client.ts';
import { NinepServer } from '../ninep/server.ts';
import { DirectTransport } from '../ninep/transport-direct.ts';
import type { RMessage, TMessage, TName } from '../ninep/types.ts';
import { makeDirectory, mountAt } from '../supervisor/root.ts';
import { attach, iget, Superblock } from '../vfs/inode.ts';
import type { Machine } from './machine.ts';

export class SlowTransport implements Transport {
  /** Every request, in the order of sending. */
  readonly log: TMessage[] = [];
  /** Answers a request with this errno instead of asking the server. */
  refuse: (message: TMessage) => Errno | undefined = () => undefined;
  /** What the server is sent in place of a request. */
  change: (message: TMessage) => TMessage = (message) => message;
  /** Requests of these names wait for `release`. */
  readonly held = new Set<TName>();
  readonly #inner: Transport;
  readonly #queue = new WaitQueue('held');

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  *exchange(requests: readonly Request[]): Task<RMessage[]> {
    this.log.push(...requests.map((request) => request.message));
    while (requests.some(({ message }) => this.held.has(message.name))) yield* sleep(this.#queue);
    const replies: RMessage[] = [];
    for (const request of requests) {
      const ecode = this.refuse(request.message);
      if (ecode !== undefined) replies.push({ name: 'Rlerror', ecode });
      else {
        const message = this.change(request.message);
        replies.push(...(yield* this.#inner.exchange([{ ...request, message }])));
      }
    }
    return replies;
  }

  /** Lets everything go that is held back, now and from now on. */
  release(): void {
    this.held.clear();
    wakeAll(this.#queue);
  }

  of<N extends TName>(name: N): Extract<TMessage, { name: N }>[] {
    return this.log.filter((message) => message.name === name) as Extract<TMessage, { name: N }>[];
  }
}

export interface Volume {
  readonly fs: MemFs;
  readonly server: NinepServer<unknown, Caller>;
  readonly superblock: Superblock;
  readonly transport: SlowTransport;
}

/** Mounts a cached file system of `bytes` at `path`. */
export function volume(machine: Machine, path: string, bytes = 64 * 1024 * 1024): Volume {
  const { kernel } = machine;
  const limits = { maxFileBytes: 2 * bytes, maxTotalBytes: bytes };
  const fs = new MemFs({ now: () => kernel.clock.wallclock(), chunks: heapChunks, ...limits });
  const server = new NinepServer(fs);
  const root = { pid: 0, uid: 0, gid: 0 };
  const inner = new DirectTransport({ ram: kernel.ram, server, context: () => root });
  const transport = new SlowTransport(inner);
  const client = new NinepClient(transport);
  const superblock = new Superblock({
    ...{ dev: 99, type: 'test', source: 'test', client },
    ...{ cached: true, volatile: false, readOnly: false },
  });
  machine.run(mountIt());
  return { fs, server: server as NinepServer<unknown, Caller>, superblock, transport };

  function* mountIt(): Task<void> {
    superblock.root = iget(kernel, superblock, yield* attach(client, { aname: '' }));
    superblock.root.refs++;
    yield* learnSpace(superblock);
    yield* makeDirectory(kernel, path);
    yield* mountAt(kernel, path, superblock);
  }
}
