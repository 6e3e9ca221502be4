// The medium of a crash test: one image in memory with layers of undo, so that thousands of images
// that differ in a few sectors cost a few sectors each and no copy of the whole.

import { createHash } from 'node:crypto';

const CHUNK = 1024;

export class CrashImage {
  readonly bytes: Uint8Array;
  /** For each layer: chunks as they were when it began. */
  readonly #layers: Map<number, Uint8Array>[] = [];
  /** Chunks that were ever written, in order: what lies elsewhere is as in the first image. */
  #touched: number[] = [];
  readonly #known = new Set<number>();

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** From now on writes can be taken back by `rollback`. */
  begin(): void {
    this.#layers.push(new Map());
  }

  /** Takes back all writes since the last `begin`. */
  rollback(): void {
    for (const [chunk, before] of this.#layers.pop() ?? []) this.bytes.set(before, chunk * CHUNK);
  }

  /** Sectors written since the last `begin` whose content is another one now. */
  changedSectors(sectorSize: number): number[] {
    const changed: number[] = [];
    for (const [chunk, before] of this.#layers.at(-1) ?? []) {
      for (let at = 0; at < CHUNK; at += sectorSize) {
        const from = chunk * CHUNK + at;
        const now = this.bytes.subarray(from, from + sectorSize);
        if (Buffer.compare(now, before.subarray(at, at + sectorSize)) !== 0) {
          changed.push(from / sectorSize);
        }
      }
    }
    return changed.sort((a, b) => a - b);
  }

  write(offset: number, data: Uint8Array): void {
    this.saving(offset, data.length);
    this.bytes.set(data, offset);
  }

  /** Keeps what a write is going to replace. */
  saving(offset: number, length: number): void {
    const layer = this.#layers.at(-1);
    for (let chunk = Math.floor(offset / CHUNK); chunk * CHUNK < offset + length; chunk++) {
      if (!this.#known.has(chunk)) {
        this.#known.add(chunk);
        this.#touched.push(chunk);
      }
      if (layer !== undefined && !layer.has(chunk)) {
        layer.set(chunk, this.bytes.slice(chunk * CHUNK, (chunk + 1) * CHUNK));
      }
    }
  }

  /** Equal for images with equal content; `counts` leaves out parts that mean nothing. */
  digest(counts: (offset: number) => boolean = () => true): string {
    this.#touched.sort((a, b) => a - b);
    const hash = createHash('sha1');
    const numbers = this.#touched.filter((chunk) => counts(chunk * CHUNK));
    hash.update(Int32Array.from(numbers));
    for (const chunk of numbers)
      hash.update(this.bytes.subarray(chunk * CHUNK, (chunk + 1) * CHUNK));
    return hash.digest('base64');
  }
}
