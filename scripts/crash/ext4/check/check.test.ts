// The checker beside e2fsck: both are content with what our file system leaves, and what is broken by
// hand is found by both.

import test from 'ava';
import { GroupDesc32, Inode128, SUPERBLOCK_OFFSET } from '../../../../daemons/ext4fs/ondisk.ts';
import { seeded } from '../../../../daemons/ext4fs/testing.ts';
import { fsck, haveE2fsprogs } from '../../../testing/e2fsprogs.ts';
import { prepare } from '../../prepare.ts';
import { EXT4_FORMATS, ext4Format } from '../format.ts';
import { checkExt4 } from './check.ts';
import { rawInode } from './inode.ts';
import { Volume } from './volume.ts';

const SEED = Number(process.env['ATOLL_SEED'] ?? 20261121);

function prepared(name: string): Uint8Array {
  const format = ext4Format(name);
  if (format === undefined) throw new Error(`no ${name}`);
  return prepare(format).image;
}

const content = test.macro({
  exec(t, name: string) {
    if (!haveE2fsprogs()) return t.pass('no e2fsprogs here: skipped');
    const image = prepared(name);
    t.deepEqual(checkExt4(image).problems, []);
    t.is(fsck(image).status, 0);
  },
  title: (_, name: string) => `the checker and e2fsck are content with what we leave: ${name}`,
});
for (const name of EXT4_FORMATS) test(content, name);

const FOO = 15; // the first file's inode

const finds = test.macro({
  exec(t, what: string, damage: (image: Uint8Array) => void, complaint: RegExp) {
    if (!haveE2fsprogs()) return t.pass('no e2fsprogs here: skipped');
    const image = prepared('ext4-nocsum'); // no checksum tells before the structure does
    damage(image);
    t.regex(checkExt4(image).problems.join('\n'), complaint);
    t.not(fsck(image).status, 0, what);
  },
  title: (_, what: string) => `found, as by e2fsck: ${what}`,
});

const inode = (image: Uint8Array, ino: number) => rawInode(new Volume(image), ino);

test(
  finds,
  'a link count that is wrong',
  (image: Uint8Array) => {
    inode(image, FOO).i_links_count = 2;
  },
  /2 links, 1 names/,
);
test(
  finds,
  'a block count that is wrong',
  (image: Uint8Array) => {
    inode(image, FOO).i_blocks_lo += 2;
  },
  /i_blocks/,
);
test(
  finds,
  'a block of two files',
  (image: Uint8Array) => {
    const [from, to] = [inode(image, FOO), inode(image, FOO + 2)];
    const at = Inode128.offsets.i_block;
    image.copyWithin(to.at + at, from.at + at, from.at + at + 60);
  },
  /is inode 17's and 15's/,
);
test(
  finds,
  'a bit of the block bitmap that is set for nobody',
  (image: Uint8Array) => {
    const [group] = new Volume(image).groups;
    const at = (group?.blockBitmap ?? 0) * 1024 + (3500 >> 3);
    image[at] = (image[at] ?? 0) | 1;
  },
  /is lost/,
);
test(
  finds,
  'a file without a name',
  (image: Uint8Array) => {
    const vol = new Volume(image);
    const at = image.indexOf(FOO, inodeBlock(vol, 2) * 1024);
    const name = [...'foo'].map((char) => char.charCodeAt(0));
    for (let i = at; i < at + 1024; i += 4) {
      if (image[i] === FOO && name.every((code, k) => image[i + 8 + k] === code)) image[i] = 0;
    }
  },
  /inode 15 has no name/,
);
test(
  finds,
  'a group that counts its free inodes wrong',
  (image: Uint8Array) => {
    image[2048 + GroupDesc32.offsets.bg_free_inodes_count_lo] = 1;
  },
  /group 0: 1 free inodes/,
);
test(
  finds,
  'a link to an inode that is free',
  (image: Uint8Array) => {
    const vol = new Volume(image);
    const [group] = vol.groups;
    const at = (group?.inodeBitmap ?? 0) * 1024 + ((FOO - 1) >> 3);
    image[at] = (image[at] ?? 0) & ~(1 << ((FOO - 1) & 7));
  },
  /which is free/,
);

/** The first block of a directory. */
function inodeBlock(vol: Volume, ino: number): number {
  const raw = rawInode(vol, ino);
  return raw.view.getUint32(raw.at + Inode128.offsets.i_block + 12 + 8, true);
}

test('any byte of checksummed metadata that is changed is noticed', (t) => {
  if (!haveE2fsprogs()) return t.pass('no e2fsprogs here: skipped');
  t.log(`ATOLL_SEED=${SEED}`);
  const random = seeded(SEED);
  const image = prepared('ext4');
  const vol = new Volume(image);
  const [group] = vol.groups;
  const table = (group?.inodeTable ?? 0) * 1024;
  const places: (() => number)[] = [
    () => SUPERBLOCK_OFFSET + (random() % 0x3fc),
    () => 2048 + (random() % 64),
    () => table + 256 * 10 + (random() % (256 * 10)), // inodes 11 to 20
    () => (group?.inodeBitmap ?? 0) * 1024 + (random() % 16),
    () => inodeBlock(vol, 12) * 1024 + (random() % 1024),
  ];
  for (let i = 0; i < 300; i++) {
    const at = places[i % places.length]?.() ?? 0;
    const old = image[at] ?? 0;
    image[at] = old ^ (1 << (random() % 8));
    t.true(checked(image) > 0, `byte ${at} was ${old}, is ${image[at]}`);
    image[at] = old;
  }
});

/** Problems found; a superblock that makes no sense at all counts as one. */
function checked(image: Uint8Array): number {
  try {
    return checkExt4(image).problems.length;
  } catch {
    return 1;
  }
}
