// umount: takes file systems from the tree, by directory or by source.

import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { readMounts } from '../libc/files/mounts.ts';
import { isDirectory, lstatIfThere } from '../libc/files/path.ts';
import { program } from '../libc/program.ts';

export const main = program(
  {
    usage: '[-v] DIRECTORY|SOURCE...',
    short: 'vfl',
    long: { verbose: 'v', force: 'f', lazy: 'l' },
  },
  (tool, options) => {
    const { sys } = tool;
    if (options.operands.length === 0) tool.misuse('bad usage');
    for (const name of options.operands) {
      try {
        const stat = lstatIfThere(sys, name);
        const bySource =
          stat === undefined || !isDirectory(stat)
            ? readMounts(sys).findLast((mount) => mount.source === name)
            : undefined;
        sys.umount(bySource?.target ?? name);
        if (options.has('v')) tool.out.text(`umount: ${name} unmounted\n`);
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        const words: Partial<Record<number, string>> = {
          2: 'no mount point specified.',
          16: 'target is busy.',
          22: 'not mounted.',
        };
        tool.warn(`${name}: ${words[error.errno] ?? `${strerror(error.errno)}.`}`, 32);
      }
    }
  },
);
