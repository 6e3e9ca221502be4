// echo (POSIX.1-2024 XCU echo, with the XSI escapes) and printf (XCU printf), on the engines of
// libc/text. Those work on bytes, one a character.

import { encodeText } from '../../../kernel/abi/text.ts';
import { expandEscapes } from '../../libc/text/escapes.ts';
import { fromLatin1, toLatin1 } from '../../libc/text/latin1.ts';
import { formatPrintf, type PrintfWords } from '../../libc/text/printf.ts';
import { raise } from '../errors.ts';
import type { Shell } from '../shell.ts';
import type { Io } from './registry.ts';

export function echo(shell: Shell, args: readonly string[], io: Io): number {
  const newline = args[0] !== '-n';
  const words = (newline ? args : args.slice(1)).join(' ');
  if (!words.includes('\\')) {
    shell.write(io.out, newline ? `${words}\n` : words);
    return 0;
  }
  const { text, stop } = expandEscapes(bytesOf(words), 'xsi');
  writeBytes(shell, io, newline && !stop ? `${text}\n` : text);
  return 0;
}

export function printf(shell: Shell, args: readonly string[], io: Io): number {
  const [format, ...values] = (args[0] === '--' ? args.slice(1) : args).map(bytesOf);
  if (format === undefined) return raise('usage: printf format [arg ...]');
  const { text, mistakes, fatal } = formatPrintf(format, values, words);
  writeBytes(shell, io, text);
  for (const mistake of mistakes) shell.complain(`printf: ${mistake}`);
  return fatal ? 2 : mistakes.length > 0 ? 1 : 0;
}

const words: PrintfWords = {
  directive: (text) => `${text}: invalid directive`,
  numeric: (text) => `${text}: expected numeric value`,
  partly: (text) => `${text}: not completely converted`,
  range: (text) => `${text}: Numerical result out of range`,
};

/** One character at a time: a text may be of many megabytes. */
const beyondAscii = /[^\0-\x7f]/;

const bytesOf = (text: string): string =>
  beyondAscii.test(text) ? toLatin1(encodeText(text)) : text;

function writeBytes(shell: Shell, io: Io, bytes: string): void {
  if (beyondAscii.test(bytes)) shell.writeBytes(io.out, fromLatin1(bytes));
  else shell.write(io.out, bytes);
}
