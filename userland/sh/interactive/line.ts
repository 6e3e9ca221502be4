// The line under edit: clusters and a cursor, with the operations of the emacs keys. What ^K, ^U, ^W
// and M-d take away ^Y brings back, and M-y what was taken before that; pieces taken one after the other
// come back as one. Each change can be undone.

import { clusters } from '../../libc/tty/width.ts';

const wordChar = /[\p{L}\p{N}_]/u;

/** A line longer than this takes no more. */
const maxLength = 100_000;
/** Pieces that M-y goes through, and changes that can be undone. */
const maxKilled = 10;
const maxUndo = 200;

interface Undo {
  readonly chars: readonly string[];
  readonly cursor: number;
}

export class Line {
  chars: string[] = [];
  cursor = 0;
  /** Pieces that were taken away, the last one at the end. */
  private killed: string[] = [];
  private undone: Undo[] = [];
  /** What the operation before did: one of the same kind goes on with it. */
  private doing: 'kill' | 'insert' | 'yank' | undefined;
  /** What was brought back last: which piece, and where it begins. */
  private yanked = { index: 0, from: 0 };

  get text(): string {
    return this.chars.join('');
  }

  /** Another line: what came before it is not undone. What was taken away stays. */
  set(text: string): void {
    this.undone = [];
    this.doing = undefined;
    this.chars = clusters(text);
    this.cursor = this.chars.length;
  }

  /** Puts text in front of the cursor; a mark joins the character that it belongs to. */
  insert(text: string): void {
    if (this.chars.length + text.length > maxLength) return;
    if (this.doing !== 'insert' || text.length > 1) this.keep();
    const behind = this.chars.length - this.cursor;
    const before = clusters(this.chars.slice(0, this.cursor).join('') + text);
    this.chars = [...before, ...this.chars.slice(this.chars.length - behind)];
    this.cursor = before.length;
    this.doing = 'insert';
  }

  move(to: number): void {
    this.cursor = Math.max(0, Math.min(to, this.chars.length));
    this.doing = undefined;
  }

  /** Puts text in the place of some characters before the cursor. */
  replace(count: number, text: string): void {
    if (this.chars.length + text.length > maxLength) return;
    this.keep();
    const from = this.cursor - count;
    const put = clusters(text);
    this.chars.splice(from, count, ...put);
    this.cursor = from + put.length;
    this.doing = undefined;
  }

  private keep(): void {
    this.undone.push({ chars: [...this.chars], cursor: this.cursor });
    if (this.undone.length > maxUndo) this.undone.shift();
  }

  /** Takes the last change back; false when there is none. */
  undo(): boolean {
    const before = this.undone.pop();
    if (before === undefined) return false;
    this.chars = [...before.chars];
    this.cursor = before.cursor;
    this.doing = undefined;
    return true;
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
    const [low, high] = to < this.cursor ? [to, this.cursor] : [this.cursor, to];
    const [from, end] = [Math.max(low, 0), Math.min(high, this.chars.length)];
    if (from === end) return;
    this.keep();
    this.chars.splice(from, end - from);
    this.cursor = from;
    this.doing = undefined;
  }

  /** As `remove`, and keeps it for `yank`. */
  kill(to: number): void {
    const back = to < this.cursor;
    const text = this.chars.slice(Math.min(to, this.cursor), Math.max(to, this.cursor)).join('');
    if (this.doing === 'kill') {
      const last = this.killed.pop() ?? '';
      this.killed.push(back ? text + last : last + text);
    } else if (text !== '') this.killed.push(text);
    if (this.killed.length > maxKilled) this.killed.shift();
    this.remove(to);
    this.doing = 'kill';
  }

  /** Brings back what was taken away last; false when nothing was. */
  yank(): boolean {
    return this.bringBack(this.killed.length - 1);
  }

  /** In the place of what was just brought back, what was taken away before that; false when nothing was. */
  yankOlder(): boolean {
    if (this.doing !== 'yank') return false;
    const { index, from } = this.yanked;
    this.remove(from);
    return this.bringBack(index === 0 ? this.killed.length - 1 : index - 1);
  }

  private bringBack(index: number): boolean {
    const text = this.killed[index];
    if (text === undefined) return false;
    this.yanked = { index, from: this.cursor };
    this.doing = undefined;
    this.insert(text);
    this.doing = 'yank';
    return true;
  }

  /** Swaps the two characters around the cursor, at the end the two before it. */
  transpose(): void {
    const { chars } = this;
    if (chars.length < 2 || this.cursor === 0) return;
    this.keep();
    const at = this.cursor === chars.length ? this.cursor - 2 : this.cursor - 1;
    [chars[at], chars[at + 1]] = [chars[at + 1] ?? '', chars[at] ?? ''];
    this.cursor = at + 2;
    this.doing = undefined;
  }

  /** Swaps the word before the cursor, or around it, with the one behind; at the end the last two. */
  transposeWords(): boolean {
    const end = this.wordRight();
    const at = this.cursor;
    this.cursor = end;
    const start = this.wordLeft();
    this.cursor = start;
    const before = this.wordLeft();
    this.cursor = before;
    const beforeEnd = this.wordRight();
    this.cursor = at;
    const { chars } = this;
    const [first, second] = [chars.slice(before, beforeEnd), chars.slice(start, end)];
    if (beforeEnd > start || first.length === 0 || !wordChar.test(second.at(-1) ?? ''))
      return false;
    this.keep();
    const between = chars.slice(beforeEnd, start);
    chars.splice(before, end - before, ...second, ...between, ...first);
    this.move(end);
    return true;
  }

  /** Changes the case of the word at the cursor, and goes behind it. */
  changeWord(how: 'upper' | 'lower' | 'capital'): void {
    const end = this.wordRight();
    let first = true;
    this.keep();
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
