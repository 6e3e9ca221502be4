// The line under edit: clusters and a cursor, with the operations of the emacs keys. What ^K, ^U, ^W
// and M-d take away ^Y brings back; pieces taken one after the other come back as one.

import { clusters } from '../../libc/tty/width.ts';

const wordChar = /[\p{L}\p{N}_]/u;

/** A line longer than this takes no more. */
const maxLength = 100_000;

export class Line {
  chars: string[] = [];
  cursor = 0;
  private killed = '';
  /** The operation before took something away, too. */
  private killing = false;

  get text(): string {
    return this.chars.join('');
  }

  set(text: string): void {
    this.chars = clusters(text);
    this.cursor = this.chars.length;
  }

  /** Puts text in front of the cursor; a mark joins the character that it belongs to. */
  insert(text: string): void {
    if (this.chars.length + text.length > maxLength) return;
    const behind = this.chars.length - this.cursor;
    const before = clusters(this.chars.slice(0, this.cursor).join('') + text);
    this.chars = [...before, ...this.chars.slice(this.chars.length - behind)];
    this.cursor = before.length;
    this.killing = false;
  }

  move(to: number): void {
    this.cursor = Math.max(0, Math.min(to, this.chars.length));
    this.killing = false;
  }

  wordLeft(): number {
    let at = this.cursor;
    while (at > 0 && !wordChar.test(this.chars[at - 1] ?? '')) at--;
    while (at > 0 && wordChar.test(this.chars[at - 1] ?? '')) at--;
    return at;
  }

  wordRight(): number {
    let at = this.cursor;
    while (at < this.chars.length && !wordChar.test(this.chars[at] ?? '')) at++;
    while (at < this.chars.length && wordChar.test(this.chars[at] ?? '')) at++;
    return at;
  }

  /** Where the word before the cursor begins, as white space parts words. */
  blankLeft(): number {
    let at = this.cursor;
    while (at > 0 && /\s/.test(this.chars[at - 1] ?? '')) at--;
    while (at > 0 && !/\s/.test(this.chars[at - 1] ?? '')) at--;
    return at;
  }

  /** Deletes from the cursor to there, either way. */
  remove(to: number): void {
    const [from, end] = to < this.cursor ? [to, this.cursor] : [this.cursor, to];
    this.chars.splice(from, end - from);
    this.cursor = from;
    this.killing = false;
  }

  /** As `remove`, and keeps it for `yank`. */
  kill(to: number): void {
    const back = to < this.cursor;
    const text = this.chars.slice(Math.min(to, this.cursor), Math.max(to, this.cursor)).join('');
    const joined = back ? text + this.killed : this.killed + text;
    this.killed = this.killing ? joined : text;
    this.remove(to);
    this.killing = true;
  }

  yank(): void {
    this.insert(this.killed);
  }

  /** Swaps the two characters around the cursor, at the end the two before it. */
  transpose(): void {
    const { chars } = this;
    if (chars.length < 2 || this.cursor === 0) return;
    const at = this.cursor === chars.length ? this.cursor - 2 : this.cursor - 1;
    [chars[at], chars[at + 1]] = [chars[at + 1] ?? '', chars[at] ?? ''];
    this.cursor = at + 2;
    this.killing = false;
  }

  /** Changes the case of the word at the cursor, and goes behind it. */
  changeWord(how: 'upper' | 'lower' | 'capital'): void {
    const end = this.wordRight();
    let first = true;
    for (let at = this.cursor; at < end; at++) {
      const char = this.chars[at] ?? '';
      const up = how === 'upper' || (how === 'capital' && first);
      if (wordChar.test(char)) {
        first = false;
        this.chars[at] = up ? char.toUpperCase() : char.toLowerCase();
      }
    }
    this.move(end);
  }
}
