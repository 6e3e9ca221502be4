// The mount options of FAT: who owns the files, and what may be done with them, as Linux's vfat has it.

import { EINVAL, fail } from '../../kernel/abi/errno.ts';

export interface MountOptions {
  readonly readOnly: boolean;
  readonly uid: number;
  readonly gid: number;
  readonly fmask: number;
  readonly dmask: number;
  /** Changes of mode and owner that FAT cannot hold are passed over in silence. */
  readonly quiet: boolean;
}

const UMASK = 0o022;
const WORDS = new Set(
  'ro rw noatime relatime nodiratime strictatime defaults quiet codepage=437 iocharset=utf8 utf8 shortname=mixed tz=UTC'.split(
    ' ',
  ),
);

export function parseOptions(words: readonly string[]): MountOptions {
  const numbers = new Map<string, number>();
  for (const word of words) {
    const [, key = '', text = ''] = /^(uid|gid|umask|fmask|dmask)=([0-9]+)$/.exec(word) ?? [];
    if (key !== '') numbers.set(key, numberOf(key, text));
    else if (!WORDS.has(word)) fail(EINVAL, `unknown mount option '${word}'`);
  }
  const umask = numbers.get('umask') ?? UMASK;
  return {
    readOnly: words.includes('ro'),
    uid: numbers.get('uid') ?? 0,
    gid: numbers.get('gid') ?? 0,
    fmask: numbers.get('fmask') ?? umask,
    dmask: numbers.get('dmask') ?? umask,
    quiet: words.includes('quiet'),
  };
}

function numberOf(key: string, text: string): number {
  const masks = key.endsWith('mask');
  const value = Number.parseInt(text, masks ? 8 : 10);
  const right = masks ? /^[0-7]{1,4}$/.test(text) : value <= 0xffff_ffff;
  return right ? value : fail(EINVAL, `mount option ${key}=${text}`);
}
