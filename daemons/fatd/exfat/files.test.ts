// What exFAT's files and directories do that others' do not: names by the volume's table, clusters in a row
// and in chains, ValidDataLength, sets that other systems laid across sectors, a daemon that dies.

import test from 'ava';
import { EEXIST, EINVAL, EPERM } from '../../../kernel/abi/errno.ts';
import { integersFrom } from '../../../kernel/ipc/random.ts';
import { testSeed } from '../../../kernel/ipc/testing/seed.ts';
import { fsckExFat, haveExfatprogs, mkfsExFat } from '../../../scripts/testing/exfatprogs.ts';
import { without } from '../../../scripts/testing/skip.ts';
import type { LogEntry } from '../../lib/memory-device.ts';
import { type Booted, bootVolume } from '../../lib/testing/boot.ts';
import type { MachineOptions } from '../../lib/testing/machine.ts';
import { SLOT } from '../ondisk.ts';
import { mountExFat } from './mount.ts';
import { TYPE_FILE } from './ondisk.ts';
import { openExFat } from './volume/geometry.ts';

const SEED = testSeed();

const missing = without('exfatprogs', haveExfatprogs);

const boot = (options: Omit<MachineOptions, 'format'>): Booted =>
  bootVolume({ format: mountExFat, ...options });

/** What is free on it is not zero, as on a volume that was used. */
function small(): Uint8Array {
  const image = mkfsExFat(5 << 20, ['-c', '1K']);
  const { dataStart, clusterSize } = openExFat(image, image.length);
  return image.fill(0xee, dataStart + USED_MOST * clusterSize);
}
const USED_MOST = 16; // clusters of an empty volume
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

test('a name is found in any case of its letters, and is shown as it was made', (t) => {
  if (missing(t)) return;
  const image = small();
  const { fs } = boot({ image });
  fs.clunk(fs.create('Übergröße café αβγ.Text'));
  fs.clunk(fs.walk('ÜBERGRÖßE CAFÉ ΑΒΓ.TEXT'));
  t.like(
    t.throws(() => fs.mkdir('übergröße café αβγ.tEXT')),
    { errno: EEXIST },
  );
  fs.rename('übergröße café αβγ.text', 'ÜBERGRÖßE café.text');
  fs.rename('ÜBERGRÖßE café.text', 'übergröße CAFÉ.text');
  t.deepEqual(fs.list(''), ['übergröße CAFÉ.text']);
  for (const name of ['a:b', 'what?', 'tail.', 'a\u0001'])
    t.like(
      t.throws(() => fs.create(name)),
      { errno: EINVAL },
      name,
    );
  t.like(
    t.throws(() => fs.symlink('s', 'a')),
    { errno: EPERM },
  );
  fs.detach();
  t.is(fsckExFat(image), '');
});

test('a longer size writes no zeroes, and reads as zeroes whatever lay there', (t) => {
  if (missing(t)) return;
  const image = mkfsExFat(10 << 20, ['-c', '1K']);
  const log: LogEntry[] = [];
  const { fs } = boot({ image, writeLog: log });
  const old = fs.create('old');
  fs.write(old, 0, new Uint8Array(3_000_000).fill(0xaa));
  fs.clunk(old);
  fs.unlink('old');
  const fid = fs.create('new');
  fs.write(fid, 0, bytes('head'));
  fs.fsync(fid);
  const before = log.reduce(
    (sum, entry) => sum + (entry.kind === 'write' ? entry.data.length : 0),
    0,
  );
  fs.truncate(fid, 3_500_000);
  fs.fsync(fid);
  const after = log.reduce(
    (sum, entry) => sum + (entry.kind === 'write' ? entry.data.length : 0),
    0,
  );
  t.true(after - before < 100_000, `${after - before} bytes`);
  t.true(
    fs
      .read(fid)
      .subarray(4)
      .every((byte) => byte === 0),
  );
  fs.write(fid, 1_000_000, bytes('middle'));
  const seen = fs.read(fid);
  t.is(seen.length, 3_500_000);
  t.is(text(seen.subarray(0, 4)), 'head');
  t.is(text(seen.subarray(1_000_000, 1_000_006)), 'middle');
  t.true(seen.subarray(4, 1_000_000).every((byte) => byte === 0));
  t.true(seen.subarray(1_000_006).every((byte) => byte === 0));
  fs.clunk(fid);
  fs.detach();
  t.is(fsckExFat(image), '');
});

test('files that grow by turns become chains, and hold what was written', (t) => {
  if (missing(t)) return;
  const image = small();
  const { fs, machine } = boot({ image, cacheBytes: 1 << 20 });
  const fids = [0, 1, 2].map((i) => fs.create(`file ${i}`));
  for (let round = 0; round < 40; round++)
    for (const [i, fid] of fids.entries())
      fs.write(fid, round * 5000, new Uint8Array(5000).fill(1 + ((round * 3 + i) % 250)));
  for (const [i, fid] of fids.entries()) {
    const seen = fs.read(fid);
    t.is(seen.length, 200_000);
    t.true(seen.every((byte, at) => byte === 1 + ((Math.floor(at / 5000) * 3 + i) % 250)));
    fs.truncate(fid, 50_001 + i * 1024);
    fs.clunk(fid);
  }
  fs.unlink('file 1');
  fs.detach();
  t.is(fsckExFat(image), '');
  t.deepEqual(
    machine.log.filter((line) => /EIO|EUCLEAN/.test(line)),
    [],
  );
});

test('a file of many clusters in a row becomes a chain in steps', (t) => {
  if (missing(t)) return;
  const image = mkfsExFat(160 << 20, ['-c', '512']);
  const { fs } = boot({ image, cacheBytes: 8 << 20 });
  const [first, other] = [fs.create('first'), fs.create('other')];
  fs.truncate(first, 60 << 20); // 122,880 clusters
  fs.write(other, 0, bytes('in the way'));
  fs.truncate(first, (60 << 20) + 700);
  fs.write(first, 0, bytes('begin'));
  t.is(fs.read(first, (60 << 20) - 5).length, 705);
  t.is(text(fs.read(first, 0, 5)), 'begin');
  fs.fsync(first);
  fs.clunk(first);
  fs.clunk(other);
  fs.detach();
  t.is(fsckExFat(image), '');
  const again = boot({ image });
  again.fs.unlink('first');
  again.fs.detach();
  t.is(fsckExFat(image), '');
});

test('an unnamed file lives on, a replaced one too, and numbers stay', (t) => {
  if (missing(t)) return;
  const image = small();
  const { fs } = boot({ image });
  const put = (name: string, value: string): number => {
    const fid = fs.create(name);
    fs.write(fid, 0, bytes(value));
    return fid;
  };
  const gone = put('gone', 'still here');
  fs.unlink('gone');
  const target = put('target', 'old');
  fs.clunk(put('source', 'new'));
  fs.rename('source', 'target');
  t.is(text(fs.read(fs.open('target', 0))), 'new');
  t.is(text(fs.read(target)), 'old');
  t.is(text(fs.read(gone)), 'still here');
  fs.mkdir('d');
  const moved = put('moved', 'moved');
  const before = fs.getattr(moved).qid.path;
  fs.rename('moved', 'd/there');
  t.is(fs.getattr(fs.walk('d/there')).qid.path, before);
  fs.mkdir('d/e');
  t.like(
    t.throws(() => fs.rename('d', 'd/e/f')),
    { errno: EINVAL },
  );
  fs.rename('d', 'D2');
  t.is(text(fs.read(fs.open('D2/there', 0))), 'moved');
  fs.clunk(target);
  fs.clunk(gone);
  fs.clunk(moved);
  t.is(text(fs.read(fs.open('target', 0))), 'new');
  fs.detach();
  t.is(fsckExFat(image), '');
});

/** Puts unused slots before the sets of the root directory, as deleted files leave them. */
function shiftRoot(image: Uint8Array, by: number): void {
  const { dataStart, rootCluster, clusterSize, fatStart } = openExFat(image, image.length);
  const fat = new DataView(image.buffer, fatStart);
  const pieces: Uint8Array[] = [];
  for (let at = rootCluster; at !== 0xffff_ffff; at = fat.getUint32(at * 4, true)) {
    const start = dataStart + (at - 2) * clusterSize;
    pieces.push(image.subarray(start, start + clusterSize));
  }
  const slots = pieces.flatMap((piece) =>
    Array.from({ length: clusterSize / SLOT }, (_, i) => piece.slice(i * SLOT, (i + 1) * SLOT)),
  );
  const first = slots.findIndex(([type]) => type === TYPE_FILE);
  const unused = Array.from({ length: by }, () => new Uint8Array(SLOT).fill(0x05, 0, 1));
  slots.splice(first, 0, ...unused);
  for (const [i, piece] of pieces.entries())
    for (let at = 0; at < clusterSize; at += SLOT)
      piece.set(slots[(i * clusterSize + at) / SLOT] ?? [], at);
}

test('sets that lie across sectors and clusters are read, changed and moved', (t) => {
  if (missing(t)) return;
  for (const by of [2, 3, 5, 6, 9]) {
    const image = mkfsExFat(4 << 20, ['-c', '512']);
    const made = boot({ image });
    for (const dir of ['x', 'y']) made.fs.mkdir(dir);
    made.fs.clunk(made.fs.create('x'.repeat(200)));
    for (const name of ['a', 'b', 'x/c']) {
      const fid = made.fs.create(name);
      made.fs.write(fid, 0, bytes(name));
      made.fs.clunk(fid);
    }
    made.fs.unlink('x'.repeat(200)); // leaves room in the root directory
    made.fs.detach();
    shiftRoot(image, by);
    t.is(fsckExFat(image), '', `shifted by ${by}`);
    const { fs, machine } = boot({ image });
    t.is(text(fs.read(fs.open('a', 0))), 'a');
    const fid = fs.open('b');
    fs.write(fid, 1, bytes('more'));
    fs.rename('x/c', 'y/c');
    fs.rename('a', 'x/a');
    fs.rename('x/a', 'b2');
    fs.rename('b2', 'y/c');
    const again = boot({ image, after: machine });
    t.is(text(again.fs.read(again.fs.open('b', 0))), 'bmore');
    t.is(text(again.fs.read(again.fs.open('y/c', 0))), 'a');
    again.fs.rename('y', 'x/y');
    again.fs.unlink('b');
    again.fs.detach();
    t.is(fsckExFat(image), '', `shifted by ${by}, and changed`);
  }
});

test('what a daemon published outlives it, and nothing is lost that a write was given', (t) => {
  if (missing(t)) return;
  t.log(`ATOLL_SEED=${SEED}`);
  const random = integersFrom(SEED);
  const image = small();
  let { fs, machine } = boot({ image });
  const model = new Map<string, Uint8Array>();
  const names = Array.from({ length: 12 }, (_, i) => `${'long '.repeat(i)}name ${i}`);
  fs.mkdir('dir');
  for (let i = 0; i < 600; i++) {
    const name = `${random(3) === 0 ? 'dir/' : ''}${names[random(names.length)]}`;
    const known = model.get(name);
    const what = random(10);
    if (what < 5 || known === undefined) {
      const fid = known ? fs.open(name) : fs.create(name);
      const offset = random((known?.length ?? 0) + 3000);
      const data = new Uint8Array(random(9000)).fill(1 + random(250));
      fs.write(fid, offset, data);
      const now = new Uint8Array(
        Math.max(known?.length ?? 0, data.length ? offset + data.length : 0),
      );
      now.set(known ?? []);
      now.set(data, data.length ? offset : 0);
      model.set(name, now);
      if (random(8) === 0) fs.fsync(fid);
      fs.clunk(fid);
    } else if (what < 7) {
      const fid = fs.open(name);
      const size = random(known.length + 5000);
      fs.truncate(fid, size);
      const now = new Uint8Array(size);
      now.set(known.subarray(0, size));
      model.set(name, now);
      fs.clunk(fid);
    } else if (what < 8) {
      fs.unlink(name);
      model.delete(name);
    } else {
      const to = `${random(2) === 0 ? 'dir/' : ''}${names[random(names.length)]}`;
      fs.rename(name, to);
      model.delete(name);
      model.set(to, known);
    }
    if (random(40) === 0) ({ fs, machine } = boot({ image, after: machine }));
  }
  for (const [name, data] of model) {
    const fid = fs.open(name, 0);
    t.is(Buffer.compare(fs.read(fid), data), 0, name);
    fs.clunk(fid);
  }
  t.is(fs.list('').length + fs.list('dir').length, model.size + 1);
  fs.detach();
  t.is(fsckExFat(image), '');
});
