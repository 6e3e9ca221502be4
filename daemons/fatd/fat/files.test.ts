// What FAT's files and directories do that others' do not: cases and aliases, files without a name,
// growth without holes, a directory as large as FAT allows, a daemon that dies, damaged chains.

import test, { type ExecutionContext } from 'ava';
import { EFBIG, EINVAL, EIO, ENOENT, EPERM, EUCLEAN } from '../../../kernel/abi/errno.ts';
import { fsckFat, haveDosfstools, mkfsFat } from '../../../scripts/testing/dosfstools.ts';
import { without } from '../../../scripts/testing/skip.ts';
import { type Booted, bootVolume } from '../../lib/testing/boot.ts';
import type { MachineOptions } from '../../lib/testing/machine.ts';
import { mountFat } from './mount.ts';

const missing = without('dosfstools and mtools', haveDosfstools);

const boot = (options: Omit<MachineOptions, 'format'>): Booted =>
  bootVolume({ format: mountFat, ...options });

const fat32 = (): Uint8Array => mkfsFat(40 << 20, ['-F', '32']);

const clean = (t: ExecutionContext, image: Uint8Array): void => {
  const { status, output } = fsckFat(image);
  t.is(status, 0, output);
};

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

test('a file goes by its long name and its alias in any case, and shows the case it was made with', (t) => {
  if (missing(t)) return;
  const { fs } = boot({ image: fat32() });
  fs.clunk(fs.create('Long Name Here.text'));
  fs.clunk(fs.create('readme.TXT'));
  for (const name of ['LONG NAME HERE.TEXT', 'long name here.text', 'longna~1.tex', 'README.txt']) {
    t.notThrows(() => fs.clunk(fs.walk(name)), name);
  }
  t.deepEqual(fs.list(''), ['Long Name Here.text', 'readme.TXT']);
  fs.unlink('LONGNA~1.TEX');
  t.deepEqual(fs.list(''), ['readme.TXT']);
  fs.rename('readme.TXT', 'README.TXT');
  t.deepEqual(fs.list(''), ['README.TXT']);
});

const refuses = test.macro({
  exec(t, name: string) {
    if (missing(t)) return;
    const { fs } = boot({ image: fat32() });
    t.like(
      t.throws(() => fs.create(name)),
      { errno: EINVAL },
    );
  },
  title: (_, name: string) => `'${name}' is a name that FAT cannot hold`,
});
for (const name of ['a:b', 'what?', 'a*', 'tail.', 'tail ', 'a|b', 'a"b', 'a\\b', 'a\u0001']) {
  test(refuses, name);
}

test('links are EPERM, sizes beyond 4 GiB - 1 EFBIG', (t) => {
  if (missing(t)) return;
  const { fs } = boot({ image: fat32() });
  const fid = fs.create('a');
  t.like(
    t.throws(() => fs.symlink('s', 'a')),
    { errno: EPERM },
  );
  t.like(
    t.throws(() => fs.link('a', 'b')),
    { errno: EPERM },
  );
  t.like(
    t.throws(() => fs.truncate(fid, 2 ** 32)),
    { errno: EFBIG },
  );
  t.like(
    t.throws(() => fs.write(fid, 2 ** 32 - 1, bytes('xx'))),
    { errno: EFBIG },
  );
});

test('where a file grows it reads as zeroes, whatever lay in its clusters', (t) => {
  if (missing(t)) return;
  const image = fat32();
  const { fs } = boot({ image });
  const old = fs.create('old');
  fs.write(old, 0, new Uint8Array(3_000_000).fill(0xaa));
  fs.clunk(old);
  fs.unlink('old');
  const fid = fs.create('new');
  fs.write(fid, 0, bytes('head'));
  fs.fsync(fid);
  fs.write(fid, 1_000_000, bytes('tail'));
  fs.truncate(fid, 1_500_000);
  const seen = fs.read(fid);
  t.is(seen.length, 1_500_000);
  t.is(text(seen.subarray(0, 4)), 'head');
  t.is(text(seen.subarray(1_000_000, 1_000_004)), 'tail');
  t.true(seen.subarray(4, 1_000_000).every((byte) => byte === 0));
  t.true(seen.subarray(1_000_004).every((byte) => byte === 0));
  fs.clunk(fid);
  fs.detach();
  clean(t, image);
});

test('a file without a name lives until it is given up, and a renamed one keeps its number', (t) => {
  if (missing(t)) return;
  const image = fat32();
  const first = boot({ image });
  const gone = first.fs.create('gone');
  first.fs.write(gone, 0, bytes('still here'));
  first.fs.unlink('gone');
  first.fs.clunk(first.fs.create('in its place'));
  const moved = first.fs.create('moved');
  const before = first.fs.getattr(moved).qid.path;
  first.fs.mkdir('d');
  first.fs.rename('moved', 'd/there');
  first.fs.write(moved, 0, bytes('moved'));
  t.is(first.fs.getattr(moved).qid.path, before);
  t.is(first.fs.getattr(first.fs.walk('d/there')).qid.path, before);
  t.is(text(first.fs.read(gone)), 'still here');
  first.fs.clunk(gone);
  first.fs.clunk(moved);
  first.fs.detach();
  clean(t, image);
  const second = boot({ image });
  t.is(text(second.fs.read(second.fs.open('d/there', 0))), 'moved');
  t.deepEqual(second.fs.list(''), ['d', 'in its place']);
});

test('a file that was renamed while it was written to has the number of its new place once it is closed', (t) => {
  if (missing(t)) return;
  const image = fat32();
  const { fs, machine } = boot({ image });
  fs.mkdir('d');
  const fid = fs.create('a');
  const before = fs.getattr(fid).qid.path;
  fs.write(fid, 0, bytes('one'));
  fs.rename('a', 'd/b');
  fs.write(fid, 3, bytes('two'));
  fs.clunk(fid);
  t.not(fs.getattr(fs.walk('d/b')).qid.path, before);
  t.is(text(fs.read(fs.open('d/b', 0))), 'onetwo');
  t.deepEqual(machine.log, []);
  fs.detach();
  clean(t, image);
});

test('a file that was replaced while it was open stays what it was, and the name is the new one', (t) => {
  if (missing(t)) return;
  const image = fat32();
  const { fs } = boot({ image });
  const put = (name: string, value: string): number => {
    const fid = fs.create(name);
    fs.write(fid, 0, bytes(value));
    return fid;
  };
  const old = put('target', 'old');
  fs.clunk(put('source', 'new'));
  fs.rename('source', 'target');
  t.is(text(fs.read(fs.open('target', 0))), 'new');
  t.is(text(fs.read(old)), 'old');
  fs.clunk(old);
  t.is(text(fs.read(fs.open('target', 0))), 'new');
  fs.detach();
  clean(t, image);
});

test('what a daemon published outlives it, before any of it is on the disk', (t) => {
  if (missing(t)) return;
  const image = fat32();
  const first = boot({ image });
  for (let i = 0; i < 50; i++) {
    const fid = first.fs.create(`a file with number ${i}`);
    first.fs.write(fid, 0, bytes(`content ${i}`));
    first.fs.clunk(fid);
  }
  for (let i = 0; i < 50; i += 2) first.fs.unlink(`a file with number ${i}`);
  const second = boot({ image, after: first.machine });
  t.is(second.fs.list('').length, 25);
  t.is(text(second.fs.read(second.fs.open('a file with number 7', 0))), 'content 7');
  second.fs.detach();
  clean(t, image);
});

test('a name in a large directory is made and found without reading the directory again', (t) => {
  if (missing(t)) return;
  const image = mkfsFat(64 << 20, ['-F', '32', '-s', '2']);
  const { fs, machine } = boot({ image, cacheBytes: 8 << 20 });
  fs.mkdir('d');
  const count = 3000;
  const misses = (): number => machine.volume.engine.misses;
  for (let i = 0; i < count; i++) fs.clunk(fs.create(`d/F${i}`));
  const before = misses();
  for (let i = 0; i < 500; i++) fs.clunk(fs.create(`d/G${i}`));
  t.true(misses() - before < 100, `${misses() - before} blocks were missed for 500 names`);
  t.is(fs.list('d').length, count + 500);
  fs.detach();
  clean(t, image);
});

/** Damages the image after files were made on it. */
const damaged = test.macro({
  exec(t, _what: string, harm: (fat: DataView, first: number) => void, errno: number) {
    if (missing(t)) return;
    const image = fat32();
    const made = boot({ image });
    const fid = made.fs.create('victim');
    made.fs.write(fid, 0, new Uint8Array(20_000).fill(1));
    made.fs.clunk(fid);
    made.fs.detach();
    harm(new DataView(image.buffer, 32 * 512), 3);
    const { fs, machine } = boot({ image });
    const open = fs.open('victim', 0);
    t.like(
      t.throws(() => fs.read(open, 10_000)),
      { errno },
    );
    t.true(
      machine.log.some((line) => line.includes('cluster') || line.includes('chain')),
      machine.log.join('; '),
    );
  },
  title: (_, what: string) => `${what}: the error has a number and a line in the log`,
});
test(
  damaged,
  'a chain that leads out of the volume',
  (fat, first) => fat.setUint32((first + 2) * 4, 0x0abc_def0, true),
  EUCLEAN,
);
test(
  damaged,
  'a chain that leads to a free cluster',
  (fat, first) => fat.setUint32((first + 2) * 4, 0, true),
  EUCLEAN,
);
test(
  damaged,
  'a chain that ends too early',
  (fat, first) => fat.setUint32((first + 2) * 4, 0x0fff_ffff, true),
  EIO,
);

test('a name that is not there is ENOENT', (t) => {
  if (missing(t)) return;
  const { fs } = boot({ image: fat32() });
  t.like(
    t.throws(() => fs.unlink('nothing')),
    { errno: ENOENT },
  );
});
