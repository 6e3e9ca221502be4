// Read-ahead: the window of a sequential reader doubles from 2 pages to the mount's most. The reader who
// gets to the mark in the newest window has the next one fetched, and waits for nothing (as Linux's
// mm/readahead.c); who misses waits for the window that begins there. A random reader gets what it asks for,
// until it has missed so often that all of the file could have been read meanwhile: then what lies around it.

import { NO_MARK } from '../abi/file-tables.ts';
import { PAGE_SIZE } from '../abi/memlayout.ts';

/**
 * Pages: 8 MiB, one request of the volume and one grant. The reader goes through a window in less time than the
 * next one's six hops take, so that it waits once for each; no window is larger than what was read before it.
 */
export const READ_AHEAD_PAGES = 2048;
const FIRST_WINDOW = 2;
/** A miss costs a random reader about as much as so many pages cost one who reads in order (130 and 4 µs). */
const PAGES_A_MISS = 32;
const MISSES_LEAST = 64;
/** What is fetched around a miss from then on, aligned: 256 KiB. */
const AROUND_PAGES = 64;

/** What is known of the programs that read through a description, besides what they ask for. */
export interface Readers {
  /** The last page that one of them read without a call; -1 = none. */
  lastPage(): number;
  /** Who reads this page without a call rings for the next window. */
  mark(page: number): void;
}

export interface Window {
  readonly index: number; // page
  readonly count: number; // pages
}

/** Where a reader is in a file; one for each open file description. */
export class ReadAhead {
  readonly #readers: Readers;
  /** The page that a sequential reader would ask for next. */
  #next = 0;
  #size = FIRST_WINDOW / 2; // pages of the newest window
  #end = 0; // the page behind it
  #scattered = 0; // misses where nobody expected them
  #mark = NO_MARK;

  constructor(readers: Readers) {
    this.#readers = readers;
  }

  get mark(): number {
    return this.#mark;
  }

  /** A page was read here; whether it is time for the next window. */
  hit(index: number): boolean {
    this.#next = index + 1;
    return this.#reaches(index);
  }

  /** A reader rang; whether it is time for the next window. */
  rung(): boolean {
    if (this.#reaches(this.#readers.lastPage())) return true;
    this.#setMark(NO_MARK);
    return false;
  }

  /**
   * What to fetch for a reader who misses a page and wants so many from there on; `pages`: of the file, if
   * memory has room for all of them.
   */
  miss(want: { index: number; wanted: number; most: number; pages: number }): Window {
    const { index, wanted, most, pages } = want;
    const expected = [this.#next, this.#end, this.#readers.lastPage() + 1];
    if (!expected.includes(index)) {
      this.#size = FIRST_WINDOW;
      this.#setMark(NO_MARK);
      this.#scattered++;
      const often = this.#scattered > Math.max(MISSES_LEAST, pages / PAGES_A_MISS);
      if (often && wanted < AROUND_PAGES && AROUND_PAGES <= most) {
        return { index: index - (index % AROUND_PAGES), count: AROUND_PAGES };
      }
      return { index, count: Math.min(wanted, most) };
    }
    const count = Math.min(most, Math.max(this.#size * 2, wanted));
    this.#size = count;
    this.#end = index + count;
    this.#setMark(index + Math.min(wanted, count));
    return { index, count };
  }

  /** The window behind the newest one; undefined where the file has ended. */
  ahead(file: { size: number; most: number }): Window | undefined {
    const index = this.#end;
    const last = Math.ceil(file.size / PAGE_SIZE);
    const count = Math.min(this.#size * 2, file.most, last - index);
    if (count <= 0) {
      this.#setMark(NO_MARK);
      return undefined;
    }
    this.#size = Math.min(this.#size * 2, file.most);
    this.#end = index + count;
    this.#setMark(index);
    return { index, count };
  }

  /** All of the window was cached already: nobody needs to ring until somebody misses. */
  rest(): void {
    this.#setMark(NO_MARK);
  }

  #reaches(index: number): boolean {
    return this.#mark !== NO_MARK && index >= this.#mark && index <= this.#end;
  }

  #setMark(page: number): void {
    if (page === this.#mark) return;
    this.#mark = page;
    this.#readers.mark(page);
  }
}
