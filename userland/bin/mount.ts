// mount: attaches a file system to the tree (-t TYPE, -o OPTIONS, -r), or lists what is mounted.

import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { readMounts } from '../libc/files/mounts.ts';
import { program } from '../libc/program.ts';

export const main = program(
  {
    usage: '[-t TYPE] [-o OPTIONS] [-rw] SOURCE DIRECTORY\n  or: mount [-t TYPE]',
    short: 't:o:rwv',
    long: {
      'types=': 't',
      'options=': 'o',
      'read-only': 'r',
      'read-write': 'w',
      bind: 'bind',
      verbose: 'v',
    },
  },
  (tool, options) => {
    const type = options.value('t');
    const [source, target, extra] = options.operands;
    if (source === undefined) {
      for (const mount of readMounts(tool.sys)) {
        if (type !== undefined && !type.split(',').includes(mount.type)) continue;
        tool.out.text(`${mount.source} on ${mount.target} type ${mount.type} (${mount.options})\n`);
      }
      return;
    }
    if (target === undefined || extra !== undefined) tool.misuse('bad usage');
    const flags = [...options.values('o')];
    if (options.last('r', 'w') === 'r') flags.push('ro');
    if (options.has('bind')) flags.push('bind');
    try {
      tool.sys.mount({
        source,
        target: target ?? '',
        type: type ?? 'auto',
        options: flags.join(','),
      });
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      tool.die(`${target}: ${reason(error)}`, 32);
    }
  },
);

/** The kernel's own words when it has some: they name the feature or the superblock at fault. */
const reason = (error: PosixError): string =>
  error.message === strerror(error.errno) || error.message === ''
    ? `${strerror(error.errno)}.`
    : `${error.message}: ${strerror(error.errno)}.`;
