// printf(1) as a function: strings are bytes (latin1.ts). Shared by the program and the shell.

import { decodeText } from '../../../kernel/abi/text.ts';
import { expandEscapes, readEscape } from './escapes.ts';
import {
  type Directive,
  directive,
  directiveFlags,
  formatFloat,
  formatInteger,
  formatString,
} from './format.ts';
import { fromLatin1 } from './latin1.ts';
import { quoted, quotedArgument } from './quote.ts';

export interface Printed {
  readonly text: string;
  /** Messages without the program's name; each makes it fail. */
  readonly mistakes: string[];
  /** A wrong format ended it. */
  readonly fatal: boolean;
  /** The first argument that a format without directives left over. */
  readonly excess: string | undefined;
}

/** What a shell or a program says about a directive or number. */
export interface PrintfWords {
  readonly directive: (text: string) => string;
  readonly numeric: (text: string) => string;
  readonly partly: (text: string) => string;
  readonly range: (text: string) => string;
}

interface State {
  readonly args: readonly string[];
  readonly words: PrintfWords;
  at: number;
  /** Where this pass over the format began, and the highest argument that it named by number. */
  base: number;
  numbered: number;
  out: string;
  stop: boolean;
  fatal: boolean;
  readonly mistakes: string[];
}

export function formatPrintf(format: string, args: readonly string[], words: PrintfWords): Printed {
  const state: State = {
    ...{ args, words, at: 0, base: 0, numbered: 0, out: '', stop: false, fatal: false },
    mistakes: [],
  };
  let excess: string | undefined;
  do {
    const before = state.at;
    state.base = before;
    state.numbered = 0;
    once(format, state);
    // The next pass goes on behind the last argument that was named.
    state.at = Math.max(state.at, Math.min(args.length, before + state.numbered));
    if (state.at === before && !state.stop) {
      excess = args[state.at];
      break;
    }
  } while (!state.stop && state.at < args.length);
  return { text: state.out, mistakes: state.mistakes, fatal: state.fatal, excess };
}

function once(format: string, state: State): void {
  for (let i = 0; i < format.length && !state.stop; ) {
    const c = format[i] ?? '';
    if (c === '\\') {
      const sequence = readEscape(format, i, 'format');
      state.stop = sequence.stop;
      state.out += sequence.text;
      i = sequence.end;
    } else if (c !== '%') {
      const next = /[%\\]/g;
      next.lastIndex = i;
      const end = next.exec(format)?.index ?? format.length;
      state.out += format.slice(i, end);
      i = end;
    } else i = convert(format, i, state);
  }
}

/** One directive; returns the index behind it. */
function convert(format: string, at: number, state: State): number {
  if (format[at + 1] === '%') {
    state.out += '%';
    return at + 2;
  }
  const match =
    /^%(?:(\d+)\$)?([-+ #0']*)(\*(?:\d+\$)?|\d*)(?:\.(\*(?:\d+\$)?|-?\d*))?[hlLjzt]*(.?)/s.exec(
      format.slice(at),
    );
  const [whole = '', number, flags = '', width = '', dot, conversion = ''] = match ?? [];
  if (!'diouxXeEfFgGaAcsbq'.includes(conversion) || conversion === '') {
    state.mistakes.push(state.words.directive(whole));
    state.stop = true;
    state.fatal = true;
    return format.length;
  }
  const wide = width.startsWith('*') ? starred(width, state) : Number(width);
  const precise = dot?.startsWith('*')
    ? starred(dot, state)
    : dot === undefined
      ? undefined
      : Number(dot || 0);
  if (state.fatal) return format.length;
  const shape = directiveFlags(flags);
  const d = directive({
    ...shape,
    minus: shape.minus || wide < 0,
    width: Math.abs(wide),
    precision: precise !== undefined && precise < 0 ? undefined : precise,
    conversion,
  });
  emit(d, number === undefined ? take(state) : named(Number(number), state), state);
  return at + whole.length;
}

/** `*`, or `*2$` (POSIX.1-2024 XCU printf, "Numbered argument conversion"). */
function starred(star: string, state: State): number {
  const arg = star === '*' ? take(state) : named(Number(star.slice(1, -1)), state);
  const value = Number(integer(arg, state, 'd'));
  if (Math.abs(value) <= 0x7fff_ffff) return value;
  state.mistakes.push(`invalid field width: ${quotedArgument(arg ?? '')}`);
  state.stop = true;
  state.fatal = true;
  return 0;
}

function named(number: number, state: State): string | undefined {
  state.numbered = Math.max(state.numbered, number);
  return state.args[state.base + number - 1];
}

const take = (state: State): string | undefined => state.args[state.at++] ?? end(state);

/** Missing arguments do not count as taken. */
function end(state: State): undefined {
  state.at = state.args.length;
  return undefined;
}

function emit(d: Directive, arg: string | undefined, state: State): void {
  switch (d.conversion) {
    case 's':
      state.out += formatString(d, arg ?? '');
      return;
    case 'c':
      state.out += formatString({ ...d, precision: undefined }, (arg || '\0').slice(0, 1));
      return;
    case 'b': {
      const { text, stop } = expandEscapes(arg ?? '', '%b');
      state.out += formatString(d, text);
      state.stop = stop;
      return;
    }
    case 'q':
      if (arg !== undefined) state.out += formatString(d, shellWord(arg));
      return;
    case 'd':
    case 'i':
    case 'o':
    case 'u':
    case 'x':
    case 'X':
      state.out += formatInteger(d, integer(arg, state, d.conversion));
      return;
    default:
      state.out += formatFloat(d, float(arg, state));
  }
}

const shellWord = (text: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : quoted(decodeText(fromLatin1(text)));

/** A C integer constant, or 'c for the number of a character. */
function integer(arg: string | undefined, state: State, conversion: string): bigint {
  if (arg === undefined || arg === '') return 0n;
  const quote = /^\s*["']([\s\S]+)/.exec(arg)?.[1];
  if (quote !== undefined) return BigInt(characterNumber(quote));
  const match = /^\s*([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)/.exec(arg);
  if (match === null) {
    state.mistakes.push(state.words.numeric(arg));
    return 0n;
  }
  const digits = match[2] ?? '0';
  const octal = /^0[0-7]+$/.test(digits);
  const size = BigInt(octal ? `0o${digits.slice(1)}` : digits);
  if (match[0].length < arg.length) state.mistakes.push(state.words.partly(arg));
  const value = match[1] === '-' ? -size : size;
  const signed = conversion === 'd' || conversion === 'i';
  const most = signed ? 0x7fff_ffff_ffff_ffffn : 0xffff_ffff_ffff_ffffn;
  if (value <= most && value >= -0x8000_0000_0000_0000n) return value;
  state.mistakes.push(state.words.range(arg));
  if (value > most) return most;
  return signed ? -0x8000_0000_0000_0000n : most;
}

/** The number of the first character; of the byte, where that is no UTF-8. */
function characterNumber(bytes: string): number {
  const point = decodeText(fromLatin1(bytes.slice(0, 4))).codePointAt(0) ?? 0;
  return point >= 0xdc80 && point <= 0xdcff ? point - 0xdc00 : point;
}

function float(arg: string | undefined, state: State): number {
  if (arg === undefined || arg === '') return 0;
  const quote = /^\s*["']([\s\S]+)/.exec(arg)?.[1];
  if (quote !== undefined) return characterNumber(quote);
  const match =
    /^\s*([-+]?)(0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|inf(?:inity)?|nan)/i.exec(
      arg,
    );
  if (match === null) {
    state.mistakes.push(state.words.numeric(arg));
    return 0;
  }
  if (match[0].length < arg.length) state.mistakes.push(state.words.partly(arg));
  const text = (match[2] ?? '').toLowerCase();
  const size = text.startsWith('inf') ? Number.POSITIVE_INFINITY : Number(text);
  return match[1] === '-' ? -size : size;
}
