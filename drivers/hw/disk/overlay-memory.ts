// Where an overlay keeps its blocks: memory that the board owns, so that it outlives the driver's
// worker, which may be terminated between any two stores (DESIGN law 9). A block is filled first and
// belongs to the overlay from one store into the table on. Memory grows as blocks are taken.
//
//   table      one word for each block of the image: BASE, ZERO, or FIRST_SLOT + its slot
//   segments   slots of 64 KiB, SEGMENT_SLOTS in each

import { ENOSPC, PosixError } from '../../../kernel/abi/errno.ts';

export const BLOCK_SIZE = 65_536;
/** The block is as the base has it. */
export const BASE = 0;
/** The block was trimmed. */
export const ZERO = 1;
const FIRST_SLOT = 2;
const SEGMENT_BYTES = 2 ** 30;
const SEGMENT_SLOTS = SEGMENT_BYTES / BLOCK_SIZE;
const TABLE_BYTES_MAX = 2 ** 24; // images of 256 GiB
const SEGMENTS_MAX = 64;
/** The host reserves addresses at power-on and gives memory as it is used. */
const GROW_BYTES = 2 ** 20;

export interface OverlayMemory {
  readonly table: SharedArrayBuffer;
  readonly segments: readonly SharedArrayBuffer[];
}

/** Empty memory for the overlay of an image of at most so many bytes. */
export function overlayMemory(imageBytes: number): OverlayMemory {
  const count = Math.min(SEGMENTS_MAX, Math.max(1, Math.ceil(imageBytes / SEGMENT_BYTES)));
  return {
    table: growable(TABLE_BYTES_MAX),
    segments: Array.from({ length: count }, () => growable(SEGMENT_BYTES)),
  };
}

/** What TypeScript's library for Node 20 does not declare yet. */
interface GrowableMemory extends SharedArrayBuffer {
  grow(bytes: number): void;
}

const growable = (maxByteLength: number): SharedArrayBuffer =>
  new (SharedArrayBuffer as new (length: number, options: object) => SharedArrayBuffer)(0, {
    maxByteLength,
  });

function growTo(memory: SharedArrayBuffer, bytes: number): void {
  if (memory.byteLength < bytes) (memory as GrowableMemory).grow(bytes);
}

export class OverlayBlocks {
  readonly #table: Int32Array;
  readonly #segments: readonly SharedArrayBuffer[];
  readonly #views = new Map<number, Uint8Array>(); // by slot
  readonly #free: number[] = [];
  #next = 0; // slots from here on were never used

  /** Takes over what a model before this one left. */
  constructor(memory: OverlayMemory, imageBytes: number) {
    const blocks = Math.ceil(imageBytes / BLOCK_SIZE);
    if (blocks * 4 > TABLE_BYTES_MAX) throw new PosixError(ENOSPC, 'too large for an overlay');
    growTo(memory.table, blocks * 4);
    this.#table = new Int32Array(memory.table, 0, blocks);
    this.#segments = memory.segments;
    const used = new Set<number>();
    for (const word of this.#table) if (word >= FIRST_SLOT) used.add(word - FIRST_SLOT);
    for (const slot of used) this.#next = Math.max(this.#next, slot + 1);
    for (let slot = 0; slot < this.#next; slot++) if (!used.has(slot)) this.#free.push(slot);
  }

  /** The block's bytes; BASE or ZERO when it has none of its own. */
  find(block: number): Uint8Array | typeof BASE | typeof ZERO {
    const word = this.#table[block] ?? BASE;
    return word === BASE || word === ZERO ? word : this.#view(word - FIRST_SLOT);
  }

  /** A block of its own, with what `fill` puts into it. */
  own(block: number, fill: (bytes: Uint8Array) => void): Uint8Array {
    const slot = this.#free.pop() ?? this.#next++;
    const bytes = this.#view(slot);
    try {
      fill(bytes);
    } catch (error) {
      this.#free.push(slot);
      throw error;
    }
    Atomics.store(this.#table, block, FIRST_SLOT + slot);
    return bytes;
  }

  zero(block: number): void {
    const word = this.#table[block] ?? BASE;
    Atomics.store(this.#table, block, ZERO);
    if (word >= FIRST_SLOT) this.#free.push(word - FIRST_SLOT);
  }

  #view(slot: number): Uint8Array {
    const known = this.#views.get(slot);
    if (known) return known;
    const segment = this.#segments[Math.floor(slot / SEGMENT_SLOTS)];
    if (segment === undefined) throw new PosixError(ENOSPC, 'the overlay is full');
    const at = (slot % SEGMENT_SLOTS) * BLOCK_SIZE;
    growTo(segment, Math.ceil((at + BLOCK_SIZE) / GROW_BYTES) * GROW_BYTES);
    const view = new Uint8Array(segment, at, BLOCK_SIZE);
    this.#views.set(slot, view);
    return view;
  }
}
