// echo (POSIX.1-2024 XCU, with the XSI escapes, as dash has it) and the escapes it shares.

import type { Shell } from '../shell.ts';
import type { Io } from './registry.ts';

export function echo(shell: Shell, args: readonly string[], io: Io): number {
  const newline = args[0] !== '-n';
  const words = (newline ? args : args.slice(1)).join(' ');
  const { text, stop } = words.includes('\\')
    ? unescapeText(words, 'echo')
    : { text: words, stop: false };
  shell.write(io.out, newline && !stop ? `${text}\n` : text);
  return 0;
}

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

/** One byte as text: kernel/abi/text.ts turns the escape back into the byte. */
export const byteText = (n: number): string =>
  String.fromCharCode((n & 0xff) < 0x80 ? n & 0xff : 0xdc00 + (n & 0xff));

/**
 * Escapes of echo and `%b` (`\0ddd`), or of a printf format (`\ddd`). `stop` tells that `\c` ended
 * the output.
 */
export function unescapeText(
  text: string,
  kind: 'echo' | 'format',
): { text: string; stop: boolean } {
  let out = '';
  const octal = kind === 'echo' ? /0([0-7]{0,3})/y : /([0-7]{1,3})/y;
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char !== '\\') {
      out += char;
      continue;
    }
    const next = text.charAt(i + 1);
    if (next === 'c' && kind === 'echo') return { text: out, stop: true };
    octal.lastIndex = i + 1;
    const digits = octal.exec(text);
    if (digits !== null) {
      out += byteText(Number.parseInt(digits[1] === '' ? '0' : (digits[1] ?? '0'), 8));
      i += digits[0].length;
    } else if (letters[next] !== undefined) {
      out += letters[next];
      i++;
    } else if (kind === 'format' && (next === '"' || next === "'")) {
      out += next;
      i++;
    } else out += '\\';
  }
  return { text: out, stop: false };
}
