// The client's end of a data transfer: granted memory in segments, or the bytes of a message.

import {
  GRANT_READ,
  GRANT_WRITE,
  type GrantReader,
  type GrantRef,
  subgrant,
} from '../../../kernel/ipc/grant.ts';

export class Memory {
  readonly length: number;
  /** Undefined for the bytes of a message: the device cannot reach those. */
  readonly #ref: GrantRef | undefined;
  readonly #views: readonly Uint8Array[];

  /** Granted memory; throws EACCES or EFAULT when the grant does not allow `use`. */
  static granted(grants: GrantReader, ref: GrantRef, use: 'fill' | 'take'): Memory {
    return new Memory(grants.views(ref, use === 'fill' ? GRANT_WRITE : GRANT_READ), ref);
  }

  static inline(bytes: Uint8Array): Memory {
    return new Memory([bytes], undefined);
  }

  constructor(views: readonly Uint8Array[], ref: GrantRef | undefined) {
    this.#views = views;
    this.#ref = ref;
    this.length = views.reduce((sum, view) => sum + view.length, 0);
  }

  get reachable(): boolean {
    return this.#ref !== undefined;
  }

  /** The same bytes, for a way on which the device has no part in them. */
  unreachable(): Memory {
    return new Memory(this.#views, undefined);
  }

  /** The memory from `at` on. */
  from(at: number): Memory {
    let skip = at;
    const views: Uint8Array[] = [];
    for (const view of this.#views) {
      if (skip < view.length) views.push(view.subarray(skip));
      skip = Math.max(0, skip - view.length);
    }
    return new Memory(views, this.ref(at, this.length - at));
  }

  /** The part as the device may be told. */
  ref(at: number, length: number): GrantRef | undefined {
    return this.#ref && subgrant(this.#ref, at, length);
  }

  zero(at: number, length: number): void {
    this.#each(at, length, (view) => view.fill(0));
  }

  /** Copies `from` to the memory at `at`. */
  put(at: number, from: Uint8Array): void {
    this.#each(at, from.length, (view, done) => {
      view.set(from.subarray(done, done + view.length));
    });
  }

  /** Copies the memory at `at` to `into`. */
  get(at: number, into: Uint8Array): void {
    this.#each(at, into.length, (view, done) => into.set(view, done));
  }

  #each(at: number, length: number, visit: (view: Uint8Array, done: number) => void): void {
    let skip = at;
    let done = 0;
    for (const view of this.#views) {
      if (done >= length) return;
      if (skip >= view.length) {
        skip -= view.length;
        continue;
      }
      const part = view.subarray(skip, skip + length - done);
      visit(part, done);
      done += part.length;
      skip = 0;
    }
  }
}
