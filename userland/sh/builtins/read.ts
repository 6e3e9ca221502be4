// read (POSIX.1-2024 XCU read): a line, its fields to variables. It takes no more than its line.

import { decodeText, encodeText } from '../../../kernel/abi/text.ts';
import { raise } from '../errors.ts';
import { Bytes, LineSource } from '../input.ts';
import type { Shell } from '../shell.ts';
import { runTraps } from '../traps.ts';
import type { Io } from './registry.ts';

const NEWLINE = 10;
const BACKSLASH = 92;

export function read(shell: Shell, args: readonly string[], io: Io): number {
  const { raw, delimiter, prompt, names } = parse(args);
  if (prompt !== undefined && typeof io.in === 'number' && shell.sys.isatty(io.in)) {
    shell.write(io.err, prompt);
  }
  if (typeof io.in !== 'number') return raise('standard input is not open');
  shell.input?.sync();
  const line = readLine(shell, io.in, { raw, delimiter });
  assign(shell, names, line);
  return line.ended ? 0 : 1;
}

interface Arguments {
  readonly raw: boolean;
  readonly delimiter: number;
  readonly prompt: string | undefined;
  readonly names: readonly string[];
}

function parse(args: readonly string[]): Arguments {
  let raw = false;
  let delimiter = NEWLINE;
  let prompt: string | undefined;
  let at = 0;
  for (; /^-./.test(args[at] ?? '') && args[at] !== '--'; at++) {
    const arg = args[at] ?? '';
    for (let i = 1; i < arg.length; i++) {
      const letter = arg.charAt(i);
      if (letter === 'r') raw = true;
      else if (letter === 'p' || letter === 'd') {
        const value = arg.slice(i + 1) || (args[++at] ?? raise(`No arg for -${letter} option`));
        if (letter === 'p') prompt = value;
        else delimiter = encodeText(value)[0] ?? 0;
        break;
      } else raise(`Illegal option -${letter}`);
    }
  }
  if (args[at] === '--') at++;
  const names = args.slice(at);
  if (names.length === 0) raise('arg count');
  for (const name of names) {
    if (!/^[A-Za-z_]\w*$/.test(name)) raise(`${name}: bad variable name`);
  }
  return { raw, delimiter, prompt, names };
}

interface Line {
  readonly text: string;
  /** Which code units a backslash quoted. */
  readonly quoted: Uint8Array | undefined;
  /** The delimiter was there; otherwise the input has ended. */
  readonly ended: boolean;
}

function readLine(shell: Shell, fd: number, how: { raw: boolean; delimiter: number }): Line {
  const source = new LineSource(shell.sys, { fd, onSignal: () => interrupt(shell) });
  const { raw, delimiter } = how;
  const bytes = new Bytes();
  let ended = false;
  try {
    for (let more = true; more; ) {
      const taken = source.take(delimiter);
      bytes.push(taken.bytes);
      ended = taken.found;
      more = ended && !raw && isEscaped(taken.bytes);
    }
  } finally {
    source.sync();
  }
  const all = bytes.all();
  const line = ended ? all.subarray(0, -1) : all;
  if (!raw && line.includes(BACKSLASH)) return { ...unescapeLine(line), ended };
  return { text: decodeText(line).replaceAll('\0', ''), quoted: undefined, ended };
}

/** A trapped signal ends the reading. */
function interrupt(shell: Shell): void {
  if (shell.caught.length === 0) return;
  const signal = shell.caught.find((n) => (shell.state.traps.get(n) ?? '') !== '');
  runTraps(shell);
  if (signal !== undefined) raise('', 128 + signal);
}

/** Does an odd number of backslashes stand before the delimiter? */
function isEscaped(bytes: Uint8Array): boolean {
  let count = 0;
  for (let at = bytes.length - 2; at >= 0 && bytes[at] === BACKSLASH; at--) count++;
  return count % 2 === 1;
}

/** Takes the backslashes out; a newline behind one goes, too. */
function unescapeLine(line: Uint8Array): { text: string; quoted: Uint8Array } {
  const quoted = new Uint8Array(line.length);
  let text = '';
  let start = 0;
  for (;;) {
    const at = line.indexOf(BACKSLASH, start);
    const plain = line.subarray(start, at < 0 ? line.length : at);
    text += decodeText(plain).replaceAll('\0', '');
    if (at < 0 || at + 1 >= line.length) return { text, quoted };
    let end = at + 2;
    while (((line[end] ?? 0) & 0xc0) === 0x80 && (line[at + 1] ?? 0) >= 0xc0) end++;
    start = end;
    if (line[at + 1] === NEWLINE) continue;
    const char = decodeText(line.subarray(at + 1, end));
    quoted.fill(1, text.length, text.length + char.length);
    text += char;
  }
}

/** Splits as field splitting does; the last variable takes the rest of the line. */
function assign(shell: Shell, names: readonly string[], { text, quoted }: Line): void {
  const ifs = shell.get('IFS') ?? ' \t\n';
  const isDelimiter = (at: number): boolean =>
    at < text.length && quoted?.[at] !== 1 && ifs.includes(text.charAt(at));
  const isSpace = (at: number): boolean => isDelimiter(at) && ' \t\n'.includes(text.charAt(at));
  let at = 0;
  const spaces = (): void => {
    while (isSpace(at)) at++;
  };
  spaces();
  for (const [i, name] of names.entries()) {
    if (i === names.length - 1) {
      shell.set(
        name,
        text.slice(at, lastEnd({ from: at, length: text.length, isSpace, isDelimiter })),
      );
      return;
    }
    const start = at;
    while (at < text.length && !isDelimiter(at)) at++;
    shell.set(name, text.slice(start, at));
    spaces();
    if (isDelimiter(at) && !isSpace(at)) {
      at++;
      spaces();
    }
  }
}

interface Rest {
  readonly from: number;
  readonly length: number;
  readonly isSpace: (at: number) => boolean;
  readonly isDelimiter: (at: number) => boolean;
}

/** The rest without trailing white space, and without a delimiter that ends its only field. */
function lastEnd({ from, length, isSpace, isDelimiter }: Rest): number {
  let end = length;
  while (end > from && isSpace(end - 1)) end--;
  let first = from;
  while (first < end && !isDelimiter(first)) first++;
  let hard = 0;
  for (let at = first; at < end; at++) {
    if (!isDelimiter(at)) return end;
    if (!isSpace(at)) hard++;
  }
  return hard === 1 ? first : end;
}
