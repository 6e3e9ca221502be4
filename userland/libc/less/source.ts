// What a pager shows: bytes that may be asked for in any order. A file is read where it is looked at; a
// pipe is read as far as somebody went, and what was read is kept.

import { O_RDONLY, S_IFDIR, S_IFMT, S_IFREG, SEEK_CUR } from '../../../kernel/abi/constants.ts';
import { EISDIR, ESPIPE, fail, PosixError } from '../../../kernel/abi/errno.ts';
import { encodeText } from '../../../kernel/abi/text.ts';
import type { Sys } from '../sys.ts';

const BLOCK = 65_536;
/** Blocks of a file that are kept. */
const KEPT = 32;
/** More of a pipe is not kept: it is not read on. */
const PIPE_MOST = 512 * 1024 * 1024;

const NOTHING = new Uint8Array(0);

export interface Source {
  readonly name: string;
  /** Bytes that are known to be there. */
  readonly size: number;
  /** Whether there will be no more, as far as is known. */
  readonly complete: boolean;
  /** To wait on for more; -1 = it does not come by itself. */
  readonly pipe: number;
  /** The bytes from `at` on, as many as lie together; empty at the end of what is known. */
  piece(at: number): Uint8Array;
  /** Looks for more, and waits for it when there is a pipe. */
  pull(): void;
  close(): void;
}

/** Opens a file by its name; `-` is standard input. */
export function openSource(sys: Sys, name: string): Source {
  if (name === '-') return sourceOf(sys, 0, name);
  const fd = sys.open(name, O_RDONLY);
  try {
    return sourceOf(sys, fd, name);
  } catch (error) {
    sys.close(fd);
    throw error;
  }
}

function sourceOf(sys: Sys, fd: number, name: string): Source {
  const type = sys.fstat(fd).mode & S_IFMT;
  if (type === S_IFDIR) fail(EISDIR);
  if (type === S_IFREG) return new FileSource(sys, fd, name);
  return seeks(sys, fd) ? new FileSource(sys, fd, name) : new PipeSource(sys, fd, name);
}

/** Block devices, too, have a place for each byte. */
function seeks(sys: Sys, fd: number): boolean {
  try {
    sys.lseek(fd, 0, SEEK_CUR);
    return sys.fstat(fd).size > 0;
  } catch (error) {
    if (error instanceof PosixError && error.errno === ESPIPE) return false;
    throw error;
  }
}

class FileSource implements Source {
  readonly name: string;
  readonly pipe = -1;
  readonly complete = true;
  size: number;
  readonly #sys: Sys;
  readonly #fd: number;
  /** In the order of their use, the oldest first. */
  readonly #blocks = new Map<number, Uint8Array>();

  constructor(sys: Sys, fd: number, name: string) {
    this.#sys = sys;
    this.#fd = fd;
    this.name = name;
    this.size = sys.fstat(fd).size;
  }

  piece(at: number): Uint8Array {
    if (at < 0 || at >= this.size) return NOTHING;
    const number = Math.floor(at / BLOCK);
    let block = this.#blocks.get(number);
    if (block === undefined) block = this.#read(number);
    else this.#blocks.delete(number);
    this.#blocks.set(number, block);
    if (this.#blocks.size > KEPT) this.#blocks.delete(this.#blocks.keys().next().value ?? number);
    return block.subarray(at - number * BLOCK);
  }

  /** A file may have grown, or have become shorter. */
  pull(): void {
    const { size } = this.#sys.fstat(this.#fd);
    if (size === this.size) return;
    this.#blocks.delete(Math.floor(Math.min(size, this.size) / BLOCK));
    if (size < this.size) this.#blocks.clear();
    this.size = size;
  }

  close(): void {
    if (this.#fd !== 0) this.#sys.close(this.#fd);
  }

  #read(number: number): Uint8Array {
    const from = number * BLOCK;
    const block = new Uint8Array(Math.min(BLOCK, this.size - from));
    let done = 0;
    while (done < block.length) {
      const count = this.#sys.pread(this.#fd, block.subarray(done), from + done);
      if (count === 0) break;
      done += count;
    }
    return block.subarray(0, done);
  }
}

class PipeSource implements Source {
  readonly name: string;
  readonly pipe: number;
  size = 0;
  complete = false;
  readonly #sys: Sys;
  /** All full but the last. */
  readonly #blocks: Uint8Array[] = [];

  constructor(sys: Sys, fd: number, name: string) {
    this.#sys = sys;
    this.pipe = fd;
    this.name = name;
  }

  piece(at: number): Uint8Array {
    if (at < 0 || at >= this.size) return NOTHING;
    const number = Math.floor(at / BLOCK);
    const used = Math.min(BLOCK, this.size - number * BLOCK);
    return (this.#blocks[number] ?? NOTHING).subarray(at - number * BLOCK, used);
  }

  pull(): void {
    if (this.complete) return;
    if (this.size % BLOCK === 0) this.#blocks.push(new Uint8Array(BLOCK));
    const block = this.#blocks.at(-1) ?? NOTHING;
    const count = this.#sys.read(this.pipe, block.subarray(this.size % BLOCK));
    this.size += count;
    if (count === 0 || this.size >= PIPE_MOST) this.complete = true;
  }

  close(): void {
    if (this.pipe !== 0) this.#sys.close(this.pipe);
  }
}

/** A text that a program has itself. */
export function textSource(name: string, text: string): Source {
  const bytes = encodeText(text);
  return {
    name,
    size: bytes.length,
    complete: true,
    pipe: -1,
    piece: (at) => bytes.subarray(Math.max(0, at)),
    pull: () => {},
    close: () => {},
  };
}
