// Media: image files on the host, overlays, packed images.

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import test from 'ava';
import { EACCES, EBUSY, EINVAL, EIO, EISDIR, ENOENT, EROFS } from '../../../kernel/abi/errno.ts';
import { integersFrom } from '../../../kernel/ipc/random.ts';
import { testSeed } from '../../../kernel/ipc/testing/seed.ts';
import { tempDir } from '../test-rig.ts';
import { openDisk } from './disk.ts';

const dir = tempDir();
test.after.always(() => dir.remove());

function image(name: string, content: Uint8Array): string {
  const file = dir.path(name);
  fs.writeFileSync(file, content);
  return file;
}

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
}

function read(disk: ReturnType<typeof openDisk>, offset: number, length: number): Uint8Array {
  const into = new Uint8Array(new SharedArrayBuffer(length)).fill(0xcc);
  disk.readv(offset, [into]);
  return into.slice();
}

const packer = ['/usr/bin/zstd', '/usr/local/bin/zstd'].find((file) => fs.existsSync(file));

test('a read-write image keeps what is written, in pieces, on the host', (t) => {
  const file = image('rw.img', new Uint8Array(8192));
  const disk = openDisk({ file, mode: 'rw' });
  const shared = new Uint8Array(new SharedArrayBuffer(4096));
  shared.set(pattern(4096));
  disk.writev(1024, [shared.subarray(0, 1000), shared.subarray(1000, 1536)]);
  disk.flush();
  disk.close();
  t.deepEqual(new Uint8Array(fs.readFileSync(file).subarray(1024, 2560)), pattern(1536));
});

test('more pieces than the host takes in one call', (t) => {
  const file = image('many.img', new Uint8Array(3000 * 4));
  const disk = openDisk({ file, mode: 'rw' });
  const source = pattern(12_000);
  const pieces = (all: Uint8Array) =>
    Array.from({ length: 3000 }, (_, i) => all.subarray(i * 4, i * 4 + 4));
  disk.writev(0, pieces(source));
  const target = new Uint8Array(12_000);
  disk.readv(0, pieces(target));
  disk.close();
  t.deepEqual(target, source);
});

test('what lies beyond the end of a file that shrank reads as zeroes', (t) => {
  const file = image('shrinks.img', pattern(8192));
  const disk = openDisk({ file, mode: 'ro' });
  fs.truncateSync(file, 5000);
  const expected = pattern(8192);
  expected.fill(0, 5000);
  t.deepEqual(read(disk, 0, 8192), expected);
  disk.close();
});

test('a sparse image of 6 GiB is written behind 4 GiB', (t) => {
  const file = dir.path('large.img');
  fs.closeSync(fs.openSync(file, 'w'));
  fs.truncateSync(file, 6 * 2 ** 30);
  const disk = openDisk({ file, mode: 'rw' });
  t.is(disk.sectorCount, 6 * 2 ** 21);
  disk.writev(5 * 2 ** 30, [pattern(512)]);
  t.deepEqual(read(disk, 5 * 2 ** 30, 512), pattern(512));
  t.deepEqual(read(disk, 2 ** 30, 512), new Uint8Array(512));
  disk.close();
});

test('an overlay agrees with a model and leaves its file untouched', (t) => {
  const seed = testSeed();
  t.log(`ATOLL_SEED=${seed}`);
  const random = integersFrom(seed);
  const size = 700 * 1024;
  const file = image('base.img', pattern(size));
  const disk = openDisk({ file, mode: 'overlay' });
  const model = pattern(size);
  for (let i = 0; i < 400; i++) {
    const length = 512 * (1 + random(300));
    const offset = 512 * random((size - length) / 512);
    if (random(2) === 0) {
      const data = new Uint8Array(length).fill(random(256));
      disk.writev(offset, [data.subarray(0, 100), data.subarray(100)]);
      model.set(data, offset);
    } else
      t.is(Buffer.compare(read(disk, offset, length), model.subarray(offset, offset + length)), 0);
  }
  disk.flush();
  t.is(Buffer.compare(read(disk, 0, size), model), 0);
  disk.close();
  t.is(Buffer.compare(fs.readFileSync(file), pattern(size)), 0);
});

test('trimmed blocks of an overlay read as zeroes and can be written again', (t) => {
  const file = image('trim.img', pattern(262_144));
  const disk = openDisk({ file, mode: 'overlay' });
  disk.trim(0, 200_000);
  t.deepEqual(read(disk, 65_536, 512), new Uint8Array(512));
  disk.writev(65_536, [pattern(512)]);
  t.deepEqual(read(disk, 65_536, 1024), Uint8Array.from([...pattern(512), ...new Uint8Array(512)]));
  t.deepEqual(read(disk, 199_680, 512), pattern(262_144).slice(199_680, 200_192));
  disk.close();
});

test('a read-only disk refuses writes', (t) => {
  const disk = openDisk({ file: image('ro.img', pattern(4096)), mode: 'ro' });
  t.true(disk.readOnly);
  t.like(
    t.throws(() => disk.writev(0, [new Uint8Array(512)])),
    { errno: EROFS },
  );
  disk.close();
});

const refuses = test.macro({
  exec(t, make: (name: string) => string, expected: { errno: number; message: RegExp }) {
    const file = make(t.title.replace(/\W+/g, '-'));
    for (const mode of ['rw', 'overlay'] as const) {
      const error = t.throws(() => openDisk({ file, mode }), { message: expected.message });
      t.like(error, { errno: expected.errno });
      t.true(error?.message.startsWith(file), 'the file is named');
    }
  },
  title: (title) => `refused: ${title}`,
});
test('a missing file', refuses, (name) => dir.path(name), {
  errno: ENOENT,
  message: /no such file/,
});
test('an empty file', refuses, (name) => image(name, new Uint8Array(0)), {
  errno: EINVAL,
  message: /is empty/,
});
test('less than a sector', refuses, (name) => image(name, new Uint8Array(511)), {
  errno: EINVAL,
  message: /less than a sector/,
});
test(
  'a directory',
  refuses,
  (name) => {
    fs.mkdirSync(dir.path(name));
    return dir.path(name);
  },
  { errno: EISDIR, message: /is a directory/ },
);
test(
  'a FIFO, without waiting for its writer',
  refuses,
  (name) => {
    execFileSync('mkfifo', [dir.path(name)]);
    return dir.path(name);
  },
  { errno: EINVAL, message: /not a regular file/ },
);

test('a write-protected file is refused read-write, and is fine as an overlay', (t) => {
  const file = image('protected.img', pattern(4096));
  fs.chmodSync(file, 0o444);
  t.like(
    t.throws(() => openDisk({ file, mode: 'rw' }), { message: /write-protected \(mode 0444\)/ }),
    { errno: EACCES },
  );
  const disk = openDisk({ file, mode: 'overlay' });
  disk.writev(0, [new Uint8Array(512)]);
  disk.close();
});

test('one image is written by one disk at a time, whatever its name', (t) => {
  const file = image('twice.img', pattern(4096));
  fs.linkSync(file, dir.path('twice-too.img'));
  const first = openDisk({ file, mode: 'rw' });
  t.like(
    t.throws(() => openDisk({ file: dir.path('twice-too.img'), mode: 'rw' })),
    { errno: EBUSY },
  );
  first.close();
  openDisk({ file, mode: 'rw' }).close();
  t.pass();
});

test('the last bytes that fill no sector are left out with a note', (t) => {
  const disk = openDisk({ file: image('odd.img', pattern(1300)), mode: 'rw' });
  t.is(disk.sectorCount, 2);
  t.regex(disk.notes.join(), /the last 276 bytes/);
  disk.close();
});

test('a packed image is unpacked, written in memory, and unchanged afterwards', (t) => {
  if (!packer) return t.pass(`zstd is not installed`);
  const content = new Uint8Array(5 << 20);
  content.set(pattern(300_000), 1_000_000);
  content[content.length - 1] = 9;
  const plain = image('packed.img', content);
  execFileSync(packer, ['-q', plain]);
  const file = `${plain}.zst`;
  const before = fs.readFileSync(file);
  t.like(
    t.throws(() => openDisk({ file, mode: 'rw' }), { message: /overlay/ }),
    { errno: EROFS },
  );
  t.true(openDisk({ file, mode: 'ro' }).readOnly);
  const disk = openDisk({ file, mode: 'overlay' });
  t.is(disk.sectorCount, 10_240);
  t.is(Buffer.compare(read(disk, 0, content.length), content), 0);
  disk.writev(0, [pattern(512)]);
  t.deepEqual(read(disk, 0, 512), pattern(512));
  disk.close();
  t.deepEqual(fs.readFileSync(file), before);
});

test('an image packed as a stream, without its size, is unpacked as one', (t) => {
  if (!packer) return t.pass(`zstd is not installed`);
  const content = new Uint8Array((3 << 20) + 512);
  content.set(pattern(70_000), 700_000);
  content.set(pattern(512), 3 << 20);
  const file = image('streamed.img.zst', execFileSync(packer, ['-q', '-c'], { input: content }));
  const disk = openDisk({ file, mode: 'ro' });
  t.is(disk.sectorCount, content.length / 512);
  t.is(Buffer.compare(read(disk, 0, content.length), content), 0);
});

test('a packed image that is cut short or garbled is refused with its reason', (t) => {
  if (!packer) return t.pass(`zstd is not installed`);
  const plain = image(
    'garbled.img',
    Uint8Array.from({ length: 200_000 }, (_, i) => (i * i) >> 7),
  );
  execFileSync(packer, ['-q', plain]);
  const packed = fs.readFileSync(`${plain}.zst`);
  const cut = image('cut.zst', packed.subarray(0, packed.length / 2));
  t.like(
    t.throws(() => openDisk({ file: cut, mode: 'ro' }), { message: /is damaged/ }),
    { errno: EIO },
  );
  const none = image('none.zst', pattern(1000));
  t.throws(() => openDisk({ file: none, mode: 'ro' }), { message: /is not a zstd file/ });
  const empty = image('empty.zst', new Uint8Array(0));
  t.throws(() => openDisk({ file: empty, mode: 'ro' }), { message: /is empty/ });
});
