// Reading cached files without entering the kernel: looks into the tables that the kernel keeps in
// `ram` (kernel/abi/file-tables.ts), copies, and checks that nothing changed meanwhile. Whatever is
// not certain is left to a system call: a page that is not cached, a kernel that is just writing it, a
// description that others share, a signal that waits.

import { SEEK_CUR, SEEK_END, SEEK_SET } from '../../../kernel/abi/constants.ts';
import {
  bucketOf,
  DESCRIPTOR_CACHED,
  DESCRIPTOR_FLAGS,
  DESCRIPTOR_INODE,
  DESCRIPTOR_LAST,
  DESCRIPTOR_MARK,
  DESCRIPTOR_OFFSET,
  DESCRIPTOR_OURS,
  DESCRIPTOR_READABLE,
  DESCRIPTOR_RUNG,
  DESCRIPTOR_TABLE_SIZE,
  descriptorAt,
  type FileTables,
  FRAME_ENTRY_SIZE,
  FRAME_ID,
  FRAME_LOCK,
  FRAME_NEXT,
  FRAME_PAGE,
  INODE_ATTR_LOCK,
  INODE_ATTR_VALID,
  INODE_ENTRY_SIZE,
  INODE_ID,
  INODE_SIZE,
  INODE_SIZE_LOCK,
  INODE_STAT,
  NO_MARK,
  TABLE_ANSWERED,
  TABLE_ATTENTION,
  TABLE_DESCRIPTORS,
} from '../../../kernel/abi/file-tables.ts';
import { FAULT_AREA, PAGE_SIZE } from '../../../kernel/abi/memlayout.ts';
import type { Stat } from '../../../kernel/abi/stat.ts';
import { getStat, STAT_SIZE } from '../../../kernel/abi/syscall.ts';
import { ARMED_BITS, HEAD } from '../../../kernel/ipc/fault/layout.ts';
import { changing, readBarrier, versionOf } from '../../../kernel/ipc/seqlock.ts';

/** Pages copied at once when their frames lie side by side. */
const RUN = 64;
/** Entries of a chain looked at, and attempts at one run: then the kernel is asked. */
const CHAIN = 64;
const TRIES = 64;
/** A copy in vain counts for more than a look in vain. */
const COPIED = 8;
const FRAME_WORDS = FRAME_ENTRY_SIZE / 4;
const INODE_WORDS = INODE_ENTRY_SIZE / 4;
const READS = DESCRIPTOR_CACHED | DESCRIPTOR_READABLE;

/** What a run or a page turned out to be, besides a count. */
const MISSING = 0;
const CHANGED = -1;

export class CachedFiles {
  /** Whether the last read gave all there is to give; if not, the kernel goes on behind it. */
  complete = false;
  /** Where in the file the last read found nothing cached; undefined when it ended for another reason. */
  missing: number | undefined;
  readonly #memory: SharedArrayBuffer;
  readonly #ram: Uint8Array;
  readonly #tables: FileTables;
  readonly #ring: (fd: number) => void;
  readonly #descriptors: Int32Array;
  readonly #offsets: Float64Array;
  readonly #inodes: Int32Array;
  readonly #sizes: Float64Array;
  readonly #buckets: Int32Array;
  readonly #frames: Int32Array;
  readonly #used: Uint8Array;
  /** Faults that listen at system calls are to see them all. */
  readonly #faults: Int32Array;
  /** Of the pages of one run, as they were before the copy. */
  readonly #versions = new Int32Array(RUN);

  /** `ring`: the reader of a descriptor got to the mark that the kernel has set. */
  constructor(ram: SharedArrayBuffer, tables: FileTables, ring: (fd: number) => void) {
    const { descriptors, inodes, inodeCount, buckets, frames, frameCount, used } = tables;
    this.#memory = ram;
    this.#faults = new Int32Array(ram, FAULT_AREA, 64);
    this.#ram = new Uint8Array(ram);
    this.#tables = tables;
    this.#ring = ring;
    this.#descriptors = new Int32Array(ram, descriptors, DESCRIPTOR_TABLE_SIZE / 4);
    this.#offsets = new Float64Array(ram, descriptors, DESCRIPTOR_TABLE_SIZE / 8);
    this.#inodes = new Int32Array(ram, inodes, inodeCount * INODE_WORDS);
    this.#sizes = new Float64Array(ram, inodes, (inodeCount * INODE_WORDS) / 2);
    this.#buckets = new Int32Array(ram, buckets, tables.bucketCount);
    this.#frames = new Int32Array(ram, frames, frameCount * FRAME_WORDS);
    this.#used = new Uint8Array(ram, used, frameCount);
  }

  /** Reads at `offset`; the bytes copied. See `complete`. */
  pread(fd: number, into: Uint8Array, offset: number): number {
    const at = this.descriptor(fd, READS);
    if (at === undefined || !(offset >= 0)) return 0;
    const count = this.#read(at, into, offset);
    // A miss at a random place must not look as if the reader had come to it in order.
    if (count > 0) this.#progress(fd, at, offset + count);
    return count;
  }

  /** Reads at the offset of the descriptor, which moves. */
  read(fd: number, into: Uint8Array): number {
    const at = this.descriptor(fd, READS | DESCRIPTOR_OURS);
    if (at === undefined) return 0;
    const cell = at / 2 + DESCRIPTOR_OFFSET;
    const offset = this.#offsets[cell] ?? 0;
    const count = this.#read(at, into, offset);
    this.#offsets[cell] = offset + count;
    if (count > 0) this.#progress(fd, at, offset + count);
    return count;
  }

  /** Moves the offset; undefined: ask the kernel. */
  lseek(fd: number, offset: number, whence: number): number | undefined {
    const at = this.descriptor(fd, DESCRIPTOR_CACHED | DESCRIPTOR_OURS);
    if (at === undefined) return undefined;
    const cell = at / 2 + DESCRIPTOR_OFFSET;
    let base: number | undefined;
    if (whence === SEEK_SET) base = 0;
    else if (whence === SEEK_CUR) base = this.#offsets[cell];
    else if (whence === SEEK_END) base = this.#sizeOf(at);
    const target = base === undefined ? -1 : base + offset;
    if (!Number.isSafeInteger(target) || target < 0) return undefined;
    this.#offsets[cell] = target;
    this.answered();
    return target;
  }

  /** The attributes of an open file; undefined: ask the kernel. */
  fstat(fd: number): Stat | undefined {
    const at = this.descriptor(fd, DESCRIPTOR_CACHED);
    if (at === undefined) return undefined;
    const inode = this.#inodeOf(at);
    const address = this.#tables.inodes + inode * 4 + INODE_STAT;
    for (let tries = 0; tries < TRIES; tries++) {
      const version = versionOf(this.#inodes, inode + INODE_ATTR_LOCK);
      if (changing(version)) continue;
      const valid = this.#inodes[inode + INODE_ATTR_VALID] === 1;
      const stat = getStat(new DataView(this.#memory, address, STAT_SIZE));
      readBarrier();
      if (versionOf(this.#inodes, inode + INODE_ATTR_LOCK) !== version) continue;
      if (valid) this.answered();
      return valid ? stat : undefined;
    }
    return undefined;
  }

  /** The words of a descriptor that may do all of `wanted`; undefined: that is for the kernel. */
  descriptor(fd: number, wanted: number): number | undefined {
    this.complete = false;
    this.missing = undefined;
    if (Atomics.load(this.#descriptors, TABLE_ATTENTION) !== 0) return undefined;
    if ((Atomics.load(this.#faults, HEAD.armed) & ARMED_BITS.sys) !== 0) return undefined;
    if (!(Number.isInteger(fd) && fd >= 0 && fd < TABLE_DESCRIPTORS)) return undefined;
    const at = descriptorAt(fd) / 4;
    const flags = Atomics.load(this.#descriptors, at + DESCRIPTOR_FLAGS);
    return (flags & wanted) === wanted ? at : undefined;
  }

  /** A word of the table of descriptors. */
  word(at: number): number {
    return this.#descriptors[at] ?? 0;
  }

  #inodeOf(descriptor: number): number {
    return (this.#descriptors[descriptor + DESCRIPTOR_INODE] ?? 0) * INODE_WORDS;
  }

  #sizeOf(descriptor: number): number | undefined {
    const inode = this.#inodeOf(descriptor);
    for (let tries = 0; tries < TRIES; tries++) {
      const version = versionOf(this.#inodes, inode + INODE_SIZE_LOCK);
      const size = this.#sizes[inode / 2 + INODE_SIZE] ?? 0;
      if (!changing(version) && this.#sizeHolds(inode, version)) return size;
    }
    return undefined;
  }

  #sizeHolds(inode: number, version: number): boolean {
    readBarrier();
    return versionOf(this.#inodes, inode + INODE_SIZE_LOCK) === version;
  }

  /** Copies run after run. Each run was in the file, and the file that long, at one and the same time. */
  #read(descriptor: number, into: Uint8Array, offset: number): number {
    const inode = this.#inodeOf(descriptor);
    let done = 0;
    for (let tries = 0; tries < TRIES; ) {
      const version = versionOf(this.#inodes, inode + INODE_SIZE_LOCK);
      const size = this.#sizes[inode / 2 + INODE_SIZE] ?? 0;
      const id = this.#inodes[inode + INODE_ID] ?? 0;
      const position = offset + done;
      const length = Math.min(into.length - done, size - position);
      if (length <= 0 && !changing(version) && this.#sizeHolds(inode, version)) {
        this.complete = true;
        this.answered();
        break;
      }
      const count =
        length <= 0 || changing(version)
          ? CHANGED
          : this.#copyRun(id, { position, length }, into, done);
      if (count === MISSING) {
        this.missing = position;
        break;
      }
      if (count === CHANGED) tries++;
      else if (versionOf(this.#inodes, inode + INODE_SIZE_LOCK) !== version) tries += COPIED;
      else {
        done += count;
        if (Atomics.load(this.#descriptors, TABLE_ATTENTION) !== 0) break;
      }
    }
    return done;
  }

  /** Notes how far the reader got, and rings once when it got to the mark. */
  #progress(fd: number, descriptor: number, end: number): void {
    const words = this.#descriptors;
    const pages = Math.ceil(end / PAGE_SIZE);
    words[descriptor + DESCRIPTOR_LAST] = pages;
    const mark = words[descriptor + DESCRIPTOR_MARK] ?? NO_MARK;
    if (mark === NO_MARK || pages <= mark || words[descriptor + DESCRIPTOR_RUNG] === mark) return;
    words[descriptor + DESCRIPTOR_RUNG] = mark;
    this.#ring(fd);
  }

  /** Copies pages whose frames lie side by side; the bytes, MISSING or CHANGED. */
  #copyRun(
    id: number,
    from: { position: number; length: number },
    into: Uint8Array,
    done: number,
  ): number {
    const { position, length } = from;
    const first = Math.floor(position / PAGE_SIZE);
    const inPage = position - first * PAGE_SIZE;
    const most = Math.min(RUN, Math.ceil((inPage + length) / PAGE_SIZE));
    const frame = this.#find(id, first);
    if (frame === MISSING) return MISSING;
    let pages = 0;
    while (pages < most && this.#holds(frame + pages, id, first + pages)) {
      const version = versionOf(this.#frames, (frame + pages) * FRAME_WORDS + FRAME_LOCK);
      if (changing(version) || !this.#holds(frame + pages, id, first + pages)) break;
      this.#versions[pages++] = version;
    }
    if (pages === 0) return CHANGED;
    const count = Math.min(length, pages * PAGE_SIZE - inPage);
    const address = frame * PAGE_SIZE + inPage;
    into.set(this.#ram.subarray(address, address + count), done);
    readBarrier();
    for (let i = 0; i < pages; i++) {
      const at = (frame + i) * FRAME_WORDS + FRAME_LOCK;
      if (versionOf(this.#frames, at) !== this.#versions[i]) return CHANGED;
      if (this.#used[frame + i] === 0) this.#used[frame + i] = 1;
    }
    return count;
  }

  /** The frame of a page, if the chain leads to it. */
  #find(id: number, page: number): number {
    const bucket = bucketOf(id, page, this.#tables.bucketCount);
    let frame = Atomics.load(this.#buckets, bucket);
    for (let steps = 0; frame !== 0 && steps < CHAIN; steps++) {
      if (this.#holds(frame, id, page)) return frame;
      frame = Atomics.load(this.#frames, frame * FRAME_WORDS + FRAME_NEXT);
    }
    return MISSING;
  }

  #holds(frame: number, id: number, page: number): boolean {
    const at = frame * FRAME_WORDS;
    return this.#frames[at + FRAME_ID] === id && this.#frames[at + FRAME_PAGE] === page;
  }

  /** Counts a call that the kernel did not have to serve. */
  answered(): void {
    this.#descriptors[TABLE_ANSWERED] = ((this.#descriptors[TABLE_ANSWERED] ?? 0) + 1) | 0;
  }
}
