// For tests only: a Transaction over an image in memory, and a small machine around Ext4Fs that
// moves file data, as daemons/lib does in earnest. Blocks can be made to miss at random.

import { assert, ENOENT, fail, PosixError } from '../../kernel/abi/errno.ts';
import { integersFrom } from '../../kernel/ipc/random.ts';
import type { DirEntry } from '../../kernel/ninep/types.ts';
import { type Block, Missing, type Seal, type Transaction } from '../lib/transaction.ts';
import { Ext4Fs } from './fs.ts';
import { EXT4_ROOT_INO } from './ondisk.ts';
import { openVolume, type Volume } from './volume/superblock.ts';

/** Numbers of 32 bits from a seed. */
export function seeded(seed: number): () => number {
  const random = integersFrom(seed);
  return () => random(2 ** 32);
}

interface Staged {
  block: Block;
  seal: Seal | undefined;
}

/** One run of one request over the image. */
class ImageTx implements Transaction {
  readonly blockSize: number;
  readonly now: { sec: number; nsec: number };
  readonly staged = new Map<number, Staged>();
  readonly freed = new Set<number>();
  readonly actions: (() => void)[] = [];
  readonly image: TestImage;
  readonly random: () => number;

  constructor(image: TestImage, request: number) {
    this.image = image;
    this.blockSize = image.blockSize;
    this.now = { sec: 1_800_000_000 + request, nsec: (request * 7919) % 1_000_000_000 };
    this.random = seeded(request + 1);
  }

  read(no: number, check?: Seal): Block {
    return this.staged.get(no)?.block ?? this.image.committed(no, check);
  }

  need(blocks: readonly number[]): void {
    const missing = blocks.filter((no) => !this.staged.has(no) && !this.image.isCached(no));
    if (missing.length > 0) throw new Missing(missing);
  }

  edit(no: number, seal?: Seal): Block {
    const held = this.staged.get(no);
    if (held !== undefined) {
      if (seal !== undefined) held.seal = seal;
      return held.block;
    }
    return this.#stage(no, this.image.committed(no).bytes.slice(), seal);
  }

  create(no: number, seal?: Seal): Block {
    assert(no < this.image.blockCount);
    return this.#stage(no, new Uint8Array(this.blockSize), seal);
  }

  #stage(no: number, bytes: Uint8Array, seal: Seal | undefined): Block {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const block = { no, view, bytes, version: -1 };
    this.staged.set(no, { block, seal });
    this.freed.delete(no);
    return block;
  }

  forget(no: number): void {
    this.staged.delete(no);
    this.freed.add(no);
  }

  onCommit(action: () => void): void {
    this.actions.push(action);
  }
}

/** An image in memory with a cache of blocks that may forget. */
export class TestImage {
  readonly bytes: Uint8Array;
  blockSize = 1024;
  requests = 0;
  runs = 0;
  /** Blocks that the last request changed. */
  lastEdits = 0;
  readonly #cached = new Map<number, Block>();
  readonly #checked = new Set<number>();
  #version = 0;
  #evict: (() => boolean) | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get blockCount(): number {
    return Math.floor(this.bytes.length / this.blockSize);
  }

  /** From now on each request may find blocks missing that were there before. */
  forgetBlocks(evict: () => boolean): void {
    this.#evict = evict;
  }

  isCached(no: number): boolean {
    return this.#cached.has(no);
  }

  committed(no: number, check?: Seal): Block {
    assert(no >= 0 && no < this.blockCount, `block ${no} is beyond the image`);
    const block = this.#cached.get(no);
    if (block === undefined) throw new Missing([no]);
    if (check !== undefined && !this.#checked.has(no)) {
      check(block);
      this.#checked.add(no);
    }
    return block;
  }

  #fetch(no: number): void {
    const at = no * this.blockSize;
    const bytes = this.bytes.subarray(at, at + this.blockSize);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#cached.set(no, { no, view, bytes, version: ++this.#version });
    this.#checked.delete(no);
  }

  /** Runs a request until no block is missing; publishes its edits, or drops them when it throws. */
  /** Runs a request and drops what it changed. */
  peek<R>(body: (tx: Transaction) => R): R {
    return this.run(body, 'drop');
  }

  run<R>(body: (tx: Transaction) => R, edits: 'publish' | 'drop' = 'publish'): R {
    const request = ++this.requests;
    this.#evictSome();
    for (let turn = 0; turn < 100_000; turn++) {
      this.runs++;
      const tx = new ImageTx(this, request);
      try {
        const result = body(tx);
        if (edits === 'publish') this.#publish(tx);
        return result;
      } catch (error) {
        if (!(error instanceof Missing)) throw error;
        for (const no of error.blocks) this.#fetch(no);
      }
    }
    throw new Error('a request never found all its blocks');
  }

  #evictSome(): void {
    const evict = this.#evict;
    if (evict === undefined) return;
    for (const no of [...this.#cached.keys()]) if (evict()) this.#cached.delete(no);
  }

  #publish(tx: ImageTx): void {
    for (const { block, seal } of tx.staged.values()) seal?.(block);
    for (const { block } of tx.staged.values()) {
      this.bytes.set(block.bytes, block.no * this.blockSize);
      this.#fetch(block.no);
      this.#checked.add(block.no);
    }
    // What was freed must not be read again: make that show.
    for (const no of tx.freed) {
      if (tx.staged.has(no)) continue;
      this.#cached.delete(no);
      this.bytes.fill(0xee, no * this.blockSize, (no + 1) * this.blockSize);
    }
    this.lastEdits = tx.staged.size;
    for (const action of tx.actions) action();
  }
}

/** A mounted image with paths, data and open files. */
export class TestFs {
  readonly image: TestImage;
  readonly volume: Volume;
  readonly fs: Ext4Fs;
  readonly open = new Set<number>();
  readonly #unfinished: number[] = [];

  constructor(image: TestImage, options: { readOnly?: boolean } = {}) {
    const { bytes } = image;
    this.image = image;
    this.volume = openVolume(bytes.subarray(1024, 2048), bytes.length);
    image.blockSize = this.volume.blockSize;
    const env = {
      isOpen: (ino: number) => this.open.has(ino),
      unfinished: (ino: number) => void this.#unfinished.push(ino),
    };
    this.fs = new Ext4Fs({ volume: this.volume, env, readOnly: options.readOnly ?? false });
  }

  run<R>(body: (tx: Transaction) => R): R {
    const result = this.image.run(body);
    for (let ino = this.#unfinished.pop(); ino !== undefined; ino = this.#unfinished.pop())
      this.#finish(ino);
    return result;
  }

  #finish(ino: number): void {
    while (this.image.run((tx) => this.fs.truncateStep(tx, ino)));
  }

  /** What the serve loop does with `unlink` of an open file when it is closed at last. */
  close(ino: number): void {
    this.open.delete(ino);
    this.run((tx) => this.fs.forget(tx, ino));
  }

  unmount(): void {
    this.run((tx) => this.fs.updateSuperblockTotals(tx));
  }

  /** The inode a path means. */
  at(path: string): number {
    let ino = EXT4_ROOT_INO;
    for (const name of path.split('/').filter((part) => part !== ''))
      ino = this.run((tx) => this.fs.walk(tx, ino, name)) ?? fail(ENOENT, path);
    return ino;
  }

  has(path: string): boolean {
    try {
      this.at(path);
      return true;
    } catch (error) {
      if (error instanceof PosixError && error.errno === ENOENT) return false;
      throw error;
    }
  }

  /** Directory and last name of a path. */
  place(path: string): { dir: number; name: string } {
    const cut = path.lastIndexOf('/');
    return { dir: this.at(path.slice(0, cut + 1)), name: path.slice(cut + 1) };
  }

  create(path: string): number {
    const { dir, name } = this.place(path);
    return this.run((tx) => this.fs.create(tx, dir, { name, flags: 0, mode: 0o644, gid: 0 }));
  }

  mkdir(path: string): number {
    const { dir, name } = this.place(path);
    return this.run((tx) => this.fs.mkdir(tx, dir, { name, mode: 0o755, gid: 0 }));
  }

  unlink(path: string, flags = 0): void {
    const { dir, name } = this.place(path);
    this.run((tx) => this.fs.unlink(tx, dir, name, flags));
  }

  write(ino: number, offset: number, data: Uint8Array): void {
    const { blockSize } = this;
    if (this.#writePacked(ino, offset, data)) return;
    for (let done = 0; done < data.length; ) {
      const request = { ino, offset: offset + done, length: data.length - done };
      const extents = this.run((tx) => this.fs.mapWrite(tx, request));
      const last = extents[extents.length - 1];
      assert(last?.block !== undefined);
      const end = Math.min(offset + data.length, last.offset + last.length);
      for (const { offset: at, length, block = 0, fresh } of extents) {
        const start = block * blockSize;
        if (fresh) this.image.bytes.fill(0, start, start + length);
        const from = Math.max(at, offset + done);
        const to = Math.min(at + length, end);
        this.image.bytes.set(data.subarray(from - offset, to - offset), start + from - at);
      }
      const length = end - offset - done;
      this.run((tx) => this.fs.written(tx, { ino, offset: offset + done, length }));
      done += length;
    }
  }

  /** As daemons/lib/data/mover.ts does it. */
  #writePacked(ino: number, offset: number, bytes: Uint8Array): boolean {
    const { packed } = this.fs;
    if (packed === undefined) return false;
    if (this.run((tx) => packed.write(tx, { ino, offset, bytes }))) return true;
    this.unpack(ino);
    return false;
  }

  /** Moves a small file out of its inode. */
  unpack(ino: number): void {
    const { packed } = this.fs;
    const content = packed && this.run((tx) => packed.content(tx, ino)?.slice());
    if (packed === undefined || content === undefined) return;
    const block = content.length === 0 ? 0 : this.image.peek((tx) => packed.spare(tx, ino));
    const start = block * this.blockSize;
    if (block !== 0) {
      this.image.bytes.fill(0, start, start + this.blockSize);
      this.image.bytes.set(content, start);
    }
    assert(this.run((tx) => packed.move(tx, { ino, content, block })));
  }

  get blockSize(): number {
    return this.volume.blockSize;
  }

  read(ino: number, offset = 0, wanted = Number.MAX_SAFE_INTEGER): Uint8Array {
    const size = this.run((tx) => this.fs.size(tx, ino));
    const end = Math.min(size, offset + wanted);
    const packed = this.run((tx) => this.fs.packed?.content(tx, ino)?.slice());
    if (packed !== undefined) return packed.subarray(offset, end);
    const out = new Uint8Array(Math.max(0, end - offset));
    for (let at = offset; at < end; ) {
      const request = { ino, offset: at, length: end - at };
      for (const extent of this.run((tx) => this.fs.mapRead(tx, request))) {
        const to = Math.min(extent.offset + extent.length, end);
        if (extent.block !== undefined) {
          const from = extent.block * this.blockSize + (at - extent.offset);
          out.set(this.image.bytes.subarray(from, from + (to - at)), at - offset);
        }
        at = to;
      }
    }
    return out;
  }

  truncate(ino: number, size: number): void {
    const zero = { sec: 0, nsec: 0 };
    const attr = { valid: 0x8, mode: 0, uid: 0, gid: 0, size, atime: zero, mtime: zero };
    if (this.run((tx) => this.fs.packed?.fits(tx, { ino, size })) === false) this.unpack(ino);
    this.run((tx) => this.fs.setattr(tx, ino, attr));
    this.#zeroTail(ino, size);
  }

  /** What a file that grows again would show of its last block. */
  #zeroTail(ino: number, size: number): void {
    const from = size % this.blockSize;
    if (from === 0) return;
    const [last] = this.run((tx) => this.fs.mapRead(tx, { ino, offset: size, length: 1 }));
    if (last?.block === undefined) return;
    const start = last.block * this.blockSize;
    this.image.bytes.fill(0, start + from, start + this.blockSize);
  }

  /** A whole listing, `batch` entries a request, without '.' and '..'. */
  list(dir: number, batch = 50): DirEntry[] {
    const out: DirEntry[] = [];
    for (let offset = 0; ; ) {
      const got: DirEntry[] = [];
      this.run((tx) => {
        got.length = 0;
        this.fs.readdir(tx, dir, offset, {
          add: (entry) => got.length < batch && got.push(entry) > 0,
        });
      });
      const last = got[got.length - 1];
      if (last === undefined) return out.filter(({ name }) => name !== '.' && name !== '..');
      out.push(...got);
      offset = last.offset;
    }
  }

  names(dir: number): string[] {
    return this.list(dir).map(({ name }) => name);
  }
}
