// The editor: text, cursor, registers, options, and the files it was started for. Keys come one by one,
// from the terminal or from a change that is repeated; before it waits for one, it paints.

import { SIGHUP, SIGTERM, SIGWINCH } from '../../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../../kernel/abi/errno.ts';
import type { Tool } from '../program.ts';
import { PatternError } from '../regex/syntax.ts';
import { Keyboard } from '../tty/keyboard.ts';
import { readLine } from '../tty/line-input.ts';
import { Screen } from '../tty/screen.ts';
import { Buffer } from './buffer.ts';
import { firstNonBlank, last, type Place } from './chars.ts';
import { runEx } from './ex/line.ts';
import { asTyped } from './insert.ts';
import { command } from './normal.ts';
import type { Register, Stretch } from './operators.ts';
import { type Options, usualOptions } from './options.ts';
import { preserve } from './preserve.ts';
import { findBackward, findForward, Pattern } from './search.ts';
import { View } from './view.ts';

interface Change {
  readonly key: string;
  readonly keys: readonly string[];
  readonly count: number;
  readonly counted: boolean;
  readonly register: string | undefined;
}

export class Editor {
  readonly tool: Tool;
  readonly screen: Screen;
  readonly keyboard: Keyboard;
  readonly buffer = new Buffer();
  readonly view: View;
  readonly options: Options = usualOptions();
  readonly history = { ex: [] as string[], search: [] as string[] };
  mode: 'normal' | 'insert' | 'replace' = 'normal';
  cursor: Place = { line: 0, column: 0 };
  /** The screen column that j and k keep to. */
  wanted = 0;
  selection: Stretch | undefined;
  /** The name of the text, and what the file was when it was read. */
  name: string | undefined;
  fileTime = '';
  files: readonly string[] = [];
  fileAt = 0;
  found: { readonly kind: string; readonly char: string } | undefined;
  pattern: Pattern | undefined;
  searchWay: 'forward' | 'backward' | undefined;
  substitution: { pattern: Pattern; replacement: string } | undefined;
  lastChange: Change | undefined;
  /** The keys of the command that is being read, behind its first. */
  recorded: string[] = [];
  replaying = false;
  wantedRegister: string | undefined;
  quit = false;
  #registers = new Map<string, Register>();
  #queue: string[] = [];
  #message = '';
  #prompt: string | undefined;
  #resized = false;

  constructor(tool: Tool, terminal: number) {
    const { sys } = tool;
    this.tool = tool;
    this.keyboard = new Keyboard(sys, { fd: terminal, escape: 'alone' });
    const [interrupt, init] = ['key', 'alternate'] as const;
    this.screen = new Screen(sys, { input: terminal, output: 1, interrupt, init });
    this.view = new View(this.buffer);
    sys.sigaction(SIGWINCH, () => {
      this.#resized = true;
    });
    for (const signal of [SIGHUP, SIGTERM]) {
      sys.sigaction(signal, () => {
        this.keyboard.ended = true;
      });
    }
  }

  /** Commands until one of them leaves; what is not saved when the terminal goes is preserved. */
  run(ex: string): undefined {
    runEx(this, ex);
  }

  loop(): undefined {
    while (!this.quit && !this.keyboard.ended) command(this);
    if (!this.keyboard.ended) return;
    this.tool.status = 1;
    if (this.buffer.modified) preserve(this.tool.sys, this.name ?? '', this.buffer);
  }

  /** The next key, from what is repeated or from the keyboard. */
  key(): string {
    const queued = this.#queue.shift();
    if (queued !== undefined) return queued;
    if (this.replaying) return 'escape'; // the keys that are repeated end too early
    for (;;) {
      do this.paint();
      while (this.#resized); // told of in the answer to what was painted
      const key = this.keyboard.next();
      if (key === 'signal') continue;
      this.#message = '';
      if (key !== 'end') this.recorded.push(key);
      return key;
    }
  }

  /** A key as the character it stands for; undefined when it was ESC. */
  character(): string | undefined {
    const key = this.key();
    if (key === '^V') return asTyped(this.key());
    if (key === 'escape' || key === '^C' || key === 'end') return undefined;
    return key === '^M' ? '\n' : asTyped(key);
  }

  /** Presses keys for `action`. */
  replay(keys: readonly string[], action: () => void): undefined {
    this.#queue = [...keys];
    this.replaying = true;
    try {
      action();
    } finally {
      this.replaying = false;
      this.#queue = [];
    }
  }

  /** Puts the cursor on a character; remembers its column unless another is wanted. */
  moveTo(place: Place, wanted?: number): undefined {
    const line = Math.max(0, Math.min(place.line, this.buffer.lines.length - 1));
    const column = Math.max(0, Math.min(place.column, last(this.buffer.line(line))));
    this.cursor = { line, column };
    this.wanted = wanted ?? this.view.columnOf(this.cursor);
  }

  toLine(line: number): undefined {
    const at = Math.max(0, Math.min(line, this.buffer.lines.length - 1));
    this.moveTo({ line: at, column: firstNonBlank(this.buffer.line(at)) });
  }

  /** Remembers where '' leads back to. */
  noteJump(): undefined {
    this.buffer.marks.set("'", this.cursor);
  }

  tell(message: string): undefined {
    this.#message = message;
  }

  complain(message: string): undefined {
    this.#message = message;
    this.screen.bell();
  }

  refuse(): undefined {
    if (this.#message === '') this.screen.bell();
    this.#queue = [];
  }

  fault(what: string, error: unknown): undefined {
    if (!(error instanceof PosixError)) throw error;
    this.complain(`${what}: ${strerror(error.errno)}`);
  }

  /** What was deleted or yanked: in the register that was named, and in the one that p takes from. */
  keep(register: Register, how: 'yank' | 'delete'): undefined {
    const name = this.wantedRegister;
    if (name !== undefined && /^[A-Z]$/.test(name)) {
      const old = this.#registers.get(name.toLowerCase());
      const both = old === undefined ? register : appended(old, register);
      this.#registers.set(name.toLowerCase(), both);
    } else if (name !== undefined) this.#registers.set(name, register);
    else if (how === 'delete' && (register.lines || register.text.length > 1)) {
      for (let i = 9; i > 1; i--) {
        const older = this.#registers.get(String(i - 1));
        if (older !== undefined) this.#registers.set(String(i), older);
      }
      this.#registers.set('1', register);
    }
    this.#registers.set('', register);
  }

  register(): Register | undefined {
    return this.#registers.get(this.wantedRegister?.toLowerCase() ?? '');
  }

  askPattern(way: 'forward' | 'backward'): 'forward' | 'backward' | undefined {
    const [mark, typed] = [way === 'forward' ? '/' : '?', this.ask(way === 'forward' ? '/' : '?')];
    if (typed === undefined) return undefined;
    const text = typed.split(new RegExp(`(?<!\\\\)\\${mark}`))[0] ?? '';
    if (text !== '' && !this.setPattern(text)) return undefined;
    if (this.pattern === undefined) {
      this.complain('No previous pattern');
      return undefined;
    }
    this.searchWay = way;
    return way;
  }

  /** Compiles a pattern as the last one; false, and a message, when it is none. */
  setPattern(text: string): boolean {
    try {
      this.pattern = new Pattern(text, this.options.ignorecase ? 'ignore' : 'exact');
      return true;
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      this.complain(error.message);
      return false;
    }
  }

  search(from: Place, way: 'forward' | 'backward'): Place | undefined {
    if (this.pattern === undefined) return undefined;
    const find = way === 'forward' ? findForward : findBackward;
    return find(this.buffer.lines, this.pattern, from);
  }

  /** A line typed at the bottom; its keys belong to the command that asks. */
  ask(prompt: string): string | undefined {
    const show = (text: string): void => {
      this.#prompt = text;
    };
    const history = prompt === ':' ? this.history.ex : this.history.search;
    const line = readLine({ prompt, history, show, next: () => this.key() });
    this.#prompt = undefined;
    return line;
  }

  paint(): undefined {
    if (this.#resized) {
      this.#resized = false;
      this.screen.measure();
    }
    const { size } = this.screen;
    this.view.configure(size, this.options);
    const text = (this.#prompt ?? this.#message).slice(0, size.columns - 1);
    const modes = { normal: '', insert: '-- INSERT --', replace: '-- REPLACE --' };
    const status = text || (this.options.showmode ? modes[this.mode] : '');
    const { rows, cursor } = this.view.paint(this.cursor, status, (at) => this.#isMarked(at));
    const typing = { row: size.rows - 1, column: Math.min(text.length, size.columns - 1) };
    this.screen.paint(rows, this.#prompt === undefined ? cursor : typing);
  }

  #isMarked({ line, column }: Place): boolean {
    const { selection } = this;
    if (selection === undefined) return false;
    const { from, to, lines } = selection;
    if (line < from.line || line > to.line) return false;
    if (lines) return true;
    return (
      !(line === from.line && column < from.column) && !(line === to.line && column >= to.column)
    );
  }
}

function appended(old: Register, more: Register): Register {
  if (old.lines || more.lines) return { text: [...old.text, ...more.text], lines: true };
  const joined = (old.text.at(-1) ?? '') + (more.text[0] ?? '');
  return { text: [...old.text.slice(0, -1), joined, ...more.text.slice(1)], lines: false };
}
