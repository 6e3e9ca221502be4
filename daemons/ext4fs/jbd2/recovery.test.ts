// Journals that others wrote - debugfs, which is e2fsprogs' own jbd2 - replayed by us, and ours read
// by debugfs' logdump.

import test from 'ava';
import { EOPNOTSUPP, EUCLEAN } from '../../../kernel/abi/errno.ts';
import {
  debugfsWrite,
  e2fsckRepair,
  fsck,
  haveE2fsprogs,
  logdump,
  mke2fs,
} from '../../../scripts/testing/e2fsprogs.ts';
import { without } from '../../../scripts/testing/skip.ts';
import { bootVolume } from '../../lib/testing/boot.ts';
import { TestClient } from '../../lib/testing/client.ts';
import { Machine } from '../../lib/testing/machine.ts';
import { mountExt4 } from '../mount.ts';

const missing = without('e2fsprogs', haveE2fsprogs);

const BLOCK = 1024;
const TARGET = 3000; // blocks that no file uses
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const blockOf = (image: Uint8Array, no: number): Uint8Array =>
  image.subarray(no * BLOCK, (no + 1) * BLOCK);

/** An image whose journal holds transactions that debugfs wrote: blocks, magic numbers, revocations. */
function journalled(args: string[], csum: string): Uint8Array {
  const image = mke2fs(16 << 20, ['-b', `${BLOCK}`, '-J', 'size=1', ...args]);
  const data = new Uint8Array(8 * BLOCK).map((_, i) => (i * 31 + (i >> 10)) & 0xff);
  data.set([0xc0, 0x3b, 0x39, 0x98], 2 * BLOCK); // begins with the journal's magic: to be escaped
  const range = `${TARGET}-${TARGET + 7}`;
  return debugfsWrite(image, data, [
    `jo ${csum}`,
    `jw -b ${range} DATA`,
    'jc',
    `jo ${csum}`,
    `jw -r ${TARGET + 5}`,
    `jw -b ${TARGET + 1} DATA`,
    'jc',
  ]);
}

const replays = test.macro({
  exec(t, args: string[], csum: string) {
    if (missing(t)) return;
    const image = journalled(args, csum);
    const before = image.slice();
    const theirs = e2fsckRepair(image);
    t.regex(theirs.output, /recovering journal/);

    const reader = new Machine({ image, format: mountExt4, readOnly: true });
    reader.mount();
    t.regex(reader.log.join('\n'), /journal replayed in memory: 3 transactions/);
    t.true(same(image, before), 'a read-only mount writes nothing');

    const machine = new Machine({ image, format: mountExt4 });
    machine.mount();
    t.regex(machine.log.join('\n'), /journal replayed: 3 transactions/);
    for (let no = TARGET; no < TARGET + 8; no++) {
      t.true(same(blockOf(image, no), blockOf(theirs.image, no)), `block ${no}`);
      const wanted = blockOf(image, no);
      const redirected = reader.run(
        reader.volume.engine.run((tx) => tx.read(no).bytes.slice(), { changes: false }),
      );
      t.true(same(redirected, wanted), `block ${no} as a read-only mount sees it`);
    }
    new TestClient(machine).attach();
    machine.run(machine.volume.unmount());
    t.is(fsck(image).status, 0, fsck(image).output);
  },
  title: (_, args: string[], csum: string) =>
    `a journal by debugfs is replayed as e2fsck does: ${args.join(' ')} jo ${csum}`,
});
test(replays, ['-t', 'ext4', '-O', 'metadata_csum,64bit'], '-c');
test(replays, ['-t', 'ext4', '-O', 'metadata_csum,64bit'], '-c -v 2');
test(replays, ['-t', 'ext4', '-O', 'metadata_csum,^64bit'], '-c -v 3');
test(replays, ['-t', 'ext4', '-O', '^metadata_csum,64bit'], '');
test(replays, ['-t', 'ext3', '-O', '^64bit'], '');

test('debugfs reads the log that we write', (t) => {
  if (missing(t)) return;
  const image = mke2fs(16 << 20, ['-t', 'ext4', '-b', `${BLOCK}`, '-J', 'size=1']);
  const { fs } = bootVolume({ image, format: mountExt4 });
  for (let i = 0; i < 5; i++) {
    const fid = fs.create(`f${i}`);
    fs.write(fid, 0, new Uint8Array(3000).fill(i + 1));
    fs.fsync(fid);
    fs.clunk(fid);
  }
  const dump = logdump(image);
  const commits = dump.match(/Found expected sequence \d+, type 2 \(commit block\)/g) ?? [];
  t.is(commits.length, 5, dump);
});

test('a torn or damaged commit and all behind it never happened', (t) => {
  if (missing(t)) return;
  const image = mke2fs(16 << 20, ['-t', 'ext4', '-b', `${BLOCK}`, '-J', 'size=1']);
  const { fs } = bootVolume({ image, format: mountExt4 });
  for (const name of ['a', 'b', 'c']) {
    const fid = fs.create(name);
    fs.fsync(fid);
    fs.clunk(fid);
  }
  const second = /Found expected sequence (\d+), type 2 \(commit block\) at block (\d+)/g;
  const [, commit] = [...logdump(image).matchAll(second)];
  const at = firstJournalBlock(image) + Number(commit?.[2]);

  blockOf(image, at).fill(0x55, 100, 200);
  const after = new Machine({ image, format: mountExt4 });
  after.mount();
  const files = new TestClient(after);
  files.attach();
  t.deepEqual(files.list('/'), ['a', 'lost+found']);
  files.detach();
  t.is(fsck(image).status, 0);
});

/** The journal of a fresh image lies in one run; its superblock begins with magic and type 4. */
function firstJournalBlock(image: Uint8Array): number {
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  for (let no = 0; no < image.length / BLOCK; no++) {
    const magic = view.getUint32(no * BLOCK);
    if (magic === 0xc03b3998 && view.getUint32(no * BLOCK + 4) === 4) return no;
  }
  return -1;
}

const refuses = test.macro({
  exec(t, damage: (journal: DataView) => void, wanted: { errno: number; message: RegExp }) {
    if (missing(t)) return;
    const image = mke2fs(16 << 20, ['-t', 'ext4', '-b', `${BLOCK}`, '-J', 'size=1']);
    const at = firstJournalBlock(image) * BLOCK;
    damage(new DataView(image.buffer, image.byteOffset + at, BLOCK));
    const before = image.slice();
    const machine = new Machine({ image, format: mountExt4 });
    const error = t.throws(() => machine.mount());
    t.like(error, { errno: wanted.errno });
    t.regex(error?.message ?? '', wanted.message);
    t.true(same(image, before), 'the image is unchanged');
  },
  title: (title = '') => `a journal is refused: ${title}`,
});
test('magic', refuses, (sb: DataView) => sb.setUint32(0, 1), {
  errno: EUCLEAN,
  message: /journal: magic/,
});
test('block size', refuses, (sb: DataView) => sb.setUint32(0xc, 512), {
  errno: EUCLEAN,
  message: /journal: block size 512/,
});
test('longer than its file', refuses, (sb: DataView) => sb.setUint32(0x10, 1 << 30), {
  errno: EUCLEAN,
  message: /journal: length/,
});
test('start outside the log', refuses, (sb: DataView) => sb.setUint32(0x1c, 70_000), {
  errno: EUCLEAN,
  message: /journal: start/,
});
test('unknown feature', refuses, (sb: DataView) => sb.setUint32(0x28, 0x8000), {
  errno: EOPNOTSUPP,
  message: /unknown incompatible features 0x8000/,
});
