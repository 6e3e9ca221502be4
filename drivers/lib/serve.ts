// The serve loop of a driver: takes 9P requests from its sessions' rings, moves data of disks by
// grant and lets the tree answer the rest. The one place in a driver where a PosixError becomes
// Rlerror.

import { EPROTO, PosixError } from '../../kernel/abi/errno.ts';
import type { Executor } from '../../kernel/ipc/executor.ts';
import {
  GRANT_READ,
  GRANT_WRITE,
  type GrantReader,
  type GrantRef,
  type Segment,
} from '../../kernel/ipc/grant.ts';
import type { Ring } from '../../kernel/ipc/ring.ts';
import { sleep, type Task, WaitQueue, wakeAll } from '../../kernel/ipc/task.ts';
import { EVENTS } from '../../kernel/ipc/trace-events.ts';
import { decodeMessage, isRequest } from '../../kernel/ninep/codec.ts';
import type { FileServer } from '../../kernel/ninep/file-server.ts';
import { type MessageFaults, shortened } from '../../kernel/ninep/message-faults.ts';
import { NinepServer } from '../../kernel/ninep/server.ts';
import { putReply } from '../../kernel/ninep/transport-ring.ts';
import { type RMessage, T, type TMessage } from '../../kernel/ninep/types.ts';

/** What a driver serves: a tree, and in it files whose data moves by DMA. */
export interface DiskServer<N> {
  readonly fs: FileServer<N, undefined>;
  /** Whether the node's data lies on a disk. */
  isData(node: N): boolean;
  /** Moves bytes between the node at `offset` and the segments; returns how many. */
  transfer(
    node: N,
    request: { op: 'read' | 'write'; offset: number; segments: readonly Segment[] },
  ): Task<number>;
}

export interface SessionRings {
  readonly requests: Ring;
  readonly replies: Ring;
}

interface Incoming {
  readonly tag: number;
  readonly message: TMessage;
  readonly grant: GrantRef | undefined;
  readonly session: number; // of the ring
}

export interface ServeOptions<N> {
  readonly executor: Executor;
  readonly grants: GrantReader;
  readonly server: DiskServer<N>;
  readonly log: (line: string) => void;
  /** Makes the faults at one session's requests. */
  readonly faults?: () => MessageFaults;
}

/** Serves one client for as long as the worker lives. */
export function serveSession<N>(options: ServeOptions<N>, rings: SessionRings): void {
  new Session(options, rings);
}

class Session<N> {
  readonly #options: ServeOptions<N>;
  readonly #replies: Ring;
  readonly #server: NinepServer<N, undefined>;
  readonly #room = new WaitQueue('reply ring');
  readonly #faults: MessageFaults | undefined;
  #inFlight = 0;

  constructor(options: ServeOptions<N>, rings: SessionRings) {
    this.#options = options;
    this.#replies = rings.replies;
    this.#faults = options.faults?.();
    this.#server = new NinepServer(options.server.fs);
    options.executor.produce(rings.replies);
    options.executor.consume(rings.requests, (ring) => this.#take(ring));
    options.executor.poll(() => this.#offerRoom());
  }

  #take(ring: Ring): boolean {
    const slot = ring.peek();
    if (slot === undefined) return false;
    const { grant, session } = slot;
    if (session !== ring.session) {
      ring.release(); // whoever sent it is gone, or sends it again
      return true;
    }
    const firing = this.#faults?.meet(slot);
    if (firing === 'wait') return false;
    const bytes = slot.payload.slice(0, slot.length);
    if (firing?.has('drop')) {
      ring.release();
      return true;
    }
    const decoded = decodeMessage(bytes, { granted: grant !== undefined });
    if (typeof decoded === 'number' || !isRequest(decoded.message)) {
      ring.release();
      this.#options.log(`malformed request of ${bytes.length} bytes`);
      const tag = (bytes[5] ?? 0) | ((bytes[6] ?? 0) << 8);
      const message: RMessage = { name: 'Rlerror', ecode: EPROTO };
      this.#start(this.#reply({ tag, message, granted: false, session }), 'EPROTO');
      return true;
    }
    const { tag } = decoded;
    // What a client before this one asked for may still be moving its memory.
    if (decoded.message.name === 'Tversion' && this.#inFlight > 0) return false;
    ring.release();
    const message = shortened(decoded.message, firing);
    const { errno: ecode } = firing ?? {};
    if (ecode === undefined) {
      this.#start(this.#serve({ tag, message, grant, session }), message.name);
    } else {
      const error: RMessage = { name: 'Rlerror', ecode };
      this.#start(this.#reply({ tag, message: error, granted: false, session }), 'fault');
    }
    return true;
  }

  #start(task: Task<void>, name: string): void {
    this.#options.executor.startNow(task, { name, beforeStep: () => undefined });
  }

  *#serve(incoming: Incoming): Task<void> {
    this.#inFlight++;
    const { trace } = this.#options.executor;
    const span = trace.asyncBegin(EVENTS.serve, T[incoming.message.name], incoming.tag);
    let reply: RMessage;
    try {
      reply = yield* this.#answer(incoming);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      this.#options.log(`${incoming.message.name}: ${error.message}`);
      reply = { name: 'Rlerror', ecode: error.errno };
    }
    trace.asyncEnd(EVENTS.serve, span, T[reply.name]);
    this.#inFlight--;
    const { tag, session } = incoming;
    yield* this.#reply({ tag, message: reply, granted: incoming.grant !== undefined, session });
  }

  *#answer({ message, grant }: Incoming): Task<RMessage> {
    const { grants, server } = this.#options;
    if (grant === undefined) return yield* this.#server.dispatch(undefined, message);
    const rights = message.name === 'Twrite' ? GRANT_READ : GRANT_WRITE;
    if (message.name === 'Tread' || message.name === 'Twrite') {
      const fid = this.#server.fids().lookup(message.fid);
      if (fid?.open && server.isData(fid.node)) {
        const op = message.name === 'Tread' ? 'read' : 'write';
        const { offset, count: length } = message;
        const segments = grants.resolve(
          { ...grant, length: Math.min(length, grant.length) },
          rights,
        );
        const count = yield* server.transfer(fid.node, { op, offset, segments });
        return op === 'read' ? { name: 'Rread', count, data: NOTHING } : { name: 'Rwrite', count };
      }
    }
    return yield* this.#server.dispatch(undefined, message, grants.views(grant, rights));
  }

  *#reply(reply: Parameters<typeof putReply>[1]): Task<void> {
    while (this.#replies.full) yield* sleep(this.#room);
    putReply(this.#replies, reply);
  }

  #offerRoom(): boolean {
    if (this.#room.idle || this.#replies.full) return false;
    wakeAll(this.#room);
    return true;
  }
}

const NOTHING = new Uint8Array(0);
