// truncate: sets the size of files: -s N, +N, -N, <N, >N, /N, %N; -c, -r. GNU coreutils §13.5.

import { O_CREAT, O_NONBLOCK, O_WRONLY } from '../../kernel/abi/constants.ts';
import { ENOENT, PosixError, strerror } from '../../kernel/abi/errno.ts';
import { program } from '../libc/program.ts';
import { parseSize } from '../libc/text/numbers.ts';
import { quoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-c] {-s SIZE | -r FILE} FILE...',
    short: 'cor:s:',
    long: { 'no-create': 'c', 'reference=': 'r', 'size=': 's' },
  },
  (tool, options) => {
    const { sys } = tool;
    const text = options.value('s');
    const reference = options.value('r');
    if (text === undefined && reference === undefined)
      tool.misuse("you must specify either '--size' or '--reference'");
    if (options.operands.length === 0) tool.misuse('missing file operand');
    const base = reference === undefined ? undefined : sys.stat(reference).size;
    const relation = /^\s*([-+<>/%]?)\s*(.*)$/.exec(text ?? '+0');
    const count =
      parseSize(relation?.[2] ?? '') ??
      tool.die(`Invalid number: ${quotedArgument(relation?.[2] ?? '')}`);
    const sign = relation?.[1] ?? '';
    if (/[/%]/.test(sign) && count === 0) tool.die('division by zero');
    for (const path of options.operands) {
      try {
        const fd = sys.open(path, O_WRONLY | O_NONBLOCK | (options.has('c') ? 0 : O_CREAT), 0o666);
        const old = base ?? sys.fstat(fd).size;
        sys.ftruncate(fd, sizeFrom(old, sign, count));
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
