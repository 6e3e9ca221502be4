// The page index that processes read (kernel/abi/file-tables.ts): an inverted page table, one entry
// for each frame of `ram`, chained in buckets. A page is found in O(1) whatever the number of pages; the
// table takes 21 to 25 bytes a frame, 0.6 % of `ram` at every size, and removal leaves nothing behind.

import {
  bucketOf,
  type FileTables,
  FRAME_ENTRY_SIZE,
  FRAME_ID,
  FRAME_LOCK,
  FRAME_NEXT,
  FRAME_PAGE,
  MAX_PAGE,
} from '../abi/file-tables.ts';
import { PAGE_SIZE } from '../abi/memlayout.ts';
import { beginChange, endChange } from '../ipc/seqlock.ts';
import type { Frames } from './frames.ts';

const WORDS = FRAME_ENTRY_SIZE / 4;
export class PageIndex {
  /** Where processes find it. */
  readonly tables: Omit<FileTables, 'descriptors' | 'inodes' | 'inodeCount'>;
  readonly #bucketCount: number;
  readonly #buckets: Int32Array;
  readonly #words: Int32Array;
  readonly #used: Uint8Array;
  readonly #freeIds: number[] = [];
  #lastId = 0;

  constructor(ram: SharedArrayBuffer, frames: Frames) {
    const frameCount = Math.ceil(ram.byteLength / PAGE_SIZE);
    const bucketCount = 2 ** Math.ceil(Math.log2(frameCount));
    const bytes = bucketCount * 4 + frameCount * (FRAME_ENTRY_SIZE + 1);
    const buckets = frames.mustTake(Math.ceil(bytes / PAGE_SIZE), 'the page index');
    const entries = buckets + bucketCount * 4;
    const used = entries + frameCount * FRAME_ENTRY_SIZE;
    this.tables = { buckets, bucketCount, frames: entries, frameCount, used };
    this.#bucketCount = bucketCount;
    this.#buckets = new Int32Array(ram, buckets, bucketCount).fill(0);
    this.#words = new Int32Array(ram, entries, frameCount * WORDS).fill(0);
    this.#used = new Uint8Array(ram, used, frameCount).fill(0);
  }

  /** A name for a file that no other file has until it is given back. */
  takeId(): number {
    return this.#freeIds.pop() ?? ++this.#lastId;
  }

  /** No page of the file is shown any more. */
  giveId(id: number): void {
    this.#freeIds.push(id);
  }

  /** Lets readers find the page; its content is there. False when the index cannot name it. */
  show(address: number, of: { id: number; page: number }): boolean {
    if (of.page > MAX_PAGE) return false;
    const frame = address / PAGE_SIZE;
    const at = frame * WORDS;
    const bucket = bucketOf(of.id, of.page, this.#bucketCount);
    beginChange(this.#words, at + FRAME_LOCK);
    this.#words[at + FRAME_ID] = of.id;
    this.#words[at + FRAME_PAGE] = of.page;
    this.#words[at + FRAME_NEXT] = this.#buckets[bucket] ?? 0;
    endChange(this.#words, at + FRAME_LOCK);
    Atomics.store(this.#buckets, bucket, frame);
    return true;
  }

  /** Nobody finds the page any more, and who copies it just now will notice. */
  hide(address: number): void {
    const frame = address / PAGE_SIZE;
    const at = frame * WORDS;
    this.#unlink(frame, at);
    beginChange(this.#words, at + FRAME_LOCK);
    this.#words[at + FRAME_ID] = 0;
    endChange(this.#words, at + FRAME_LOCK);
    this.#used[frame] = 0;
  }

  /** The content of the page changes between these two. */
  beginChange(address: number): void {
    beginChange(this.#words, (address / PAGE_SIZE) * WORDS + FRAME_LOCK);
  }

  endChange(address: number): void {
    endChange(this.#words, (address / PAGE_SIZE) * WORDS + FRAME_LOCK);
  }

  /** Whether a reader used the page since the last time this was asked. */
  wasUsed(address: number): boolean {
    const frame = address / PAGE_SIZE;
    if (this.#used[frame] === 0) return false;
    this.#used[frame] = 0;
    return true;
  }

  #unlink(frame: number, at: number): void {
    const words = this.#words;
    const next = words[at + FRAME_NEXT] ?? 0;
    const id = words[at + FRAME_ID] ?? 0;
    const bucket = bucketOf(id, words[at + FRAME_PAGE] ?? 0, this.#bucketCount);
    let before = this.#buckets[bucket] ?? 0;
    if (before === frame) {
      Atomics.store(this.#buckets, bucket, next);
      return;
    }
    while (words[before * WORDS + FRAME_NEXT] !== frame) {
      before = words[before * WORDS + FRAME_NEXT] ?? 0;
    }
    Atomics.store(words, before * WORDS + FRAME_NEXT, next);
  }
}
