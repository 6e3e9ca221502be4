// A whole exFAT volume over a disk in memory: made by mkfs.exfat, used through its 9P session as the kernel
// does, unmounted, judged by fsck.exfat.

import test from 'ava';
import {
  dumpExFat,
  fsckExFat,
  haveExfatprogs,
  mkfsExFat,
} from '../../../scripts/testing/exfatprogs.ts';
import { without } from '../../../scripts/testing/skip.ts';
import { type Booted, bootVolume } from '../../lib/testing/boot.ts';
import type { MachineOptions } from '../../lib/testing/machine.ts';
import { SLOT } from '../ondisk.ts';
import { mountExFat } from './mount.ts';
import { BitmapEntry, BootSector, TYPE_BITMAP } from './ondisk.ts';

const missing = without('exfatprogs', haveExfatprogs);

const boot = (options: Omit<MachineOptions, 'format'>): Booted =>
  bootVolume({ format: mountExFat, ...options });

const bytesOf = (seed: number, length: number): Uint8Array =>
  new Uint8Array(length).map((_, i) => (Math.imul(i + seed, 2654435761) >>> 13) & 0xff);

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const keeps = test.macro({
  exec(t, sizeBytes: number, args: readonly string[]) {
    if (missing(t)) return;
    const image = mkfsExFat(sizeBytes, args);
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
    const longest = `${'x'.repeat(250)}.data`;
    first.fs.clunk(first.fs.create(longest));
    first.fs.clunk(fid);
    first.fs.detach();
    t.true(first.machine.unmounted);
    t.is(fsckExFat(image), '');
    t.regex(dumpExFat(image), /Volume Length/);
    const second = boot({ image, readOnly: true });
    t.true(same(second.fs.read(second.fs.open(big, 0)), data));
    t.is(second.fs.list('A folder with a long name').length, 49);
    t.deepEqual(second.fs.list('').sort(), [
      'A folder with a long name',
      'd',
      longest,
      'Übergröße.txt',
    ]);
    t.deepEqual(second.machine.log, []);
  },
  title: (_, sizeBytes: number, args: readonly string[]) =>
    `${sizeBytes >> 20} MiB ${args.join(' ')}: files are the same after unmounting, and fsck.exfat is content`,
});
test(keeps, 16 << 20, []);
test(keeps, 8 << 20, ['-c', '512', '-L', 'Atoll']);
test(keeps, 8 << 20, ['-c', '4K', '-b', '64K']);
test(keeps, 40 << 20, ['-c', '128K']);

test('an allocation bitmap that says to be longer than its bits, in pieces, is read as far as there are bits', (t) => {
  if (missing(t)) return;
  const image = mkfsExFat((8 << 20) + (100 << 10), ['-c', '512']);
  const view = new DataView(image.buffer);
  const sector = new BootSector(view);
  const clusterAt = (cluster: number): number => (sector.ClusterHeapOffset + cluster - 2) * 512;
  const linkAt = (cluster: number): number => sector.FatOffset * 512 + cluster * 4;
  let slot = clusterAt(sector.FirstClusterOfRootDirectory);
  while (image[slot] !== TYPE_BITMAP) slot += SLOT;
  const entry = new BitmapEntry(view, slot);
  const clusters = Math.ceil(entry.DataLength / 512);
  t.is(entry.FirstCluster, 2);
  entry.DataLength = (clusters + 1) * 512;
  view.setUint32(linkAt(2 + clusters - 1), 1000, true);
  view.setUint32(linkAt(1000), 0xffff_ffff, true);
  const { fs } = boot({ image });
  fs.write(fs.create('file'), 0, bytesOf(1, 5000));
  fs.detach();
});
