// Lines of a source by their places: where one begins and ends, which number it has. What has been
// counted is remembered at every so many bytes, so that the second question is cheap.

import type { Source } from './source.ts';

const NEWLINE = 10;
/** Bytes between two places whose line numbers are remembered. */
const STEP = 1 << 20;
/** A line is looked for its beginning this far back; one that is longer is taken to begin there. */
const BACK_MOST = 1 << 20;

/** Thrown by `check` when Ctrl-C was pressed. */
export class Interrupt {}

export class Lines {
  readonly source: Source;
  /** Called now and then while much is read; may throw Interrupt. */
  readonly #check: () => void;
  /** At index i: how many newlines lie before byte i × STEP. */
  readonly #counted: number[] = [0];

  constructor(source: Source, check: () => void) {
    this.source = source;
    this.#check = check;
  }

  /** The place of the next newline at or after `at`; undefined when none is known. */
  newline(at: number): number | undefined {
    for (let from = at, read = 0; ; ) {
      const piece = this.source.piece(from);
      if (piece.length === 0) return undefined;
      const found = piece.indexOf(NEWLINE);
      if (found >= 0) return from + found;
      from += piece.length;
      read += piece.length;
      if (read % STEP < piece.length) this.#check();
    }
  }

  /** Where the next line begins, or the end of what is known. */
  after(at: number): number {
    const end = this.newline(at);
    return end === undefined ? this.source.size : end + 1;
  }

  /** The beginning of the line that the byte at `at` belongs to. */
  start(at: number): number {
    // The same for places near each other, so that rows of such a line lie as they lay.
    const least = Math.max(0, (Math.floor(at / BACK_MOST) - 1) * BACK_MOST);
    let to = at; // no newline lies in [to, at)
    while (to > least) {
      const from = Math.max(least, to - 4096);
      const found = this.bytes(from, to).lastIndexOf(NEWLINE);
      if (found >= 0) return from + found + 1;
      to = from;
    }
    return least;
  }

  /** A copy of the bytes between two places, as far as they are known. */
  bytes(from: number, to: number): Uint8Array {
    const first = this.source.piece(from);
    if (first.length >= to - from) return first.subarray(0, to - from);
    const out = new Uint8Array(Math.max(0, Math.min(to, this.source.size) - from));
    let done = 0;
    while (done < out.length) {
      const piece = this.source.piece(from + done).subarray(0, out.length - done);
      if (piece.length === 0) break;
      out.set(piece, done);
      done += piece.length;
    }
    return out.subarray(0, done);
  }

  /** The number of the line that begins at `at`, from 1. */
  number(at: number): number {
    const step = Math.min(Math.floor(at / STEP), this.#counted.length - 1);
    let count = this.#counted[step] ?? 0;
    for (let from = step * STEP; from < at; ) {
      const to = Math.min(at, (Math.floor(from / STEP) + 1) * STEP);
      count += this.#countIn(from, to);
      if (to % STEP === 0) this.#remember(to, count);
      from = to;
    }
    return count + 1;
  }

  /** Where the line of this number begins; undefined when there are fewer. */
  place(number: number): number | undefined {
    const wanted = number - 1; // newlines before it
    let step = this.#counted.length - 1;
    while (step > 0 && (this.#counted[step] ?? 0) > wanted) step--;
    let at = step * STEP;
    let count = this.#counted[step] ?? 0;
    while (count < wanted) {
      const next = Math.min(this.source.size, (Math.floor(at / STEP) + 1) * STEP);
      if (next <= at) return undefined;
      const here = this.#countIn(at, next);
      if (count + here >= wanted) return this.#nth(at, wanted - count);
      count += here;
      at = next;
      if (at % STEP === 0) this.#remember(at, count);
    }
    return at < this.source.size || at === 0 ? this.start(at) : undefined;
  }

  /** The byte behind the nth newline from `at` on. */
  #nth(at: number, count: number): number | undefined {
    let place = at;
    for (let i = 0; i < count; i++) place = this.after(place);
    return place < this.source.size ? place : undefined;
  }

  #remember(at: number, count: number): void {
    if (this.#counted.length === at / STEP) this.#counted.push(count);
  }

  #countIn(from: number, to: number): number {
    this.#check();
    let count = 0;
    for (let at = from; at < to; ) {
      const piece = this.source.piece(at).subarray(0, to - at);
      if (piece.length === 0) break;
      for (let i = piece.indexOf(NEWLINE); i >= 0; i = piece.indexOf(NEWLINE, i + 1)) count++;
      at += piece.length;
    }
    return count;
  }
}
