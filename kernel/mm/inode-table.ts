// The inode table that processes read (kernel/abi/file-tables.ts): size and attributes of each cached
// file that is open. A file that finds no room in it is read through system calls alone.

import {
  type FileTables,
  INODE_ATTR_LOCK,
  INODE_ATTR_VALID,
  INODE_ENTRY_SIZE,
  INODE_ID,
  INODE_SIZE,
  INODE_SIZE_LOCK,
  INODE_STAT,
} from '../abi/file-tables.ts';
import { PAGE_SIZE } from '../abi/memlayout.ts';
import type { Stat } from '../abi/stat.ts';
import { putStat, STAT_SIZE } from '../abi/syscall.ts';
import { beginChange, endChange } from '../ipc/seqlock.ts';
import type { Frames } from './frames.ts';

/** One open file for so many frames of memory. */
const FRAMES_PER_ENTRY = 16;
const MOST = 16_384;

export class InodeTable {
  /** Where processes find it. */
  readonly tables: Pick<FileTables, 'inodes' | 'inodeCount'>;
  readonly #ram: SharedArrayBuffer;
  readonly #free: number[] = [];
  #used = 0;

  constructor(ram: SharedArrayBuffer, frames: Frames) {
    this.#ram = ram;
    const inodeCount = Math.min(MOST, Math.max(64, Math.floor(frames.total / FRAMES_PER_ENTRY)));
    const bytes = inodeCount * INODE_ENTRY_SIZE;
    const inodes = frames.mustTake(Math.ceil(bytes / PAGE_SIZE), 'the inode table');
    new Uint8Array(ram, inodes, bytes).fill(0);
    this.tables = { inodes, inodeCount };
  }

  /** An entry for a file that the page index calls `id`; undefined when all are taken. */
  take(id: number): InodeEntry | undefined {
    const index =
      this.#free.pop() ?? (this.#used < this.tables.inodeCount ? this.#used++ : undefined);
    if (index === undefined) return undefined;
    return new InodeEntry(this.#ram, this.tables.inodes + index * INODE_ENTRY_SIZE, { index, id });
  }

  /** Whoever still reads it finds no attributes in it, and no pages under its id. */
  give(entry: InodeEntry): void {
    entry.clear();
    this.#free.push(entry.index);
  }
}

export class InodeEntry {
  readonly index: number;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #stat: DataView;

  constructor(ram: SharedArrayBuffer, at: number, is: { index: number; id: number }) {
    this.index = is.index;
    this.#words = new Int32Array(ram, at, INODE_STAT / 4);
    this.#doubles = new Float64Array(ram, at, INODE_STAT / 8);
    this.#stat = new DataView(ram, at + INODE_STAT, STAT_SIZE);
    this.#words[INODE_ID] = is.id;
  }

  /** Tells the size and, unless the server must be asked for them first, the attributes. */
  publish(stat: Stat, stale: boolean): void {
    if (this.#doubles[INODE_SIZE] !== stat.size) {
      beginChange(this.#words, INODE_SIZE_LOCK);
      this.#doubles[INODE_SIZE] = stat.size;
      endChange(this.#words, INODE_SIZE_LOCK);
    }
    beginChange(this.#words, INODE_ATTR_LOCK);
    putStat(this.#stat, stat);
    this.#words[INODE_ATTR_VALID] = stale ? 0 : 1;
    endChange(this.#words, INODE_ATTR_LOCK);
  }

  /** The attributes are no longer what stat(2) would tell. */
  spoil(): void {
    beginChange(this.#words, INODE_ATTR_LOCK);
    this.#words[INODE_ATTR_VALID] = 0;
    endChange(this.#words, INODE_ATTR_LOCK);
  }

  clear(): void {
    this.spoil();
    beginChange(this.#words, INODE_SIZE_LOCK);
    this.#words[INODE_ID] = 0;
    this.#doubles[INODE_SIZE] = 0;
    endChange(this.#words, INODE_SIZE_LOCK);
  }
}
