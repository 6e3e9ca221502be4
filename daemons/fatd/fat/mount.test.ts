// A whole FAT volume over a disk in memory: made by mkfs.fat, used through its 9P session as the kernel
// does, unmounted, judged by fsck.fat and read and written by mtools.

import test, { type ExecutionContext } from 'ava';
import { fsckFat, haveDosfstools, mkfsFat, mtools } from '../../../scripts/testing/dosfstools.ts';
import { without } from '../../../scripts/testing/skip.ts';
import { type Booted, bootVolume } from '../../lib/testing/boot.ts';
import type { MachineOptions } from '../../lib/testing/machine.ts';
import { mountFat } from './mount.ts';

const missing = without('dosfstools and mtools', haveDosfstools);

const boot = (options: Omit<MachineOptions, 'format'>): Booted =>
  bootVolume({ format: mountFat, ...options });

const clean = (t: ExecutionContext, image: Uint8Array): void => {
  const { status, output } = fsckFat(image);
  t.is(status, 0, output);
};

const bytesOf = (seed: number, length: number): Uint8Array =>
  new Uint8Array(length).map((_, i) => (Math.imul(i + seed, 2654435761) >>> 13) & 0xff);

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** What mkfs.fat is told, and how large the volume is. */
const KINDS: Readonly<Record<string, { args: string[]; sizeBytes: number }>> = {
  'FAT12 of a floppy': { args: ['-F', '12'], sizeBytes: 1440 * 1024 },
  'FAT12 with 4 KiB clusters': { args: ['-F', '12', '-s', '8'], sizeBytes: 8 << 20 },
  FAT16: { args: ['-F', '16'], sizeBytes: 32 << 20 },
  'FAT16 with sectors of 2 KiB': {
    args: ['-F', '16', '-S', '2048', '-s', '1'],
    sizeBytes: 40 << 20,
  },
  FAT32: { args: ['-F', '32'], sizeBytes: 40 << 20 },
  'FAT32 with 4 KiB clusters': { args: ['-F', '32', '-s', '8'], sizeBytes: 280 << 20 },
  'FAT32 that is not aligned': { args: ['-F', '32', '-a', '-R', '33'], sizeBytes: 40 << 20 },
};

const keeps = test.macro({
  exec(t, kind: string) {
    const { args, sizeBytes } = KINDS[kind] ?? { args: [], sizeBytes: 0 };
    if (missing(t)) return;
    const image = mkfsFat(sizeBytes, args);
    const data = bytesOf(3, 600_001);
    const first = boot({ image });
    first.fs.mkdir('A folder with a long name');
    const big = 'A folder with a long name/big file.data';
    const fid = first.fs.create(big);
    first.fs.write(fid, 0, data);
    first.fs.writeInline(fid, 10_000, bytesOf(4, 3000));
    data.set(bytesOf(4, 3000), 10_000);
    t.true(same(first.fs.read(fid), data));
    first.fs.fsync(fid);
    for (let i = 0; i < 100; i++)
      first.fs.clunk(first.fs.create(`A folder with a long name/f${i}`));
    for (let i = 0; i < 100; i += 2) first.fs.unlink(`A folder with a long name/f${i}`);
    first.fs.rename('A folder with a long name/f1', 'Übergröße.txt');
    first.fs.mkdir('d');
    first.fs.rename('A folder with a long name/f3', 'd/f3');
    first.fs.clunk(fid);
    first.fs.detach();
    t.true(first.machine.unmounted);
    clean(t, image);
    const { outputs } = mtools(image, [['mcopy', ['-n', '-i', 'IMAGE', `::${big}`, '-']]]);
    t.true(same(outputs[0] ?? new Uint8Array(), data), 'mcopy reads what was written');
    const second = boot({ image, readOnly: true });
    t.true(same(second.fs.read(second.fs.open(big, 0)), data));
    t.is(second.fs.list('A folder with a long name').length, 49);
    t.deepEqual(second.fs.list(''), ['A folder with a long name', 'd', 'Übergröße.txt']);
  },
  title: (_, kind: string) =>
    `${kind}: files are the same after unmounting, for mtools too, and fsck.fat is content`,
});
for (const kind of Object.keys(KINDS)) test(keeps, kind);
