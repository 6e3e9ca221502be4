// The cycle of sed: a line into the pattern space, the commands over it, the pattern space out.

import { O_RDONLY } from '../../../kernel/abi/constants.ts';
import { PosixError } from '../../../kernel/abi/errno.ts';
import { encodeText } from '../../../kernel/abi/text.ts';
import type { Tool } from '../program.ts';
import type { Match, Regex } from '../regex/regex.ts';
import { Input, type Output } from '../stdio.ts';
import { toLatin1 } from '../text/latin1.ts';
import { nameOf, type WrittenFiles } from './files.ts';
import type { Address, Command, Piece, Substitution } from './parse.ts';
import { ScriptError } from './parse.ts';

/** Lines one after the other, with a look at whether more come. */
export interface Lines {
  next(): string | undefined;
  isLast(): boolean;
  /** Whether the line handed out last ended with a newline. */
  terminated(): boolean;
  name(): string;
}

export interface Session {
  readonly lines: Lines;
  readonly out: Output;
  lineNumber: number;
}

type Step = 'next' | 'restart' | 'end' | 'quit' | 'quit silently';

export interface EditorStyle {
  readonly quiet: boolean;
  readonly end: string;
  /** Of the rows of `l`. */
  readonly width: number;
  readonly files: WrittenFiles;
}

export class Editor {
  readonly #tool: Tool;
  readonly #commands: readonly Command[];
  readonly #quiet: boolean;
  readonly #width: number;
  readonly #end: string;
  readonly #files: WrittenFiles;
  readonly #readers = new Map<string, Input>();
  /** Whose last line has no end yet. */
  readonly #unended = new Set<Output>();
  #space = '';
  #hold = '';
  /** What ends the pattern space and the hold space: nothing behind a last line that had no end. */
  #spaceEnd: string;
  #holdEnd: string;
  #replaced = false;
  /** The pattern space is not printed at the end of this cycle. */
  #deleted = false;
  #lastRegex: Regex | undefined;
  #after: (() => void)[] = [];
  status = 0;
  done = false;

  constructor(tool: Tool, commands: readonly Command[], style: EditorStyle) {
    this.#tool = tool;
    this.#commands = commands;
    this.#quiet = style.quiet;
    this.#width = style.width;
    this.#end = style.end;
    this.#spaceEnd = style.end;
    this.#holdEnd = style.end;
    this.#files = style.files;
  }

  run(session: Session): void {
    this.#begin();
    for (let line = session.lines.next(); line !== undefined; line = session.lines.next()) {
      session.lineNumber++;
      this.#take(session, line);
      this.#replaced = false;
      let step = this.#cycle(session);
      while (step === 'restart') step = this.#cycle(session);
      if (step === 'quit' || step === 'quit silently') {
        this.done = true;
        break;
      }
    }
  }

  /** Files that are edited one by one each begin anew: no range is open, nothing is held. */
  #begin(): void {
    for (const command of this.#commands) command.open = false;
    this.#hold = '';
    this.#readers.clear();
  }

  #cycle(session: Session): Step {
    let step: Step = 'end';
    for (let at = 0; at < this.#commands.length; ) {
      const command = this.#commands[at] as Command;
      if (this.#selects(command, session) === command.negated) {
        at = command.name === '{' ? command.target : at + 1;
        continue;
      }
      const result = this.#execute(command, session);
      if (typeof result === 'number') at = result;
      else if (result === 'next') at++;
      else {
        step = result;
        break;
      }
    }
    const deleted = step === 'end' && this.#deleted;
    if (!this.#quiet && !deleted && step !== 'restart' && step !== 'quit silently')
      this.#write(session, this.#space);
    if (step === 'quit') this.#put(session.out, '');
    this.#deleted = false;
    for (const action of this.#after) action();
    this.#after = [];
    return step;
  }

  #take(session: Session, text: string): void {
    this.#space = text;
    const open = !session.lines.terminated() && session.lines.isLast();
    this.#spaceEnd = open ? '' : this.#end;
  }

  #write(session: Session, text: string): void {
    this.#putSpace(session.out, text);
  }

  /** A line without its end gets one before anything follows it. */
  #put(out: Output, text: string): void {
    if (this.#unended.delete(out)) out.latin1(this.#end);
    out.latin1(text);
  }

  #putSpace(out: Output, text: string): void {
    this.#put(out, text + this.#spaceEnd);
    if (this.#spaceEnd === '') this.#unended.add(out);
  }

  #selects(command: Command, session: Session): boolean {
    const { from, to } = command;
    if (from === undefined) return true;
    const line = session.lineNumber;
    if (to === undefined) return this.#at(from, session);
    if (command.open) {
      if (to.kind === 'regex' || to.kind === 'last' || to.kind === 'step') {
        if (this.#at(to, session)) command.open = false;
        return true;
      }
      if (to.kind === 'multiple') {
        if (line >= command.until) command.open = false;
        return true;
      }
      if (line >= command.until) command.open = false;
      if (line <= command.until) return true;
      // N went past the end: only a new beginning counts.
    }
    const zero = from.kind === 'line' && from.line === 0;
    if (zero ? line !== 1 : !this.#at(from, session)) return false;
    if (zero && to.kind === 'regex') {
      command.open = !this.#at(to, session);
      return true;
    }
    command.until = lastOf(to, line);
    command.open =
      to.kind === 'regex' ||
      (to.kind === 'last' || to.kind === 'step' ? !this.#at(to, session) : command.until > line);
    return true;
  }

  #at(address: Address, session: Session): boolean {
    switch (address.kind) {
      case 'line':
        return session.lineNumber === address.line;
      case 'last':
        return session.lines.isLast();
      case 'step':
        return (
          session.lineNumber >= address.first &&
          (session.lineNumber - address.first) % address.step === 0
        );
      case 'regex':
        return this.#regex(address.regex).find(this.#space, 0) !== undefined;
      default:
        return false;
    }
  }

  #regex(regex: Regex | undefined): Regex {
    if (regex !== undefined) this.#lastRegex = regex;
    if (this.#lastRegex === undefined) throw new ScriptError('no previous regular expression');
    return this.#lastRegex;
  }

  /** The next command, or how the cycle ends. */
  #execute(command: Command, session: Session): Step | number {
    const { out, lines } = session;
    switch (command.name) {
      case '=':
        this.#put(out, `${session.lineNumber}${this.#end}`);
        return 'next';
      case 'a':
        this.#after.push(() => this.#put(out, command.text));
        return 'next';
      case 'i':
        this.#put(out, this.#ended(command.text));
        return 'next';
      case 'c':
        if (command.to === undefined || !command.open || command.negated)
          this.#put(out, this.#ended(command.text));
        return this.#delete();
      case 'd':
        return this.#delete();
      case 'D':
        return this.#deleteFirstLine();
      case 'g':
        this.#space = this.#hold;
        this.#spaceEnd = this.#holdEnd;
        return 'next';
      case 'G':
        this.#space += `${this.#end}${this.#hold}`;
        this.#spaceEnd = this.#holdEnd;
        return 'next';
      case 'h':
        this.#hold = this.#space;
        this.#holdEnd = this.#spaceEnd;
        return 'next';
      case 'H':
        this.#hold += `${this.#end}${this.#space}`;
        this.#holdEnd = this.#spaceEnd;
        return 'next';
      case 'x':
        [this.#space, this.#hold] = [this.#hold, this.#space];
        [this.#spaceEnd, this.#holdEnd] = [this.#holdEnd, this.#spaceEnd];
        return 'next';
      case 'z':
        this.#space = '';
        return 'next';
      case 'F':
        this.#put(out, `${toLatin1(encodeText(lines.name()))}${this.#end}`);
        return 'next';
      case 'l':
        this.#put(out, this.#ended(visible(this.#space, this.#widthOf(command), this.#end)));
        return 'next';
      case 'n':
      case 'N':
        return this.#advance(command.name, session);
      case 'p':
        this.#write(session, this.#space);
        return 'next';
      case 'P':
        this.#printFirstLine(out);
        return 'next';
      case 'q':
      case 'Q':
        this.status = Number(command.text || 0);
        return command.name === 'q' ? 'quit' : 'quit silently';
      case 'r':
        this.#after.push(() => this.#readFile(command.text, out));
        return 'next';
      case 'R': {
        const line = this.#nextOf(command.text);
        if (line !== undefined) this.#after.push(() => this.#put(out, line));
        return 'next';
      }
      case 'W':
        this.#printFirstLine(this.#files.open(command.text));
        return 'next';
      case 'w':
        this.#putSpace(this.#files.open(command.text), this.#space);
        return 'next';
      case 's':
        this.#substitute(command.substitution as Substitution, session);
        return 'next';
      case 'y':
        this.#space = [...this.#space].map((c) => command.map?.get(c) ?? c).join('');
        return 'next';
      case 'b':
        return command.target;
      case 't':
      case 'T': {
        const jump = this.#replaced === (command.name === 't');
        this.#replaced = false;
        return jump ? command.target : 'next';
      }
      default: // { } :
        return 'next';
    }
  }

  /** The text of a command with the end that lines have; what `a` says ends as it was written. */
  #ended(text: string): string {
    return this.#end === '\n' ? text : text.replace(/\n$/, this.#end);
  }

  #printFirstLine(out: Output): void {
    const newline = this.#space.indexOf(this.#end);
    if (newline < 0) this.#putSpace(out, this.#space);
    else this.#put(out, this.#space.slice(0, newline) + this.#end);
  }

  #delete(): Step {
    this.#deleted = true;
    return 'end';
  }

  #deleteFirstLine(): Step {
    const newline = this.#space.indexOf(this.#end);
    if (newline < 0) return this.#delete();
    this.#space = this.#space.slice(newline + 1);
    return 'restart';
  }

  #advance(name: string, session: Session): Step {
    const { lines } = session;
    // POSIX would drop the pattern space when there is no next line; GNU prints it.
    if (lines.isLast()) return 'end';
    if (name === 'n' && !this.#quiet) this.#write(session, this.#space);
    for (const action of this.#after) action();
    this.#after = [];
    const line = lines.next() ?? '';
    session.lineNumber++;
    this.#take(session, name === 'n' ? line : `${this.#space}${this.#end}${line}`);
    return 'next';
  }

  #widthOf(command: Command): number {
    return command.text === '' ? this.#width : Number(command.text);
  }

  /** The next line of a file that R reads; undefined at its end, or when there is no such file. */
  #nextOf(path: string): string | undefined {
    const { sys } = this.#tool;
    try {
      let input = this.#readers.get(path);
      input ??= new Input(sys, path === '/dev/stdin' ? 0 : sys.open(nameOf(path), O_RDONLY));
      this.#readers.set(path, input);
      const line = input.line(this.#end.charCodeAt(0));
      if (line === undefined) return undefined;
      return toLatin1(line) + (input.terminated ? this.#end : '');
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      return undefined;
    }
  }

  #readFile(path: string, out: Output): void {
    const { sys } = this.#tool;
    this.#put(out, '');
    try {
      const fd = path === '/dev/stdin' ? 0 : sys.open(nameOf(path), O_RDONLY);
      const input = new Input(sys, fd);
      for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk())
        this.#put(out, toLatin1(chunk));
      if (fd !== 0) sys.close(fd);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error; // a file that is not there is empty
    }
  }

  #substitute(command: Substitution, session: Session): void {
    const regex = this.#regex(command.regex);
    const text = this.#space;
    let out = '';
    let copied = 0;
    let count = 0;
    let lastEnd = -1;
    let done = false;
    for (let at = 0; at <= text.length; ) {
      const match = regex.longest(text, at);
      if (match === undefined) break;
      const empty = match.end === match.start;
      at = empty ? match.end + 1 : match.end;
      if (empty && match.start === lastEnd) continue; // right behind another match is none
      lastEnd = match.end;
      if (++count < command.from) continue;
      out += text.slice(copied, match.start) + replaced(command.replacement, match, text);
      copied = match.end;
      done = true;
      if (!command.every) break;
    }
    if (!done) return;
    this.#space = out + text.slice(copied);
    this.#replaced = true;
    if (command.print) this.#write(session, this.#space);
    if (command.file !== undefined) this.#putSpace(this.#files.open(command.file), this.#space);
  }
}

const lastOf = (to: Address, line: number): number => {
  if (to.kind === 'line') return to.line;
  if (to.kind === 'more') return line + to.count;
  if (to.kind === 'multiple' && to.count > 0) return (Math.floor(line / to.count) + 1) * to.count;
  return line;
};

function replaced(pieces: readonly Piece[], match: Match, text: string): string {
  let out = '';
  let mode = 'E';
  let once = '';
  for (const piece of pieces) {
    if (piece.kind === 'case') {
      if (piece.to === 'l' || piece.to === 'u') once = piece.to;
      else mode = piece.to;
      continue;
    }
    let part =
      piece.kind === 'text'
        ? piece.text
        : piece.index === 0
          ? text.slice(match.start, match.end)
          : (match.groups[piece.index - 1] ?? '');
    if (mode === 'U') part = part.replace(/[a-z]+/g, (s) => s.toUpperCase());
    if (mode === 'L') part = part.replace(/[A-Z]+/g, (s) => s.toLowerCase());
    if (once !== '' && part !== '') {
      const first = part[0] ?? '';
      part = (once === 'u' ? first.toUpperCase() : first.toLowerCase()) + part.slice(1);
      once = '';
    }
    out += part;
  }
  return out;
}

/** The l command: escapes, lines of 69 characters and a backslash, `$` at the end. */
/** As `l` shows it, in rows of this width; 0 is one row. */
function visible(text: string, width: number, end: string): string {
  const names: Readonly<Record<string, string>> = {
    '\\': '\\\\',
    '\x07': '\\a',
    '\b': '\\b',
    '\f': '\\f',
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
    '\v': '\\v',
  };
  let out = '';
  let column = 0;
  for (const c of text) {
    const plain = c >= ' ' && c <= '~';
    const shown = names[c] ?? (plain ? c : `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
    if (width > 0 && column + shown.length > width - 1) {
      out += `\\${end}`;
      column = 0;
    }
    out += shown;
    column += shown.length;
  }
  return `${out}$\n`;
}
