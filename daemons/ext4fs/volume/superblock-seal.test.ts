// The superblock's checksum: kept over changes, right for our own check and for e2fsck.

import test from 'ava';
import { fsck, haveE2fsprogs, mke2fs } from '../../../scripts/testing/e2fsprogs.ts';
import { Superblock } from '../ondisk.ts';
import { seeded } from '../testing.ts';
import { superblockChecksum } from './superblock.ts';
import { sealSuperblock } from './superblock-seal.ts';

test('whatever changes in the first sector, the second stays and the checksum holds', (t) => {
  const random = seeded(5);
  for (let i = 0; i < 200; i++) {
    const bytes = new Uint8Array(1024).map(() => random());
    const second = bytes.slice(512);
    sealSuperblock(bytes);
    const { s_checksum } = new Superblock(new DataView(bytes.buffer));
    t.is(superblockChecksum(bytes), s_checksum);
    t.deepEqual(bytes.slice(512), second);
  }
});

test('e2fsck takes a superblock sealed that way, and half of one that was torn', (t) => {
  if (!haveE2fsprogs()) return t.pass('no e2fsprogs here: skipped');
  const image = mke2fs(4 << 20, ['-t', 'ext4']);
  const before = image.slice();
  const bytes = image.subarray(1024, 2048);
  new Superblock(new DataView(bytes.buffer, bytes.byteOffset)).s_mnt_count += 1;
  sealSuperblock(bytes);
  t.is(fsck(image).status, 0);
  before.set(image.subarray(1024, 1536), 1024);
  t.is(fsck(before).status, 0, 'only its first sector reached the medium');
});
