// Words of mount -o for HFS and HFS Plus, as Linux spells them.

import { EINVAL, PosixError } from '../../kernel/abi/errno.ts';

export interface MountOptions {
  readonly readOnly: boolean;
  /** Writes though the volume was not unmounted. */
  readonly force: boolean;
  /** Of files that say nothing of it themselves: all on classic HFS. */
  readonly uid: number;
  readonly gid: number;
  readonly umask: number;
}

const IGNORED: ReadonlySet<string> = new Set(
  'rw noatime relatime nodiratime strictatime defaults barrier'.split(' '),
);

export function readOptions(words: readonly string[]): MountOptions {
  const options = { readOnly: false, force: false, uid: 0, gid: 0, umask: 0o22 };
  for (const word of words) {
    const [name = '', value = ''] = word.split('=', 2);
    if (name === 'ro') options.readOnly = true;
    else if (name === 'force') options.force = true;
    else if (name === 'uid' || name === 'gid') options[name] = number(word, value, 10);
    else if (name === 'umask') options.umask = number(word, value, 8) & 0o777;
    else if (name !== '' && !IGNORED.has(name))
      throw new PosixError(EINVAL, `unknown mount option '${word}'`);
  }
  return options;
}

function number(word: string, value: string, base: 8 | 10): number {
  const digits = base === 8 ? /^[0-7]{1,6}$/ : /^[0-9]{1,10}$/;
  if (!digits.test(value)) throw new PosixError(EINVAL, `mount option '${word}'`);
  return Number.parseInt(value, base);
}
