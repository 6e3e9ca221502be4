// The bytes of a file in memory: a small file is one piece of the heap; a larger one is chunks of
// 64 KiB from a store, only where something was written.

import { EFBIG, ENOSPC, PosixError } from '../abi/errno.ts';

export const CHUNK_SIZE = 65536;
const SMALL = 16384; // bytes; beyond, a file takes chunks
const SMALLEST = 256; // bytes

/** Where chunks of CHUNK_SIZE bytes come from: page frames in the kernel, the heap in tests. */
export interface ChunkStore {
  /** Memory with any content, or undefined when there is none left. */
  take(): Uint8Array | undefined;
  give(chunk: Uint8Array): void;
}

/** Chunks of the worker's own heap. */
export const heapChunks: ChunkStore = {
  take: () => new Uint8Array(CHUNK_SIZE),
  give: () => undefined,
};

/** What all files of a file system take together, and may take. */
export class Quota {
  readonly max: number; // bytes
  #used = 0;

  constructor(max: number) {
    this.max = max;
  }

  get used(): number {
    return this.#used;
  }

  /** False when it is not to be had. */
  charge(bytes: number): boolean {
    if (this.#used + bytes > this.max) return false;
    this.#used += bytes;
    return true;
  }

  refund(bytes: number): void {
    this.#used -= bytes;
  }
}

export interface DataLimits {
  readonly quota: Quota;
  readonly chunks: ChunkStore;
  readonly maxFileBytes: number;
}

export class FileData {
  readonly #limits: DataLimits;
  #small: Uint8Array | undefined = new Uint8Array(0); // undefined: the file is in chunks
  #chunks = new Map<number, Uint8Array>(); // by offset / CHUNK_SIZE
  #size = 0;

  constructor(limits: DataLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes that it takes. */
  get allocated(): number {
    return (this.#small?.length ?? 0) + this.#chunks.size * CHUNK_SIZE;
  }

  read(offset: number, into: Uint8Array): number {
    const count = Math.max(0, Math.min(into.length, this.#size - offset));
    if (this.#small !== undefined) {
      const part = this.#small.subarray(offset, offset + count);
      into.set(part);
      into.fill(0, part.length, count);
      return count;
    }
    for (let done = 0; done < count; ) {
      const { index, start, length } = piece(offset + done, count - done);
      const chunk = this.#chunks.get(index);
      if (chunk === undefined) into.fill(0, done, done + length);
      else into.set(chunk.subarray(start, start + length), done);
      done += length;
    }
    return count;
  }

  /** Writes what there is room for; ENOSPC or EFBIG when that is nothing. */
  write(offset: number, from: Uint8Array): number {
    if (from.length === 0) return 0;
    const { maxFileBytes } = this.#limits;
    if (offset >= maxFileBytes) throw new PosixError(EFBIG, `write at ${offset}`);
    const count = Math.min(from.length, maxFileBytes - offset);
    if (this.#small !== undefined && this.#growSmall(offset + count)) {
      this.#small.set(from.subarray(0, count), offset);
      this.#size = Math.max(this.#size, offset + count);
      return count;
    }
    this.#toChunks();
    const done = this.#writeChunks(offset, from.subarray(0, count));
    if (done === 0) throw new PosixError(ENOSPC);
    this.#size = Math.max(this.#size, offset + done);
    return done;
  }

  /** Makes `small` hold `end` bytes; false when the file is too large for it, or memory is out. */
  #growSmall(end: number): boolean {
    const old = this.#small;
    if (old === undefined || end > SMALL) return false;
    if (end <= old.length) return true;
    let capacity = SMALLEST;
    while (capacity < end) capacity *= 2;
    if (!this.#limits.quota.charge(capacity - old.length)) throw new PosixError(ENOSPC);
    this.#small = new Uint8Array(capacity);
    this.#small.set(old);
    return true;
  }

  /** Moves a small file into its first chunk. */
  #toChunks(): void {
    const old = this.#small;
    if (old === undefined) return;
    if (old.length > 0) {
      this.#limits.quota.refund(old.length);
      const chunk = this.#chunk(0);
      if (chunk === undefined) {
        this.#limits.quota.charge(old.length);
        throw new PosixError(ENOSPC);
      }
      chunk.set(old);
    }
    this.#small = undefined;
  }

  #writeChunks(offset: number, from: Uint8Array): number {
    let done = 0;
    while (done < from.length) {
      const { index, start, length } = piece(offset + done, from.length - done);
      const chunk = this.#chunk(index);
      if (chunk === undefined) break;
      chunk.set(from.subarray(done, done + length), start);
      done += length;
    }
    return done;
  }

  /** The chunk, taken from the store if it was a hole; undefined when there is no memory. */
  #chunk(index: number): Uint8Array | undefined {
    const old = this.#chunks.get(index);
    if (old !== undefined) return old;
    const { quota, chunks } = this.#limits;
    if (!quota.charge(CHUNK_SIZE)) return undefined;
    const chunk = chunks.take();
    if (chunk === undefined) {
      quota.refund(CHUNK_SIZE);
      return undefined;
    }
    chunk.fill(0);
    this.#chunks.set(index, chunk);
    return chunk;
  }

  /** Takes the memory that the range will need; ENOSPC with what was had kept, as a part of a write. */
  reserve(offset: number, length: number): void {
    const end = offset + length;
    if (end > this.#limits.maxFileBytes) throw new PosixError(EFBIG, `reserving to ${end}`);
    if (this.#small !== undefined && this.#growSmall(end)) return;
    this.#toChunks();
    for (let at = offset; at < end; ) {
      const { index, length: count } = piece(at, end - at);
      if (this.#chunk(index) === undefined) throw new PosixError(ENOSPC);
      at += count;
    }
  }

  /** Makes the range read as zeroes; memory that holds nothing else is given back. */
  punch(offset: number, length: number): void {
    const end = Math.min(offset + length, this.#size);
    if (end <= offset) return;
    if (this.#small !== undefined) {
      this.#small.fill(0, offset, end);
      return;
    }
    for (let at = offset; at < end; ) {
      const { index, start, length: count } = piece(at, end - at);
      const chunk = this.#chunks.get(index);
      const rest = Math.min(CHUNK_SIZE, this.#size - index * CHUNK_SIZE);
      if (chunk !== undefined && start === 0 && count >= rest) this.#drop(index, chunk);
      else chunk?.fill(0, start, start + count);
      at += count;
    }
  }

  /** The first byte from `offset` on that has memory, or has none; the size when there is none. */
  seek(offset: number, what: 'data' | 'hole'): number {
    if (this.#small !== undefined) {
      const held = Math.min(this.#small.length, this.#size);
      if (what === 'hole') return Math.max(offset, held);
      return offset < held ? offset : this.#size;
    }
    for (let at = offset; at < this.#size; ) {
      const { index } = piece(at, 1);
      if (this.#chunks.has(index) === (what === 'data')) return at;
      at = (index + 1) * CHUNK_SIZE;
    }
    return this.#size;
  }

  truncate(size: number): void {
    if (size > this.#limits.maxFileBytes) throw new PosixError(EFBIG, `truncate to ${size}`);
    if (this.#small !== undefined && size > SMALL) this.#toChunks();
    if (size < this.#size) this.#cut(size);
    this.#size = size;
  }

  /** What lies beyond `size` goes, so that it reads as zeroes when the file grows again. */
  #cut(size: number): void {
    if (this.#small !== undefined) {
      this.#small.fill(0, size);
      if (size === 0) this.#dropSmall();
      return;
    }
    const last = Math.floor(size / CHUNK_SIZE);
    for (const [index, chunk] of this.#chunks) {
      if (index > last || size === 0) this.#drop(index, chunk);
      else if (index === last) chunk.fill(0, size % CHUNK_SIZE);
    }
    if (this.#chunks.size === 0 && size === 0) this.#small = new Uint8Array(0);
  }

  #dropSmall(): void {
    this.#limits.quota.refund(this.#small?.length ?? 0);
    this.#small = new Uint8Array(0);
  }

  #drop(index: number, chunk: Uint8Array): void {
    this.#chunks.delete(index);
    this.#limits.chunks.give(chunk);
    this.#limits.quota.refund(CHUNK_SIZE);
  }
}

/** The part of a range that lies in its first chunk. */
function piece(offset: number, count: number): { index: number; start: number; length: number } {
  const start = offset % CHUNK_SIZE;
  const index = (offset - start) / CHUNK_SIZE;
  return { index, start, length: Math.min(count, CHUNK_SIZE - start) };
}
