// wc: counts lines, words, characters, bytes, the longest line. POSIX.1-2024 wc, with GNU's -L.
// The C locale: a character is a byte.

import { S_IFMT, S_IFREG, SEEK_CUR } from '../../kernel/abi/constants.ts';
import { statIfThere } from '../libc/files/path.ts';
import { restOf } from '../libc/files/seek.ts';
import { program, type Tool } from '../libc/program.ts';
import type { Input } from '../libc/stdio.ts';
import { maybeQuoted } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-clmLw] [FILE]...\nPrint newline, word and byte counts for each FILE.',
    short: 'clmLw',
    long: { bytes: 'c', chars: 'm', lines: 'l', 'max-line-length': 'L', words: 'w' },
  },
  (tool, options) => {
    const all = options.list.length === 0;
    const shown: (keyof Counts)[] = [];
    if (all || options.has('l')) shown.push('lines');
    if (all || options.has('w')) shown.push('words');
    if (options.has('m')) shown.push('chars');
    if (all || options.has('c')) shown.push('bytes');
    if (options.has('L')) shown.push('longest');
    const names = options.operands;
    const full = shown.includes('words') || shown.includes('longest');
    const sizes = !full && !shown.includes('lines');
    const width = columnWidth(names, shown, (name) => {
      const stat = name === '-' ? tool.sys.fstat(0) : statIfThere(tool.sys, name);
      return stat && { regular: (stat.mode & S_IFMT) === S_IFREG, size: stat.size };
    });
    const total: Counts = { lines: 0, words: 0, chars: 0, bytes: 0, longest: 0 };
    const line = (counts: Counts, name: string): void => {
      const numbers = shown.map((key) => String(counts[key]).padStart(width)).join(' ');
      tool.out.text(name === '' ? `${numbers}\n` : `${numbers} ${name}\n`);
    };
    tool.eachInput(names, (input, name) => {
      const counts: Counts = { lines: 0, words: 0, chars: 0, bytes: 0, longest: 0 };
      tool.attempt(maybeQuoted(name), () => {
        if (sizes) stepOver(tool, input, counts);
        (full ? countAll : countLines)(input, counts);
      });
      counts.chars = counts.bytes;
      line(counts, names.length === 0 ? '' : name.includes('\n') ? maybeQuoted(name) : name);
      for (const key of ['lines', 'words', 'chars', 'bytes'] as const) total[key] += counts[key];
      total.longest = Math.max(total.longest, counts.longest);
    });
    if (names.length > 1) line(total, 'total');
  },
);

interface Counts {
  lines: number;
  words: number;
  chars: number;
  bytes: number;
  longest: number;
}

/** Wide enough for the sum of the sizes; seven where a size is not known before. */
function columnWidth(
  names: readonly string[],
  shown: readonly string[],
  look: (name: string) => { regular: boolean; size: number } | undefined,
): number {
  const files = names.length === 0 ? ['-'] : names;
  if (files.length === 1 && shown.length === 1) return 1;
  let sum = 0;
  let least = 1;
  for (const name of files) {
    const file = look(name);
    if (file === undefined) continue;
    if (file.regular) sum += file.size;
    else least = 7;
  }
  return Math.max(least, String(sum).length);
}

/** Bytes alone need no reading where the size tells them. */
function stepOver({ sys }: Tool, { fd }: Input, counts: Counts): void {
  const rest = restOf(sys, fd);
  if (rest === undefined) return;
  sys.lseek(fd, rest.length, SEEK_CUR);
  counts.bytes += rest.length;
}

function countLines(input: Input, counts: Counts): void {
  for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk()) {
    counts.bytes += chunk.length;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) counts.lines++;
  }
}

function countAll(input: Input, counts: Counts): void {
  let inWord = false;
  let column = 0;
  for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk()) {
    counts.bytes += chunk.length;
    for (const c of chunk) {
      if (c > 32 && c < 127) {
        if (!inWord) counts.words++;
        inWord = true;
        column++;
      } else if (c === 32 || (c >= 9 && c <= 13)) {
        inWord = false;
        if (c === 10) counts.lines++;
        if (c === 10 || c === 13 || c === 12) {
          counts.longest = Math.max(counts.longest, column);
          column = 0;
        } else if (c === 9) column += 8 - (column % 8);
        else if (c === 32) column++;
      } // the rest is neither printable nor a space: it neither begins nor ends a word
    }
  }
  counts.longest = Math.max(counts.longest, column);
}
