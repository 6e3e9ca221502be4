// ed's commands (POSIX.1-2024 ed, with GNU's x, y, z, # and I): one line of them at a time.

import type { Tool } from '../program.ts';
import { Buffer, type Line } from './buffer.ts';
import { load, runShell, save } from './files.ts';
import { Names } from './names.ts';
import { Patterns, type Range, readRange, refuse, Scanner } from './scanner.ts';
import { PLAIN, readSuffix, type Style, shownLine } from './show.ts';
import { substitute } from './substitute.ts';
import { type Source, Substitutions } from './substitutions.ts';

export interface EditorOptions {
  readonly script: boolean; // -s
  readonly extended: boolean; // -E
  readonly restricted: boolean; // -r
  readonly quiet: boolean; // -q
}

const MOST_SCROLL = 22;

export class Editor {
  readonly buffer = new Buffer();
  readonly #tool: Tool;
  readonly #options: EditorOptions;
  readonly #patterns: Patterns;
  readonly #substitutions: Substitutions;
  readonly #names: Names;
  /** Why the last command was refused. */
  explanation = '';
  explains = false; // H
  prompts = false; // P
  #source: Source = () => undefined;
  #global = false;
  #cut: readonly Line[] = [];
  #scroll = MOST_SCROLL;
  /** q, e and E asked once already. */
  #warned = false;

  constructor(tool: Tool, options: EditorOptions) {
    this.#tool = tool;
    this.#options = options;
    this.#patterns = new Patterns(options.extended ? 'extended' : 'basic');
    this.#substitutions = new Substitutions(this.#patterns);
    this.#names = new Names(options.restricted, (text) => this.#print(text));
  }

  /** Runs one line; more that belongs to it comes from `source`. Throws EdError. */
  run(line: string, source: Source): 'quit' | 'go on' {
    this.#source = source;
    const warned = this.#warned;
    this.#warned = false;
    if (!this.#global) this.buffer.begin();
    const scanner = new Scanner(line);
    const range = readRange(scanner, this.buffer, this.#patterns);
    scanner.skipBlanks();
    const command = scanner.take();
    if (command === 'q' || command === 'Q') return this.#quit(scanner, { command, range, warned });
    if (command === 'e' || command === 'E') this.#edit(scanner, { command, range, warned });
    else if (command === 'w' || command === 'W') {
      if (this.#write(scanner, { command, range, warned }) === 'quit') return 'quit';
    } else this.#execute(command, scanner, range);
    return 'go on';
  }

  /** The end of the commands: true when nothing would be lost, or when it was said before. */
  mayLeave(): boolean {
    if (!this.buffer.modified || this.#warned) return true;
    this.#warned = true;
    this.explanation = 'Warning: buffer modified';
    return false;
  }

  /** A name that no file has yet is kept all the same. */
  open(name: string): void {
    if (!name.startsWith('!')) this.#names.file = name;
    this.#read(name, 0);
    this.buffer.modified = false;
  }

  #execute(command: string, scanner: Scanner, range: Range): void {
    const { buffer } = this;
    switch (command) {
      case 'a':
        this.#insert(scanner, { after: range.last, replaced: 0, addressed: range.last });
        return;
      case 'i':
        this.#insertBefore(scanner, range);
        return;
      case 'c':
        this.#replace(scanner, range);
        return;
      case 'd':
        this.#delete(scanner, this.#ordered(range));
        return;
      case 'f':
        this.#none(range);
        this.#fileName(scanner);
        return;
      case 'g':
      case 'v':
      case 'G':
      case 'V':
        this.#everywhere(command, scanner, range);
        return;
      case 'h':
        this.#none(range);
        readSuffix(scanner);
        if (this.explanation !== '') this.#print(`${this.explanation}\n`);
        return;
      case 'H':
        this.#none(range);
        readSuffix(scanner);
        this.explains = !this.explains;
        if (this.explains && this.explanation !== '') this.#print(`${this.explanation}\n`);
        return;
      case 'P':
        this.#none(range);
        readSuffix(scanner);
        this.prompts = !this.prompts;
        return;
      case 'j':
        this.#join(scanner, range);
        return;
      case 'k':
        this.#mark(scanner, this.#existing(range));
        return;
      case 'l':
      case 'n':
      case 'p': {
        this.#ordered(range);
        const style = { ...readSuffix(scanner), [command]: true };
        this.#show(range.first, range.last, style);
        return;
      }
      case 'm':
      case 't':
        this.#moveOrCopy(command, scanner, this.#ordered(range));
        return;
      case 'r':
        this.#readCommand(scanner, range);
        return;
      case 's':
        this.#substitute(scanner, this.#ordered(range));
        return;
      case 'u': {
        this.#none(range);
        const style = readSuffix(scanner);
        if (!buffer.undo()) refuse('Nothing to undo');
        this.#show(buffer.current, buffer.current, style, 'if asked');
        return;
      }
      case 'x':
        this.#put(scanner, range.last);
        return;
      case 'y': {
        this.#ordered(range);
        const style = readSuffix(scanner);
        this.#cut = buffer.slice(range.first, range.last);
        this.#show(buffer.current, buffer.current, style, 'if asked');
        return;
      }
      case 'z':
        this.#scrollFrom(scanner, range);
        return;
      case '=': {
        const number = range.given > 0 ? range.last : buffer.last;
        const style = readSuffix(scanner);
        this.#print(`${number}\n`);
        this.#show(buffer.current, buffer.current, style, 'if asked');
        return;
      }
      case '!':
        this.#none(range);
        this.#shellCommand(scanner);
        return;
      case '#':
        return;
      case '': {
        const number = range.given > 0 ? range.last : buffer.current + (this.#global ? 0 : 1);
        this.#show(number, number, PLAIN);
        return;
      }
      default:
        refuse('Unknown command');
    }
  }

  // Addresses.

  #none(range: Range): void {
    if (range.given > 0) refuse('Unexpected address');
  }

  #ordered(range: Range): Range {
    if (range.first < 1 || range.first > range.last || range.last > this.buffer.last)
      refuse('Invalid address');
    return range;
  }

  #existing(range: Range): Range {
    return this.#ordered({ ...range, first: range.last });
  }

  #show(first: number, last: number, style: Style, when: 'always' | 'if asked' = 'always'): void {
    if (when === 'if asked' && !style.p && !style.n && !style.l) return;
    if (first < 1 || last > this.buffer.last) refuse('Invalid address');
    for (let number = first; number <= last; number++)
      this.#tool.out.latin1(shownLine(this.buffer.text(number), number, style));
    this.buffer.current = last;
  }

  #print(text: string): void {
    this.#tool.out.latin1(text);
  }

  #showCurrent(style: Style): void {
    this.#show(this.buffer.current, this.buffer.current, style, 'if asked');
  }

  // Text.

  #insert(scanner: Scanner, where: { after: number; replaced: number; addressed: number }): void {
    const { after, replaced, addressed } = where;
    const style = readSuffix(scanner);
    const { buffer } = this;
    const lines: Line[] = [];
    for (let text = this.#source(); text !== undefined && text !== '.'; text = this.#source())
      lines.push({ text });
    if (lines.length > 0 || replaced > 0) buffer.splice(after, replaced, lines);
    // Without text the addressed line is the current one, or what has taken its place.
    buffer.current = lines.length > 0 ? after + lines.length : Math.min(addressed, buffer.last);
    this.#showCurrent(style);
  }

  #insertBefore(scanner: Scanner, { last }: Range): void {
    const addressed = Math.max(1, last);
    this.#insert(scanner, { after: addressed - 1, replaced: 0, addressed });
  }

  #replace(scanner: Scanner, range: Range): void {
    const first = Math.max(1, range.first);
    const last = Math.max(first, range.last);
    this.#ordered({ ...range, first, last });
    this.#insert(scanner, { after: first - 1, replaced: last - first + 1, addressed: first });
  }

  #delete(scanner: Scanner, range: Range): void {
    const style = readSuffix(scanner);
    this.#cut = this.buffer.slice(range.first, range.last);
    this.buffer.splice(range.first - 1, range.last - range.first + 1, []);
    this.buffer.current = Math.min(range.first, this.buffer.last);
    this.#showCurrent(style);
  }

  #join(scanner: Scanner, given: Range): void {
    const { buffer } = this;
    const range = given.given > 0 ? given : { ...given, last: given.last + 1 };
    this.#ordered(range);
    const style = readSuffix(scanner);
    if (range.first < range.last) {
      const lines = buffer.slice(range.first, range.last);
      const text = lines.map((line) => line.text).join('');
      this.#cut = lines;
      buffer.splice(range.first - 1, lines.length, [{ text }]);
      buffer.current = range.first;
    }
    this.#showCurrent(style);
  }

  #mark(scanner: Scanner, range: Range): void {
    const letter = scanner.take();
    if (!/^[a-z]$/.test(letter)) refuse('Invalid mark character');
    const style = readSuffix(scanner);
    this.buffer.mark(letter, range.last);
    this.#showCurrent(style);
  }

  #moveOrCopy(command: string, scanner: Scanner, range: Range): void {
    const { buffer } = this;
    const target = readRange(scanner, buffer, this.#patterns);
    const to = target.last;
    if (command === 'm' && to >= range.first && to < range.last) refuse('Invalid destination');
    const style = readSuffix(scanner);
    const lines = buffer.slice(range.first, range.last);
    if (command === 't') {
      buffer.splice(
        to,
        0,
        lines.map(({ text }) => ({ text })),
      );
      buffer.current = to + lines.length;
    } else {
      buffer.splice(range.first - 1, lines.length, []);
      const after = to >= range.last ? to - lines.length : to;
      buffer.splice(after, 0, lines);
      buffer.current = after + lines.length;
    }
    this.#showCurrent(style);
  }

  #put(scanner: Scanner, after: number): void {
    const style = readSuffix(scanner);
    if (this.#cut.length === 0) refuse('Nothing to put');
    this.buffer.splice(
      after,
      0,
      this.#cut.map(({ text }) => ({ text })),
    );
    this.buffer.current = after + this.#cut.length;
    this.#showCurrent(style);
  }

  #scrollFrom(scanner: Scanner, range: Range): void {
    const digits = scanner.digits();
    if (digits !== '') {
      if (Number(digits) === 0) refuse('Invalid address');
      this.#scroll = Number(digits);
    }
    const first = range.given > 0 ? range.last : this.buffer.current + (this.#global ? 0 : 1);
    if (first < 1 || first > this.buffer.last) refuse('Invalid address');
    const style = readSuffix(scanner);
    this.#show(first, Math.min(this.buffer.last, first + this.#scroll - 1), style);
  }

  // Substitution.

  #substitute(scanner: Scanner, range: Range): void {
    const how = this.#substitutions.read(scanner, this.#source);
    const { buffer } = this;
    let last: Line | undefined;
    for (const line of buffer.slice(range.first, range.last)) {
      const text = substitute(line.text, how);
      if (text === undefined) continue;
      const lines = text.split('\n').map((part) => ({ text: part }));
      buffer.splice(buffer.numberOf(line) - 1, 1, lines);
      last = lines.at(-1);
    }
    if (last !== undefined) buffer.current = buffer.numberOf(last);
    else if (!this.#global) refuse('No match');
    this.#showCurrent(how.style);
  }

  // Global commands.

  #everywhere(command: string, scanner: Scanner, given: Range): void {
    if (this.#global) refuse('Cannot nest global commands');
    const range = given.given > 0 ? given : { ...given, first: 1, last: this.buffer.last };
    this.#ordered(range);
    const delimiter = scanner.take();
    if (delimiter === '' || delimiter === ' ') refuse('Invalid pattern delimiter');
    const { text: source } = scanner.pattern(delimiter);
    const ignoreCase = scanner.peek() === 'I';
    if (ignoreCase) scanner.take();
    const regex = this.#patterns.compile(source, ignoreCase);
    const wanted = command === 'g' || command === 'G';
    const lines = this.buffer
      .slice(range.first, range.last)
      .filter(({ text }) => (regex.find(text, 0) !== undefined) === wanted);
    const interactive = command === 'G' || command === 'V';
    const style = interactive ? readSuffix(scanner) : PLAIN;
    const commands = interactive ? [] : this.#commandList(scanner.rest());
    const source_ = this.#source;
    this.#global = true;
    this.buffer.forget();
    try {
      let last: readonly string[] | undefined;
      for (const line of lines) {
        const number = this.buffer.numberOf(line);
        if (number === 0) continue;
        this.buffer.current = number;
        if (!interactive) this.#runList(commands);
        else {
          this.#show(number, number, style);
          this.#source = source_;
          const list: readonly string[] | undefined = this.#asked(last);
          if (list === undefined) continue;
          last = list;
          this.#runList(list);
        }
      }
      this.#showCurrent(style);
    } finally {
      this.#global = false;
      this.#source = source_;
    }
  }

  /** The commands of a G or V for one line; undefined = none. */
  #asked(last: readonly string[] | undefined): readonly string[] | undefined {
    this.#tool.out.flush();
    const text = this.#source();
    if (text === undefined) return refuse('Unexpected end-of-file');
    if (text === '') return undefined;
    if (text === '&') return last ?? refuse('No previous command');
    return this.#commandList(text);
  }

  #runList(commands: readonly string[]): void {
    const rest = [...commands];
    for (let line = rest.shift(); line !== undefined; line = rest.shift())
      this.run(line, () => rest.shift());
  }

  /** Lines that end with a backslash go on in the next one. */
  #commandList(first: string): string[] {
    const lines: string[] = [];
    let text = first;
    while (/(?:^|[^\\])(?:\\\\)*\\$/.test(text)) {
      lines.push(text.slice(0, -1));
      text = this.#source() ?? '';
    }
    lines.push(text);
    return lines.length === 1 && text === '' ? ['p'] : lines;
  }

  // Files and the shell.

  #fileName(scanner: Scanner): void {
    const name = this.#names.operand(scanner);
    if (name.startsWith('!')) refuse('Invalid redirection');
    if (name !== '') this.#names.file = name;
    this.#print(`${this.#names.file || refuse('No current filename')}\n`);
  }

  #edit(scanner: Scanner, how: { command: string; range: Range; warned: boolean }): void {
    this.#none(how.range);
    if (how.command === 'e' && this.buffer.modified && !how.warned) this.#warn();
    const name = this.#names.operand(scanner) || this.#names.file || refuse('No current filename');
    this.buffer.clear();
    if (!name.startsWith('!')) this.#names.file = name;
    this.#read(name, 0);
    this.buffer.modified = false;
  }

  #warn(): never {
    this.#warned = true;
    return refuse('Warning: buffer modified');
  }

  #readCommand(scanner: Scanner, range: Range): void {
    const operand = this.#names.operand(scanner);
    const name = operand || this.#names.file || refuse('No current filename');
    if (this.#names.file === '' && !name.startsWith('!')) this.#names.file = name;
    this.#read(name, range.given > 0 ? range.last : this.buffer.last);
  }

  #read(name: string, after: number): void {
    const { quiet } = this.#options;
    const { lines, bytes, unfinished } = load(this.#tool, name, quiet ? 'quiet' : 'loud');
    if (unfinished) this.#print('Newline appended\n');
    if (lines.length > 0) this.buffer.splice(after, 0, lines);
    if (lines.length > 0) this.buffer.current = after + lines.length;
    if (!this.#options.script) this.#print(`${bytes}\n`);
  }

  #write(
    scanner: Scanner,
    how: { command: string; range: Range; warned: boolean },
  ): 'quit' | 'go on' {
    const { buffer } = this;
    const quits = scanner.peek() === 'q' || scanner.peek() === 'Q';
    if (quits) scanner.take();
    const operand = this.#names.operand(scanner);
    const name = operand || this.#names.file || refuse('No current filename');
    const all = { first: buffer.last === 0 ? 0 : 1, last: buffer.last };
    const range = how.range.given > 0 ? this.#ordered(how.range) : all;
    if (this.#names.file === '' && !name.startsWith('!')) this.#names.file = name;
    const lines = range.last === 0 ? [] : buffer.slice(range.first, range.last);
    const mode = how.command === 'W' ? 'append' : 'replace';
    const bytes = save(
      this.#tool,
      { name, mode, diagnostics: this.#options.quiet ? 'quiet' : 'loud' },
      lines,
    );
    if (!this.#options.script) this.#print(`${bytes}\n`);
    if (lines.length === buffer.last && !name.startsWith('!')) buffer.modified = false;
    return quits && (!buffer.modified || how.warned) ? 'quit' : quits ? this.#warn() : 'go on';
  }

  #quit(scanner: Scanner, how: { command: string; range: Range; warned: boolean }): 'quit' {
    this.#none(how.range);
    readSuffix(scanner);
    if (how.command === 'q' && this.buffer.modified && !how.warned) this.#warn();
    return 'quit';
  }

  #shellCommand(scanner: Scanner): void {
    if (this.#options.restricted) refuse('Shell access restricted');
    const command = this.#names.shellText(scanner.rest());
    runShell(this.#tool, command);
    if (!this.#options.script) this.#print('!\n');
  }
}
