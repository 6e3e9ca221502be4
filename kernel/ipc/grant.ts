// Grants: the right of a server to touch a range of `ram` (DESIGN, "RAM and grants"). The kernel
// alone writes the grant table; a ring slot names an entry with its generation; the server resolves
// it here. An entry lists the segments of the range, so scattered page frames are one grant.
//
//   +0 generation (0 = free)   +4 owner seat   +8 delegate seat   +12 rights
//   +16 length, bytes          +20 segment count                  +24 address, length; …

import { EACCES, EFAULT, ENOMEM, PosixError } from '../abi/errno.ts';
import { GRANT_SIZE, GRANT_TABLE, GRANTS } from '../abi/memlayout.ts';
import { neverRefuses } from './fault/gate.ts';

export const GRANT_READ = 1; // the owner may read the range
export const GRANT_WRITE = 2;

export const GRANT_SEGMENTS = (GRANT_SIZE - 24) / 8;

/** A part of a grant, as a ring slot carries it. */
export interface GrantRef {
  readonly index: number;
  readonly generation: number;
  readonly offset: number; // bytes into the grant
  readonly length: number; // bytes
}

/** A run of bytes in `ram`. */
export interface Segment {
  readonly address: number;
  readonly length: number;
}

export interface GrantRequest {
  readonly owner: number; // seat
  /** A second seat that may use it: the driver below a volume. -1 = none. */
  readonly delegate: number;
  readonly rights: number;
  readonly segments: readonly Segment[];
}

const WORDS = GRANT_SIZE / 4;

/** The kernel's side: hands grants out and takes them back. */
export class GrantTable {
  readonly #words: Int32Array;
  readonly #free: number[] = [];
  #generation = 0;
  /** The fault point alloc.grants. */
  refuses = neverRefuses;

  constructor(ram: SharedArrayBuffer) {
    this.#words = new Int32Array(ram, GRANT_TABLE, GRANTS * WORDS);
    for (let i = GRANTS - 1; i >= 0; i--) this.#free.push(i);
  }

  get inUse(): number {
    return GRANTS - this.#free.length;
  }

  /** Writes a grant; throws ENOMEM when the table is full, EFAULT when there are too many segments. */
  grant(request: GrantRequest): GrantRef {
    const { segments } = request;
    if (segments.length > GRANT_SEGMENTS) throw new PosixError(EFAULT, 'too many segments');
    const index = this.refuses(GRANT_SIZE) ? undefined : this.#free.pop();
    if (index === undefined) throw new PosixError(ENOMEM, 'grant table is full');
    const words = this.#words.subarray(index * WORDS, (index + 1) * WORDS);
    const length = segments.reduce((sum, s) => sum + s.length, 0);
    words.set([request.owner, request.delegate, request.rights, length, segments.length], 1);
    segments.forEach((s, i) => {
      words.set([s.address, s.length], 6 + i * 2);
    });
    this.#generation = (this.#generation % 0x7fff_ffff) + 1;
    Atomics.store(words, 0, this.#generation);
    return { index, generation: this.#generation, offset: 0, length };
  }

  /** From now on the grant resolves for nobody. */
  revoke(ref: GrantRef): void {
    const at = ref.index * WORDS;
    if (ref.generation === 0) return;
    if (Atomics.load(this.#words, at) !== ref.generation) return;
    Atomics.store(this.#words, at, 0);
    this.#free.push(ref.index);
  }
}

/** A server's side: turns what a slot names into memory, if it may. */
export class GrantReader {
  readonly #words: Int32Array;
  readonly #ram: SharedArrayBuffer;
  readonly #seat: number;

  constructor(ram: SharedArrayBuffer, seat: number) {
    this.#ram = ram;
    this.#seat = seat;
    this.#words = new Int32Array(ram, GRANT_TABLE, GRANTS * WORDS);
  }

  /** The segments of a part of a grant. Throws EACCES for a right not held, EFAULT beyond its end. */
  resolve(ref: GrantRef, rights: number): Segment[] {
    if (ref.index < 0 || ref.index >= GRANTS) throw new PosixError(EFAULT, `grant ${ref.index}`);
    const words = this.#words.subarray(ref.index * WORDS, (ref.index + 1) * WORDS);
    const [, owner, delegate, held = 0, length = 0, count = 0] = words;
    const current = Atomics.load(words, 0) === ref.generation && ref.generation !== 0;
    const mine = owner === this.#seat || delegate === this.#seat;
    if (!current || !mine || (held & rights) !== rights) {
      throw new PosixError(EACCES, `grant ${ref.index}.${ref.generation} is not held`);
    }
    if (ref.offset + ref.length > length >>> 0) {
      throw new PosixError(EFAULT, `grant ${ref.index}: ${ref.offset}+${ref.length} of ${length}`);
    }
    const segments = clip(words.subarray(6, 6 + Math.min(count, GRANT_SEGMENTS) * 2), ref);
    if (Atomics.load(words, 0) === ref.generation) return segments;
    throw new PosixError(EACCES, `grant ${ref.index}.${ref.generation} was revoked`);
  }

  /** The same as views of `ram`. */
  views(ref: GrantRef, rights: number): Uint8Array[] {
    return this.resolve(ref, rights).map((s) => new Uint8Array(this.#ram, s.address, s.length));
  }
}

/** A part of a grant: `offset` and `length` within `ref`, for passing on. */
export const subgrant = (ref: GrantRef, offset: number, length: number): GrantRef => ({
  index: ref.index,
  generation: ref.generation,
  offset: ref.offset + offset,
  length,
});

function clip(pairs: Int32Array, ref: GrantRef): Segment[] {
  const out: Segment[] = [];
  let skip = ref.offset;
  let left = ref.length;
  for (let i = 0; i + 1 < pairs.length && left > 0; i += 2) {
    const address = (pairs[i] ?? 0) >>> 0;
    const length = (pairs[i + 1] ?? 0) >>> 0;
    if (skip >= length) {
      skip -= length;
      continue;
    }
    const take = Math.min(length - skip, left);
    out.push({ address: address + skip, length: take });
    left -= take;
    skip = 0;
  }
  return out;
}
