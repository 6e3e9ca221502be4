// Bytes of a line as cells of a terminal: UTF-8, tabs, overstriking (nroff's X^HX and _^HX), control
// characters and bytes that are no text as something that can be shown and does nothing to a terminal.

import { decodeText } from '../../../kernel/abi/text.ts';
import { charWidth } from '../tty/width.ts';

export interface Cell {
  /** Where its bytes begin and end. */
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly width: number;
  /** SGR parameters, '' = as the text around it. */
  readonly style: string;
}

export interface CellOptions {
  readonly tab: number;
  /** SGR sequences (ECMA-48 §8.3.117) of the text reach the terminal. */
  readonly raw: boolean;
}

const BACKSPACE = 8;
const TAB = 9;
const NEWLINE = 10;
const ESC = 27;
const REVERSE = '7';
/** An SGR sequence is no longer. */
const SGR_MOST = 64;
/** Characters that change how others are shown, or show nothing. */
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}]/u;
const JOINERS = /[\u200c\u200d]/;

/** The cell at `at`, where `column` is its place in the line; undefined at the end of the line. */
export function cellAt(
  bytes: Uint8Array,
  at: number,
  options: CellOptions & { readonly column: number },
): Cell | undefined {
  const byte = bytes[at];
  if (byte === undefined || byte === NEWLINE) return undefined;
  if (byte === TAB) {
    const width = options.tab - (options.column % options.tab);
    return { from: at, to: at + 1, text: ' '.repeat(width), width, style: '' };
  }
  if (byte === ESC && options.raw) {
    const sequence = sgrAt(bytes, at);
    if (sequence !== '') {
      return { from: at, to: at + sequence.length, text: sequence, width: 0, style: '' };
    }
  }
  const char = charAt(bytes, at);
  return overstruck(bytes, at, char) ?? plainCell(at, char);
}

/** `ESC [ … m`, or nothing. */
export function sgrAt(bytes: Uint8Array, at: number): string {
  if (bytes[at] !== ESC || bytes[at + 1] !== 0x5b) return '';
  for (let i = at + 2; i < Math.min(bytes.length, at + SGR_MOST); i++) {
    const c = bytes[i] ?? 0;
    if (c === 0x6d) return String.fromCharCode(...bytes.subarray(at, i + 1));
    if (!((c >= 0x30 && c <= 0x39) || c === 0x3b || c === 0x3a)) return '';
  }
  return '';
}

/** One character, or one byte that is none (a lone surrogate), with how many bytes it has. */
function charAt(bytes: Uint8Array, at: number): { text: string; length: number } {
  const byte = bytes[at] ?? 0;
  if (byte < 0x80) return { text: String.fromCharCode(byte), length: 1 };
  const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1;
  const text = decodeText(bytes.subarray(at, at + length));
  const code = text.charCodeAt(0);
  if (code >= 0xdc80 && code <= 0xdcff) return { text: text.slice(0, 1), length: 1 };
  return { text, length };
}

/** X^HX is bold, _^HX and X^H_ underlined; X^HY is Y. */
function overstruck(
  bytes: Uint8Array,
  at: number,
  first: { text: string; length: number },
): Cell | undefined {
  let over = first;
  let next = at + first.length;
  let style = '';
  while (bytes[next] === BACKSPACE && (bytes[next + 1] ?? 0) >= 0x20 && over.text >= ' ') {
    const under = over;
    over = charAt(bytes, next + 1);
    next += 1 + over.length;
    if (over.text === under.text) style = over.text === '_' && style === '' ? '4' : '1';
    else if (under.text === '_') style = '4';
    else if (over.text === '_') {
      style = '4';
      over = under;
    }
  }
  if (next === at + first.length) return undefined;
  return { ...plainCell(at, over), to: next, style };
}

function plainCell(at: number, { text, length }: { text: string; length: number }): Cell {
  const to = at + length;
  const code = text.codePointAt(0) ?? 0;
  if (code >= 0x20 && code < 0x7f) return { from: at, to, text, width: 1, style: '' };
  const shown = substitute(text, code);
  if (shown !== undefined)
    return { from: at, to, text: shown, width: shown.length, style: REVERSE };
  return { from: at, to, text, width: charWidth(text), style: '' };
}

function substitute(text: string, code: number): string | undefined {
  if (code === ESC) return 'ESC';
  if (code < 0x20 || code === 0x7f) return `^${String.fromCharCode(code ^ 0x40)}`;
  if (code >= 0xdc80 && code <= 0xdcff) return `<${hex(code - 0xdc00, 2)}>`;
  return invisible.test(text) && !JOINERS.test(text) ? `<U+${hex(code, 4)}>` : undefined;
}

const hex = (value: number, digits: number): string =>
  value.toString(16).toUpperCase().padStart(digits, '0');

/** Whether these bytes do not look as text: a person is asked before they are shown. */
export function looksBinary(bytes: Uint8Array): boolean {
  let odd = 0;
  for (let at = 0; at < bytes.length; ) {
    const { text, length } = charAt(bytes, at);
    const code = text.charCodeAt(0);
    const isOdd = code < 0x20 ? !isLayout(code) : code === 0x7f || (code & 0xff80) === 0xdc80;
    if (isOdd && at + 4 <= bytes.length) odd++;
    at += length;
  }
  return odd > 5;
}

const isLayout = (code: number): boolean => (code >= 8 && code <= 13) || code === ESC;
