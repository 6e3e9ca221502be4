// Requests that came together and need nothing but the file system are answered at once and published
// together (cache/joint.ts); small writes of many files go to the disk in one transfer. Whoever conflicts with a
// request under way, lacks a block, or is anything but plain, is served by itself: `take` says no.

import { O_EXCL } from '../../../kernel/abi/constants.ts';
import { ENOSPC, PosixError } from '../../../kernel/abi/errno.ts';
import type { Executor } from '../../../kernel/ipc/executor.ts';
import { type GrantReader, type GrantRef, subgrant } from '../../../kernel/ipc/grant.ts';
import type { Ring } from '../../../kernel/ipc/ring.ts';
import { runNow, type Task } from '../../../kernel/ipc/task.ts';
import { EVENTS } from '../../../kernel/ipc/trace-events.ts';
import type { NinepServer } from '../../../kernel/ninep/server.ts';
import { putReply } from '../../../kernel/ninep/transport-ring.ts';
import {
  type MessageOf,
  P9_SETATTR_SIZE,
  type RMessage,
  T,
  type TMessage,
} from '../../../kernel/ninep/types.ts';
import { Joint, type Outcome } from '../cache/joint.ts';
import { Memory } from '../data/memory.ts';
import type { SmallWrite } from '../data/mover.ts';
import type { RangeLocks } from '../data/range-lock.ts';
import type { MountedVolume } from '../mounted.ts';
import type { Transaction } from '../transaction.ts';
import type { InFlight, RequestOrder } from './order.ts';
import { changing, outcome, stored9p } from './stored.ts';

export interface Request {
  readonly tag: number;
  readonly message: TMessage;
  readonly grant: GrantRef | undefined;
  readonly repeated: boolean;
}

/** What it shares with the serve loop. */
export interface TogetherOptions {
  readonly executor: Executor;
  readonly grants: GrantReader;
  readonly replies: Ring;
  readonly volume: MountedVolume;
  readonly unfinished: ReadonlySet<number>;
  readonly server: NinepServer<number, Transaction>;
  readonly order: RequestOrder;
  readonly locks: RangeLocks;
  /** Serves a request by itself, in the turn that it has. */
  readonly alone: (request: Request, entry: InFlight) => Task<void>;
  readonly reply: (request: Request, message: RMessage) => Task<void>;
  readonly logFault: (error: PosixError, message: TMessage) => void;
  /** Requests left work behind. */
  readonly finish: () => void;
}

/** Bytes of a write that goes with others, through a place of its own on the way. */
const SMALL_WRITE = 16 * 1024;
const WRITES_MOST = 64;

interface Answer {
  readonly tag: number;
  readonly message: RMessage;
  readonly flow: number; // of the trace
}

interface Write {
  readonly request: Request & { readonly message: MessageOf<'Twrite'> };
  readonly entry: InFlight;
}

export class Together {
  readonly #options: TogetherOptions;
  readonly #joint: Joint;
  #answers: Answer[] = [];
  #writes: Write[] = [];

  constructor(options: TogetherOptions) {
    this.#options = options;
    this.#joint = new Joint(options.volume.engine);
  }

  /** False: it is to be served by itself. Otherwise `settle` must follow before anything else runs. */
  take(request: Request): boolean {
    const { order } = this.#options;
    const { message, repeated } = request;
    const write = isSmallWrite(message);
    if (repeated || !(write || isPlain(message)) || !order.isFree(message)) return false;
    if (!write) return this.#answer(request);
    if (this.#writes.length === WRITES_MOST) return false;
    const entry = order.enter(request.tag, message);
    this.#writes.push({ request: { ...request, message }, entry });
    return true;
  }

  /** What was taken happens, and is answered. */
  settle(): void {
    const { executor, replies, unfinished, finish, alone } = this.#options;
    this.#joint.publish();
    const { trace } = executor;
    for (const { tag, message, flow } of this.#answers) {
      trace.flow = flow;
      putReply(replies, { tag, message, granted: false });
    }
    if (this.#answers.length > 0) this.#answers = [];
    if (unfinished.size > 0) finish();
    const writes = this.#writes;
    if (writes.length === 0) return;
    this.#writes = [];
    const [only] = writes;
    if (only && writes.length === 1) executor.start(alone(only.request, only.entry), 'Twrite');
    else executor.start(this.#write(writes), 'Twrite');
  }

  /** By the file system, if that is all there is to it. */
  #answer({ tag, message, grant }: Request): boolean {
    const { executor, replies, server, volume } = this.#options;
    if (grant !== undefined || replies.slots - replies.queued <= this.#answers.length) return false;
    const { trace } = executor;
    const span = trace.asyncBegin(EVENTS.serve, T[message.name], tag);
    const done = this.#joint.run((tx) => runNow(server.dispatch(tx, message, undefined)), {
      changes: changing.has(message.name),
      outcome: outcome(tag, false),
    });
    const reply = done !== 'alone' && 'value' in done ? done.value : undefined;
    trace.asyncEnd(EVENTS.serve, span, reply ? T[reply.name] : 0);
    if (reply === undefined) return false;
    // Blocks that wait for a commit to be free are worth waiting for.
    const full = reply.name === 'Rlerror' && reply.ecode === ENOSPC;
    if (full && !volume.engine.cache.running.freed.empty) return false;
    this.#answers.push({ tag, message: reply, flow: trace.flow });
    return true;
  }

  *#write(writes: readonly Write[]): Task<void> {
    const { order, executor, volume, alone } = this.#options;
    const ready = this.#ready(writes);
    const small = ready.flatMap((one) => one?.small ?? []);
    const done = yield* volume.mover.writeTogether(small);
    for (const one of ready) one?.release();
    let at = 0;
    for (const [i, { request, entry }] of writes.entries()) {
      const outcome = ready[i] === undefined ? 'alone' : (done[at++] ?? 'alone');
      const reply = this.#replyTo(request, outcome);
      if (reply === undefined) executor.start(alone(request, entry), 'Twrite');
      else {
        yield* this.#options.reply(request, reply);
        order.leave(entry);
      }
    }
  }

  /** Undefined: it must be tried by itself. */
  #replyTo(request: Write['request'], outcome: Outcome<number>): RMessage | undefined {
    if (outcome === 'alone') return undefined;
    if ('value' in outcome) return { name: 'Rwrite', count: outcome.value };
    const { error } = outcome;
    const { freed } = this.#options.volume.engine.cache.running;
    if (error.errno === ENOSPC && !freed.empty) return undefined;
    this.#options.logFault(error, request.message);
    return { name: 'Rlerror', ecode: error.errno };
  }

  /** Those that may go: of an open file in blocks, not behind its end, with nobody else at work there. */
  #ready(writes: readonly Write[]): ({ small: SmallWrite; release: () => void } | undefined)[] {
    const { volume, locks, grants } = this.#options;
    const joint = new Joint(volume.engine);
    const found = writes.map(({ request }) => {
      const { tag, grant, message: m } = request;
      const count = grant ? Math.min(m.count, grant.length) : m.data.length;
      const target = this.#target({ ...m, count }, joint);
      if (target === undefined) return undefined;
      const { ino, grows } = target;
      const { blockSize } = volume.fs;
      const from = Math.floor(m.offset / blockSize) * blockSize;
      // New blocks may be filled beyond what is asked for: nobody is to write there meanwhile.
      const end = Math.ceil((m.offset + count) / blockSize) * blockSize;
      const to = grows ? Number.POSITIVE_INFINITY : end;
      const memory = grant && readable(grants, subgrant(grant, 0, count));
      if (count === 0 || (grant && !memory)) return undefined;
      const release = locks.tryHold({ ino, from, to, mode: 'exclusive' });
      if (release === undefined) return undefined;
      const reply = stored9p(tag, { name: 'Rwrite', count }, grant !== undefined);
      const bytes = memory ?? Memory.inline(m.data);
      return { small: { ino, offset: m.offset, count, memory: bytes, reply }, release };
    });
    joint.publish();
    return found;
  }

  #target(m: MessageOf<'Twrite'>, joint: Joint): { ino: number; grows: boolean } | undefined {
    const { server, volume } = this.#options;
    const { fs } = volume;
    const fid = server.fids().lookup(m.fid);
    const readOnly = volume.readOnly || fs.readOnly;
    if (readOnly || !fid?.open || fid.xattr !== undefined || (fid.flags & 3) === 0)
      return undefined;
    const ino = fid.handle;
    const found = joint.run(
      (tx) => {
        if (!fs.isMapped(tx, ino) || fs.packed?.content(tx, ino) !== undefined) return undefined;
        const filled = fs.filled?.(tx, ino) ?? fs.size(tx, ino);
        if (m.offset > filled) return undefined;
        return { ino, grows: m.offset + m.count > filled };
      },
      { changes: false },
    );
    return found !== 'alone' && 'value' in found ? found.value : undefined;
  }
}

/** Undefined when the grant does not allow it. */
function readable(grants: GrantReader, ref: GrantRef): Memory | undefined {
  try {
    return Memory.granted(grants, ref, 'take');
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return undefined;
  }
}

const isSmallWrite = (m: TMessage): m is MessageOf<'Twrite'> & TMessage =>
  m.name === 'Twrite' && m.count <= SMALL_WRITE && m.data.length <= SMALL_WRITE;

/** It changes no file's data, and leaves no work behind. */
function isPlain(m: TMessage): boolean {
  switch (m.name) {
    case 'Twalk':
    case 'Tgetattr':
    case 'Tmkdir':
    case 'Tsymlink':
      return true;
    case 'Tlcreate':
      return (m.flags & O_EXCL) !== 0;
    case 'Tsetattr':
      return (m.attr.valid & P9_SETATTR_SIZE) === 0;
    default:
      return false;
  }
}
