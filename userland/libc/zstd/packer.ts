// Packing into one zstd frame (RFC 8878 §3.1.1) as a stream: blocks of 128 KiB, a checksum of the content
// at its end, the content's size in front when it is known.

import type { Codec, Sink } from '../archive/codec.ts';
import { FormatError } from '../archive/codec.ts';
import { encodeBlock } from './block.ts';
import { BLOCK, BLOCK_HEADER, BLOCK_MOST, DESCRIPTOR, FRAME_MAGIC, highestBit } from './format.ts';
import { type Effort, MatchFinder, type Sequences, sequencesFor } from './match.ts';
import { Xxh64 } from './xxh64.ts';

export interface PackerOptions {
  /** 1 to 22. */
  readonly level: number;
  readonly checksum: boolean;
  /** How much will come, when that is known. */
  readonly size?: number;
}

const WINDOW_LOG_LEAST = 10;

export function zstdPacker(sink: Sink, options: PackerOptions): Codec {
  return new ZstdPacker(sink, options);
}

class ZstdPacker implements Codec {
  readonly #sink: Sink;
  readonly #options: PackerOptions;
  readonly #block = new Uint8Array(BLOCK_MOST);
  #held = 0;
  #total = 0;
  readonly #hash = new Xxh64();
  #finder: MatchFinder | undefined;
  #sequences: Sequences = sequencesFor(4);
  #blockMost = BLOCK_MOST;

  constructor(sink: Sink, options: PackerOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      // A block is written when it is known that it is not the last one.
      if (this.#held === this.#blockMost) this.#write('more');
      const part = bytes.subarray(at, at + this.#blockMost - this.#held);
      this.#block.set(part, this.#held);
      this.#held += part.length;
      at += part.length;
    }
  }

  end(): void {
    const { size } = this.#options;
    if (size !== undefined && this.#total + this.#held !== size) {
      throw new FormatError('the file changed its size while it was read');
    }
    this.#write('last');
    if (!this.#options.checksum) return;
    const checksum = new Uint8Array(4);
    new DataView(checksum.buffer).setUint32(0, Number(this.#hash.digest() & 0xffffffffn), true);
    this.#sink(checksum);
  }

  #write(which: 'more' | 'last'): void {
    const block = this.#block.subarray(0, this.#held);
    this.#finder ??= this.#begin(which === 'last' ? this.#held : this.#options.size);
    this.#total += this.#held;
    this.#held = 0;
    if (this.#options.checksum) this.#hash.update(block);
    const isLast = which === 'last' ? 1 : 0;
    const [type, size, content] = this.#encoded(this.#finder, block);
    const header = isLast | (type << 1) | (size << 3);
    this.#sink(Uint8Array.of(header, header >> 8, header >> 16));
    this.#sink(content);
  }

  /** The frame's header; a frame that is shorter than its window has no other window than itself. */
  #begin(size: number | undefined): MatchFinder {
    const effort = effortOf(this.#options.level, size);
    this.#sequences = sequencesFor(BLOCK_MOST);
    const single = size !== undefined && size <= 2 ** effort.windowLog;
    const sizeForm =
      size === undefined
        ? 0
        : single && size < 256
          ? 0
          : size < 65_792 && size >= 256
            ? 1
            : size < 2 ** 32
              ? 2
              : 3;
    const header = new DataView(new ArrayBuffer(14));
    header.setUint32(0, FRAME_MAGIC, true);
    const flags =
      (sizeForm << 6) |
      (single ? DESCRIPTOR.single : 0) |
      (this.#options.checksum ? DESCRIPTOR.checksum : 0);
    header.setUint8(4, flags);
    let at = 5;
    if (!single) header.setUint8(at++, (effort.windowLog - WINDOW_LOG_LEAST) << 3);
    at = putSize(header, at, {
      form: single || sizeForm > 0 ? sizeForm : undefined,
      size: size ?? 0,
    });
    this.#sink(new Uint8Array(header.buffer, 0, at));
    return new MatchFinder(effort);
  }

  #encoded(finder: MatchFinder, block: Uint8Array): readonly [number, number, Uint8Array] {
    const before = finder.repeats;
    finder.parse(block, this.#sequences);
    const first = block[0];
    if (
      block.length > BLOCK_HEADER &&
      first !== undefined &&
      block.every((byte) => byte === first)
    ) {
      finder.repeats = before;
      return [BLOCK.rle, block.length, block.subarray(0, 1)];
    }
    const packed = block.length < 8 ? undefined : encodeBlock(this.#sequences, block.length - 3);
    if (packed !== undefined) return [BLOCK.compressed, packed.length, packed];
    finder.repeats = before; // a decoder does not see these sequences
    return [BLOCK.raw, block.length, block];
  }
}

/** Of 1, 2, 4 or 8 bytes (§3.1.1.1.4). */
function putSize(
  header: DataView,
  at: number,
  { form, size }: { form: number | undefined; size: number },
): number {
  if (form === undefined) return at;
  if (form === 0) header.setUint8(at, size);
  else if (form === 1) header.setUint16(at, size - 256, true);
  else header.setUint32(at, size % 2 ** 32, true);
  if (form === 3) header.setUint32(at + 4, Math.floor(size / 2 ** 32), true);
  return at + 2 ** form;
}

/** windowLog, hashLog, depth, lazy, enough: as zstd's levels grow, for code that is ten times slower. */
const EFFORTS: readonly (readonly [number, number, number, 0 | 1 | 2, number])[] = [
  [19, 15, 1, 0, 16],
  [20, 16, 2, 0, 24],
  [21, 17, 4, 1, 32],
  [21, 17, 6, 1, 48],
  [21, 17, 10, 1, 64],
  [21, 18, 16, 2, 64],
  [21, 18, 24, 2, 96],
  [21, 18, 32, 2, 128],
  [22, 18, 48, 2, 128],
  [22, 19, 64, 2, 192],
  [22, 19, 96, 2, 256],
  [22, 19, 160, 2, 384],
  [23, 20, 256, 2, 512],
];

/** A small file needs neither a large window nor a large table. */
function effortOf(level: number, size: number | undefined): Effort {
  const index = Math.min(Math.max(1, level), EFFORTS.length) - 1;
  const [windowLog, hashLog, depth, lazy, enough] = EFFORTS[index] ?? [21, 17, 4, 1, 32];
  const needed =
    size === undefined ? windowLog : highestBit(Math.max(1, Math.min(size, 2 ** 30))) + 1;
  // Never less than a block, so that one always finds room.
  const log = Math.max(17, Math.min(windowLog, needed));
  return { windowLog: log, hashLog: Math.min(hashLog, log), depth, lazy, enough };
}
