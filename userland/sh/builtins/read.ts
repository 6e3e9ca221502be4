// read (POSIX.1-2024 XCU read). It must not take more than its line: what cannot be put back is read
// a byte at a time.

import { SEEK_CUR } from '../../../kernel/abi/constants.ts';
import { EINTR, PosixError } from '../../../kernel/abi/errno.ts';
import { decodeText } from '../../../kernel/abi/text.ts';
import { raise } from '../errors.ts';
import type { Shell } from '../shell.ts';
import { runTraps } from '../traps.ts';
import type { Io } from './registry.ts';

const NEWLINE = 10;
const BACKSLASH = 92;

export function read(shell: Shell, args: readonly string[], io: Io): number {
  let raw = false;
  let delimiter = NEWLINE;
  let at = 0;
  for (; /^-[rpd]/.test(args[at] ?? ''); at++) {
    const arg = args[at] ?? '';
    if (/^-r*p/.test(arg)) {
      if (shell.sys.isatty(0))
        shell.write(io.err, arg.replace(/^-r*p/, '') || (args[at + 1] ?? ''));
      if (/^-r*p$/.test(arg)) at++;
    } else if (/^-r*d/.test(arg)) {
      const text = arg.replace(/^-r*d/, '') || (args[++at] ?? '');
      delimiter = text === '' ? 0 : text.charCodeAt(0);
    }
    if (arg.startsWith('-r')) raw = true;
  }
  if (args[at] === '--') at++;
  const names = args.slice(at);
  if (names.length === 0) raise('arg count');
  for (const name of names) {
    if (!/^[A-Za-z_]\w*$/.test(name)) raise(`${name}: bad variable name`);
  }
  if (typeof io.in !== 'number') return raise('standard input is not open');
  const line = readLine(shell, io.in, { raw, delimiter });
  assign(shell, names, line.chars);
  return line.ended ? 0 : 1;
}

/** A character, and whether a backslash quoted it. */
interface Char {
  readonly text: string;
  readonly quoted: boolean;
}

interface Line {
  readonly chars: readonly Char[];
  /** The delimiter was there; otherwise the input has ended. */
  readonly ended: boolean;
}

function readLine(shell: Shell, fd: number, how: { raw: boolean; delimiter: number }): Line {
  const source = new LineSource(shell, fd);
  const bytes: number[] = [];
  const quotedAt = new Set<number>();
  let ended = false;
  for (;;) {
    const byte = source.next();
    if (byte === undefined) break;
    if (byte === BACKSLASH && !how.raw) {
      const after = source.next();
      if (after === undefined) break;
      if (after === NEWLINE) continue;
      quotedAt.add(bytes.length);
      bytes.push(after);
    } else if (byte === how.delimiter) {
      ended = true;
      break;
    } else if (byte !== 0) bytes.push(byte);
  }
  source.finish();
  return { chars: characters(bytes, quotedAt), ended };
}

function characters(bytes: readonly number[], quotedAt: ReadonlySet<number>): Char[] {
  const chars: Char[] = [];
  const whole = Uint8Array.from(bytes);
  if (quotedAt.size === 0) return [...decodeText(whole)].map((text) => ({ text, quoted: false }));
  let start = 0;
  const plain = (end: number): void => {
    const text = decodeText(whole.subarray(start, end));
    for (const char of text) chars.push({ text: char, quoted: false });
  };
  for (const at of quotedAt) {
    plain(at);
    let end = at + 1;
    while (((whole[end] ?? 0) & 0xc0) === 0x80) end++;
    for (const char of decodeText(whole.subarray(at, end)))
      chars.push({ text: char, quoted: true });
    start = end;
  }
  plain(whole.length);
  return chars;
}

/** Bytes of a descriptor; from a file it reads blocks and seeks back in the end. */
class LineSource {
  private readonly shell: Shell;
  private readonly fd: number;
  private readonly buffer: Uint8Array;
  private readonly seekable: boolean;
  private count = 0;
  private at = 0;

  constructor(shell: Shell, fd: number) {
    this.shell = shell;
    this.fd = fd;
    this.seekable = canSeek(shell, fd);
    this.buffer = new Uint8Array(this.seekable ? 1024 : 1);
  }

  next(): number | undefined {
    if (this.at >= this.count) {
      this.count = this.fill();
      this.at = 0;
      if (this.count === 0) return undefined;
    }
    return this.buffer[this.at++];
  }

  private fill(): number {
    for (;;) {
      try {
        return this.shell.sys.read(this.fd, this.buffer);
      } catch (error) {
        if (!(error instanceof PosixError && error.errno === EINTR)) throw error;
        const { caught, state } = this.shell;
        const signal = caught.find((n) => (state.traps.get(n) ?? '') !== '');
        runTraps(this.shell);
        if (signal !== undefined) raise('', 128 + signal);
      }
    }
  }

  finish(): void {
    const ahead = this.count - this.at;
    if (this.seekable && ahead > 0) this.shell.sys.lseek(this.fd, -ahead, SEEK_CUR);
  }
}

function canSeek(shell: Shell, fd: number): boolean {
  try {
    shell.sys.lseek(fd, 0, SEEK_CUR);
    return true;
  } catch (error) {
    if (error instanceof PosixError) return false;
    throw error;
  }
}

/** Splits as field splitting does; the last variable takes the rest of the line. */
function assign(shell: Shell, names: readonly string[], chars: readonly Char[]): void {
  const ifs = shell.get('IFS') ?? ' \t\n';
  const isSpace = (c: Char | undefined): boolean =>
    c !== undefined && !c.quoted && ' \t\n'.includes(c.text) && ifs.includes(c.text);
  const isDelimiter = (c: Char | undefined): boolean =>
    c !== undefined && !c.quoted && ifs.includes(c.text);
  let at = 0;
  const spaces = (): void => {
    while (isSpace(chars[at])) at++;
  };
  spaces();
  for (const [i, name] of names.entries()) {
    if (i === names.length - 1) {
      shell.set(name, rest(chars.slice(at), isSpace, isDelimiter));
      return;
    }
    let value = '';
    while (at < chars.length && !isDelimiter(chars[at])) value += chars[at++]?.text ?? '';
    spaces();
    if (isDelimiter(chars[at]) && !isSpace(chars[at])) {
      at++;
      spaces();
    }
    shell.set(name, value);
  }
}

type CharTest = (c: Char | undefined) => boolean;

/** The rest without trailing white space, and without a delimiter that ends its only field. */
function rest(chars: readonly Char[], isSpace: CharTest, isDelimiter: CharTest): string {
  let end = chars.length;
  while (end > 0 && isSpace(chars[end - 1])) end--;
  const first = chars.findIndex((c) => isDelimiter(c));
  if (first === end - 1 && first >= 0 && !isSpace(chars[first])) {
    end = first;
    while (end > 0 && isSpace(chars[end - 1])) end--;
  } else if (first >= 0 && first < end) {
    const after = chars.slice(first, end);
    if (after.every((c) => isDelimiter(c)) && after.filter((c) => !isSpace(c)).length === 1) {
      end = first;
    }
  }
  return chars
    .slice(0, end)
    .map((c) => c.text)
    .join('');
}
