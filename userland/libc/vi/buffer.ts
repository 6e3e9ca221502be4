// The text under edit: lines, changes that can be undone, marks that move with their lines. Every change
// goes through `splice`; changes between `commit`s are undone together.

import type { Place } from './chars.ts';

interface Change {
  readonly at: number;
  readonly removed: readonly string[];
  readonly inserted: readonly string[];
}

interface Step {
  readonly changes: Change[];
  readonly before: Place;
}

/** More steps are forgotten, the oldest first. */
const mostSteps = 10_000;

export class Buffer {
  /** One at least, if only an empty one. */
  lines: string[] = [''];
  /** The text's last line has no newline. */
  unterminated = false;
  readonly marks = new Map<string, Place>();
  #undo: Step[] = [];
  #redo: Step[] = [];
  #changes: Change[] = [];
  /** How many steps had been made when it was saved; -1 = that cannot be undone to. */
  #saved = 0;
  /** A line as it was before the changes on it. */
  #line: { at: number; text: string } | undefined;

  get modified(): boolean {
    return this.#changes.length > 0 || this.#undo.length !== this.#saved;
  }

  saved(): undefined {
    this.#saved = this.#undo.length;
  }

  line(at: number): string {
    return this.lines[at] ?? '';
  }

  /** A new text, of which nothing is to be undone. */
  load(lines: string[]): undefined {
    this.lines = lines.length > 0 ? lines : [''];
    this.#undo = [];
    this.#redo = [];
    this.#changes = [];
    this.#saved = 0;
    this.#line = undefined;
    this.marks.clear();
  }

  /** Takes lines away and puts others there. */
  splice(at: number, count: number, inserted: readonly string[]): undefined {
    const removed = this.lines.slice(at, at + count);
    if (this.#line?.at !== at) {
      this.#line =
        count === 1 && inserted.length === 1 ? { at, text: removed[0] ?? '' } : undefined;
    }
    this.#changes.push({ at, removed, inserted });
    this.#apply({ at, removed, inserted });
  }

  set(at: number, text: string): undefined {
    if (this.line(at) !== text) this.splice(at, 1, [text]);
  }

  /** What was changed is one step; the cursor was at `before`. */
  commit(before: Place): undefined {
    if (this.#changes.length === 0) return;
    if (this.#saved > this.#undo.length) this.#saved = -1;
    this.#undo.push({ changes: this.#changes, before });
    this.#changes = [];
    this.#redo = [];
    if (this.#undo.length > mostSteps) {
      this.#undo.shift();
      this.#saved = Math.max(-1, this.#saved - 1);
    }
  }

  /** Where the cursor goes; undefined when there is nothing to undo. */
  undo(): Place | undefined {
    const step = this.#undo.pop();
    if (step === undefined) return undefined;
    for (const { at, removed, inserted } of [...step.changes].reverse()) {
      this.#apply({ at, removed: inserted, inserted: removed });
    }
    this.#redo.push(step);
    return step.before;
  }

  redo(): Place | undefined {
    const step = this.#redo.pop();
    if (step === undefined) return undefined;
    for (const change of step.changes) this.#apply(change);
    this.#undo.push(step);
    return { line: step.changes[0]?.at ?? 0, column: 0 };
  }

  /** Makes the line that was changed last as it was before it; that can be taken back, too. */
  restoreLine(at: number): boolean {
    if (this.#line?.at !== at) return false;
    const { text } = this.#line;
    this.#line = { at, text: this.line(at) };
    this.splice(at, 1, [text]);
    return true;
  }

  #apply({ at, removed, inserted }: Change): undefined {
    if (inserted.length < 10_000) this.lines.splice(at, removed.length, ...inserted);
    else {
      const behind = this.lines.slice(at + removed.length);
      this.lines = this.lines.slice(0, at).concat(inserted, behind);
    }
    if (this.lines.length === 0) this.lines = [''];
    const moved = inserted.length - removed.length;
    if (moved === 0) return;
    for (const [name, mark] of this.marks) {
      if (mark.line >= at + removed.length) {
        this.marks.set(name, { ...mark, line: mark.line + moved });
      } else if (mark.line >= at + inserted.length) this.marks.delete(name);
    }
  }
}
