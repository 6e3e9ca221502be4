// fallocate and the search for holes against a model of bytes, at random: what is read, what is called a
// hole, what e2fsck says.

import test from 'ava';
import { EOPNOTSUPP, PosixError } from '../../kernel/abi/errno.ts';
import { fsck, haveE2fsprogs, mke2fs } from '../../scripts/testing/e2fsprogs.ts';
import { seeded, TestFs, TestImage } from './testing.ts';

const SEED = Number(process.env['ATOLL_SEED'] ?? 20261121);
const [KEEP, PUNCH, ZERO] = [1, 3, 0x10];
const BLOCK = 1024;
const BLOCKS = 3000;

class Fixture {
  readonly mounted: TestFs;
  readonly ino: number;

  constructor(bytes: Uint8Array) {
    this.mounted = new TestFs(new TestImage(bytes));
    this.ino = this.mounted.create('/file');
  }

  allocate(mode: number, offset: number, length: number): void {
    const { mounted, ino } = this;
    for (let done = 0; done < length; ) {
      const request = { mode, offset: offset + done, length: length - done };
      done += mounted.run((tx) => mounted.fs.allocate(tx, ino, request));
    }
  }

  /** The runs of data, as the file system tells them. */
  data(): [from: number, to: number][] {
    const { mounted, ino } = this;
    const out: [number, number][] = [];
    for (let at = 0; ; ) {
      const from = this.#seek(at, 3);
      if (from === undefined) return out;
      at = this.#seek(from, 4) ?? mounted.run((tx) => mounted.fs.size(tx, ino));
      out.push([from, at]);
    }
  }

  #seek(offset: number, whence: number): number | undefined {
    const { mounted, ino } = this;
    try {
      for (let at = offset; ; ) {
        const found = mounted.run((tx) => mounted.fs.seek(tx, ino, { offset: at, whence }));
        if (found.found) return found.offset;
        at = found.offset;
      }
    } catch (error) {
      if (error instanceof PosixError && error.code === 'ENXIO') return undefined;
      throw error;
    }
  }
}

test('random reserving, punching, zeroing and writing agree with a model, and e2fsck is content', (t) => {
  if (!haveE2fsprogs()) return t.pass('no e2fsprogs here: skipped');
  t.log(`ATOLL_SEED=${SEED}`);
  const random = seeded(SEED);
  const fixture = new Fixture(mke2fs(8 << 20, ['-t', 'ext4', '-b', String(BLOCK)]));
  const { mounted, ino } = fixture;
  let model = new Uint8Array(0);
  const isData = new Uint8Array(BLOCKS); // by block
  const grow = (size: number): void => {
    if (size <= model.length) return;
    const larger = new Uint8Array(size);
    larger.set(model);
    model = larger;
  };
  for (let step = 0; step < 400; step++) {
    const from = random() % (BLOCKS - 64);
    const count = 1 + (random() % 60);
    const [offset, length] = [from * BLOCK, count * BLOCK];
    const what = random() % 5;
    if (what <= 1) {
      const byte = 1 + (random() % 255);
      mounted.write(ino, offset, new Uint8Array(length).fill(byte));
      grow(offset + length);
      model.fill(byte, offset, offset + length);
      isData.fill(1, from, from + count);
    } else if (what === 2) {
      fixture.allocate(PUNCH, offset, length);
      model.fill(0, offset, offset + length);
      isData.fill(0, from, from + count);
    } else if (what === 3) {
      const keep = random() % 2 === 1 ? KEEP : 0;
      fixture.allocate(ZERO | keep, offset, length);
      if (keep === 0) grow(offset + length);
      model.fill(0, offset, offset + length);
      isData.fill(0, from, from + count);
    } else {
      const keep = random() % 2 === 1 ? KEEP : 0;
      fixture.allocate(keep, offset, length);
      if (keep === 0) grow(offset + length);
    }
    if (step % 40 === 39) {
      t.is(Buffer.compare(mounted.read(ino), model), 0, `step ${step}`);
      t.deepEqual(fixture.data(), runsOf(isData, model.length), `step ${step}`);
    }
  }
  mounted.unmount();
  const { status, output } = fsck(mounted.image.bytes);
  t.is(status, 0, output);
});

function runsOf(isData: Uint8Array, size: number): [number, number][] {
  const out: [number, number][] = [];
  for (let i = 0; i * BLOCK < size; i++) {
    if (isData[i] === 0) continue;
    const last = out.at(-1);
    if (last?.[1] === i * BLOCK) last[1] = (i + 1) * BLOCK;
    else out.push([i * BLOCK, (i + 1) * BLOCK]);
  }
  return out;
}

test('a file with a block map refuses, by name', (t) => {
  if (!haveE2fsprogs()) return t.pass('no e2fsprogs here: skipped');
  const fixture = new Fixture(mke2fs(8 << 20, ['-t', 'ext3']));
  const error = t.throws(() => fixture.allocate(0, 0, 4096), { instanceOf: PosixError });
  t.is(error?.errno, EOPNOTSUPP);
});

test('a volume that has no room says so, and what was reserved is whole', (t) => {
  if (!haveE2fsprogs()) return t.pass('no e2fsprogs here: skipped');
  const fixture = new Fixture(mke2fs(8 << 20, ['-t', 'ext4', '-b', String(BLOCK)]));
  t.throws(() => fixture.allocate(0, 0, 64 << 20), { code: 'ENOSPC' });
  fixture.mounted.unmount();
  t.is(fsck(fixture.mounted.image.bytes).status, 0);
});
