// Reads what diff wrote: unified, context and normal diffs as hunks, for patch (POSIX.1-2024 XCU
// patch, "Patchfile Format"). Text is bytes (latin1.ts).

/** One line of a hunk: common to both, only in the old or only in the new. */
export interface HunkLine {
  readonly mark: ' ' | '-' | '+';
  readonly text: string;
  /** It ends the file without a newline. */
  readonly unterminated: boolean;
}

export interface Hunk {
  /** Where the old lines begin, from 0; of none, where the new ones go. */
  readonly oldStart: number;
  readonly newStart: number;
  readonly lines: readonly HunkLine[];
}

export interface FilePatch {
  readonly style: 'unified' | 'context' | 'normal';
  readonly oldName: string;
  readonly newName: string;
  /** The names with what stood behind them: dates. */
  readonly oldHead: string;
  readonly newHead: string;
  /** The file of an `Index:` line. */
  readonly index: string | undefined;
  readonly hunks: readonly Hunk[];
}

/** What is wrong with a patch, and in which line. */
export class PatchError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** All patches in a text; what stands around them is left out. */
export function parsePatches(text: string): FilePatch[] {
  return new Reader(text).patches();
}

class Reader {
  readonly #lines: string[];
  #at = 0;
  #index: string | undefined;

  constructor(text: string) {
    this.#lines = text.split('\n');
    if (this.#lines.at(-1) === '') this.#lines.pop();
  }

  patches(): FilePatch[] {
    const patches: FilePatch[] = [];
    while (this.#at < this.#lines.length) {
      const patch = this.#patch();
      if (patch) patches.push(patch);
      else {
        const index = /^Index: *(\S+)/.exec(this.#line(0))?.[1];
        if (index !== undefined) this.#index = index;
        this.#at++;
      }
    }
    return patches;
  }

  #line(ahead: number): string {
    return this.#lines[this.#at + ahead] ?? '';
  }

  #patch(): FilePatch | undefined {
    const [first, second, third] = [this.#line(0), this.#line(1), this.#line(2)];
    if (first.startsWith('--- ') && second.startsWith('+++ ') && third.startsWith('@@ -'))
      return this.#withNames('unified', () => this.#unified());
    if (first.startsWith('*** ') && second.startsWith('--- ') && third.startsWith('*******'))
      return this.#withNames('context', () => this.#context());
    if (/^\d+(,\d+)?[acd]\d+(,\d+)?$/.test(first))
      return this.#withNames('normal', () => this.#normal());
    return undefined;
  }

  #withNames(style: FilePatch['style'], next: () => Hunk | undefined): FilePatch {
    const heads = style === 'normal' ? ['', ''] : [this.#line(0).slice(4), this.#line(1).slice(4)];
    const [oldHead = '', newHead = ''] = heads;
    const index = this.#index;
    this.#index = undefined;
    this.#at += style === 'normal' ? 0 : 2;
    const hunks: Hunk[] = [];
    for (let hunk = next(); hunk !== undefined; hunk = next()) hunks.push(hunk);
    const names = { oldName: nameOf(oldHead), newName: nameOf(newHead) };
    return { style, ...names, oldHead, newHead, index, hunks };
  }

  #unified(): Hunk | undefined {
    const head = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(this.#line(0));
    if (head === null) return undefined;
    this.#at++;
    const [oldFrom, oldCount, newFrom, newCount] = [1, 2, 3, 4].map((i) => Number(head[i] ?? 1));
    let [oldLeft, newLeft] = [oldCount ?? 1, newCount ?? 1];
    const lines: HunkLine[] = [];
    while (oldLeft > 0 || newLeft > 0) {
      if (this.#at >= this.#lines.length) throw this.#wrong('unexpected end of file in patch');
      const line = this.#line(0);
      const mark = line === '' ? ' ' : line[0];
      if (mark !== ' ' && mark !== '-' && mark !== '+') throw this.#wrong('malformed patch');
      if (mark !== '+') oldLeft--;
      if (mark !== '-') newLeft--;
      if (oldLeft < 0 || newLeft < 0) throw this.#wrong('malformed patch');
      this.#at++;
      lines.push({ mark, text: line.slice(1), unterminated: this.#noNewline() });
    }
    return {
      oldStart: (oldFrom ?? 1) - (oldCount === 0 ? 0 : 1),
      newStart: (newFrom ?? 1) - (newCount === 0 ? 0 : 1),
      lines,
    };
  }

  /** `\ No newline at end of file` belongs to the line before it. */
  #noNewline(): boolean {
    if (!this.#line(0).startsWith('\\ ') || this.#at >= this.#lines.length) return false;
    this.#at++;
    return true;
  }

  #wrong(what: string): PatchError {
    return new PatchError(`${what} at line ${this.#at + 1}: ${this.#line(0)}`);
  }

  #context(): Hunk | undefined {
    if (!this.#line(0).startsWith('*******')) return undefined;
    this.#at++;
    const oldRange = this.#range(/^\*\*\* (\d+)(?:,(\d+))? \*\*\*\*/);
    const old = this.#half(/^--- \d+/, '-', oldRange.count);
    const newRange = this.#range(/^--- (\d+)(?:,(\d+))? ----/);
    const fresh = this.#half(/^(?:\*\*\*|Index:|diff )/, '+', newRange.count);
    return {
      oldStart: oldRange.start - (oldRange.count === 0 ? 0 : 1),
      newStart: newRange.start - (newRange.count === 0 ? 0 : 1),
      lines: merged(old, fresh),
    };
  }

  #range(pattern: RegExp): { start: number; count: number } {
    const found = pattern.exec(this.#line(0));
    if (found === null) throw this.#wrong('malformed patch');
    this.#at++;
    const start = Number(found[1]);
    const end = Number(found[2] ?? start);
    return { start, count: start === 0 ? 0 : end - start + 1 };
  }

  /** One side of a context hunk; it is left out where nothing in it changes. */
  #half(end: RegExp, mark: '-' | '+', count: number): HunkLine[] {
    const lines: HunkLine[] = [];
    while (lines.length < count && this.#at < this.#lines.length && !end.test(this.#line(0))) {
      const line = this.#line(0);
      const sign = line.slice(0, 2);
      if (sign !== '  ' && sign !== `${mark} ` && sign !== '! ' && line !== '') break;
      this.#at++;
      const kind = sign === '  ' || line === '' ? ' ' : mark;
      lines.push({ mark: kind, text: line.slice(2), unterminated: this.#noNewline() });
    }
    return lines;
  }

  #normal(): Hunk | undefined {
    const head = /^(\d+)(?:,(\d+))?([acd])(\d+)(?:,(\d+))?$/.exec(this.#line(0));
    if (head === null) return undefined;
    const [, oldFrom, oldTo, letter, newFrom, newTo] = head;
    this.#at++;
    const count = (from = '0', to = from): number => Number(to) - Number(from) + 1;
    const lines: HunkLine[] = [];
    if (letter !== 'a') this.#marked('<', count(oldFrom, oldTo), lines);
    if (letter === 'c') {
      if (this.#line(0) !== '---') throw this.#wrong('malformed patch');
      this.#at++;
    }
    if (letter !== 'd') this.#marked('>', count(newFrom, newTo), lines);
    return {
      oldStart: Number(oldFrom) - (letter === 'a' ? 0 : 1),
      newStart: Number(newFrom) - (letter === 'd' ? 0 : 1),
      lines,
    };
  }

  #marked(sign: '<' | '>', count: number, lines: HunkLine[]): void {
    for (let i = 0; i < count; i++) {
      const line = this.#line(0);
      if (!line.startsWith(sign)) throw this.#wrong('malformed patch');
      this.#at++;
      const mark = sign === '<' ? '-' : '+';
      lines.push({ mark, text: line.slice(2), unterminated: this.#noNewline() });
    }
  }
}

/** The two halves of a context hunk as one list. */
function merged(old: readonly HunkLine[], fresh: readonly HunkLine[]): HunkLine[] {
  const lines: HunkLine[] = [];
  // A half that is left out has the common lines of the other.
  const left = old.length > 0 ? old : fresh.filter((line) => line.mark === ' ');
  const right = fresh.length > 0 ? fresh : old.filter((line) => line.mark === ' ');
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    const [a, b] = [left[i], right[j]];
    if (a && a.mark === '-') {
      lines.push(a);
      i++;
    } else if (b && b.mark === '+') {
      lines.push(b);
      j++;
    } else {
      const line = a ?? b;
      if (line) lines.push(line);
      i++;
      j++;
    }
  }
  return lines;
}

/** `a/file<TAB>date` → `a/file` */
function nameOf(rest: string): string {
  const tab = rest.indexOf('\t');
  const name = tab >= 0 ? rest.slice(0, tab) : rest.replace(/ +\d{4}-\d\d-\d\d .*$/, '');
  return name.trimEnd();
}

/** The patch that takes this one back. */
export function reversed(patch: FilePatch): FilePatch {
  const flip = { ' ': ' ', '-': '+', '+': '-' } as const;
  const hunks = patch.hunks.map((hunk) => ({
    oldStart: hunk.newStart,
    newStart: hunk.oldStart,
    lines: reordered(hunk.lines.map((line) => ({ ...line, mark: flip[line.mark] }))),
  }));
  const names = { oldName: patch.newName, newName: patch.oldName };
  return { ...patch, ...names, oldHead: patch.newHead, newHead: patch.oldHead, hunks };
}

/** In each run of changes what goes stands before what comes. */
function reordered(lines: readonly HunkLine[]): HunkLine[] {
  const out: HunkLine[] = [];
  let added: HunkLine[] = [];
  for (const line of lines) {
    if (line.mark === '+') added.push(line);
    else {
      if (line.mark === ' ') {
        out.push(...added);
        added = [];
      }
      out.push(line);
    }
  }
  return [...out, ...added];
}
