// The 9P client: requests as tasks, over any transport. The kernel's VFS and the volumes use it; it
// does not know whether a ring, a direct call or a byte stream lies beneath.

import { ENOMEM, EPROTO, fail, PosixError, toErrno } from '../abi/errno.ts';
import { neverRefuses } from '../ipc/fault/gate.ts';
import type { GrantRef, Segment } from '../ipc/grant.ts';
import type { Task } from '../ipc/task.ts';
import type { MessageOf, ReplyTo, RMessage, TMessage, TName } from './types.ts';

/** Memory in `ram` for the payload of a request: the transport grants it to its server meanwhile. */
export interface Memory {
  readonly segments: readonly Segment[];
  /** What the server does with it: it writes into it for Tread and Treaddir, reads it for Twrite. */
  readonly rights: number;
}

/** A request on its way, and where its payload lies if not in the message. */
export interface Request {
  readonly message: TMessage;
  /** A grant, or a part of one, that the sender holds and passes on. */
  readonly grant?: GrantRef | undefined;
  readonly memory?: Memory | undefined;
}

/** Carries requests to a server and its replies back, in the order of the requests. */
export interface Transport {
  /** Sends all requests together (one hop) and waits for all replies; Rlerror is a reply like any. */
  exchange(requests: readonly Request[]): Task<RMessage[]>;
}

export class NinepClient {
  readonly #transport: Transport;
  readonly #freeFids: number[] = [];
  #nextFid = 1;
  /** The fault point alloc.fids. */
  refuses = neverRefuses;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** A fid number that is not in use; give it back with `freeFid` after its clunk. */
  takeFid(): number {
    if (this.refuses(1)) fail(ENOMEM, 'no memory for a fid');
    return this.#freeFids.pop() ?? this.#nextFid++;
  }

  freeFid(fid: number): void {
    this.#freeFids.push(fid);
  }

  /** Fids taken and not given back. */
  get fidsInUse(): number {
    return this.#nextFid - 1 - this.#freeFids.length;
  }

  /** One request. Throws PosixError for Rlerror, EPROTO when the reply is of another kind. */
  *rpc<N extends TName>(
    message: MessageOf<N> & TMessage,
    payload: Pick<Request, 'grant' | 'memory'> = {},
  ): Task<MessageOf<ReplyTo<N>>> {
    const [reply] = yield* this.#transport.exchange([{ message, ...payload }]);
    return this.expect(message.name as N, reply);
  }

  /** Many requests in one hop. The replies stand in the order of the requests, errors among them. */
  *all(requests: readonly Request[]): Task<RMessage[]> {
    return yield* this.#transport.exchange(requests);
  }

  /** The body of the reply that `name` must have, or the error that it carries. */
  expect<N extends TName>(name: N, reply: RMessage | undefined): MessageOf<ReplyTo<N>> {
    if (reply === undefined) fail(EPROTO, `${name} without a reply`);
    if (reply.name === 'Rlerror') throw new PosixError(toErrno(reply.ecode));
    if (reply.name !== `R${name.slice(1)}`) fail(EPROTO, `${reply.name} answers ${name}`);
    return reply as unknown as MessageOf<ReplyTo<N>>;
  }
}
