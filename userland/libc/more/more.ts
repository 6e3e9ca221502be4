// more on a terminal: a screenful, `--More--`, and what the next key asks for. The text scrolls as any
// output does; the keys are in commands.ts. POSIX.1-2024 XCU more, with util-linux's keys where they differ.

import { SIGHUP, SIGINT, SIGTERM } from '../../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../../kernel/abi/errno.ts';
import { TCSADRAIN, type Termios } from '../../../kernel/abi/termios.ts';
import { Interrupt } from '../less/lines.ts';
import type { Finder } from '../less/search.ts';
import { openSource } from '../less/source.ts';
import type { Tool } from '../program.ts';
import { Keyboard } from '../tty/keyboard.ts';
import { readLine } from '../tty/line-input.ts';
import { keysOf, reverse } from '../tty/screen.ts';
import { Text } from './text.ts';

export interface MoreOptions {
  readonly files: readonly string[];
  readonly terminal: number;
  /** Rows of a screenful; the terminal's, less one, when it is 0. */
  readonly lines: number;
  readonly squeeze: boolean;
  readonly clear: boolean;
  /** Wrong keys are answered by words, not by the bell. */
  readonly helps: boolean;
}

export class More {
  readonly tool: Tool;
  readonly options: MoreOptions;
  readonly keys: Keyboard;
  readonly history: string[] = [];
  text: Text;
  at = -1;
  /** Where the screen begins, and where what it does not show yet. */
  top = 0;
  next = 0;
  /** Rows of a screenful (`z` changes it), and of `d`. */
  screenful: number;
  scroll = 11;
  finder: Finder | undefined;
  /** Where the last search began. */
  before = 0;
  /** Said once, in the place of `--More--`. */
  message = '';
  #termios: Termios;
  #interrupted = false;

  constructor(tool: Tool, options: MoreOptions) {
    const { sys } = tool;
    this.tool = tool;
    this.options = options;
    this.keys = new Keyboard(sys, { fd: options.terminal, escape: 'meta' });
    this.#termios = sys.tty.getattr(options.terminal);
    this.screenful = options.lines || this.height;
    this.text = this.#textOf('/dev/null');
    sys.sigaction(SIGINT, () => {
      this.#interrupted = true;
    });
    for (const signal of [SIGHUP, SIGTERM])
      sys.sigaction(signal, () => {
        this.keys.ended = true;
      });
  }

  get height(): number {
    return Math.max(1, (this.tool.sys.tty.getwinsize(1).rows || 24) - 1);
  }

  enter(): void {
    this.tool.sys.tty.setattr(this.options.terminal, TCSADRAIN, keysOf(this.#termios, 'signal'));
  }

  leave(): void {
    this.tool.out.flush();
    this.tool.sys.tty.setattr(this.options.terminal, TCSADRAIN, this.#termios);
  }

  /** Goes to a file; false when there is none of this number. One that cannot be opened is told of. */
  open(at: number): boolean {
    const name = this.options.files[at];
    if (name === undefined) return false;
    this.at = at;
    try {
      const text = this.#textOf(name);
      this.text.source.close();
      this.text = text;
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      this.say(`more: ${name}: ${strerror(error.errno)}\n`);
      this.tool.status = 1;
      return this.open(at + 1);
    }
    this.top = 0;
    this.next = 0;
    this.before = 0;
    return true;
  }

  /** Writes so many rows; the screen then begins so many rows above what comes next. */
  show(rows: number): void {
    const { out } = this.tool;
    let done = 0;
    if (this.next === 0 && this.options.files.length > 1) {
      const line = ':'.repeat(14);
      out.text(`${line}\n${this.options.files[this.at]}\n${line}\n`);
      done = 3;
    }
    for (; done < rows; done++) {
      const row = this.text.row(this.next);
      if (row === undefined) break;
      out.text(`${row.text}\n`);
      this.next = row.to;
    }
    this.top = this.text.back(this.next, Math.min(this.screenful, this.height));
  }

  /** A new screen that begins here. */
  from(place: number): void {
    if (this.options.clear) this.say('\x1b[H\x1b[J');
    this.next = place;
    this.show(this.screenful);
  }

  say(text: string): void {
    this.tool.out.text(text);
  }

  /** `--More--` or the message, until a key comes. */
  key(): string {
    const prompt = this.message || `--More--${this.#place()}`;
    const { columns } = this.tool.sys.tty.getwinsize(1);
    this.say(reverse(prompt.slice(0, (columns || 80) - 1)));
    this.message = '';
    const key = this.#pressed();
    this.say('\r\x1b[K');
    return key;
  }

  #pressed(): string {
    this.tool.out.flush();
    for (;;) {
      if (this.#interrupted) return '^C';
      const key = this.keys.next();
      if (key !== 'signal') return key;
    }
  }

  /** A line typed in the place of the prompt. */
  ask(prompt: string): string | undefined {
    const show = (text: string): void => {
      this.say(`\r\x1b[K${text}`);
      this.tool.out.flush();
    };
    const line = readLine({ prompt, history: this.history, next: () => this.#pressed(), show });
    this.say('\r\x1b[K');
    return line;
  }

  #textOf(name: string): Text {
    return new Text(openSource(this.tool.sys, name), {
      columns: this.tool.sys.tty.getwinsize(1).columns || 80,
      squeeze: this.options.squeeze,
      check: () => {
        this.tool.sys.getppid(); // signals are told of in answers
        if (this.#interrupted) throw new Interrupt();
      },
    });
  }

  #place(): string {
    const { size, complete } = this.text.source;
    const following = this.options.files[this.at + 1];
    if (this.text.atEnd(this.next))
      return following === undefined ? '' : `(Next file: ${following})`;
    return complete && size > 0 ? `(${Math.floor((this.next * 100) / size)}%)` : '';
  }
}
