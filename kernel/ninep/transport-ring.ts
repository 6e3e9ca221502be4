// The ring transport: 9P between two workers. Each slot holds one message, and names the grant that
// carries its payload. Requests of one exchange are published together: one hop for many.

import { assert, EIO, EOVERFLOW, EPROTO, PosixError } from '../abi/errno.ts';
import type { Executor } from '../ipc/executor.ts';
import type { GrantRef, GrantTable } from '../ipc/grant.ts';
import type { Ring, Slot } from '../ipc/ring.ts';
import { sleep, type Task, WaitQueue, wakeAll } from '../ipc/task.ts';
import { COUNTERS, EVENTS } from '../ipc/trace-events.ts';
import type { Memory, Request, Transport } from './client.ts';
import { decodeMessage, encodeMessage, isRequest } from './codec.ts';
import { Cursor } from './cursor.ts';
import type { MessageFaults } from './message-faults.ts';
import { NOTAG, type RMessage, T } from './types.ts';

export interface RingTransportOptions {
  readonly executor: Executor;
  readonly requests: Ring;
  readonly replies: Ring;
  /** The kernel's grant table, to grant `memory`; a worker that only passes grants on has none. */
  readonly grants?: GrantTable;
  /** Who may use the granted memory besides the server: the seat of the driver below, or -1. */
  readonly delegate?: number;
  /** Faults at the replies. */
  readonly faults?: MessageFaults;
}

interface Pending {
  readonly done: WaitQueue;
  readonly granted: boolean;
  span: number; // in the trace
  reply: RMessage | undefined;
}

export class RingTransport implements Transport {
  readonly #options: RingTransportOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #space = new WaitQueue('ring space');
  readonly #detach: (() => void)[];
  #nextTag = 0;
  #dead = false;

  constructor(options: RingTransportOptions) {
    this.#options = options;
    const { executor, requests, replies } = options;
    this.#detach = [
      executor.produce(requests),
      executor.consume(replies, () => this.#takeSoundReply()),
      executor.poll(() => this.#offerSpace()),
    ];
  }

  /** Requests sent and not answered. */
  get inFlight(): number {
    return this.#pending.size;
  }

  *exchange(requests: readonly Request[]): Task<RMessage[]> {
    const grants: GrantRef[] = [];
    try {
      const pending: Pending[] = [];
      for (const request of requests) pending.push(yield* this.#send(request, grants));
      const replies: RMessage[] = [];
      for (const one of pending) {
        while (one.reply === undefined) yield* sleep(one.done);
        replies.push(one.reply);
      }
      return replies;
    } finally {
      for (const grant of grants) this.#options.grants?.revoke(grant);
    }
  }

  /** The server is gone: everything under way, and all that follows, is answered EIO. */
  kill(): void {
    this.#dead = true;
    for (const detach of this.#detach) detach();
    for (const [tag] of this.#pending) this.#settle(tag, { name: 'Rlerror', ecode: EIO });
    wakeAll(this.#space);
  }

  *#send(request: Request, grants: GrantRef[]): Task<Pending> {
    const grant = request.memory ? this.#grant(request.memory) : request.grant;
    if (request.memory && grant) grants.push(grant);
    const pending: Pending = {
      done: new WaitQueue(request.message.name),
      granted: grant !== undefined,
      span: 0,
      reply: undefined,
    };
    const slot = yield* this.#reserve();
    if (slot === undefined) {
      pending.reply = { name: 'Rlerror', ecode: EIO };
      return pending;
    }
    const tag = this.#takeTag();
    const cursor = new Cursor(slot.payload, { granted: pending.granted });
    slot.length = encodeMessage(cursor, tag, request.message);
    slot.grant = grant;
    this.#pending.set(tag, pending);
    const { trace } = this.#options.executor;
    trace.count(COUNTERS.rpcs);
    pending.span = trace.asyncBegin(EVENTS.rpc, T[request.message.name], tag);
    this.#options.requests.publish();
    return pending;
  }

  *#reserve(): Task<Slot | undefined> {
    for (;;) {
      if (this.#dead) return undefined;
      const slot = this.#options.requests.reserve();
      if (slot) return slot;
      this.#options.requests.flush();
      yield* sleep(this.#space);
    }
  }

  #grant(memory: Memory): GrantRef {
    const { grants, requests, delegate = -1 } = this.#options;
    assert(grants, 'this transport cannot grant memory');
    return grants.grant({ owner: requests.consumer, delegate, ...memory });
  }

  #takeTag(): number {
    do this.#nextTag = (this.#nextTag + 1) % NOTAG;
    while (this.#pending.has(this.#nextTag));
    return this.#nextTag;
  }

  #offerSpace(): boolean {
    if (this.#space.idle || this.#options.requests.full) return false;
    wakeAll(this.#space);
    return true;
  }

  /** A server whose ring contradicts itself is as good as dead: nobody else suffers from it. */
  #takeSoundReply(): boolean {
    try {
      return this.#takeReply();
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      this.kill();
      return false;
    }
  }

  #takeReply(): boolean {
    const slot = this.#options.replies.peek();
    if (slot === undefined) return false;
    const firing = this.#options.faults?.meet(slot);
    if (firing === 'wait') return false;
    const bytes = slot.payload.slice(0, slot.length);
    this.#options.replies.release();
    const tag = bytes.length >= 7 ? (bytes[5] ?? 0) | ((bytes[6] ?? 0) << 8) : NOTAG;
    const pending = this.#pending.get(tag);
    if (pending === undefined || firing?.has('drop')) return true; // late: nobody waits for it
    if (firing?.errno !== undefined) {
      this.#settle(tag, { name: 'Rlerror', ecode: firing.errno });
      return true;
    }
    const decoded = decodeMessage(bytes, { granted: pending.granted });
    const bad = typeof decoded === 'number' || isRequest(decoded.message);
    this.#settle(tag, bad ? { name: 'Rlerror', ecode: EPROTO } : (decoded.message as RMessage));
    return true;
  }

  #settle(tag: number, reply: RMessage): void {
    const pending = this.#pending.get(tag);
    if (pending === undefined) return;
    this.#pending.delete(tag);
    this.#options.executor.trace.asyncEnd(EVENTS.rpc, pending.span, T[reply.name]);
    pending.reply = reply;
    wakeAll(pending.done);
  }
}

/** The server's side: answers a request in the reply ring. The ring must have room. */
export function putReply(
  ring: Ring,
  reply: { tag: number; message: RMessage; granted: boolean },
): void {
  const slot = ring.reserve();
  if (slot === undefined) throw new PosixError(EOVERFLOW, 'reply ring is full');
  const cursor = new Cursor(slot.payload, { granted: reply.granted });
  slot.length = encodeMessage(cursor, reply.tag, reply.message);
  ring.publish();
}
