// wc: counts lines, words, characters, bytes, the longest line. POSIX.1-2024 wc, with GNU's -L.
// The C locale: a character is a byte.

import { O_RDONLY, S_IFMT, S_IFREG, SEEK_CUR } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { decodeText } from '../../kernel/abi/text.ts';
import { statIfThere } from '../libc/files/path.ts';
import { restOf } from '../libc/files/seek.ts';
import { program, type Tool } from '../libc/program.ts';
import { Input } from '../libc/stdio.ts';
import { maybeQuoted, quoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: `[-clmLw] [FILE]...
  or: wc [-clmLw] --files0-from=F
Print newline, word and byte counts for each FILE.
  --files0-from=F  of the files that F names, a NUL behind each; - is standard input`,
    short: 'clmLw',
    long: {
      bytes: 'c',
      chars: 'm',
      lines: 'l',
      'max-line-length': 'L',
      words: 'w',
      'files0-from=': 'from',
    },
  },
  (tool, options) => {
    const all = !options.has('l', 'w', 'm', 'c', 'L');
    const shown: (keyof Counts)[] = [];
    if (all || options.has('l')) shown.push('lines');
    if (all || options.has('w')) shown.push('words');
    if (options.has('m')) shown.push('chars');
    if (all || options.has('c')) shown.push('bytes');
    if (options.has('L')) shown.push('longest');
    const list = options.value('from');
    if (list !== undefined && options.operands.length > 0)
      tool.misuse(
        `extra operand ${quotedArgument(options.operands[0] ?? '')}\nfile operands cannot be combined with --files0-from`,
      );
    const full = shown.includes('words') || shown.includes('longest');
    const sizes = !full && !shown.includes('lines');
    const known = list === undefined ? options.operands : knownNames(tool, list);
    const width =
      known === undefined || (known.length === 0 && list !== undefined)
        ? 1
        : columnWidth(known, shown, (name) => {
            if (name === '-' && list === '-') return undefined; // refused below
            const stat = name === '-' ? tool.sys.fstat(0) : statIfThere(tool.sys, name);
            return stat && { regular: (stat.mode & S_IFMT) === S_IFREG, size: stat.size };
          });
    const total: Counts = { lines: 0, words: 0, chars: 0, bytes: 0, longest: 0 };
    const line = (counts: Counts, name: string): void => {
      const numbers = shown.map((key) => String(counts[key]).padStart(width)).join(' ');
      tool.out.text(name === '' ? `${numbers}\n` : `${numbers} ${name}\n`);
    };
    const isAlone = list === undefined && options.operands.length === 0;
    let files = 0;
    for (const named of list === undefined ? [options.operands] : namesOf(tool, list)) {
      files += Math.max(1, named.length);
      if (list !== undefined && named.length === 0) continue;
      tool.eachInput(named, (input, name) => {
        const counts: Counts = { lines: 0, words: 0, chars: 0, bytes: 0, longest: 0 };
        tool.attempt(maybeQuoted(name), () => {
          if (sizes) stepOver(tool, input, counts);
          (full ? countAll : countLines)(input, counts);
        });
        counts.chars = counts.bytes;
        line(counts, isAlone ? '' : name.includes('\n') ? maybeQuoted(name) : name);
        for (const key of ['lines', 'words', 'chars', 'bytes'] as const) total[key] += counts[key];
        total.longest = Math.max(total.longest, counts.longest);
      });
    }
    if (files > 1) line(total, 'total');
  },
);

/** A list that is known to be larger is not read before its files are. */
const MOST_LIST = 10 * 1024 * 1024;

/** The names in a list that is a file, read ahead of the counting; undefined when it is a stream. */
function knownNames(tool: Tool, list: string): string[] | undefined {
  const fd = list === '-' ? 0 : openList(tool, list);
  try {
    const { mode, size } = tool.sys.fstat(fd);
    if ((mode & S_IFMT) !== S_IFREG || size > MOST_LIST) return undefined;
    const bytes = new Uint8Array(size);
    const count = tool.sys.pread(fd, bytes, 0);
    return decodeText(bytes.subarray(0, count))
      .replace(/\0$/, '')
      .split('\0')
      .filter((name, i) => name !== '' || i > 0);
  } finally {
    if (fd !== 0) tool.sys.close(fd);
  }
}

/** The names in a list, one by one, each with a NUL behind it. */
function* namesOf(tool: Tool, list: string): Generator<string[]> {
  const fd = list === '-' ? 0 : openList(tool, list);
  const input = new Input(tool.sys, fd);
  let number = 0;
  for (let bytes = input.line(0); bytes !== undefined; bytes = input.line(0)) {
    number++;
    const name = decodeText(bytes);
    if (name === '') tool.warn(`${maybeQuoted(list)}:${number}: invalid zero-length file name`);
    else if (name === '-' && list === '-')
      tool.warn("when reading file names from stdin, no file name of '-' allowed");
    yield name === '' || (name === '-' && list === '-') ? [] : [name];
  }
  if (fd !== 0) tool.sys.close(fd);
}

function openList(tool: Tool, list: string): number {
  try {
    return tool.sys.open(list, O_RDONLY);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`cannot open ${quoted(list)} for reading: ${strerror(error.errno)}`);
  }
}

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
