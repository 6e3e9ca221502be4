// For tests: a person in front of a terminal of a machine. What the programs write is shown by a terminal
// that we did not write (xterm's, without a window); the person presses keys and waits until something is seen.

import xterm from '@xterm/headless';
import type { Atoll } from '../../host/atoll.ts';
import type { Terminal } from '../../host/terminal.ts';

/** How long a screen may take to show what it should before the test fails. */
const PATIENCE_MS = 60_000;

export interface PersonOptions {
  readonly cols?: number;
  readonly rows?: number;
  readonly cwd?: string;
}

export class Person {
  readonly terminal: Terminal;
  readonly #screen: xterm.Terminal;
  #look = (): void => {};

  private constructor(terminal: Terminal, { cols, rows }: { cols: number; rows: number }) {
    this.terminal = terminal;
    this.#screen = new xterm.Terminal({ cols, rows, allowProposedApi: true, scrollback: 1000 });
    terminal.onData((bytes) => this.#screen.write(bytes, () => this.#look()));
  }

  static async at(machine: Atoll, options: PersonOptions = {}): Promise<Person> {
    const { cols = 80, rows = 24, cwd = '/root' } = options;
    const person = new Person(await machine.openShell({ cols, rows, cwd, env: { PS1: '$ ' } }), {
      cols,
      rows,
    });
    await person.waits('a prompt', () => person.rows.some((row) => row !== ''));
    await person.type("PS1='$''> '\r");
    await person.sees(/^\$> *$/m);
    return person;
  }

  async type(keys: string): Promise<void> {
    await this.terminal.write(keys);
  }

  /** What the screen shows, blanks at the ends of rows left out. */
  get rows(): string[] {
    const { active } = this.#screen.buffer;
    return Array.from({ length: this.#screen.rows }, (_, i) =>
      // A line that was longer before a resize still holds what is no longer shown.
      (
        active.getLine(active.baseY + i)?.translateToString(true, 0, this.#screen.cols) ?? ''
      ).trimEnd(),
    );
  }

  get text(): string {
    return this.rows.join('\n');
  }

  /** Row and column, from 0. */
  get cursor(): [number, number] {
    const { active } = this.#screen.buffer;
    return [active.cursorY, active.cursorX];
  }

  /** The text that is shown in reverse video. */
  get reversed(): string {
    const { active } = this.#screen.buffer;
    let out = '';
    for (let y = 0; y < this.#screen.rows; y++) {
      const line = active.getLine(active.baseY + y);
      for (let x = 0; x < this.#screen.cols; x++) {
        const cell = line?.getCell(x);
        if (cell !== undefined && cell.isInverse() !== 0) out += cell.getChars() || ' ';
      }
    }
    return out;
  }

  /** Waits until the screen shows this. */
  async sees(what: RegExp | string): Promise<void> {
    const found = (): boolean =>
      typeof what === 'string' ? this.text.includes(what) : what.test(this.text);
    await this.waits(String(what), found);
  }

  /** Waits until the screen is as `holds` wants it. */
  async waits(what: string, holds: () => boolean): Promise<void> {
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    while (!holds()) {
      await new Promise<void>((resolve, reject) => {
        this.#look = resolve;
        deadline.onabort = () => reject(new Error(`no ${what} in\n${this.text}`));
      });
    }
  }

  async resize(cols: number, rows: number): Promise<void> {
    this.#screen.resize(cols, rows);
    await this.terminal.resize(cols, rows);
  }

  /** Presses keys, and waits until the shell's prompt stands on the last row in use. */
  async types(keys: string, prompt = /^\$> $/): Promise<void> {
    await this.type(keys);
    await this.waits('prompt', () => prompt.test(`${this.rows.findLast((row) => row !== '')} `));
  }
}
