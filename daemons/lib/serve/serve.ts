// The serve loop: 9P requests of the kernel's ring, each a task; its changes and its reply are
// published together. What is wrong with a request becomes Rlerror here and nowhere else; bugs go on
// to the executor.

import { O_TRUNC } from '../../../kernel/abi/constants.ts';
import { EIO, ENOSPC, EROFS, EUCLEAN, errnoName, PosixError } from '../../../kernel/abi/errno.ts';
import type { FidEntry } from '../../../kernel/abi/fid-table.ts';
import type { Executor } from '../../../kernel/ipc/executor.ts';
import { GRANT_READ, GRANT_WRITE, type GrantReader, subgrant } from '../../../kernel/ipc/grant.ts';
import type { Ring } from '../../../kernel/ipc/ring.ts';
import { runNow, sleep, type Task, WaitQueue, wakeAll } from '../../../kernel/ipc/task.ts';
import { EVENTS } from '../../../kernel/ipc/trace-events.ts';
import { decodeMessage, isRequest } from '../../../kernel/ninep/codec.ts';
import { type MessageFaults, shortened } from '../../../kernel/ninep/message-faults.ts';
import { NinepServer } from '../../../kernel/ninep/server.ts';
import { putReply } from '../../../kernel/ninep/transport-ring.ts';
import {
  type MessageOf,
  NOTAG,
  P9_SETATTR_SIZE,
  type RMessage,
  T,
  type TMessage,
} from '../../../kernel/ninep/types.ts';
import { Memory } from '../data/memory.ts';
import { RangeLocks } from '../data/range-lock.ts';
import { ZeroFill } from '../data/zero-fill.ts';
import type { MountedVolume } from '../mounted.ts';
import type { Transaction } from '../transaction.ts';
import { finishWork } from './long-work.ts';
import { type InFlight, RequestOrder } from './order.ts';
import { changing, outcome, stored9p } from './stored.ts';
import { type Request, Together } from './together.ts';

export interface ServeOptions {
  readonly executor: Executor;
  readonly grants: GrantReader;
  readonly requests: Ring;
  readonly replies: Ring;
  readonly volume: MountedVolume;
  /** Inodes with a long operation begun and not finished: filled by the volume's hooks. */
  readonly unfinished: Set<number>;
  readonly log: (line: string) => void;
  /** The last attach fid was clunked: the volume is unmounted, cleanly or not. */
  readonly onUnmounted: () => void;
  /** Faults at the requests. */
  readonly faults?: MessageFaults;
  /** The fids that a worker before this one had. */
  readonly fids?: readonly FidEntry[];
}

/** Messages taken before others have their turn. */
const DRAIN_LIMIT = 64;
const READS = { changes: false } as const;

/** How often a write behind the end looks for an end that others move. */
const GAP_TRIES = 1000;

export class VolumeServer {
  readonly #options: ServeOptions;
  readonly #server: NinepServer<number, Transaction>;
  readonly #order = new RequestOrder();
  readonly #locks = new RangeLocks();
  readonly #fill: ZeroFill;
  readonly #together: Together;
  readonly #replySpace = new WaitQueue('reply ring');
  readonly #attached = new Set<number>(); // fids of Tattach
  readonly #detach: (() => void)[];

  constructor(options: ServeOptions) {
    this.#options = options;
    this.#fill = new ZeroFill(options.volume, this.#locks);
    this.#server = new NinepServer(options.volume.fs, {
      msize: options.replies.slotSize - 32,
      onError: (error, message) => this.#logFault(error, message),
    });
    for (const { fid, qid, flags, attached } of options.fids ?? []) {
      this.#server.restore(fid, { node: qid.path, qid, flags });
      if (attached) this.#attached.add(fid);
    }
    const { executor, requests, replies } = options;
    this.#together = new Together({
      ...options,
      ...{ server: this.#server, order: this.#order, locks: this.#locks },
      alone: (request, entry) => this.#serve(request, entry),
      reply: ({ tag, grant }, message) =>
        this.#reply({ tag, message, granted: grant !== undefined }),
      logFault: (error, message) => this.#logFault(error, message),
      finish: () => executor.start(this.#finishLeftovers(), 'leftovers'),
    });
    this.#detach = [
      executor.poll(() => this.#takeAll(requests)),
      executor.produce(replies),
      executor.poll(() => this.#offerSpace()),
    ];
    if (options.unfinished.size > 0) executor.start(this.#finishLeftovers(), 'leftovers');
  }

  get inFlight(): number {
    return this.#order.size;
  }

  stop(): void {
    for (const detach of this.#detach) detach();
  }

  #takeAll(ring: Ring): boolean {
    let taken = 0;
    while (taken < DRAIN_LIMIT && ring.queued > 0 && this.#take(ring)) taken++;
    this.#together.settle();
    return taken > 0;
  }

  #take(ring: Ring): boolean {
    const slot = ring.peek();
    if (slot === undefined) return false;
    if (slot.session !== ring.session) {
      ring.release(); // it comes again, if its sender still wants it
      return true;
    }
    const firing = this.#options.faults?.meet(slot);
    if (firing === 'wait') return false;
    const bytes = slot.payload.slice(0, slot.length); // the slot is the client's again
    const { grant, repeated } = slot;
    const tagAt = bytes.length >= 7 ? (bytes[5] ?? 0) | ((bytes[6] ?? 0) << 8) : NOTAG;
    // Before the request counts as taken: a worker after this one must not take an old reply for its own.
    if (!repeated) this.#options.volume.engine.cache.table.dropReply(tagAt);
    ring.release();
    const decoded = decodeMessage(bytes, { granted: grant !== undefined });
    if (firing?.has('drop')) return true;
    if (typeof decoded === 'number' || !isRequest(decoded.message)) {
      const tag = tagAt;
      const ecode = typeof decoded === 'number' ? decoded : EIO;
      const message: RMessage = { name: 'Rlerror', ecode };
      this.#options.executor.start(this.#reply({ tag, message, granted: false }), 'bad request');
      return true;
    }
    const { tag } = decoded;
    const message = shortened(decoded.message, firing);
    const { errno } = firing ?? {};
    const request = { tag, message, grant, repeated };
    if (errno === undefined && this.#together.take(request)) return true;
    const work =
      errno === undefined
        ? this.#serve(request, this.#order.enter(tag, message))
        : this.#reply({ tag, message: { name: 'Rlerror', ecode: errno }, granted: false });
    this.#options.executor.start(work, message.name);
    return true;
  }

  *#serve(request: Request, entry: InFlight): Task<void> {
    const { tag, message, grant } = request;
    const { trace } = this.#options.executor;
    const span = trace.asyncBegin(EVENTS.serve, T[message.name], tag);
    try {
      const answer = yield* this.#answerInTurn(request, entry);
      trace.asyncEnd(EVENTS.serve, span, T[answer.name]);
      // Before those who wait for it go on: of one fid, replies come in the order of the requests.
      yield* this.#reply({ tag, message: answer, granted: grant !== undefined });
    } finally {
      this.#order.leave(entry);
    }
    if (message.name === 'Tclunk' && this.#isLast(message)) {
      this.#attached.clear();
      this.#options.onUnmounted();
    }
  }

  *#answerInTurn(request: Request, entry: InFlight): Task<RMessage> {
    const { message } = request;
    try {
      if (message.name === 'Tflush') yield* this.#order.flushed(entry, message.oldtag);
      else yield* this.#order.inTurn(entry);
      if (this.#isLast(message)) yield* this.#order.alone(entry);
      return yield* this.#answer(request);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      this.#logFault(error, message);
      return { name: 'Rlerror', ecode: error.errno };
    }
  }

  *#answer(request: Request): Task<RMessage> {
    const done = request.repeated ? this.#storedReply(request) : undefined;
    if (done) return yield* this.#repeatEffect(request.message, done);
    const { message } = request;
    switch (message.name) {
      case 'Tread':
      case 'Twrite':
        return yield* this.#data(request, message);
      case 'Tsetattr':
        return yield* this.#setattr(request, message);
      case 'Tallocate':
        return yield* this.#alone(request, message);
      case 'Tlopen':
        return yield* this.#open(request, message);
      case 'Tfsync': {
        const reply = yield* this.#dispatch(request);
        if (reply.name === 'Rfsync') yield* this.#options.volume.commit();
        return reply;
      }
      case 'Tattach': {
        const reply = yield* this.#dispatch(request);
        if (reply.name === 'Rattach') this.#attached.add(message.fid);
        return reply;
      }
      case 'Tversion':
        this.#attached.clear(); // a new session: the fids of the old one are given up
        return yield* this.#dispatch(request);
      case 'Tclunk':
        return yield* this.#clunk(request, message);
      default:
        return yield* this.#dispatch(request);
    }
  }

  #storedReply({ tag, grant }: Request): RMessage | undefined {
    const stored = this.#options.volume.engine.cache.table.storedReply(tag);
    const decoded = stored && decodeMessage(stored, { granted: grant !== undefined });
    return typeof decoded === 'object' ? (decoded.message as RMessage) : undefined;
  }

  /** A worker before this one did the request and died: its blocks know, its fids do not. */
  *#repeatEffect(message: TMessage, reply: RMessage): Task<RMessage> {
    if (message.name === 'Tclunk' || message.name === 'Tremove') {
      const node = this.#server.fids().lookup(message.fid)?.node;
      this.#server.discard(message.fid);
      if (node !== undefined) this.#options.unfinished.add(node);
    } else if (reply.name === 'Rlcreate' || reply.name === 'Rlopen') {
      const { fid, flags } = message as MessageOf<'Tlcreate' | 'Tlopen'>;
      this.#server.discard(fid);
      this.#server.restore(fid, { node: reply.qid.path, qid: reply.qid, flags });
    }
    yield* this.#finishLongWork();
    return reply;
  }

  /** Data of regular files goes past the file system; all else it does itself. */
  *#data(request: Request, m: MessageOf<'Tread'> | MessageOf<'Twrite'>): Task<RMessage> {
    const { volume } = this.#options;
    const fid = this.#server.fids().lookup(m.fid);
    const writing = m.name === 'Twrite';
    const accmode = (fid?.flags ?? 0) & 3;
    const allowed = fid?.open && fid.xattr === undefined && accmode !== (writing ? 0 : 1);
    if (fid === undefined || !allowed) return yield* this.#dispatch(request);
    const ino = fid.handle;
    const { fs } = volume;
    const filled = yield* volume.engine.run(
      (tx) => (fs.isMapped(tx, ino) ? (fs.filled?.(tx, ino) ?? fs.size(tx, ino)) : undefined),
      { changes: false },
    );
    if (filled === undefined) return yield* this.#dispatch(request);
    if (writing) return yield* this.#write(request, m as MessageOf<'Twrite'>, { ino, filled });
    return yield* this.#read(request, m as MessageOf<'Tread'>, ino);
  }

  *#read({ grant }: Request, m: MessageOf<'Tread'>, ino: number): Task<RMessage> {
    const { grants, volume, replies } = this.#options;
    const room = grant ? grant.length : replies.slotSize - 64;
    const count = Math.min(m.count, room);
    const data = grant ? new Uint8Array(0) : new Uint8Array(count);
    const memory = grant
      ? Memory.granted(grants, subgrant(grant, 0, count), 'fill')
      : Memory.inline(data);
    const range = { ino, from: m.offset, to: m.offset + count, mode: 'shared' } as const;
    const done = yield* this.#locks.holding(range, () =>
      volume.mover.read({ ino, offset: m.offset, count, memory }),
    );
    return { name: 'Rread', count: done, data: data.subarray(0, done) };
  }

  *#write(
    { tag, grant }: Request,
    m: MessageOf<'Twrite'>,
    { ino, filled }: { ino: number; filled: number },
  ): Task<RMessage> {
    const { grants, volume } = this.#options;
    if (volume.readOnly || volume.fs.readOnly) throw new PosixError(EROFS, 'read-only volume');
    const count = grant ? Math.min(m.count, grant.length) : m.data.length;
    if (count === 0) return { name: 'Rwrite', count };
    const memory = grant
      ? Memory.granted(grants, subgrant(grant, 0, count), 'take')
      : Memory.inline(m.data);
    const reply: RMessage = { name: 'Rwrite', count };
    const stored = stored9p(tag, reply, grant !== undefined);
    const { blockSize } = volume.fs;
    const from = Math.floor(m.offset / blockSize) * blockSize;
    const to = Math.ceil((m.offset + count) / blockSize) * blockSize;
    const transfer = { ino, offset: m.offset, count, memory };
    if (m.offset > filled) {
      const least = m.offset + count;
      if (volume.fs.mayGrow) yield* this.#fill.upTo(ino, { size: m.offset, least });
      else yield* this.#zeroGap(ino, m.offset);
    }
    yield* this.#locks.holding({ ino, from, to, mode: 'exclusive' }, () =>
      this.#withRoom(() => volume.mover.write(transfer, stored)),
    );
    return reply;
  }

  /**
   * A write behind the end leaves a gap that reads as zeroes. The block of the old end is not in the
   * write's own range, and another write may be filling it at this moment: it is locked by itself.
   */
  *#zeroGap(ino: number, offset: number): Task<void> {
    const { mover, engine, fs } = this.#options.volume;
    const sizeNow = () => engine.run((tx) => fs.size(tx, ino), { changes: false });
    const blockOf = (at: number): number => at - (at % fs.blockSize);
    for (let tries = 0; tries < GAP_TRIES; tries++) {
      const size = yield* sizeNow();
      const from = blockOf(size);
      if (offset <= size || from === size) return;
      const range = { ino, from, to: from + fs.blockSize, mode: 'exclusive' } as const;
      const zeroed = yield* this.#locks.holding(range, function* () {
        const now = yield* sizeNow();
        const same = blockOf(now) === from;
        if (same && offset > now) yield* mover.zeroTail(ino, now);
        return same;
      });
      if (zeroed) return;
    }
    throw new PosixError(EIO, `inode ${ino}: its size does not hold still`);
  }

  /** A new size: no transfer may be under way, and what a longer file shows must be zeroes. */
  *#setattr(request: Request, m: MessageOf<'Tsetattr'>): Task<RMessage> {
    const { volume } = this.#options;
    const fid = this.#server.fids().lookup(m.fid);
    if ((m.attr.valid & P9_SETATTR_SIZE) === 0 || fid === undefined || volume.fs.readOnly) {
      return yield* this.#dispatch(request);
    }
    const ino = fid.node;
    const { size, dispatch } = { size: m.attr.size, dispatch: () => this.#dispatch(request) };
    const { mover, engine, fs } = volume;
    const mapped = yield* engine.run((tx) => fs.isMapped(tx, ino), READS);
    if (fs.reserve) yield* this.#reserve(ino, size);
    else if (fs.mayGrow && mapped) yield* this.#fill.upTo(ino, { size, least: size });
    return yield* this.#locks.holding(wholeFile(ino), function* () {
      const old = yield* engine.run((tx) => (mapped ? fs.size(tx, ino) : size), READS);
      if (mapped) yield* mover.makeRoom(ino, size);
      if (size > old) yield* mover.zeroTail(ino, old);
      return yield* dispatch();
    });
  }

  /** Room for a longer file, in bounded requests. */
  *#reserve(ino: number, size: number): Task<void> {
    const { engine, fs } = this.#options.volume;
    const step = (tx: Transaction) =>
      (fs.isMapped(tx, ino) && size > fs.size(tx, ino) && fs.reserve?.(tx, { ino, size })) || false;
    for (let more = true; more; ) {
      yield* this.#withRoom(function* () {
        more = yield* engine.run(step, { changes: true });
      });
    }
  }

  /** Blocks come and go: no transfer of the file may be under way. */
  *#alone(request: Request, m: MessageOf<'Tallocate'>): Task<RMessage> {
    const fid = this.#server.fids().lookup(m.fid);
    if (fid === undefined) return yield* this.#dispatch(request);
    const { mover } = this.#options.volume;
    const dispatch = () => this.#dispatch(request);
    return yield* this.#locks.holding(wholeFile(fid.node), function* () {
      yield* mover.unpack(fid.node);
      return yield* dispatch();
    });
  }

  *#open(request: Request, m: MessageOf<'Tlopen'>): Task<RMessage> {
    const fid = this.#server.fids().lookup(m.fid);
    if ((m.flags & O_TRUNC) === 0 || fid === undefined) return yield* this.#dispatch(request);
    return yield* this.#locks.holding(wholeFile(fid.node), () => this.#dispatch(request));
  }

  *#clunk(request: Request, m: MessageOf<'Tclunk'>): Task<RMessage> {
    const last = this.#isLast(m);
    const reply = yield* this.#dispatch(request);
    if (last) yield* this.#options.volume.unmount();
    else this.#attached.delete(m.fid);
    return reply;
  }

  /** Giving up the last fid of an attach unmounts the volume. */
  #isLast(m: TMessage): boolean {
    return m.name === 'Tclunk' && this.#attached.size === 1 && this.#attached.has(m.fid);
  }

  /** The file system answers, as a transaction. Blocks that wait for a commit to be free are waited for. */
  *#dispatch(request: Request): Task<RMessage> {
    const reply = yield* this.#dispatchOnce(request);
    const full = reply.name === 'Rlerror' && reply.ecode === ENOSPC;
    const { volume } = this.#options;
    if (!full || volume.engine.cache.running.freed.empty) return reply;
    yield* volume.commit();
    return yield* this.#dispatchOnce(request);
  }

  *#dispatchOnce({ tag, message, grant }: Request): Task<RMessage> {
    const { grants, volume } = this.#options;
    const rights = message.name === 'Twrite' ? GRANT_READ : GRANT_WRITE;
    const payload = grant ? grants.views(grant, rights) : undefined;
    const reply = yield* volume.engine.run(
      (tx) => runNow(this.#server.dispatch(tx, message, payload)),
      { changes: changing.has(message.name), outcome: outcome(tag, grant !== undefined) },
    );
    yield* this.#finishLongWork();
    return reply;
  }

  /** Truncations and deletions go on in bounded steps until they are done. */
  *#finishLongWork(): Task<void> {
    const { unfinished, volume } = this.#options;
    for (const ino of [...unfinished]) {
      unfinished.delete(ino);
      yield* finishWork(volume, { ino, inUse: () => this.#inUse(ino) });
    }
  }

  /** What a worker before this one had begun: deletions, truncations. */
  *#finishLeftovers(): Task<void> {
    try {
      yield* this.#finishLongWork();
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      this.#options.log(`work left by a crash is not finished: ${error.message}`);
    }
  }

  #inUse(ino: number): boolean {
    for (const [, fid] of this.#server.fids().entries()) if (fid.node === ino) return true;
    return false;
  }

  *#withRoom(write: () => Task<void>): Task<void> {
    const { volume } = this.#options;
    try {
      yield* write();
    } catch (error) {
      const full = error instanceof PosixError && error.errno === ENOSPC;
      if (!full || volume.engine.cache.running.freed.empty) throw error;
      yield* volume.commit();
      yield* write();
    }
  }

  *#reply(reply: { tag: number; message: RMessage; granted: boolean }): Task<void> {
    const { replies } = this.#options;
    while (replies.full) {
      replies.flush();
      yield* sleep(this.#replySpace);
    }
    putReply(replies, reply);
  }

  #offerSpace(): boolean {
    if (this.#replySpace.idle || this.#options.replies.full) return false;
    wakeAll(this.#replySpace);
    return true;
  }

  #logFault(error: PosixError, { name }: TMessage): void {
    if (error.errno !== EUCLEAN && error.errno !== EIO) return;
    this.#options.log(`${errnoName(error.errno)} at ${name}: ${error.message}`);
  }
}

const wholeFile = (ino: number) =>
  ({ ino, from: 0, to: Number.POSITIVE_INFINITY, mode: 'exclusive' }) as const;
