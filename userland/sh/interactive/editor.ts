// Reads a line from a terminal with the emacs keys: the terminal gives its bytes one by one while the
// line is edited and is as it was before when it is done, so that what was typed ahead belongs to
// the command.

import { SIGINT } from '../../../kernel/abi/constants.ts';
import { EINTR, PosixError } from '../../../kernel/abi/errno.ts';
import {
  ECHO,
  ICANON,
  ICRNL,
  IEXTEN,
  INLCR,
  ISIG,
  IXON,
  TCSADRAIN,
  type Termios,
  VMIN,
  VTIME,
} from '../../../kernel/abi/termios.ts';
import { encodeText } from '../../../kernel/abi/text.ts';
import { character, type Key, readKey } from '../../libc/tty/keys.ts';
import { clusters, clusterWidth } from '../../libc/tty/width.ts';
import type { Shell } from '../shell.ts';
import { complete } from './complete.ts';
import type { History } from './history.ts';
import { Line } from './line.ts';
import { inColumns } from './listing.ts';
import { Screen } from './screen.ts';
import { searchHistory } from './search.ts';

/** The terminal that a shell talks to a person through. */
const terminal = 0;
const screenOut = 2;

/** Keys in place of the line's characters: bytes one by one, no echo, no signals. */
const editing = (from: Termios): Termios => ({
  ...from,
  iflag: (from.iflag & ~(IXON | INLCR)) | ICRNL,
  lflag: from.lflag & ~(ICANON | ECHO | ISIG | IEXTEN),
  cc: from.cc.map((c, i) => (i === VMIN ? 1 : i === VTIME ? 0 : c)),
});

/** What ^X ^E does with the line, which is the last command then. */
const editCommand = `fc -e "\${VISUAL:-\${EDITOR:-vi}}"`;

/** The last word as the shell would part them, quotes and all. */
function lastWordOf(command: string): string {
  const words = command.match(/(?:[^\s\\'"]|\\.|'[^']*'|"(?:[^"\\]|\\.)*"|[\\'"])+/gs);
  return words?.at(-1) ?? '';
}

export interface EditorOptions {
  readonly shell: Shell;
  readonly history: History;
  /** A signal came: traps run, jobs are told of; something may have been written. */
  readonly onSignal: () => void;
}

export class Editor {
  private readonly shell: Shell;
  private readonly history: History;
  private readonly onSignal: () => void;
  private readonly screen = new Screen();
  private readonly line = new Line();
  private prompt = '';
  /** Where in the history the line is from; its length is the line that is being typed. */
  private place = 0;
  /** Lines of the history as changed while they were visited. */
  private drafts = new Map<number, string>();
  private columns = 80;
  private stale = false;
  /** The line is not the first one of its command. */
  private continues = false;
  private lastKey = '';
  /** M-. : which command's last word was put in, and how many characters it has. */
  private lastWord = { place: 0, length: 0 };
  /** ^O: the number of the command that the next line begins with. */
  private following: number | undefined;
  /** What is written behind the line when it is done. */
  private last = '';
  /** The key that ended a search: it does what it does without one. */
  private pending: Key | undefined;

  constructor(options: EditorOptions) {
    this.shell = options.shell;
    this.history = options.history;
    this.onSignal = options.onSignal;
  }

  /** The line with its newline; undefined at ^D on an empty one. Throws Interrupted at ^C. */
  readLine(prompt: string, part: 'first' | 'further'): string | undefined {
    this.continues = part === 'further';
    const { tty } = this.shell.sys;
    const before = tty.getattr(terminal);
    tty.setattr(terminal, TCSADRAIN, editing(before));
    this.last = '';
    try {
      this.begin(prompt);
      return this.edit();
    } finally {
      // The terminal first: whoever sees the line's end may press ^C for the command.
      tty.setattr(terminal, TCSADRAIN, before);
      this.write(`${this.last}\x1b[?2004l`);
    }
  }

  private begin(prompt: string): void {
    const lines = prompt.split('\n');
    const last = lines.pop() ?? '';
    this.write(`\x1b[?2004h${lines.map((line) => `${line}\r\n`).join('')}`);
    this.prompt = last;
    this.line.set('');
    this.place = this.history.entries.length;
    this.drafts.clear();
    this.screen.forget();
    this.measure();
    const { following } = this;
    this.following = undefined;
    if (following !== undefined) this.goTo(following - this.history.first);
    this.refresh();
  }

  private edit(): string | undefined {
    for (;;) {
      const key = this.pending ?? this.readKey();
      this.pending = undefined;
      if (key.type === 'end') return this.ended();
      if (key.type === 'text' || key.type === 'paste') this.type(key);
      else if (key.name === '^D' && this.line.chars.length === 0) return this.ended();
      else if (key.name === '^J' || key.name === '^M') return this.finished(this.line.text);
      else if (key.name === '^O') return this.finishedInHistory();
      else if (key.name === '^X ^E' && this.mayEdit()) return this.finished(editCommand);
      else this.press(key.name);
      this.lastKey = key.type === 'key' ? key.name : '';
    }
  }

  /** ^X is the first half of a key. */
  private readKey(): Key {
    const next = (): number | undefined => this.nextByte();
    const key = readKey(next);
    if (key.type !== 'key' || key.name !== '^X') return key;
    const second = readKey(next);
    return second.type === 'key' ? { type: 'key', name: `^X ${second.name}` } : second;
  }

  private finishedInHistory(): string {
    const { entries, first } = this.history;
    if (this.place + 1 < entries.length) this.following = first + this.place + 1;
    return this.finished(this.line.text);
  }

  /** The line becomes the last command, for `fc` to edit; not in the middle of one. */
  private mayEdit(): boolean {
    if (this.line.text.trim() === '' || this.continues) return false;
    this.history.add(this.line.text);
    return true;
  }

  private finished(text: string): string {
    this.last = this.screen.leave(this.view());
    return `${text}\n`;
  }

  private ended(): undefined {
    this.last = '\r\n';
    return undefined;
  }

  /** Text goes in; one character at the end of a line that does not wrap is only written. */
  private type(key: Extract<Key, { text: string }>): void {
    const { line } = this;
    const atEnd = line.cursor === line.chars.length;
    const count = line.chars.length;
    line.insert(key.text);
    const simple = atEnd && line.chars.length === count + 1 && key.type === 'text';
    if (simple && this.used() + 1 < this.columns) this.write(key.text);
    else this.refresh();
  }

  /** Columns that prompt and line take, when that is one row for sure. */
  private used(): number {
    const all = [...clusters(this.prompt), ...this.line.chars];
    return all.reduce((sum, one) => sum + (one === '\n' ? this.columns : clusterWidth(one)), 0);
  }

  private press(name: string): void {
    const action = this.actions[name];
    if (action === undefined) this.write('\x07');
    else {
      action();
      this.refresh();
    }
  }

  private readonly actions: Readonly<Record<string, () => void>> = {
    '^A': () => this.line.move(0),
    '^B': () => this.line.move(this.line.cursor - 1),
    '^C': () => this.interrupt(),
    '^D': () => this.line.remove(this.line.cursor + 1),
    '^E': () => this.line.move(this.line.chars.length),
    '^F': () => this.line.move(this.line.cursor + 1),
    '^G': () => this.interrupt(),
    '^H': () => this.line.remove(this.line.cursor - 1),
    '^I': () => this.complete(),
    '^K': () => this.line.kill(this.line.chars.length),
    '^L': () => this.clear(),
    '^N': () => this.recall(this.place + 1),
    '^P': () => this.recall(this.place - 1),
    '^R': () => this.search(),
    '^T': () => this.line.transpose(),
    '^U': () => this.line.kill(0),
    '^V': () => this.quote(),
    '^W': () => this.line.kill(this.line.blankLeft()),
    '^X ^U': () => this.ring(this.line.undo()),
    '^Y': () => this.ring(this.line.yank()),
    '^_': () => this.ring(this.line.undo()),
    '^?': () => this.line.remove(this.line.cursor - 1),
    'M-b': () => this.line.move(this.line.wordLeft()),
    'M-f': () => this.line.move(this.line.wordRight()),
    'M-d': () => this.line.kill(this.line.wordRight()),
    'M-^?': () => this.line.kill(this.line.wordLeft()),
    'M-^H': () => this.line.kill(this.line.wordLeft()),
    'M-u': () => this.line.changeWord('upper'),
    'M-l': () => this.line.changeWord('lower'),
    'M-c': () => this.line.changeWord('capital'),
    'M-t': () => this.ring(this.line.transposeWords()),
    'M-y': () => this.ring(this.line.yankOlder()),
    'M-.': () => this.lastArgument(),
    'M-_': () => this.lastArgument(),
    'M-<': () => this.recall(0),
    'M->': () => this.recall(this.history.entries.length),
    up: () => this.recall(this.place - 1),
    down: () => this.recall(this.place + 1),
    left: () => this.line.move(this.line.cursor - 1),
    right: () => this.line.move(this.line.cursor + 1),
    home: () => this.line.move(0),
    end: () => this.line.move(this.line.chars.length),
    delete: () => this.line.remove(this.line.cursor + 1),
  };

  private ring(done: boolean): void {
    if (!done) this.write('\x07');
  }

  /** The last word of the command before; again, of the one before that. */
  private lastArgument(): void {
    const again = this.lastKey === 'M-.' || this.lastKey === 'M-_';
    const from = again ? this.lastWord.place : this.place;
    if (from === 0) {
      this.write('\x07');
      return;
    }
    const word = lastWordOf(this.history.entries[from - 1] ?? '');
    this.line.replace(again ? this.lastWord.length : 0, word);
    this.lastWord = { place: from - 1, length: clusters(word).length };
  }

  private insertBefore(replaces: number, text: string): void {
    const { line } = this;
    const before = line.chars.slice(0, line.cursor).join('');
    const kept = clusters(before.slice(0, before.length - replaces)).length;
    line.replace(line.cursor - kept, text);
  }

  /** Completes as far as all candidates agree; the second time in a row shows them. */
  private complete(): void {
    const { line } = this;
    const before = line.chars.slice(0, line.cursor).join('');
    const { replaces, text, candidates } = complete(this.shell, before);
    const typed = before.slice(before.length - replaces);
    if (candidates.length > 0 && text !== typed) this.insertBefore(replaces, text);
    else if (candidates.length > 1 && this.lastKey === '^I') this.list(candidates);
    else this.write('\x07');
  }

  private list(candidates: readonly string[]): void {
    this.write(this.screen.leave(this.view()) + inColumns(candidates, this.columns));
    this.screen.forget();
  }

  private clear(): void {
    this.write('\x1b[H\x1b[2J');
    this.screen.forget();
  }

  /** ^C is what SIGINT is elsewhere: its trap runs, and the line is given up. */
  private interrupt(): void {
    this.write(`${this.screen.toEnd(this.view())}^C\r\n`);
    this.screen.forget();
    this.shell.sys.kill(this.shell.sys.getpid(), SIGINT);
    this.onSignal();
  }

  private quote(): void {
    const byte = this.nextByte();
    if (byte !== undefined) this.line.insert(character(byte, () => this.nextByte()));
  }

  /** Goes to a line of the history; one that was changed is as it was left. */
  private recall(place: number): void {
    const { entries } = this.history;
    if (place < 0 || place > entries.length || place === this.place) {
      this.write('\x07');
      return;
    }
    this.drafts.set(this.place, this.line.text);
    this.goTo(place);
  }

  private goTo(place: number): void {
    this.place = place;
    this.line.set(this.drafts.get(place) ?? this.history.entries[place] ?? '');
  }

  private search(): void {
    const found = searchHistory({
      entries: this.history.entries,
      from: this.place,
      readKey: () => readKey(() => this.nextByte()),
      show: (prompt, text) => {
        const chars = clusters(text);
        const view = { prompt, chars, cursor: chars.length, columns: this.columns };
        this.write(this.screen.refresh(view));
      },
    });
    if (found.place !== undefined) this.recall(found.place);
    if (found.key !== undefined) this.pending = found.key;
  }

  /** The window has another size: a handler, which runs in the answer of any call. */
  resized(): void {
    this.stale = true;
  }

  private nextByte(): number | undefined {
    const into = new Uint8Array(1);
    for (;;) {
      while (this.stale) this.signalled();
      try {
        return this.shell.sys.read(terminal, into) === 0 ? undefined : into[0];
      } catch (error) {
        if (!(error instanceof PosixError && error.errno === EINTR)) throw error;
        this.signalled();
      }
    }
  }

  /** The window may have another size, or a job's end may have been told on a line of its own. */
  private signalled(): void {
    this.stale = false;
    this.onSignal();
    this.measure();
    this.refresh();
  }

  private measure(): void {
    const { columns } = this.shell.sys.tty.getwinsize(terminal);
    this.columns = columns > 0 ? columns : 80;
  }

  private view(): { prompt: string; chars: readonly string[]; cursor: number; columns: number } {
    const { chars, cursor } = this.line;
    return { prompt: this.prompt, chars, cursor, columns: this.columns };
  }

  private refresh(): void {
    this.write(this.screen.refresh(this.view()));
  }

  private write(text: string): void {
    if (text !== '') this.shell.sys.write(screenOut, encodeText(text));
  }
}
