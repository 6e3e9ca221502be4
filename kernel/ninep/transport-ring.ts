// The ring transport: 9P between two workers. Each slot holds one message, and names the grant that
// carries its payload. Requests of one exchange are published together: one hop for many. When the
// kernel begins a new session of the rings, the server's worker was replaced: the transport brings
// its fids back and sends what was not answered again, in order; whoever waits sees a pause.

import { assert, EIO, EOVERFLOW, EPROTO, PosixError } from '../abi/errno.ts';
import type { Executor } from '../ipc/executor.ts';
import type { GrantRef, GrantTable } from '../ipc/grant.ts';
import type { Ring, Slot } from '../ipc/ring.ts';
import { sleep, type Task, WaitQueue, wakeAll } from '../ipc/task.ts';
import { COUNTERS, EVENTS } from '../ipc/trace-events.ts';
import type { Memory, Request, Transport } from './client.ts';
import { decodeMessage, encodeMessage, isRequest } from './codec.ts';
import { Cursor } from './cursor.ts';
import type { FidLedger, LiveFid } from './ledger.ts';
import type { MessageFaults } from './message-faults.ts';
import { NOTAG, type RMessage, T, type TMessage } from './types.ts';

/** Requests under way at a time. Their tags differ modulo this: servers keep replies by it. */
export const MOST_IN_FLIGHT = 128;
/** After so many deaths of its server a request is sent again alone; after so many alone, it is refused. */
const SUSPECT = 2;
const POISON = 3;

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
  /** How a session is begun anew; without it the death of the server is the end. */
  readonly recovery?: Recovery;
}

export interface Recovery {
  readonly ledger: FidLedger;
  /** What is to be said before the unanswered requests are repeated. */
  readonly replay: (live: readonly LiveFid[]) => Iterable<Request>;
  /** The new session is as the old one was. */
  readonly onRecovered?: () => void;
  /** A request killed its server again and again, and is answered EIO. */
  readonly onPoison?: (message: TMessage) => void;
}

interface Pending {
  readonly done: WaitQueue;
  readonly request: Request;
  readonly grant: GrantRef | undefined;
  /** Part of the recovery itself: void in the next session. */
  readonly replayed: boolean;
  span: number; // in the trace
  /** In which session it was sent last. */
  session: number;
  reply: RMessage | undefined;
  /** Deaths of the server that it may have caused; and those where nothing else was under way. */
  deaths: number;
  deathsAlone: number;
}

export class RingTransport implements Transport {
  readonly #options: RingTransportOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #space = new WaitQueue('ring space');
  /** Where the recovery waits for a slot. */
  readonly #slots = new WaitQueue('recovery');
  /** By tag modulo MOST_IN_FLIGHT: 1 = a request under way has it. */
  readonly #taken = new Uint8Array(MOST_IN_FLIGHT);
  readonly #detach: (() => void)[];
  #nextTag = 0;
  #dead = false;
  #session: number;
  #faults: number;
  #recovering = false;

  constructor(options: RingTransportOptions) {
    this.#options = options;
    const { executor, requests, replies } = options;
    this.#session = requests.session;
    this.#faults = requests.faults;
    this.#detach = [
      executor.produce(requests),
      executor.consume(replies, () => this.#takeSoundReply()),
      executor.poll(() => this.#watchSession() || this.#offerSpace()),
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
      for (const request of requests) pending.push(yield* this.#trySend(request, grants));
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

  /** Takes the replies that are there: the server's worker is gone, no more will come. */
  drain(): void {
    while (this.#options.replies.queued > 0 && this.#takeSoundReply());
  }

  /** The server is gone for good: everything under way, and all that follows, is answered EIO. */
  kill(): void {
    this.#dead = true;
    for (const detach of this.#detach) detach();
    for (const [tag] of this.#pending) this.#settle(tag, { name: 'Rlerror', ecode: EIO });
    wakeAll(this.#space);
    wakeAll(this.#slots);
  }

  /** What cannot be sent fails by itself: those before it are under way, with their grants. */
  *#trySend(request: Request, grants: GrantRef[]): Task<Pending> {
    try {
      return yield* this.#send(request, grants);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      const unsent = newPending(request, { grant: undefined, replayed: false });
      unsent.reply = { name: 'Rlerror', ecode: error.errno };
      return unsent;
    }
  }

  *#send(request: Request, grants: GrantRef[]): Task<Pending> {
    const grant = request.memory ? this.#grant(request.memory) : request.grant;
    if (request.memory && grant) grants.push(grant);
    const pending = newPending(request, { grant, replayed: false });
    const slot = yield* this.#reserve();
    if (slot === undefined) {
      pending.reply = { name: 'Rlerror', ecode: EIO };
      return pending;
    }
    const tag = this.#takeTag();
    const { trace } = this.#options.executor;
    trace.count(COUNTERS.rpcs);
    pending.span = trace.asyncBegin(EVENTS.rpc, T[request.message.name], tag);
    this.#put(slot, tag, pending);
    return pending;
  }

  #put(slot: Slot, tag: number, pending: Pending): void {
    const { request, grant } = pending;
    const cursor = new Cursor(slot.payload, { granted: grant !== undefined });
    slot.length = encodeMessage(cursor, tag, request.message);
    slot.grant = grant;
    slot.session = this.#session;
    slot.repeated = this.#recovering;
    pending.session = this.#session;
    this.#pending.set(tag, pending);
    this.#options.requests.publish();
  }

  *#reserve(): Task<Slot | undefined> {
    for (;;) {
      if (this.#dead) return undefined;
      const open = !this.#recovering && this.#pending.size < MOST_IN_FLIGHT;
      const slot = open ? this.#options.requests.reserve() : undefined;
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

  /** Tags come round after 65,535 requests, so that a late or a stored reply finds nobody else's. */
  #takeTag(): number {
    do this.#nextTag = (this.#nextTag + 1) % NOTAG;
    while (this.#taken[this.#nextTag % MOST_IN_FLIGHT] === 1 || this.#pending.has(this.#nextTag));
    this.#taken[this.#nextTag % MOST_IN_FLIGHT] = 1;
    return this.#nextTag;
  }

  /** A tag of the recovery's own requests, which no server keeps a reply of. */
  #takeReplayTag(): number {
    do this.#nextTag = (this.#nextTag + 1) % NOTAG;
    while (this.#pending.has(this.#nextTag));
    return this.#nextTag;
  }

  #offerSpace(): boolean {
    const { requests } = this.#options;
    if (requests.full) return false;
    const queue = this.#recovering ? this.#slots : this.#space;
    if (queue.idle || (queue === this.#space && this.#pending.size >= MOST_IN_FLIGHT)) return false;
    wakeAll(queue);
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
    const late = slot.session !== this.#session;
    const firing = late ? undefined : this.#options.faults?.meet(slot);
    if (firing === 'wait') return false;
    const bytes = slot.payload.slice(0, slot.length);
    this.#options.replies.release();
    const tag = bytes.length >= 7 ? (bytes[5] ?? 0) | ((bytes[6] ?? 0) << 8) : NOTAG;
    const pending = late ? undefined : this.#pending.get(tag);
    if (pending === undefined || firing?.has('drop')) return true; // nobody waits for it any more
    if (firing?.errno !== undefined) {
      this.#settle(tag, { name: 'Rlerror', ecode: firing.errno });
      return true;
    }
    const decoded = decodeMessage(bytes, { granted: pending.grant !== undefined });
    const bad = typeof decoded === 'number' || isRequest(decoded.message);
    const reply: RMessage = bad
      ? { name: 'Rlerror', ecode: EPROTO }
      : (decoded.message as RMessage);
    if (!pending.replayed) this.#options.recovery?.ledger.learn(pending.request, reply);
    this.#settle(tag, reply);
    return true;
  }

  #settle(tag: number, reply: RMessage): void {
    const pending = this.#pending.get(tag);
    if (pending === undefined) return;
    this.#pending.delete(tag);
    if (!pending.replayed) this.#taken[tag % MOST_IN_FLIGHT] = 0;
    this.#options.executor.trace.asyncEnd(EVENTS.rpc, pending.span, T[reply.name]);
    pending.reply = reply;
    wakeAll(pending.done);
  }

  /** The kernel says by the rings' session that there is another worker at the other end. */
  #watchSession(): boolean {
    const { requests, recovery, executor } = this.#options;
    if (requests.session === this.#session || recovery === undefined) return false;
    if (this.#recovering) {
      for (const { done } of this.#pending.values()) wakeAll(done);
      wakeAll(this.#slots);
    } else {
      this.#recovering = true;
      executor.start(this.#recover(recovery), 'recovery');
    }
    return true;
  }

  *#recover(recovery: Recovery): Task<void> {
    do {
      this.drain();
      this.#blame(recovery);
      this.#session = this.#options.requests.session;
      yield* this.#replay(recovery);
      yield* this.#repeat();
    } while (this.#stale);
    this.#recovering = false;
    wakeAll(this.#space);
    if (!this.#dead) recovery.onRecovered?.();
  }

  /** There is yet another session: what was sent in this one is void. */
  get #stale(): boolean {
    return !this.#dead && this.#session !== this.#options.requests.session;
  }

  /** Whatever was under way when the server failed may be the reason. */
  #blame({ onPoison }: Recovery): void {
    const { faults } = this.#options.requests;
    const failed = faults !== this.#faults;
    this.#faults = faults;
    const sent = [...this.#pending].filter(([, one]) => one.session === this.#session);
    for (const [tag, pending] of [...this.#pending]) {
      if (pending.replayed) this.#pending.delete(tag);
    }
    if (!failed) return;
    for (const [tag, pending] of sent) {
      pending.deaths++;
      if (sent.length === 1) pending.deathsAlone++;
      if (pending.deathsAlone < POISON || pending.replayed) continue;
      onPoison?.(pending.request.message);
      this.#settle(tag, { name: 'Rlerror', ecode: EIO });
    }
  }

  *#replay({ ledger, replay }: Recovery): Task<void> {
    const sent: Pending[] = [];
    for (const request of replay(ledger.live)) {
      const slot = yield* this.#reserveNow();
      if (slot === undefined) return;
      const pending = newPending(request, { grant: request.grant, replayed: true });
      this.#put(slot, this.#takeReplayTag(), pending);
      sent.push(pending);
    }
    for (const pending of sent) if (!(yield* this.#answered(pending))) return;
  }

  /** Sends what was not answered again, in order; one at a time when one of them is suspect. */
  *#repeat(): Task<void> {
    const unanswered = [...this.#pending].filter(([, { replayed }]) => !replayed);
    const alone = unanswered.some(([, { deaths }]) => deaths >= SUSPECT);
    for (const [tag, pending] of unanswered) {
      const slot = yield* this.#reserveNow();
      if (slot === undefined) return;
      this.#put(slot, tag, pending);
      if (alone && !(yield* this.#answered(pending))) return;
    }
  }

  /** A slot for the recovery itself; undefined when the session is over. */
  *#reserveNow(): Task<Slot | undefined> {
    const { requests } = this.#options;
    while (!this.#dead && !this.#stale) {
      const slot = requests.reserve();
      if (slot) return slot;
      requests.flush();
      yield* sleep(this.#slots);
    }
    return undefined;
  }

  /** Waits for the reply; false when the session is over before it. */
  *#answered(pending: Pending): Task<boolean> {
    this.#options.requests.flush();
    while (pending.reply === undefined && !this.#dead && !this.#stale) yield* sleep(pending.done);
    return pending.reply !== undefined && !this.#stale;
  }
}

function newPending(
  request: Request,
  { grant, replayed }: { grant: GrantRef | undefined; replayed: boolean },
): Pending {
  // One literal: a request costs two of these, and spreads take microseconds.
  return {
    done: new WaitQueue(request.message.name),
    request,
    grant,
    replayed,
    span: 0,
    session: 0,
    reply: undefined,
    deaths: 0,
    deathsAlone: 0,
  };
}

/** The server's side: answers a request in the reply ring. The ring must have room. */
export function putReply(
  ring: Ring,
  reply: { tag: number; message: RMessage; granted: boolean; session?: number },
): void {
  const slot = ring.reserve();
  if (slot === undefined) throw new PosixError(EOVERFLOW, 'reply ring is full');
  const cursor = new Cursor(slot.payload, { granted: reply.granted });
  slot.length = encodeMessage(cursor, reply.tag, reply.message);
  if (reply.session !== undefined) slot.session = reply.session;
  ring.publish();
}
