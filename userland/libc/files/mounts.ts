// What is mounted where, from /proc/mounts (proc_pid_mounts(5)), and the names of file systems.

import { O_RDONLY } from '../../../kernel/abi/constants.ts';
import { decodeText } from '../../../kernel/abi/text.ts';
import { Input } from '../stdio.ts';
import type { Sys } from '../sys.ts';
import { dirname, realpath } from './path.ts';

export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly options: string;
}

export function readMounts(sys: Sys): Mount[] {
  const fd = sys.open('/proc/mounts', O_RDONLY);
  const input = new Input(sys, fd);
  const mounts: Mount[] = [];
  for (let line = input.line(); line !== undefined; line = input.line()) {
    const [source, target, type = '', options = ''] = decodeText(line)
      .split(' ')
      .map(expandEscapes);
    if (source !== undefined && target !== undefined)
      mounts.push({ source, target, type, options });
  }
  sys.close(fd);
  return mounts;
}

/** Blanks, tabs, newlines and backslashes are written \040. */
const expandEscapes = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );

/** The directory on which the file system of `path` is mounted: the highest with its device. */
export function mountPointOf(sys: Sys, path: string): string {
  let at = realpath(sys, path);
  const { dev } = sys.stat(at);
  while (at !== '/' && sys.stat(dirname(at)).dev === dev) at = dirname(at);
  return at;
}

const names = new Map([
  [0xef53, 'ext2/ext3'],
  [0x0102_1994, 'tmpfs'],
  [0x8584_58f6, 'ramfs'],
  [0x9fa0, 'proc'],
  [0x6265_6572, 'sysfs'],
  [0x4d44, 'msdos'],
  [0x482b, 'hfs+'],
  [0x4858, 'hfsx'],
  [0x4244, 'hfs'],
  [0x794c_7630, 'overlayfs'],
  [0x0102_1997, 'v9fs'],
]);

export const fileSystemName = (type: number): string =>
  names.get(type) ?? `UNKNOWN (0x${type.toString(16)})`;
