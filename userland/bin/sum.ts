// sum: checksum and size in blocks, as BSD's (-r) or System V's (-s) did it.

import { printSums } from '../libc/hash/checksum.ts';
import { program } from '../libc/program.ts';

export const main = program(
  {
    usage: `[-rs] [FILE]...\nPrint checksum and block counts for each FILE.
  -r          BSD's sum, blocks of 1 KiB (the default)
  -s, --sysv  System V's sum, blocks of 512 bytes`,
    short: 'rs',
    long: { sysv: 's' },
  },
  (tool, options) =>
    printSums(tool, options.operands, options.last('r', 's') === 's' ? 'sysv' : 'bsd'),
);
