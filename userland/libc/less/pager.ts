// The pager: which file is looked at, what stands on the last row, what waits for more of a pipe.
// The keys are in commands.ts.

import { SIGHUP, SIGINT, SIGTERM, SIGWINCH } from '../../../kernel/abi/constants.ts';
import { EINTR, PosixError, strerror } from '../../../kernel/abi/errno.ts';
import type { Tool } from '../program.ts';
import { Keyboard } from '../tty/keyboard.ts';
import { readLine } from '../tty/line-input.ts';
import { reverse, Screen } from '../tty/screen.ts';
import { looksBinary } from './cells.ts';
import { Interrupt, Lines } from './lines.ts';
import type { LessSettings } from './options.ts';
import { type RowOptions, Rows } from './rows.ts';
import type { Finder } from './search.ts';
import { openSource, type Source } from './source.ts';
import { View } from './view.ts';

export interface PagerOptions {
  readonly files: readonly string[];
  readonly settings: LessSettings;
  /** The terminal that keys come from. */
  readonly terminal: number;
  readonly init: 'alternate' | 'none';
}

export class Pager {
  readonly tool: Tool;
  readonly settings: LessSettings;
  readonly screen: Screen;
  readonly keys: Keyboard;
  readonly files: string[];
  readonly history = { pattern: [] as string[], file: [] as string[], command: [] as string[] };
  /** Which of the files is shown. */
  at = 0;
  view: View;
  /** What is told on the last row until the next key. */
  message = '';
  /** The last pattern, and which way it was looked for. */
  search: { finder: Finder; wants: 'match' | 'none'; way: 'forward' | 'backward' } | undefined;
  filter: RowOptions['filter'];
  /** Columns to the left of the screen. */
  shift = 0;
  marks = new Map<string, { file: string; top: number }>();
  /** A key has been pressed since the file was opened: the prompt names it no more. */
  known = false;
  interrupted = false;
  /** Keys do not end the reading of a pipe now. */
  patient = false;
  /** What has been typed of a command, for the last row. */
  typed = '';
  #resized = false;

  constructor(tool: Tool, options: PagerOptions) {
    const { sys } = tool;
    this.tool = tool;
    this.settings = options.settings;
    this.files = [...options.files];
    this.keys = new Keyboard(sys, { fd: options.terminal, escape: 'meta' });
    this.screen = new Screen(sys, {
      ...{ input: options.terminal, output: 1 },
      ...{ interrupt: 'signal', init: options.init },
    });
    this.view = this.viewOf(openSource(sys, '/dev/null'));
    sys.sigaction(SIGINT, () => {
      this.interrupted = true;
    });
    sys.sigaction(SIGWINCH, () => {
      this.#resized = true;
    });
    for (const signal of [SIGHUP, SIGTERM]) {
      sys.sigaction(signal, () => {
        this.keys.ended = true;
      });
    }
  }

  get source(): Source {
    return this.view.lines.source;
  }

  viewOf(source: Source): View {
    const lines = new Lines(source, () => this.#check());
    const rows = new Rows(lines, this.rowOptions());
    return new View(rows, { height: this.height, wants: (at) => this.#pull(source, at) });
  }

  get height(): number {
    return Math.max(1, this.screen.size.rows - 1);
  }

  rowOptions(): RowOptions {
    const { settings, search } = this;
    return {
      ...{ columns: this.screen.size.columns, tab: settings.tab, raw: settings.raw },
      ...{ chop: settings.chop, squeeze: settings.squeeze, numbers: settings.numbers },
      ...{ shift: settings.chop ? this.shift : 0, filter: this.filter },
      highlight: settings.highlight && search?.wants === 'match' ? search.finder : undefined,
    };
  }

  /** Looks at the file of this number in the list; false when it cannot be opened. */
  open(at: number): boolean {
    const name = this.files[at];
    if (name === undefined) return false;
    const source = this.#opened(name);
    if (source === undefined) return false;
    this.#leave();
    this.at = at;
    this.view = this.viewOf(source);
    this.known = false;
    const mark = this.marks.get(`file ${name}`);
    if (mark !== undefined) this.view.toLine(mark.top);
    return true;
  }

  /** Shows another source until `q`, then this one again. */
  instead(source: Source, run: () => void): void {
    const { view } = this;
    this.view = this.viewOf(source);
    run();
    source.close();
    this.view = view;
    this.refreshOptions();
  }

  /** Settings have changed: rows are laid out anew, the same line at the top. */
  refreshOptions(): void {
    Object.assign(this.view.rows.options, this.rowOptions());
    this.view.height = this.height;
    if (this.settings.chop) this.view.show(this.view.lines.start(this.view.top));
    else this.view.relaid();
  }

  paint(): void {
    if (this.#resized) {
      this.#resized = false;
      this.screen.measure();
      this.refreshOptions();
    }
    const tilde = this.settings.tilde ? '\x1b[1m~\x1b[m' : '';
    const rows = this.view.page().map((row) => row.text);
    while (rows.length < this.height) rows.push(tilde);
    const [text, column] = this.#lastRow();
    this.screen.paint([...rows, text], { row: this.screen.size.rows - 1, column });
  }

  /** The next key; what a pipe brings meanwhile is shown. */
  key(): string {
    for (;;) {
      // Handlers run in the answers of calls: what they noted is seen before the next call waits.
      while (this.#resized) this.paint();
      if (this.interrupted) {
        this.interrupted = false;
        return '^C';
      }
      const waits = this.view.page().length < this.height && !this.source.complete;
      const came = this.keys.wait(waits ? this.source.pipe : -1, -1);
      if (came === 'key') return this.keys.next();
      if (came === 'other') {
        this.source.pull();
        this.paint();
      }
    }
  }

  /** A line typed on the last row. */
  ask(prompt: string, history: string[]): string | undefined {
    const show = (text: string): void => {
      this.typed = text;
      this.paint();
    };
    const line = readLine({ prompt, history, next: () => this.key(), show });
    this.typed = '';
    return line;
  }

  /** Runs what may take long; Ctrl-C ends it. */
  patiently(action: () => void): void {
    this.interrupted = false;
    try {
      action();
    } catch (error) {
      if (!(error instanceof Interrupt)) throw error;
      this.message = 'Interrupted';
    }
    this.interrupted = false;
  }

  #opened(name: string): Source | undefined {
    try {
      const source = openSource(this.tool.sys, name);
      if (this.#mayShow(source)) return source;
      source.close();
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      this.message = `${name}: ${strerror(error.errno)}`;
    }
    return undefined;
  }

  #mayShow(source: Source): boolean {
    if (this.settings.force || source.pipe >= 0) return true;
    if (!looksBinary(source.piece(0).subarray(0, 4096))) return true;
    this.screen.enter();
    this.message = `"${source.name}" may be a binary file.  See it anyway? `;
    this.paint();
    this.message = '';
    return /^[yY]$/.test(this.key());
  }

  #leave(): void {
    const { name } = this.source;
    this.marks.set(`file ${name}`, { file: name, top: this.view.top });
    this.source.close();
  }

  #check(): void {
    this.tool.sys.getppid(); // signals are told of in answers
    if (this.interrupted) throw new Interrupt();
  }

  /** Waits until the source has more than `at`; keys come first, except while somebody wants all of it. */
  #pull(source: Source, at: number): boolean {
    while (source.size <= at && !source.complete) {
      if (this.interrupted) throw new Interrupt();
      if (this.#resized && !this.patient) return false;
      if (!this.patient) {
        const came = this.keys.wait(source.pipe, -1);
        if (came === 'key' || (came === 'signal' && !this.interrupted)) return false;
        if (came !== 'other') continue;
      }
      this.#readOn(source);
    }
    return source.size > at;
  }

  /**
   * Reads more of a source; looks for signals, which a pipe that never waits would not tell of. At its
   * end too: the key that ended whoever wrote into it was pressed for both.
   */
  #readOn(source: Source): void {
    const before = source.size;
    try {
      source.pull();
    } catch (error) {
      if (!(error instanceof PosixError) || error.errno !== EINTR) throw error;
    }
    const step = 1 << 20;
    const far = Math.floor(before / step) !== Math.floor(source.size / step);
    if (far || source.complete) this.#check();
  }

  /** The last row, and the column of the cursor. */
  #lastRow(): [string, number] {
    const { columns } = this.screen.size;
    const cut = (text: string): string => text.slice(0, columns - 1);
    if (this.typed !== '') return [cut(this.typed), cut(this.typed).length];
    const text = cut(this.message || this.#prompt());
    return [text === ':' ? text : reverse(text), text.length];
  }

  #prompt(): string {
    const { prompt } = this.settings;
    const end = this.view.atEnd;
    if (prompt === 'long') return this.describe();
    const next = this.files[this.at + 1];
    const more = end && next !== undefined ? ` - Next: ${next}` : '';
    if (!this.known) return `${this.title()}${end ? ` (END)${more}` : ''}`;
    if (end) return `(END)${more}`;
    const percent = this.percent();
    return prompt === 'medium' && percent !== undefined ? `${percent}%` : ':';
  }

  title(): string {
    const name = this.source.name === '-' ? '' : this.source.name;
    const many = this.files.length > 1 ? ` (file ${this.at + 1} of ${this.files.length})` : '';
    return `${name}${many}` || (this.view.atEnd ? '' : ':');
  }

  /** Name, lines and place, for `=` and -M. */
  describe(): string {
    const page = this.view.page();
    const { lines } = this.view;
    const [first, last] = [page[0]?.from, page.at(-1)?.from];
    const words = [this.title()];
    if (first !== undefined && last !== undefined) {
      const [from, to] = [first, last].map((at) => lines.number(lines.start(at)));
      words.push(`lines ${from}-${to}`);
      words.push(`byte ${page.at(-1)?.to}${this.source.complete ? `/${this.source.size}` : ''}`);
    }
    const percent = this.percent();
    if (this.view.atEnd) words.push('(END)');
    else if (percent !== undefined) words.push(`${percent}%`);
    return words.filter((word) => word !== '').join(' ');
  }

  percent(): number | undefined {
    const { size, complete } = this.source;
    const last = this.view.page().at(-1)?.to ?? 0;
    return complete && size > 0 ? Math.floor((last * 100) / size) : undefined;
  }
}
