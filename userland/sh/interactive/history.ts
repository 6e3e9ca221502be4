// The commands that were typed (POSIX.1-2024 XCU sh, Command History List): HISTSIZE of them, kept in
// HISTFILE or ~/.sh_history, to which each is added at once. A newline inside a command follows a
// backslash in the file.

import {
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
  SEEK_END,
  SEEK_SET,
} from '../../../kernel/abi/constants.ts';
import { PosixError } from '../../../kernel/abi/errno.ts';
import { encodeText } from '../../../kernel/abi/text.ts';
import { readFile } from '../input.ts';
import type { Shell } from '../shell.ts';

const usualSize = 500;
const mostSize = 100_000;
/** What is further from the end of the file is not read. */
const mostBytes = 4 * 1024 * 1024;

export class History {
  /** Oldest first; the first one's number is `first`. */
  entries: string[] = [];
  first = 1;
  private readonly shell: Shell;

  constructor(shell: Shell) {
    this.shell = shell;
  }

  /** Reads the file; writes it anew when it holds far more than it should. */
  load(): void {
    const all = this.quietly(() => readEntries(this.shell, this.path())) ?? [];
    const size = this.size();
    this.entries = all.slice(-size);
    if (all.length > 2 * size) this.write(this.entries, O_TRUNC);
  }

  /** Adds a command, unless it is empty or the same as the one before. */
  add(command: string): void {
    const text = command.trimEnd();
    if (text.trim() === '' || text === this.entries.at(-1)) return;
    this.entries.push(text);
    while (this.entries.length > this.size()) {
      this.entries.shift();
      this.first++;
    }
    this.write([text], O_APPEND);
  }

  /** The number that the next command will have. */
  get next(): number {
    return this.first + this.entries.length;
  }

  private size(): number {
    const size = Number(this.shell.get('HISTSIZE') ?? usualSize);
    return Number.isInteger(size) && size >= 0 ? Math.min(size, mostSize) : usualSize;
  }

  private path(): string {
    return this.shell.get('HISTFILE') ?? `${this.shell.get('HOME') ?? ''}/.sh_history`;
  }

  private write(entries: readonly string[], how: number): void {
    if (this.path() === '') return;
    this.quietly(() => {
      const { sys } = this.shell;
      const fd = sys.open(this.path(), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0o600);
      try {
        sys.write(fd, encodeText(entries.map(encodeEntry).join('')));
      } finally {
        sys.close(fd);
      }
    });
  }

  /** Without its file a history is as good as before, only shorter-lived. */
  private quietly<T>(call: () => T): T | undefined {
    try {
      return call();
    } catch (error) {
      if (error instanceof PosixError) return undefined;
      throw error;
    }
  }
}

const encodeEntry = (entry: string): string =>
  `${entry.replaceAll('\n', '\\\n').replace(/\\$/, '\\ ')}\n`;

function readEntries(shell: Shell, path: string): string[] {
  const { sys } = shell;
  const fd = sys.open(path, O_RDONLY | O_CLOEXEC);
  const size = sys.lseek(fd, 0, SEEK_END);
  sys.lseek(fd, Math.max(0, size - mostBytes), SEEK_SET);
  const entries: string[] = [];
  let entry = '';
  for (const line of readFile(sys, fd).split('\n')) {
    if (line.endsWith('\\')) entry += `${line.slice(0, -1)}\n`;
    else if (entry + line !== '') {
      entries.push(entry + line);
      entry = '';
    }
  }
  return entries;
}
