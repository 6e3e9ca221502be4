// Unpacking zstd frames (RFC 8878) as a stream: fzstd decodes the blocks of one frame; here are the frames
// one behind the other, those to be skipped, the limits on memory, and the checksums.

import { Decompress } from 'fzstd';
import { type Codec, FormatError, type Sink } from '../archive/codec.ts';
import {
  BLOCK,
  BLOCK_HEADER,
  BLOCK_MOST,
  CHECKSUM_BYTES,
  DESCRIPTOR,
  FRAME_MAGIC,
  SKIPPABLE_MAGIC,
} from './format.ts';
import { Xxh64 } from './xxh64.ts';

/** fzstd's offsets hold to there: one bit more, and what lies 64 MiB back is read wrongly. */
const WINDOW_MOST = 1 << 25;
const HEADER_LEAST = 5;
/** fzstd looks at a frame only when there are so many bytes of it. */
const PADDING = new Uint8Array(16);
const NOTHING = new Uint8Array(0);

export interface FrameHeader {
  readonly bytes: number;
  readonly window: number;
  /** Unknown unless the packer said so. */
  readonly size: number | undefined;
  readonly hasChecksum: boolean;
}

/** What `zstd -l` tells of. */
export interface FrameCounts {
  frames: number;
  skipped: number;
  checksums: number;
  window: number;
  /** Undefined as soon as one frame does not tell. */
  size: number | undefined;
}

/** Whether a file that begins so is packed. */
export function isZstd(beginning: Uint8Array | undefined): boolean {
  if (beginning === undefined || beginning.length < 4) return false;
  const magic = view(beginning).getUint32(0, true);
  return magic === FRAME_MAGIC || (magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC;
}

export class ZstdUnpacker implements Codec {
  readonly #sink: Sink;
  /** Frames are walked over and counted, and nothing is unpacked. */
  readonly #onlyCounts: boolean;
  readonly counts: FrameCounts = { frames: 0, skipped: 0, checksums: 0, window: 0, size: 0 };
  #state: 'magic' | 'header' | 'skip' | 'block' | 'checksum' = 'magic';
  /** What waits for more, and how many bytes the state needs. */
  #held: Uint8Array = NOTHING;
  #need = 4;
  #skip = 0;
  #frame: FrameHeader | undefined;
  /** Given to fzstd with the next block: it keeps no block alive for as long as it has a part of one. */
  #carried: Uint8Array = NOTHING;
  #decoder: Decompress | undefined;
  #hash = new Xxh64();
  #produced = 0;

  constructor(sink: Sink, mode: 'unpack' | 'count' = 'unpack') {
    this.#sink = sink;
    this.#onlyCounts = mode === 'count';
  }

  push(bytes: Uint8Array): void {
    let rest = bytes;
    if (this.#state === 'skip') rest = this.#skipSome(rest);
    if (rest.length === 0) return;
    let all = this.#held.length === 0 ? rest : joined(this.#held, rest);
    while (this.#state === 'skip' ? all.length > 0 : all.length >= this.#need) {
      if (this.#state === 'skip') {
        all = this.#skipSome(all);
        continue;
      }
      const used = this.#step(all);
      all = all.subarray(used);
    }
    this.#held = all.slice();
  }

  end(): void {
    if (this.#state === 'magic' && this.#held.length === 0 && this.#isBehindFrame) return;
    if (this.#state === 'magic')
      throw new FormatError(this.#isBehindFrame ? 'unknown header' : 'unexpected end of file');
    throw new FormatError('Read error (39) : premature end');
  }

  get #isBehindFrame(): boolean {
    return this.counts.frames + this.counts.skipped > 0;
  }

  /** With as many bytes as it needs, at least; how many it used. */
  #step(all: Uint8Array): number {
    switch (this.#state) {
      case 'magic':
        return this.#magic(all);
      case 'header':
        return this.#header(all);
      case 'block':
        return this.#block(all);
      case 'checksum':
        return this.#checksum(all);
      default:
        return 0;
    }
  }

  #magic(all: Uint8Array): number {
    const magic = view(all).getUint32(0, true);
    if (magic === FRAME_MAGIC) {
      this.#state = 'header';
      this.#need = HEADER_LEAST;
      return 0;
    }
    if ((magic & 0xfffffff0) >>> 0 !== SKIPPABLE_MAGIC) throw new FormatError('unsupported format');
    if (all.length < 8) {
      this.#need = 8;
      return 0;
    }
    this.#skip = view(all).getUint32(4, true);
    this.counts.skipped++;
    this.#state = this.#skip > 0 ? 'skip' : 'magic';
    this.#need = 4;
    return 8;
  }

  #skipSome(bytes: Uint8Array): Uint8Array {
    const part = Math.min(this.#skip, bytes.length);
    this.#skip -= part;
    if (this.#skip === 0) this.#state = 'magic';
    return bytes.subarray(part);
  }

  #header(all: Uint8Array): number {
    const length = headerLength(all[4] ?? 0);
    if (all.length < length) {
      this.#need = length;
      return 0;
    }
    const frame = frameHeader(all.subarray(0, length));
    if (frame.window > WINDOW_MOST) {
      const needed = Math.ceil(frame.window / 2 ** 20);
      throw new FormatError(
        `Decoding error (36) : Frame requires too much memory for decoding: a window of ${needed} MiB, ${WINDOW_MOST / 2 ** 20} MiB at most`,
      );
    }
    this.counts.frames++;
    this.counts.window = Math.max(this.counts.window, frame.window);
    this.counts.checksums += frame.hasChecksum ? 1 : 0;
    if (frame.size === undefined || this.counts.size === undefined) this.counts.size = undefined;
    else this.counts.size += frame.size;
    this.#frame = frame;
    this.#carried = all.slice(0, length);
    this.#decoder = new Decompress((bytes) => this.#take(bytes));
    this.#hash = new Xxh64();
    this.#produced = 0;
    this.#state = 'block';
    this.#need = BLOCK_HEADER;
    return length;
  }

  #take(bytes: Uint8Array): void {
    this.#produced += bytes.length;
    if (this.#frame?.hasChecksum) this.#hash.update(bytes);
    this.#sink(bytes);
  }

  #block(all: Uint8Array): number {
    const header = (all[0] ?? 0) | ((all[1] ?? 0) << 8) | ((all[2] ?? 0) << 16);
    const type = (header >> 1) & 3;
    const size = header >> 3;
    const most = Math.min(BLOCK_MOST, this.#frame?.window ?? 0);
    if (type === BLOCK.reserved || (size > most && size > 0)) corrupt();
    const whole = BLOCK_HEADER + (type === BLOCK.rle ? 1 : size);
    if (all.length < whole) {
      this.#need = whole;
      return 0;
    }
    const isLast = (header & 1) === 1;
    if (!this.#onlyCounts) this.#decode(all.subarray(0, whole), isLast);
    this.#need = BLOCK_HEADER;
    if (isLast) this.#endOfBlocks();
    return whole;
  }

  /**
   * fzstd gets the frame without its checksum, and zeros behind it, which it takes for what follows. The last
   * byte of each block comes with the next one.
   */
  #decode(block: Uint8Array, isLast: boolean): void {
    const bytes = joined(this.#carried, block);
    this.#carried = bytes.slice(-1);
    try {
      this.#decoder?.push(isLast ? joined(bytes, PADDING) : bytes.subarray(0, -1));
    } catch (error) {
      // Whatever it stumbles over lies in the data; what the sink throws is no Error of its kind.
      if (error instanceof RangeError || error instanceof TypeError || isZstdError(error))
        corrupt();
      throw error;
    }
  }

  #endOfBlocks(): void {
    const { size, hasChecksum } = this.#frame ?? { size: undefined, hasChecksum: false };
    if (!this.#onlyCounts && size !== undefined && size !== this.#produced) corrupt();
    this.#decoder = undefined;
    this.#state = hasChecksum ? 'checksum' : 'magic';
    this.#need = 4;
  }

  #checksum(all: Uint8Array): number {
    const kept = view(all).getUint32(0, true);
    if (!this.#onlyCounts && BigInt(kept) !== (this.#hash.digest() & 0xffffffffn)) {
      throw new FormatError("Decoding error (36) : Restored data doesn't match checksum");
    }
    this.#state = 'magic';
    return CHECKSUM_BYTES;
  }
}

const view = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

function corrupt(): never {
  throw new FormatError('Decoding error (36) : Data corruption detected');
}

const isZstdError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'number';

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

const dictionaryBytes = (descriptor: number): number => [0, 1, 2, 4][descriptor & 3] ?? 0;

function sizeBytes(descriptor: number): number {
  const form = descriptor >> 6;
  return form === 0 ? (descriptor & DESCRIPTOR.single ? 1 : 0) : 2 ** form;
}

const headerLength = (descriptor: number): number =>
  HEADER_LEAST +
  (descriptor & DESCRIPTOR.single ? 0 : 1) +
  dictionaryBytes(descriptor) +
  sizeBytes(descriptor);

/** §3.1.1.1, all of it there. */
function frameHeader(bytes: Uint8Array): FrameHeader {
  const descriptor = bytes[4] ?? 0;
  if (descriptor & DESCRIPTOR.reserved) {
    throw new FormatError('Decoding error (36) : Unsupported frame parameter');
  }
  const single = (descriptor & DESCRIPTOR.single) !== 0;
  const windowByte = bytes[HEADER_LEAST] ?? 0;
  const windowBase = 2 ** (10 + (windowByte >> 3));
  let at = HEADER_LEAST + (single ? 0 : 1);
  const dictionary = number(bytes, at, dictionaryBytes(descriptor));
  if (dictionary !== 0) throw new FormatError('Decoding error (36) : Dictionary mismatch');
  at += dictionaryBytes(descriptor);
  const width = sizeBytes(descriptor);
  const raw = number(bytes, at, width);
  const size = width === 0 ? undefined : width === 2 ? raw + 256 : raw;
  return {
    bytes: bytes.length,
    size,
    window: single ? (size ?? 0) : windowBase + (windowBase / 8) * (windowByte & 7),
    hasChecksum: (descriptor & DESCRIPTOR.checksum) !== 0,
  };
}

function number(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = width - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}
