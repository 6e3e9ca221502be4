// Claims about mkfs: e2fsck is content with what it makes, whatever was asked for.

import test from 'ava';
import { fsck, haveE2fsprogs } from '../../../scripts/testing/e2fsprogs.ts';
import { imageMedium } from '../../lib/memory/image-medium.ts';
import { seeded } from '../testing.ts';
import { COMPAT, INCOMPAT, RO_COMPAT } from '../volume/features.ts';
import { has } from '../volume/superblock.ts';
import type { FeatureSet, MkfsRequest } from './geometry.ts';
import { mkfs } from './mkfs.ts';

const MIB = 2 ** 20;
const EXT2: FeatureSet = {
  compat: COMPAT.ext_attr | COMPAT.dir_index,
  incompat: INCOMPAT.filetype,
  roCompat: RO_COMPAT.sparse_super | RO_COMPAT.large_file,
};
const EXT3: FeatureSet = { ...EXT2, compat: EXT2.compat | COMPAT.has_journal };
const EXT4: FeatureSet = {
  compat: EXT3.compat,
  incompat: EXT3.incompat | INCOMPAT.extent | INCOMPAT['64bit'] | INCOMPAT.flex_bg,
  roCompat:
    EXT3.roCompat |
    RO_COMPAT.huge_file |
    RO_COMPAT.dir_nlink |
    RO_COMPAT.extra_isize |
    RO_COMPAT.metadata_csum,
};

function request(sizeBytes: number, changes: Partial<MkfsRequest>): MkfsRequest {
  return {
    ...{ sizeBytes, blockSize: undefined, blocksCount: undefined, inodesCount: undefined },
    ...{ inodeRatio: undefined, inodeSize: 256, features: EXT4, reservedPercent: 5 },
    ...{ label: 'atoll', uuid: Uint8Array.from({ length: 16 }, (_, i) => i + 1) },
    ...{ hashSeed: new Uint8Array(16).fill(7), journalBlocks: undefined },
    ...{ now: { sec: 1_755_000_000, nsec: 0 }, ...changes },
  };
}

/** The image as it is made over what another file system left. */
function made(sizeBytes: number, changes: Partial<MkfsRequest>) {
  const image = new Uint8Array(sizeBytes).fill(0xa5);
  const random = seeded(20261121);
  const options = { random: () => random(), progress: () => {} };
  return { image, vol: mkfs(imageMedium(image), request(sizeBytes, changes), options) };
}

const accepted = test.macro({
  exec(t, sizeBytes: number, changes: Partial<MkfsRequest>) {
    if (!haveE2fsprogs()) return t.pass('no e2fsprogs here: skipped');
    const { status, output } = fsck(made(sizeBytes, changes).image);
    t.is(status, 0, output);
  },
  title: (what) => `e2fsck is content with ${what}`,
});

test('an ext4 volume with blocks of 1 KiB', accepted, 24 * MIB, {});
test('an ext4 volume with blocks of 2 KiB', accepted, 24 * MIB, { blockSize: 2048 });
test('an ext4 volume with blocks of 4 KiB', accepted, 40 * MIB, { blockSize: 4096 });
test('an ext4 volume with blocks of 64 KiB', accepted, 200 * MIB, { blockSize: 65_536 });
test('several groups with backups', accepted, 130 * MIB, { blockSize: 1024 });
test('an ext3 volume', accepted, 24 * MIB, { features: EXT3 });
test('an ext2 volume', accepted, 5 * MIB, { features: EXT2 });
test('an ext2 volume without any feature', accepted, 20 * MIB, {
  features: { compat: 0, incompat: 0, roCompat: 0 },
});
test('small inodes', accepted, 20 * MIB, { inodeSize: 128, features: EXT3 });
test('crc16 descriptors (uninit_bg)', accepted, 20 * MIB, {
  features: { ...EXT3, roCompat: EXT3.roCompat | RO_COMPAT.uninit_bg },
});
test('a checksum seed of its own', accepted, 20 * MIB, {
  features: { ...EXT4, incompat: EXT4.incompat | INCOMPAT.metadata_csum_seed },
});
test('few inodes', accepted, 20 * MIB, { inodesCount: 12 });
test('many inodes', accepted, 20 * MIB, { inodeRatio: 1024 });
test('a journal of a size that was asked for', accepted, 32 * MIB, { journalBlocks: 5000 });
test('fewer blocks than the device has', accepted, 32 * MIB, { blocksCount: 9000 });

test('every size gives a volume that e2fsck accepts, or ENOSPC', (t) => {
  for (let kib = 100; kib < 20_000; kib += 733) {
    const sizeBytes = kib * 1024;
    try {
      const { image } = made(sizeBytes, {});
      if (haveE2fsprogs() && kib % 3 === 0) t.is(fsck(image).status, 0, `${kib} KiB`);
    } catch (error) {
      t.like(error, { code: 'ENOSPC' });
      t.true(kib < 500, `${kib} KiB`);
    }
  }
});

test('a volume that is too small for a journal goes without', (t) => {
  t.false(has.journal(made(1 * MIB, {}).vol));
  t.true(has.journal(made(8 * MIB, {}).vol));
  t.throws(() => made(4 * MIB, { journalBlocks: 4000 }), { code: 'EINVAL' });
});
