// The volatile write cache of a drive: a log of writes in a ring of memory. A write is acknowledged
// when it is in the log; FLUSH CACHE, or the need for room, moves it to the medium. Power loss is
// forgetting the log. The log lies in the board's memory (write-log.ts) and outlives the worker that
// runs this model; what is here beside it is rebuilt from it.
//
//   arena   [ free | oldest write … newest write | free ]     data, in order of arrival
//   extents sorted by offset, never overlapping               where the newest data of each byte is

import type { Disk } from './disk.ts';
import { gather, type Segments, scatter, totalSize } from './segments.ts';
import { type LogRecord, WriteLog, writeLogMemory } from './write-log.ts';

/** A write that the medium may not have yet. Order is the order of arrival. */
export interface CachedWrite {
  readonly sequence: number;
  readonly offset: number;
  /** Its data in the arena: valid until the write leaves the cache. */
  readonly data: Uint8Array;
}

/** A record of the log: `data` is empty in one that only makes older data void. */
interface Logged extends CachedWrite {
  readonly voids: number; // bytes
}

/** Bytes `start`..`end` of the disk, as `write` has them from byte `from` of its data. */
interface Extent {
  readonly start: number;
  readonly end: number;
  readonly from: number;
  readonly write: CachedWrite;
}

const NOTHING = new Uint8Array(0);

export class WriteCache {
  readonly #medium: Disk;
  readonly #shared: WriteLog;
  readonly #arena: Uint8Array;
  readonly #log: Logged[] = [];
  #extents: Extent[] = [];
  #head = 0; // where the next write's data goes
  #used = 0; // bytes of the arena that the log holds
  #sequence = 0;

  /** `memory`: of `writeLogMemory`; with what a model before this one left there. */
  constructor(medium: Disk, memory: SharedArrayBuffer = writeLogMemory()) {
    this.#medium = medium;
    this.#shared = new WriteLog(memory);
    this.#arena = this.#shared.arena;
    for (const record of this.#shared.records()) this.#replay(record);
  }

  /** What power loss would take, oldest first. */
  get pending(): readonly CachedWrite[] {
    return this.#log.filter((write) => write.voids === 0);
  }

  /** Flushes done: what was written before one is on the medium. */
  get flushes(): number {
    return this.#shared.flushes;
  }

  readv(offset: number, segments: Segments): void {
    const end = offset + totalSize(segments);
    const first = this.#firstBehind(offset);
    const next = this.#extents[first];
    // Also when other extents cover the rest: one read of the medium costs less than many.
    if (next === undefined || next.start > offset || next.end < end)
      this.#medium.readv(offset, segments);
    for (let i = first; i < this.#extents.length; i++) {
      const extent = this.#extents[i];
      if (extent === undefined || extent.start >= end) break;
      const start = Math.max(extent.start, offset);
      const from = extent.from + start - extent.start;
      const length = Math.min(extent.end, end) - start;
      scatter(segments, start - offset, extent.write.data.subarray(from, from + length));
    }
  }

  /** One copy, into the log. Throws what the medium throws when room must be made. */
  writev(offset: number, segments: Segments): void {
    const size = totalSize(segments);
    for (let done = 0; done < size; ) {
      const length = Math.min(size - done, this.#arena.length - this.#head, this.#arena.length / 4);
      this.#makeRoom(length);
      const data = this.#arena.subarray(this.#head, this.#head + length);
      gather(segments, done, data);
      this.#append(offset + done, data);
      done += length;
    }
    this.#sequence++;
  }

  /** Writes to the medium and flushes it (FUA, or the cache is switched off). */
  writeThrough(offset: number, segments: Segments): void {
    this.#makeRoom(0); // now: later it would put older data over this
    this.#medium.writev(offset, segments);
    this.#void(offset, totalSize(segments));
    this.#medium.flush();
  }

  /** FLUSH CACHE: empties the log to the medium, in order of place. */
  flush(): void {
    this.#writeOut(this.#extents);
    this.drop();
    this.#medium.flush();
    this.#shared.countFlush();
  }

  /** The newest data of the range is gone: reads may see zeroes or what the medium has. */
  trim(offset: number, length: number): void {
    this.#makeRoom(0);
    this.#void(offset, length);
    this.#medium.trim(offset, length);
  }

  /** Power loss: what is not on the medium never happened. */
  drop(): void {
    this.#shared.takeOut(this.#shared.count);
    this.#extents = [];
    this.#log.length = 0;
    this.#head = 0;
    this.#used = 0;
  }

  #append(offset: number, data: Uint8Array): void {
    const sequence = this.#sequence;
    const at = data.byteOffset - this.#arena.byteOffset;
    this.#shared.append({ kind: 'data', sequence, offset, length: data.length, at });
    this.#index({ sequence, offset, data, voids: 0 });
    this.#head = (at + data.length) % this.#arena.length;
  }

  #index(write: Logged): void {
    const end = write.offset + write.data.length;
    const at = this.#cut(write.offset, end);
    this.#extents.splice(at, 0, { start: write.offset, end, from: 0, write });
    this.#log.push(write);
    this.#used += write.data.length;
  }

  /** Takes a range out of the cache, for whoever reads the log later, too. */
  #void(offset: number, length: number): void {
    const next = this.#extents[this.#firstBehind(offset)];
    if (next === undefined || next.start >= offset + length) return;
    this.#shared.append({ kind: 'void', sequence: this.#sequence, offset, length, at: 0 });
    this.#cut(offset, offset + length);
    this.#log.push({ sequence: this.#sequence, offset, data: NOTHING, voids: length });
  }

  #replay({ kind, sequence, offset, length, at }: LogRecord): void {
    this.#sequence = sequence + 1;
    if (kind === 'data') {
      this.#index({ sequence, offset, data: this.#arena.subarray(at, at + length), voids: 0 });
      this.#head = (at + length) % this.#arena.length;
    } else {
      this.#cut(offset, offset + length);
      this.#log.push({ sequence, offset, data: NOTHING, voids: length });
    }
  }

  /**
   * Writes out the oldest until there are a record and `length` bytes free; an eighth of either at
   * least, at once.
   */
  #makeRoom(length: number): void {
    const crowded = this.#log.length >= this.#shared.capacity;
    if (this.#arena.length - this.#used >= length && !crowded) return;
    const wanted = Math.max(length, this.#arena.length / 8);
    const records = crowded ? this.#shared.capacity / 8 : 0;
    let freed = 0;
    let count = 0;
    while ((freed < wanted || count < records) && count < this.#log.length)
      freed += this.#log[count++]?.data.length ?? 0;
    const oldest = new Set<CachedWrite>(this.#log.slice(0, count));
    this.#writeOut(this.#extents.filter(({ write }) => oldest.has(write)));
    this.#shared.takeOut(count);
    this.#extents = this.#extents.filter(({ write }) => !oldest.has(write));
    for (const { data } of this.#log.splice(0, count)) this.#used -= data.length;
  }

  /** Neighbours go to the medium in one write. */
  #writeOut(extents: readonly Extent[]): void {
    let pieces: Uint8Array[] = [];
    let start = 0;
    let end = -1;
    for (const extent of extents) {
      if (extent.start !== end) {
        if (pieces.length > 0) this.#medium.writev(start, pieces);
        pieces = [];
        start = extent.start;
      }
      const length = extent.end - extent.start;
      pieces.push(extent.write.data.subarray(extent.from, extent.from + length));
      end = extent.end;
    }
    if (pieces.length > 0) this.#medium.writev(start, pieces);
  }

  /** Takes a range out of the extents; returns where an extent of this range belongs. */
  #cut(start: number, end: number): number {
    const first = this.#firstBehind(start);
    let last = first;
    const rest: Extent[] = [];
    let at = first;
    for (; last < this.#extents.length; last++) {
      const extent = this.#extents[last];
      if (extent === undefined || extent.start >= end) break;
      if (extent.start < start) {
        rest.push({ ...extent, end: start });
        at = first + 1;
      }
      if (extent.end > end)
        rest.push({ ...extent, start: end, from: extent.from + end - extent.start });
    }
    if (last > first) this.#extents.splice(first, last - first, ...rest);
    return at;
  }

  /** The first extent that ends behind `offset`. */
  #firstBehind(offset: number): number {
    let low = 0;
    let high = this.#extents.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#extents[middle]?.end ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
