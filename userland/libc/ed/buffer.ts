// The buffer of ed: its lines, the marks on them, and what undo brings back. Lines are objects, so that a
// mark, a global command's list and the cut buffer know a line wherever it has moved.

export interface Line {
  readonly text: string; // one character a byte
}

interface Snapshot {
  readonly lines: readonly Line[];
  readonly current: number;
  readonly modified: boolean;
}

export class Buffer {
  #lines: Line[] = [];
  /** The current line's number; 0 = before the first. */
  current = 0;
  modified = false;
  readonly #marks = new Map<string, Line>();
  #undo: Snapshot | undefined;
  /** What the buffer was when the command began, until that is known to matter. */
  #begun: Snapshot | undefined;

  get last(): number {
    return this.#lines.length;
  }

  line(number: number): Line | undefined {
    return this.#lines[number - 1];
  }

  text(number: number): string {
    return this.#lines[number - 1]?.text ?? '';
  }

  slice(first: number, last: number): readonly Line[] {
    return this.#lines.slice(first - 1, last);
  }

  /** 0 when the line is gone. */
  numberOf(line: Line | undefined): number {
    return line === undefined ? 0 : this.#lines.indexOf(line) + 1;
  }

  mark(letter: string, number: number): void {
    const line = this.line(number);
    if (line !== undefined) this.#marks.set(letter, line);
  }

  marked(letter: string): number {
    return this.numberOf(this.#marks.get(letter));
  }

  /** A command begins: what it changes is undone as one. */
  begin(): void {
    const { current, modified } = this;
    this.#begun = { lines: this.#lines, current, modified };
  }

  /** Puts `added` in place of `count` lines behind line `after`; the current line is the last of them. */
  splice(after: number, count: number, added: readonly Line[]): void {
    this.#change();
    // Large arrays do not fit into a call's arguments.
    const tail = this.#lines.slice(after + count);
    this.#lines.length = after;
    for (const line of added) this.#lines.push(line);
    for (const line of tail) this.#lines.push(line);
    this.modified = true;
  }

  #change(): void {
    if (this.#begun === undefined) return;
    this.#undo = this.#begun;
    this.#begun = undefined;
    this.#lines = [...this.#lines]; // the snapshot keeps the old ones
  }

  /** Brings back what was before the last command that changed something; false when none did. */
  undo(): boolean {
    const back = this.#undo;
    if (back === undefined) return false;
    this.#undo = { lines: this.#lines, current: this.current, modified: this.modified };
    this.#lines = [...back.lines];
    this.current = back.current;
    this.modified = back.modified;
    return true;
  }

  /** A global command counts as a change, whether it changes anything or not. */
  forget(): void {
    this.#undo = undefined;
  }

  clear(): void {
    this.#lines = [];
    this.#marks.clear();
    this.#undo = undefined;
    this.#begun = undefined;
    this.current = 0;
  }
}
