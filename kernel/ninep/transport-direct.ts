// The direct transport: a server inside the same worker, called without a ring or a codec. The
// kernel's own servers are reached this way.

import type { Segment } from '../ipc/grant.ts';
import type { Task } from '../ipc/task.ts';
import type { Request, Transport } from './client.ts';
import type { NinepServer } from './server.ts';
import type { RMessage } from './types.ts';

export class DirectTransport<N, C> implements Transport {
  readonly #ram: SharedArrayBuffer;
  readonly #server: NinepServer<N, C>;
  readonly #context: () => C;

  constructor(options: {
    ram: SharedArrayBuffer;
    server: NinepServer<N, C>;
    /** Who asks: called as each exchange begins. */
    context: () => C;
  }) {
    this.#ram = options.ram;
    this.#server = options.server;
    this.#context = options.context;
  }

  *exchange(requests: readonly Request[]): Task<RMessage[]> {
    const context = this.#context();
    const replies: RMessage[] = [];
    for (const { message, memory } of requests) {
      const payload = memory?.segments.map((s) => this.#view(s));
      replies.push(yield* this.#server.dispatch(context, message, payload));
    }
    return replies;
  }

  #view(segment: Segment): Uint8Array {
    return new Uint8Array(this.#ram, segment.address, segment.length);
  }
}
