// truncate: sets the size of files: -s N, +N, -N, <N, >N, /N, %N; -c, -o, -r. GNU coreutils §13.5.

import { O_CREAT, O_NONBLOCK, O_WRONLY } from '../../kernel/abi/constants.ts';
import { ENOENT, PosixError, strerror } from '../../kernel/abi/errno.ts';
import { program } from '../libc/program.ts';
import { parseSize } from '../libc/text/numbers.ts';
import { quoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-co] {-s SIZE | -r FILE} FILE...',
    short: 'cor:s:',
    long: { 'no-create': 'c', 'io-blocks': 'o', 'reference=': 'r', 'size=': 's' },
  },
  (tool, options) => {
    const { sys } = tool;
    const text = options.value('s');
    const reference = options.value('r');
    if (text === undefined && reference === undefined)
      tool.misuse("you must specify either '--size' or '--reference'");
    const relation = /^\s*([-+<>/%]?)\s*(.*)$/.exec(text ?? '+0');
    const sign = relation?.[1] ?? '';
    if (reference !== undefined && sign === '')
      tool.misuse("you must specify a relative '--size' with '--reference'");
    if (options.has('o') && text === undefined)
      tool.misuse("'--io-blocks' was specified but '--size' was not");
    if (options.operands.length === 0) tool.misuse('missing file operand');
    const base = reference === undefined ? undefined : sys.stat(reference).size;
    const count =
      parseSize(relation?.[2] ?? '') ??
      tool.die(`Invalid number: ${quotedArgument(relation?.[2] ?? '')}`);
    if (/[/%]/.test(sign) && count === 0) tool.die('division by zero');
    for (const path of options.operands) {
      try {
        const fd = sys.open(path, O_WRONLY | O_NONBLOCK | (options.has('c') ? 0 : O_CREAT), 0o666);
        const stat = sys.fstat(fd);
        const unit = options.has('o') ? stat.blksize : 1;
        sys.ftruncate(fd, sizeFrom(base ?? stat.size, sign, count * unit));
        sys.close(fd);
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        if (options.has('c') && error.errno === ENOENT) continue;
        tool.warn(`cannot open ${quoted(path)} for writing: ${strerror(error.errno)}`);
      }
    }
  },
);

function sizeFrom(old: number, sign: string, count: number): number {
  switch (sign) {
    case '+':
      return old + count;
    case '-':
      return Math.max(0, old - count);
    case '<':
      return Math.min(old, count);
    case '>':
      return Math.max(old, count);
    case '/':
      return Math.floor(old / count) * count;
    case '%':
      return Math.ceil(old / count) * count;
    default:
      return count;
  }
}
