// The page cache: 4 KiB pages of volumes' files, in frames of `ram`. Bounded by the frames that are
// free; the clean page that was not used for longest goes first (a list through the clean pages).

import { ENOMEM, PosixError } from '../abi/errno.ts';
import { PAGE_SIZE } from '../abi/memlayout.ts';
import { neverRefuses } from '../ipc/fault/gate.ts';
import { sleep, type Task, WaitQueue, wakeAll } from '../ipc/task.ts';
import { type Tracer, tracerOf } from '../ipc/trace.ts';
import type { Inode } from '../vfs/inode.ts';
import type { Frames } from './frames.ts';
import { PageIndex } from './page-index.ts';

export class Page {
  readonly inode: Inode;
  readonly index: number; // in pages
  readonly address: number;
  readonly bytes: Uint8Array;
  /** Being filled from the disk: wait on `ready`. */
  busy = true;
  /** The fill failed, or the page was cut off: whoever waited looks it up again. */
  void = false;
  /** On its way to the disk: its frame must stay. */
  writeback = false;
  /** On its way from the disk: the same. */
  filling = false;
  /** All of it was written to the disk since it is cached: it has a place there, and writing it again takes no room. */
  onDisk = false;
  /** In the page index: processes read it by themselves. */
  shown = false;
  readonly ready: WaitQueue;
  /** In the list of what may be forgotten: neither dirty nor on its way to the disk. */
  listed = false;
  older: Page | undefined;
  newer: Page | undefined;

  constructor(inode: Inode, index: number, frame: { address: number; bytes: Uint8Array }) {
    this.inode = inode;
    this.index = index;
    this.address = frame.address;
    this.bytes = frame.bytes;
    this.ready = new WaitQueue('page');
  }
}

export class PageCache {
  readonly trace: Tracer;
  readonly index: PageIndex;
  readonly #ram: SharedArrayBuffer;
  readonly #frames: Frames;
  /** Frames left to the rest of the kernel: windows, rings, pipes, tmpfs. */
  readonly #reserve: number;
  #oldest: Page | undefined;
  #newest: Page | undefined;
  #count = 0;
  dirtyPages = 0;
  /** Pages that are dirty, or on their way to the disk. */
  unwritten = 0;
  /** Writers that are too far ahead of the disk wait here. */
  readonly written = new WaitQueue('write-back');
  /** The fault point alloc.pages. */
  refuses = neverRefuses;
  hits = 0;
  misses = 0;

  constructor(ram: SharedArrayBuffer, frames: Frames) {
    this.trace = tracerOf(ram);
    this.#ram = ram;
    this.#frames = frames;
    this.index = new PageIndex(ram, frames);
    frames.reclaim = (count) => this.reclaim(count);
    this.#reserve = Math.min(4096, Math.floor(frames.total / 8));
  }

  /** Pages held. */
  get count(): number {
    return this.#count;
  }

  /** Pages that the cache may hold in all, as things stand. */
  get capacity(): number {
    return Math.max(64, this.#count + this.#frames.free - this.#reserve);
  }

  /** The page if it is cached, ready or not; marks it as used. */
  peek(inode: Inode, index: number): Page | undefined {
    const page = inode.pages.get(index);
    if (page?.listed && page !== this.#newest) this.#touch(page);
    return page;
  }

  /**
   * Adds up to `count` new pages, busy, from `index` on, as one run of frames where there is one.
   * At least one; throws ENOMEM when not even that can be had.
   */
  add(inode: Inode, index: number, count: number): Page[] {
    if (this.refuses(count * PAGE_SIZE)) throw new PosixError(ENOMEM, 'no frame for a page');
    const wanted = Math.min(count, Math.max(1, this.capacity >> 2));
    if (this.#frames.free - wanted < this.#reserve) this.#evict(wanted, 'spare');
    for (let count = wanted; count > 0; count >>= 1) {
      const run = this.#frames.take(count);
      if (run !== undefined) return this.#adopt(inode, index, { address: run, count });
    }
    throw new PosixError(ENOMEM, 'no frame for a page');
  }

  /** The content is there: lets waiters go on. */
  filled(page: Page): void {
    page.busy = false;
    wakeAll(page.ready);
  }

  /** The fill of the page ended; a page dropped meanwhile gives its frame back now. */
  fillDone(page: Page): void {
    page.filling = false;
    if (page.void) this.#frames.give(page.address);
    else this.#show(page);
    this.filled(page);
  }

  /** Changes the content of a page; from then on, if not before, processes find it. */
  change(page: Page, how: (bytes: Uint8Array) => void): void {
    if (page.shown) this.index.beginChange(page.address);
    how(page.bytes);
    if (page.shown) this.index.endChange(page.address);
    else this.#show(page);
  }

  /** What the page index calls a file. */
  idOf(inode: Inode): number {
    if (inode.cacheId === 0) inode.cacheId = this.index.takeId();
    return inode.cacheId;
  }

  /** The inode is evicted: another one may have its id. */
  forget(inode: Inode): void {
    if (inode.cacheId !== 0) this.index.giveId(inode.cacheId);
    inode.cacheId = 0;
  }

  /** Waits until the page is no longer busy. */
  *settled(page: Page): Task<void> {
    while (page.busy) yield* sleep(page.ready);
  }

  markDirty(page: Page, nowMs: number): void {
    const { dirty, superblock } = page.inode;
    if (dirty.has(page)) return;
    if (dirty.size === 0) page.inode.dirtySinceMs = nowMs;
    dirty.add(page);
    superblock.dirtyInodes.add(page.inode);
    this.dirtyPages++;
    this.#countUnwritten(page, 1);
    this.#unlink(page);
  }

  /** The page goes to the disk: clean from now on, unless it is written again meanwhile. */
  beginWriteback(page: Page): void {
    if (page.inode.dirty.delete(page)) this.dirtyPages--;
    else this.#countUnwritten(page, 1); // a clean one between dirty ones
    this.#unlink(page);
    page.writeback = true;
  }

  /** Write-back of the page ended; a page dropped meanwhile gives its frame back now. */
  writebackDone(page: Page): void {
    page.writeback = false;
    this.#countUnwritten(page, -1);
    wakeAll(this.written);
    if (page.void) this.#frames.give(page.address);
    else {
      if (!page.inode.dirty.has(page)) this.#link(page);
      wakeAll(page.ready);
    }
  }

  /** Forgets a page; its frame is given back unless it is on its way to the disk. */
  drop(page: Page): void {
    if (page.void) return;
    page.void = true;
    page.busy = false;
    if (page.inode.dirty.delete(page)) {
      this.dirtyPages--;
      this.#countUnwritten(page, -1);
      wakeAll(this.written);
    }
    page.inode.pages.delete(page.index);
    if (page.shown) this.index.hide(page.address);
    page.shown = false;
    this.#unlink(page);
    this.#count--;
    wakeAll(page.ready);
    if (!page.writeback && !page.filling) this.#frames.give(page.address);
  }

  /** Forgets all pages of a file from `index` on. */
  truncate(inode: Inode, index: number): void {
    for (const page of [...inode.pages.values()]) if (page.index >= index) this.drop(page);
  }

  /** Forgets all clean pages (echo 1 > drop_caches). */
  dropClean(): void {
    this.#evict(this.#count, 'drop');
  }

  /** Gives frames back to the rest of the kernel; how many. */
  reclaim(frames: number): number {
    return this.#evict(frames, 'spare');
  }

  #adopt(inode: Inode, index: number, run: { address: number; count: number }): Page[] {
    return Array.from({ length: run.count }, (_, i) => {
      const address = run.address + i * PAGE_SIZE;
      const bytes = new Uint8Array(this.#ram, address, PAGE_SIZE);
      const page = new Page(inode, index + i, { address, bytes });
      inode.pages.set(page.index, page);
      this.#link(page);
      this.#count++;
      return page;
    });
  }

  /** Drops up to `wanted` clean pages, the oldest first; with 'spare', those that processes used last. */
  #evict(wanted: number, used: 'spare' | 'drop'): number {
    let left = wanted;
    const rounds = used === 'spare' ? 2 : 1;
    for (let round = 1; round <= rounds && left > 0; round++) {
      const end = this.#newest; // what was used by processes goes behind it
      for (let page = this.#oldest; page && left > 0; ) {
        const next = page === end ? undefined : page.newer;
        if (!page.busy) {
          if (round < rounds && this.index.wasUsed(page.address)) this.#touch(page);
          else {
            this.drop(page);
            left--;
          }
        }
        page = next;
      }
    }
    return wanted - left;
  }

  #show(page: Page): void {
    page.shown = this.index.show(page.address, { id: this.idOf(page.inode), page: page.index });
  }

  #countUnwritten(page: Page, by: number): void {
    this.unwritten += by;
    page.inode.superblock.unwritten += by;
  }

  #touch(page: Page): void {
    this.#unlink(page);
    this.#link(page);
  }

  #link(page: Page): void {
    page.listed = true;
    page.older = this.#newest;
    page.newer = undefined;
    if (this.#newest) this.#newest.newer = page;
    this.#newest = page;
    this.#oldest ??= page;
  }

  #unlink(page: Page): void {
    if (!page.listed) return;
    page.listed = false;
    if (page.older) page.older.newer = page.newer;
    else if (this.#oldest === page) this.#oldest = page.newer;
    if (page.newer) page.newer.older = page.older;
    else if (this.#newest === page) this.#newest = page.older;
    page.older = undefined;
    page.newer = undefined;
  }
}
