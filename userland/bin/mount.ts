// mount: attaches a file system to the tree (-t TYPE, -o OPTIONS, -r), or lists what is mounted.

import { EBUSY, ENODEV, ENOENT, PosixError, strerror } from '../../kernel/abi/errno.ts';
import { readMounts } from '../libc/files/mounts.ts';
import { isDirectory, statIfThere } from '../libc/files/path.ts';
import { program, type Tool } from '../libc/program.ts';

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
      return 0;
    }
    if (extra !== undefined) return tool.misuse('bad usage');
    if (target === undefined) return tool.die(`${source}: a source and a directory are needed.`);
    const flags = [...options.values('o')];
    if (options.last('r', 'w') === 'r') flags.push('ro');
    if (options.has('bind')) flags.push('bind');
    try {
      tool.sys.mount({
        source,
        target,
        type: type ?? 'auto',
        options: flags.join(','),
      });
      return 0;
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      return tool.die(`${target}: ${reason(tool, error, { source, target, type })}`, 32);
    }
  },
);

interface Request {
  readonly source: string;
  readonly target: string;
  readonly type: string | undefined;
}

/** What mount(2)'s errno means here; the kernel log tells what a file system has against its disk. */
function reason(tool: Tool, error: PosixError, { source, target, type }: Request): string {
  const place = statIfThere(tool.sys, target);
  if (place === undefined) return 'mount point does not exist.';
  if (!isDirectory(place)) return 'mount point is not a directory.';
  if (error.errno === ENODEV) return `unknown filesystem type '${type ?? 'auto'}'.`;
  if (error.errno === ENOENT) return `special device ${source} does not exist.`;
  if (error.errno === EBUSY) return `${source} already mounted or mount point busy.`;
  const known = strerror(error.errno);
  return error.message === known || error.message === ''
    ? `${known}; see dmesg.`
    : `${error.message}: ${known}.`;
}
