// Loads a program's module when it is first wanted: a worker that runs `ls` has no use for the other
// seventy. registry.ts says which there are; a test holds the two together.

import type { Program } from '../libc/sys.ts';

/** Programs that are not in the file of their name. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  '[': './test.js',
  blkid: '../fs/blkid.js',
  fsck: '../fs/fsck.js',
  e2fsck: '../fs/fsck-ext4.js',
  'fsck.ext2': '../fs/fsck-ext4.js',
  'fsck.ext3': '../fs/fsck-ext4.js',
  'fsck.ext4': '../fs/fsck-ext4.js',
  lsblk: '../fs/lsblk.js',
  mkfs: '../fs/mkfs.js',
  b2sum: './md5sum.js',
  base32: './base64.js',
  chgrp: './chown.js',
  egrep: './grep.js',
  false: './false_.js',
  fgrep: './grep.js',
  'mkfs.ext2': '../fs/mkfs-ext4.js',
  'mkfs.ext3': '../fs/mkfs-ext4.js',
  'mkfs.ext4': '../fs/mkfs-ext4.js',
  'fsck.exfat': '../fs/fat/fsck-exfat.js',
  'fsck.fat': '../fs/fat/fsck-fat.js',
  'fsck.vfat': '../fs/fat/fsck-fat.js',
  'mkfs.exfat': '../fs/fat/mkfs-exfat.js',
  'mkfs.fat': '../fs/fat/mkfs-fat.js',
  'mkfs.vfat': '../fs/fat/mkfs-fat.js',
  exfatlabel: '../fs/fat/exfatlabel.js',
  fatlabel: '../fs/fat/fatlabel.js',
  'fsck.hfs': '../fs/fsck-hfs.js',
  'fsck.hfsplus': '../fs/fsck-hfs.js',
  'mkfs.hfs': '../fs/mkfs-hfs.js',
  'mkfs.hfsplus': '../fs/mkfs-hfs.js',
  hd: './hexdump.js',
  gunzip: './gzip.js',
  killall: './pidof.js',
  pkill: './pgrep.js',
  reset: './tset.js',
  sh: '../sh/main.js',
  sha1sum: './md5sum.js',
  sha224sum: './md5sum.js',
  sha256sum: './md5sum.js',
  sha384sum: './md5sum.js',
  sha512sum: './md5sum.js',
  true: './true_.js',
  unexpand: './expand.js',
  unzstd: './zstd.js',
  view: './vi.js',
  zcat: './gzip.js',
  zstdcat: './zstd.js',
};

/** The module of a program, as seen from this one. */
export const moduleOf = (name: string): string =>
  (Object.hasOwn(ELSEWHERE, name) ? ELSEWHERE[name] : undefined) ?? `./${name}.js`;

const loaded = new Map<string, Program>();

/** The program, or undefined when there is none of that name. */
export async function loadProgram(name: string): Promise<Program | undefined> {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  if (!Object.hasOwn(ELSEWHERE, name) && !/^[a-z0-9]+$/.test(name)) return undefined;
  const { main } = await importModule(moduleOf(name));
  if (main !== undefined) loaded.set(name, main);
  return main;
}

async function importModule(path: string): Promise<{ main?: Program }> {
  try {
    return (await import(path)) as { main?: Program };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')
      return {};
    throw error;
  }
}
