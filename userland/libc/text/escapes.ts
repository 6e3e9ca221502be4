// Backslash escapes of echo -e, printf and tr (POSIX.1-2024 §5, "File format notation"), over strings
// of which each character is one byte.

import { encodeText } from '../../../kernel/abi/text.ts';
import { toLatin1 } from './latin1.ts';

const letters: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

/**
 * `echo -e` and `xsi`, the echo of POSIX's XSI option, write octal as \0ooo; %b as that or \ooo; a
 * printf format as \ooo. \x and \u are GNU's and not in `xsi`.
 */
export type EscapeStyle = 'echo' | 'xsi' | '%b' | 'format';

export interface Expanded {
  readonly text: string;
  /** A \c was met: nothing more is to be written. */
  readonly stop: boolean;
}

export function expandEscapes(text: string, style: EscapeStyle): Expanded {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? '';
    if (c !== '\\') {
      out += c;
      continue;
    }
    const sequence = readEscape(text, i, style);
    if (sequence.stop) return { text: out, stop: true };
    out += sequence.text;
    i = sequence.end - 1;
  }
  return { text: out, stop: false };
}

interface Escape extends Expanded {
  readonly end: number; // the index behind it
}

/** The escape whose backslash is at `at`. */
export function readEscape(text: string, at: number, style: EscapeStyle): Escape {
  const letter = text[at + 1] ?? '';
  const plain = letters[letter] ?? (letter === '"' && style === 'format' ? '"' : undefined);
  if (plain !== undefined) return { text: plain, end: at + 2, stop: false };
  if (letter === 'c') return { text: '', end: at + 2, stop: true };
  const rest = text.slice(at + 1, at + 11);
  const octal =
    style === 'xsi'
      ? /^0([0-7]{0,3})/.exec(rest)
      : style === 'echo'
        ? /^(?:0([0-7]{0,3})|([1-7][0-7]{0,2}))/.exec(rest)
        : style === '%b'
          ? /^(?:0([0-7]{1,3})|([0-7]{1,3}))/.exec(rest)
          : /^([0-7]{1,3})/.exec(rest);
  if (octal !== null) {
    const value = Number.parseInt(octal[1] || octal[2] || '0', 8) & 0xff;
    return { text: String.fromCharCode(value), end: at + 1 + octal[0].length, stop: false };
  }
  if (style === 'xsi') return { text: '\\', end: at + 1, stop: false };
  const hex = /^x([0-9a-fA-F]{1,2})/.exec(rest);
  if (hex !== null)
    return {
      text: String.fromCharCode(Number.parseInt(hex[1] ?? '', 16)),
      end: at + 1 + hex[0].length,
      stop: false,
    };
  const unicode = style === 'echo' ? null : /^(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(rest);
  if (unicode !== null) {
    const point = Number.parseInt(unicode[1] ?? unicode[2] ?? '', 16);
    if (point <= 0x10ffff)
      return {
        text: toLatin1(encodeText(String.fromCodePoint(point))),
        end: at + 1 + unicode[0].length,
        stop: false,
      };
  }
  return { text: `\\${letter}`, end: at + (letter === '' ? 1 : 2), stop: false };
}
