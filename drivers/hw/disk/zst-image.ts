// A compressed image, unpacked into memory: RFC 8878 by fzstd. Blocks of zeroes take no memory.

import * as fs from 'node:fs';
import { Decompress } from 'fzstd';
import { EINVAL, EIO, PosixError } from '../../../kernel/abi/errno.ts';
import { hostCall } from './host-file.ts';
import { BLOCK_SIZE } from './overlay.ts';
import { type Segments, scatter, sliceSegments, totalSize, zeroSegments } from './segments.ts';

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd]; // §3.1.1
const CHUNK = 1 << 20;
const ZEROES = new Uint8Array(BLOCK_SIZE);

/** Memory by blocks of 64 KiB; what was never written is zero. */
export class ZstImage {
  readonly sizeBytes: number;
  readonly #blocks: ReadonlyMap<number, Uint8Array>;

  constructor(file: string) {
    const unpacked = unpack(
      file,
      hostCall(file, () => fs.readFileSync(file)),
    );
    this.sizeBytes = unpacked.sizeBytes;
    this.#blocks = unpacked.blocks;
  }

  readv(offset: number, segments: Segments): void {
    const size = totalSize(segments);
    for (let done = 0; done < size; ) {
      const within = (offset + done) % BLOCK_SIZE;
      const take = Math.min(BLOCK_SIZE - within, size - done);
      const block = this.#blocks.get(Math.floor((offset + done) / BLOCK_SIZE));
      if (block) scatter(segments, done, block.subarray(within, within + take));
      else zeroSegments(sliceSegments(segments, done, take));
      done += take;
    }
  }
}

function unpack(file: string, packed: Uint8Array): BlockWriter {
  if (packed.length === 0) throw new PosixError(EINVAL, `${file}: is empty`);
  if (MAGIC.some((byte, i) => packed[i] !== byte))
    throw new PosixError(EINVAL, `${file}: is not a zstd file`);
  const out = new BlockWriter();
  const stream = new Decompress((chunk) => out.write(chunk));
  try {
    for (let at = 0; at < packed.length; at += CHUNK)
      stream.push(packed.subarray(at, at + CHUNK), at + CHUNK >= packed.length);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PosixError(EIO, `${file}: is damaged: ${reason} after ${out.sizeBytes} bytes`);
  }
  out.end();
  return out;
}

/** Cuts a stream into blocks and keeps those that are not all zero. */
class BlockWriter {
  readonly blocks = new Map<number, Uint8Array>();
  sizeBytes = 0;
  #block = new Uint8Array(BLOCK_SIZE);

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

  end(): void {
    if (this.sizeBytes % BLOCK_SIZE !== 0) this.#keep(Math.floor(this.sizeBytes / BLOCK_SIZE));
  }

  #keep(index: number): void {
    if (Buffer.compare(this.#block, ZEROES) === 0) return;
    this.blocks.set(index, this.#block);
    this.#block = new Uint8Array(BLOCK_SIZE);
  }
}
