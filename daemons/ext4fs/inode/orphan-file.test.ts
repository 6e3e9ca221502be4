// Claims about the orphan file: who deletes an open file is noted there, and e2fsck and a mount after a
// crash finish it. e2fsck judges.

import test from 'ava';
import {
  debugfsWrite,
  e2fsckRepair,
  fsck,
  haveE2fsprogs,
  mke2fs,
} from '../../../scripts/testing/e2fsprogs.ts';
import { without } from '../../../scripts/testing/skip.ts';
import { TestClient } from '../../lib/testing/client.ts';
import { Machine } from '../../lib/testing/machine.ts';
import { mountExt4 } from '../mount.ts';
import { SUPERBLOCK_OFFSET, Superblock } from '../ondisk.ts';
import { RO_COMPAT } from '../volume/features.ts';

const missing = without('e2fsprogs', haveE2fsprogs);

const superblock = (image: Uint8Array) =>
  new Superblock(new DataView(image.buffer, image.byteOffset), SUPERBLOCK_OFFSET);
const isPresent = (image: Uint8Array): boolean =>
  (superblock(image).s_feature_ro_compat & RO_COMPAT.orphan_present) !== 0;

function boot(image: Uint8Array, after?: Machine): { machine: Machine; fs: TestClient } {
  const machine = new Machine({ image, format: mountExt4, ...(after && { after }) });
  machine.mount();
  const fs = new TestClient(machine);
  if (after === undefined) fs.attach();
  return { machine, fs };
}

/** Files that are open and have no name, on the disk; the machine is then dropped. */
function withOrphans(image: Uint8Array, count: number): Machine {
  const { machine, fs } = boot(image);
  for (let i = 0; i < count; i++) {
    const fid = fs.create(`f${i}`);
    fs.write(fid, 0, new Uint8Array(3000).fill(i));
    fs.unlink(`f${i}`);
  }
  const fid = fs.create('kept');
  fs.fsync(fid);
  machine.run(machine.volume.checkpoint());
  return machine;
}

const volume = (features: string): Uint8Array =>
  mke2fs(16 << 20, ['-t', 'ext4', '-b', '1024', '-J', 'size=1', '-O', features]);

const finished = test.macro({
  exec(t, features: string) {
    if (missing(t)) return;
    const image = volume(features);
    const empty = superblock(image).s_free_inodes_count;
    withOrphans(image, 300);
    t.true(isPresent(image));
    t.is(superblock(image).s_last_orphan, 0, 'none is on the list');

    const theirs = e2fsckRepair(image.slice());
    t.regex(theirs.output, /Clearing orphaned inode 300 |Clearing orphaned inode/);
    t.is(fsck(theirs.image).status, 0);

    const { machine, fs } = boot(image);
    t.regex(machine.log.join('\n'), /300 orphan inodes finished/);
    t.deepEqual(fs.list('/').sort(), ['kept', 'lost+found']);
    fs.detach();
    t.false(isPresent(image));
    t.is(superblock(image).s_free_inodes_count, empty - 1);
    const { status, output } = fsck(image);
    t.is(status, 0, output);
  },
  title: (_, features: string) =>
    `orphans are in the file, and finished after a crash: ${features}`,
});
test(finished, 'orphan_file');
test(finished, 'orphan_file,^metadata_csum');

test('what is closed leaves the orphan file, and an unmount leaves it empty', (t) => {
  if (missing(t)) return;
  const image = volume('orphan_file');
  const { machine, fs } = boot(image);
  const fids = Array.from({ length: 20 }, (_, i) => {
    const fid = fs.create(`f${i}`);
    fs.write(fid, 0, new Uint8Array(5000));
    fs.unlink(`f${i}`);
    return fid;
  });
  for (const fid of fids) fs.clunk(fid);
  machine.run(machine.volume.checkpoint());
  t.true(isPresent(image), 'as long as it is mounted');
  fs.detach();
  t.false(isPresent(image));
  const { status, output } = fsck(image);
  t.is(status, 0, output);
});

test('a worker that takes over finds the orphans of the one before', (t) => {
  if (missing(t)) return;
  const image = volume('orphan_file');
  const before = withOrphans(image, 30);
  const { machine } = boot(image, before);
  // Nobody has a fid of them: the server ends them.
  machine.run(machine.volume.checkpoint());
  machine.run(machine.volume.unmount());
  t.false(isPresent(image));
  const { status, output } = fsck(image);
  t.is(status, 0, output);
});

test('an orphan that the bitmap calls free ends the mount with a word, not never', (t) => {
  if (missing(t)) return;
  const image = volume('^orphan_file');
  const { fs } = boot(image);
  fs.clunk(fs.create('gone'));
  fs.detach();
  const damage = ['sif gone links_count 0', 'freei gone', 'ssv last_orphan 12'];
  const { machine } = boot(debugfsWrite(image, new Uint8Array(), damage));
  t.regex(
    machine.log.join(),
    /the orphan list is damaged.*inode 12 is free, and yet to be deleted/,
  );
});

test('what has a name and no blocks leaves the list, and stays', (t) => {
  if (missing(t)) return;
  const damage = ['symlink short target', 'ssv last_orphan 12'];
  const image = debugfsWrite(volume('^orphan_file'), new Uint8Array(), damage);
  const { fs, machine } = boot(image);
  t.deepEqual(fs.list('').sort(), ['lost+found', 'short']);
  fs.detach();
  t.deepEqual(machine.log, ['1 orphan inodes finished']);
  t.is(superblock(image).s_last_orphan, 0);
  t.is(fsck(image).status, 0);
});
