// A whole volume over a disk in memory: mounted, used through its 9P session as the kernel does,
// unmounted, judged by e2fsck.

import test, { type ExecutionContext } from 'ava';
import { fsck, haveE2fsprogs, mke2fs } from '../../scripts/testing/e2fsprogs.ts';
import { without } from '../../scripts/testing/skip.ts';
import { type Booted, bootVolume } from '../lib/testing/boot.ts';
import type { MachineOptions } from '../lib/testing/machine.ts';
import { mountExt4 } from './mount.ts';
import { seeded } from './testing.ts';

const missing = without('e2fsprogs', haveE2fsprogs);

const boot = (options: Omit<MachineOptions, 'format'>): Booted =>
  bootVolume({ format: mountExt4, ...options });

const clean = (t: ExecutionContext, image: Uint8Array): void => {
  const { status, output } = fsck(image);
  t.is(status, 0, output);
};

const bytesOf = (seed: number, length: number): Uint8Array => {
  const random = seeded(seed);
  return new Uint8Array(length).map(() => random());
};

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const keeps = test.macro({
  exec(t, args: string[], cacheBytes: number) {
    if (missing(t)) return;
    const image = mke2fs(64 << 20, args);
    const data = bytesOf(3, 5_000_001);
    const first = boot({ image, cacheBytes });
    first.fs.mkdir('d');
    const fid = first.fs.create('d/big');
    first.fs.write(fid, 0, data);
    first.fs.writeInline(fid, 10_000, bytesOf(4, 3000));
    data.set(bytesOf(4, 3000), 10_000);
    t.true(same(first.fs.read(fid), data));
    t.true(same(first.fs.readInline(fid, 9_999, 100), data.subarray(9_999, 10_099)));
    first.fs.fsync(fid);
    for (let i = 0; i < 300; i++) first.fs.clunk(first.fs.create(`d/f${i}`));
    for (let i = 0; i < 300; i += 2) first.fs.unlink(`d/f${i}`);
    first.fs.clunk(fid);
    first.fs.detach();
    t.true(first.machine.unmounted);
    clean(t, image);
    const second = boot({ image, cacheBytes, readOnly: true });
    t.true(same(second.fs.read(second.fs.open('d/big', 0)), data));
    t.is(second.fs.list('d').length, 151);
    t.deepEqual(first.machine.log, []);
  },
  title: (_, args: string[], cacheBytes: number) =>
    `what is written is read after a remount: ${args.join(' ')}, cache of ${cacheBytes >> 20} MiB`,
});
test(keeps, ['-t', 'ext4'], 8 << 20);
test(keeps, ['-t', 'ext4', '-b', '4096'], 1 << 20);
test(keeps, ['-t', 'ext4', '-b', '1024'], 1 << 20);
test(keeps, ['-t', 'ext4', '-b', '2048', '-O', '^metadata_csum'], 2 << 20);
test(keeps, ['-t', 'ext4', '-O', '^64bit'], 4 << 20);
test(keeps, ['-t', 'ext3', '-b', '4096'], 4 << 20);
test(keeps, ['-t', 'ext2', '-b', '1024'], 4 << 20);
