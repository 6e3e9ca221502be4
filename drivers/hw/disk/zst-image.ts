// A compressed image, unpacked into memory: RFC 8878 by fzstd. An image of moderate size is unpacked
// in one go, which is four times faster; a larger one as a stream, whose zeroes take no memory.

import * as fs from 'node:fs';
import { Decompress, decompress } from 'fzstd';
import { EINVAL, EIO, PosixError } from '../../../kernel/abi/errno.ts';
import { hostCall } from './host-file.ts';
import { BLOCK_SIZE } from './overlay-memory.ts';
import { type Segments, scatter, sliceSegments, totalSize, zeroSegments } from './segments.ts';

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd]; // §3.1.1
const CHUNK = 1 << 20;
const WHOLE_LIMIT = 256 << 20;
const ZEROES = new Uint8Array(BLOCK_SIZE);

/** Unpacked content by blocks of 64 KiB; a block that is not there is zero. */
interface Content {
  readonly sizeBytes: number;
  block(index: number): Uint8Array | undefined;
}

export class ZstImage {
  readonly sizeBytes: number;
  readonly #content: Content;

  constructor(file: string) {
    this.#content = unpack(
      file,
      hostCall(file, () => fs.readFileSync(file)),
    );
    this.sizeBytes = this.#content.sizeBytes;
  }

  readv(offset: number, segments: Segments): void {
    const size = totalSize(segments);
    for (let done = 0; done < size; ) {
      const within = (offset + done) % BLOCK_SIZE;
      const take = Math.min(BLOCK_SIZE - within, size - done);
      const block = this.#content.block(Math.floor((offset + done) / BLOCK_SIZE));
      if (block) scatter(segments, done, block.subarray(within, within + take));
      else zeroSegments(sliceSegments(segments, done, take));
      done += take;
    }
  }
}

function unpack(file: string, packed: Uint8Array): Content {
  if (packed.length === 0) throw new PosixError(EINVAL, `${file}: is empty`);
  if (MAGIC.some((byte, i) => packed[i] !== byte))
    throw new PosixError(EINVAL, `${file}: is not a zstd file`);
  const size = frameContentSize(packed);
  try {
    return size !== undefined && size <= WHOLE_LIMIT ? unpackWhole(packed, size) : stream(packed);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PosixError(EIO, `${file}: is damaged: ${reason}`);
  }
}

/** §3.1.1.1: what the first frame says of its content's size. */
function frameContentSize(packed: Uint8Array): number | undefined {
  const descriptor = packed[4] ?? 0;
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const at = 5 + (singleSegment ? 0 : 1) + dictionaryBytes;
  if (sizeBytes === 0 || at + sizeBytes > packed.length) return undefined;
  let size = 0;
  for (let i = sizeBytes - 1; i >= 0; i--) size = size * 256 + (packed[at + i] ?? 0);
  return sizeBytes === 2 ? size + 256 : size;
}

function unpackWhole(packed: Uint8Array, size: number): Content {
  const content = decompress(packed);
  if (content.length < size) throw new Error(`${content.length} bytes instead of ${size}`);
  return {
    sizeBytes: content.length,
    block: (index) => content.subarray(index * BLOCK_SIZE, (index + 1) * BLOCK_SIZE),
  };
}

function stream(packed: Uint8Array): Content {
  const out = new BlockWriter();
  const unpacker = new Decompress((chunk) => out.write(chunk));
  for (let at = 0; at < packed.length; at += CHUNK)
    unpacker.push(packed.subarray(at, at + CHUNK), at + CHUNK >= packed.length);
  out.end();
  return out;
}

/** Cuts a stream into blocks and keeps those that are not all zero. */
class BlockWriter implements Content {
  readonly #blocks = new Map<number, Uint8Array>();
  sizeBytes = 0;
  #block = new Uint8Array(BLOCK_SIZE);

  block(index: number): Uint8Array | undefined {
    return this.#blocks.get(index);
  }

  write(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const within = this.sizeBytes % BLOCK_SIZE;
      const take = Math.min(BLOCK_SIZE - within, chunk.length - at);
      this.#block.set(chunk.subarray(at, at + take), within);
      at += take;
      this.sizeBytes += take;
      if (this.sizeBytes % BLOCK_SIZE === 0) this.#keep(this.sizeBytes / BLOCK_SIZE - 1);
    }
  }

  /** The stream is over: what is left is the last block, and its rest is zero. */
  end(): void {
    const rest = this.sizeBytes % BLOCK_SIZE;
    if (rest === 0) return;
    this.#block.fill(0, rest);
    this.#keep(Math.floor(this.sizeBytes / BLOCK_SIZE));
  }

  #keep(index: number): void {
    if (Buffer.compare(this.#block, ZEROES) === 0) return;
    this.#blocks.set(index, this.#block);
    this.#block = new Uint8Array(BLOCK_SIZE);
  }
}
