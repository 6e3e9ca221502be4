// The server side of 9P2000.L: keeps the fids, checks the protocol's rules, and calls a FileServer.
// Transports bring decoded requests here; one NinepServer is one session.

import { EOPNOTSUPP, EPROTO, PosixError } from '../abi/errno.ts';
import type { Task } from '../ipc/task.ts';
import { type Fid, FidTable } from './fids.ts';
import type { FileServer } from './file-server.ts';
import * as attributes from './handlers/attributes.ts';
import * as io from './handlers/io.ts';
import * as names from './handlers/names.ts';
import * as walks from './handlers/walk.ts';
import { LockTable } from './locks.ts';
import type { Session } from './session.ts';
import { type MessageOf, P9_VERSION, type Qid, type RMessage, type TMessage } from './types.ts';

const MSIZE_MIN = 512; // bytes; less holds no reply that matters
const MSIZE = 1 << 20;
const FIDS_MAX = 65536;

export interface ServerOptions {
  /** Bytes of the largest message that the transport takes. */
  readonly msize?: number;
  readonly maxFids?: number;
  /** Sees each error on its way into an Rlerror, with its words: for the kernel log. */
  readonly onError?: (error: PosixError, request: TMessage) => void;
}

/** What a fid stands for, to those who serve around this skeleton or rebuild it after a crash. */
export interface FidView<N> {
  lookup(fid: number): Fid<N> | undefined;
  /** How many fids refer to the file with this qid.path. */
  uses(path: number): number;
  entries(): IterableIterator<[number, Fid<N>]>;
  readonly size: number;
}

export class NinepServer<N, C> {
  readonly #session: Session<N, C>;
  readonly #msizeMax: number;
  readonly #onError: ServerOptions['onError'];

  constructor(fs: FileServer<N, C>, options: ServerOptions = {}) {
    this.#msizeMax = options.msize ?? MSIZE;
    this.#onError = options.onError;
    this.#session = {
      fs,
      fids: new FidTable(options.maxFids ?? FIDS_MAX),
      locks: new LockTable(),
      msize: this.#msizeMax,
    };
  }

  /**
   * Answers one request. `payload` is granted memory for Tread, Twrite and Treaddir; without it
   * their data is inline. A PosixError becomes Rlerror; anything else that the file server throws
   * (a Missing block, a bug) passes through, and then no fid has changed.
   */
  *dispatch(ctx: C, request: TMessage, payload?: readonly Uint8Array[]): Task<RMessage> {
    try {
      return yield* this.#handle(ctx, request, payload);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      this.#onError?.(error, request);
      return { name: 'Rlerror', ecode: error.errno };
    }
  }

  fids(): FidView<N> {
    const { fids } = this.#session;
    return {
      lookup: (fid) => fids.find(fid),
      uses: (path) => fids.uses(path),
      entries: () => fids.entries(),
      get size() {
        return fids.size;
      },
    };
  }

  /** Puts a fid back as it was before a restart; `flags` when it was open. */
  restore(fid: number, entry: { node: N; qid: Qid; flags?: number | undefined }): void {
    const { node, qid, flags } = entry;
    this.#session.fids.checkFree(fid);
    this.#session.fids.set(fid, {
      node,
      handle: node,
      qid,
      open: flags !== undefined,
      flags: flags ?? 0,
    });
  }

  /** Forgets a fid without a word to the file server: what it did before a restart is done. */
  discard(fid: number): void {
    this.#session.fids.delete(fid);
  }

  *#handle(ctx: C, m: TMessage, payload: io.Payload): Task<RMessage> {
    const s = this.#session;
    switch (m.name) {
      case 'Tversion':
        return this.#version(ctx, m);
      case 'Tauth':
        throw new PosixError(EOPNOTSUPP, 'no authentication here');
      case 'Tflush':
        return { name: 'Rflush' }; // requests are answered in order: the old one is answered already
      case 'Tattach':
        return walks.Tattach(s, ctx, m);
      case 'Twalk':
        return walks.Twalk(s, ctx, m);
      case 'Tclunk':
        return walks.Tclunk(s, ctx, m);
      case 'Tremove':
        return walks.Tremove(s, ctx, m);
      case 'Tlopen':
        return yield* io.Tlopen(s, ctx, m);
      case 'Tlcreate':
        return yield* io.Tlcreate(s, ctx, m);
      case 'Tread':
        return yield* io.Tread(s, ctx, { m, payload });
      case 'Twrite':
        return yield* io.Twrite(s, ctx, { m, payload });
      case 'Treaddir':
        return io.Treaddir(s, ctx, { m, payload });
      case 'Tfsync':
        return yield* io.Tfsync(s, ctx, m);
      case 'Tallocate':
        return io.Tallocate(s, ctx, m);
      case 'Tseek':
        return io.Tseek(s, ctx, m);
      case 'Tsymlink':
        return names.Tsymlink(s, ctx, m);
      case 'Tmknod':
        return names.Tmknod(s, ctx, m);
      case 'Tmkdir':
        return names.Tmkdir(s, ctx, m);
      case 'Tlink':
        return names.Tlink(s, ctx, m);
      case 'Tunlinkat':
        return names.Tunlinkat(s, ctx, m);
      case 'Trenameat':
        return names.Trenameat(s, ctx, m);
      case 'Trename':
        return names.Trename(s, ctx, m);
      case 'Tgetattr':
        return attributes.Tgetattr(s, ctx, m);
      case 'Tsetattr':
        return attributes.Tsetattr(s, ctx, m);
      case 'Tstatfs':
        return attributes.Tstatfs(s, ctx, m);
      case 'Treadlink':
        return attributes.Treadlink(s, ctx, m);
      case 'Txattrwalk':
        return attributes.Txattrwalk(s, ctx, m);
      case 'Txattrcreate':
        return attributes.Txattrcreate(s, ctx, m);
      case 'Tlock':
        return attributes.Tlock(s, ctx, m);
      case 'Tgetlock':
        return attributes.Tgetlock(s, ctx, m);
      default:
        throw new PosixError(EPROTO, 'not a request');
    }
  }

  /** Begins the session anew: whatever fids there were are given up. */
  #version(ctx: C, m: MessageOf<'Tversion'>): RMessage {
    const s = this.#session;
    if (m.msize < MSIZE_MIN) throw new PosixError(EPROTO, `msize ${m.msize} is too small`);
    const paths = new Map<number, Fid<N>>();
    for (const [, entry] of s.fids.entries()) {
      s.fs.clunk?.(ctx, entry.handle, entry.open);
      paths.set(entry.qid.path, entry);
    }
    for (const entry of paths.values()) s.fs.forget?.(ctx, entry.node);
    s.fids.clear();
    s.locks.clear();
    s.msize = Math.min(m.msize, this.#msizeMax);
    const version = m.version === P9_VERSION ? P9_VERSION : 'unknown';
    return { name: 'Rversion', msize: s.msize, version };
  }
}
