// Partition tables: made by the real tools, by hand, and damaged.

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import test from 'ava';
import { EIO, PosixError } from '../../../kernel/abi/errno.ts';
import { integersFrom } from '../../../kernel/ipc/random.ts';
import { runNow } from '../../../kernel/ipc/task.ts';
import { testSeed } from '../../../kernel/ipc/testing/seed.ts';
import { tempDir } from '../../hw/test-rig.ts';
import { crc32 } from './crc32.ts';
import { type PartitionTable, readPartitions } from './partition.ts';

const SECTORS = 20_480; // 10 MiB
const dir = tempDir();
test.after.always(() => dir.remove());

function readTable(disk: Uint8Array): PartitionTable {
  const sectorCount = disk.length / 512;
  return runNow(
    readPartitions({
      sectorCount,
      *read(lba, count) {
        if (!(lba >= 0 && lba + count <= sectorCount))
          throw new Error(`the reader looked at ${lba}+${count} of ${sectorCount}`);
        return disk.slice(lba * 512, (lba + count) * 512);
      },
    }),
  );
}

const found = (disk: Uint8Array) =>
  readTable(disk).partitions.map(({ number, start, count }) => [number, start, count]);

interface MbrEntry {
  readonly type: number;
  readonly start: number;
  readonly count: number;
  readonly boot?: number;
}

function putMbr(disk: Uint8Array, lba: number, entries: readonly MbrEntry[]): void {
  const view = new DataView(disk.buffer, lba * 512, 512);
  view.setUint16(510, 0xaa55, true);
  entries.forEach(({ type, start, count, boot = 0 }, i) => {
    view.setUint8(446 + i * 16, boot);
    view.setUint8(446 + i * 16 + 4, type);
    view.setUint32(446 + i * 16 + 8, start, true);
    view.setUint32(446 + i * 16 + 12, count, true);
  });
}

/** The image that a tool makes of a script, or undefined when the tool is not installed. */
function madeBy(tool: string, args: readonly string[], input: string): Uint8Array | undefined {
  const program = ['/usr/sbin', '/sbin', '/usr/bin']
    .map((at) => `${at}/${tool}`)
    .find((at) => fs.existsSync(at));
  if (!program) return undefined;
  const file = dir.path(
    `${tool}-${Math.abs(crc32(new TextEncoder().encode(input + args.join())))}.img`,
  );
  fs.writeFileSync(file, new Uint8Array(SECTORS * 512));
  execFileSync(program, [...args.map((arg) => (arg === 'IMAGE' ? file : arg))], {
    input,
    stdio: 'pipe',
  });
  return new Uint8Array(fs.readFileSync(file));
}

const gptScript =
  'label: gpt\nstart=2048, size=4096, name="first"\nstart=8192, size=2048, name="zweite Ü"\n';
const madeGpt = () => madeBy('sfdisk', ['-q', 'IMAGE'], gptScript);

test('a table of sfdisk with logical partitions', (t) => {
  const script = 'label: dos\n2048,2048,83\n4096,12288,5\n6144,2048,82\n10240,1024,83\n';
  const disk = madeBy('sfdisk', ['-q', 'IMAGE'], script);
  if (!disk) return t.pass('sfdisk is not installed');
  t.deepEqual(found(disk), [
    [1, 2048, 2048],
    [5, 6144, 2048],
    [6, 10_240, 1024],
  ]);
  t.like(readTable(disk), { scheme: 'mbr', notes: [] });
  t.is(readTable(disk).partitions[1]?.type, '0x82');
});

test('a GPT of sfdisk, with names and types', (t) => {
  const disk = madeGpt();
  if (!disk) return t.pass('sfdisk is not installed');
  t.deepEqual(found(disk), [
    [1, 2048, 4096],
    [2, 8192, 2048],
  ]);
  t.like(readTable(disk), { scheme: 'gpt', notes: [] });
  t.is(readTable(disk).partitions[1]?.label, 'zweite Ü');
  t.is(readTable(disk).partitions[0]?.type, '0fc63daf-8483-4772-8e79-3d69d8477de4');
});

test('a GPT of parted', (t) => {
  const args = [
    '-s',
    'IMAGE',
    'mklabel',
    'gpt',
    'mkpart',
    'a',
    '2048s',
    '4095s',
    'mkpart',
    'b',
    '4096s',
    '100%',
  ];
  const disk = madeBy('parted', args, '');
  if (!disk) return t.pass('parted is not installed');
  t.deepEqual(found(disk)[0], [1, 2048, 2048]);
  t.is(found(disk).length, 2);
  t.deepEqual(readTable(disk).notes, []);
});

test('a damaged primary GPT: the backup is used, and a note tells so', (t) => {
  const disk = madeGpt();
  if (!disk) return t.pass('sfdisk is not installed');
  disk[512 + 60] = (disk[512 + 60] ?? 0) ^ 1;
  t.deepEqual(found(disk), [
    [1, 2048, 4096],
    [2, 8192, 2048],
  ]);
  t.deepEqual(readTable(disk).notes, [
    'primary GPT: wrong checksum of the header',
    'the backup GPT is used',
  ]);
});

test('damaged entries of the primary GPT: the backup is used', (t) => {
  const disk = madeGpt();
  if (!disk) return t.pass('sfdisk is not installed');
  disk[1024 + 32] = (disk[1024 + 32] ?? 0) ^ 1;
  t.is(found(disk).length, 2);
  t.regex(readTable(disk).notes.join(), /checksum of the entries/);
});

test('both GPTs damaged: no partitions, and notes that tell why', (t) => {
  const disk = madeGpt();
  if (!disk) return t.pass('sfdisk is not installed');
  disk.fill(0, 512, 1024);
  disk.fill(0, disk.length - 512);
  t.deepEqual(readTable(disk), {
    scheme: 'none',
    partitions: [],
    notes: ['primary GPT: no signature', 'backup GPT: no signature'],
  });
});

test('a GPT made for a larger disk is refused', (t) => {
  const disk = madeGpt();
  if (!disk) return t.pass('sfdisk is not installed');
  const table = readTable(disk.slice(0, 10_000 * 512));
  t.deepEqual(table.partitions, []);
  t.regex(table.notes.join(), /made for a larger disk/);
});

test('an Apple partition map of parted; entries that are no volumes keep their numbers', (t) => {
  const script = ['-s', 'IMAGE', 'mklabel', 'mac', 'mkpart', 'boot', 'hfs', '1MiB', '3MiB'];
  const disk = madeBy('parted', [...script, 'mkpart', 'data', 'ext2', '3MiB', '9MiB'], '');
  if (!disk) {
    t.log('no parted here: skipped');
    return t.pass();
  }
  const { scheme, partitions, notes } = readTable(disk);
  t.is(scheme, 'apm');
  t.deepEqual(notes, []);
  const volumes = partitions.map(({ start, count, label }) => [start, count, label]);
  t.deepEqual(volumes, [
    [2048, 4096, 'boot'],
    [6144, 12_288, 'data'],
  ]);
  t.true(partitions.every(({ number, type }) => number > 1 && type.startsWith('Apple_')));
});

/** A map by hand: block size, then entries of type, start and count. */
function putApm(disk: Uint8Array, blockSize: number, entries: readonly [string, number, number][]) {
  const view = new DataView(disk.buffer);
  view.setUint16(0, 0x4552);
  view.setUint16(2, blockSize);
  entries.forEach(([type, start, count], i) => {
    const at = (i + 1) * blockSize;
    view.setUint16(at, 0x504d);
    view.setUint32(at + 4, entries.length);
    view.setUint32(at + 8, start);
    view.setUint32(at + 12, count);
    disk.set(new TextEncoder().encode(type), at + 48);
  });
}

test('an Apple partition map in blocks of 2 KiB, with entries outside the disk and damaged ones', (t) => {
  const disk = new Uint8Array(SECTORS * 512);
  const map: [string, number, number] = ['Apple_partition_map', 1, 4];
  putApm(disk, 2048, [map, ['Apple_HFS', 100, 50], ['Apple_HFS', 5000, 900], ['Apple_HFS', 9, 1]]);
  disk[4 * 2048] = 0;
  const { partitions, notes } = readTable(disk);
  t.deepEqual(
    partitions.map(({ number, start, count }) => [number, start, count]),
    [[2, 400, 200]],
  );
  t.is(notes.length, 2);
  const bare = new Uint8Array(SECTORS * 512);
  putApm(bare, 7, []);
  t.deepEqual([readTable(bare).scheme, readTable(bare).notes.length], ['none', 1]);
});

test('an empty disk, a blank table and a FAT boot sector have no partitions', (t) => {
  const disk = new Uint8Array(SECTORS * 512);
  t.like(readTable(disk), { scheme: 'none', notes: [] });
  putMbr(disk, 0, []);
  t.like(readTable(disk), { scheme: 'none', partitions: [], notes: [] });
  disk.fill(0x41, 3, 510); // code and messages where the table would be
  t.like(readTable(disk), { scheme: 'none', partitions: [], notes: [] });
});

test('entries outside the disk are left out with a note, the others stay', (t) => {
  const disk = new Uint8Array(SECTORS * 512);
  putMbr(disk, 0, [
    { type: 0x83, start: 2048, count: 2048 },
    { type: 0x83, start: 20_000, count: 481 },
    { type: 0x83, start: 20_000, count: 480, boot: 0x80 },
    { type: 0x83, start: 0xffff_ffff, count: 0xffff_ffff },
  ]);
  t.deepEqual(found(disk), [
    [1, 2048, 2048],
    [3, 20_000, 480],
  ]);
  t.is(readTable(disk).notes.length, 2);
});

test('overlapping partitions are told', (t) => {
  const disk = new Uint8Array(SECTORS * 512);
  putMbr(disk, 0, [
    { type: 0x83, start: 2048, count: 2049 },
    { type: 0x83, start: 4096, count: 1 },
  ]);
  t.deepEqual(readTable(disk).notes, ['partitions 1 and 2 overlap']);
});

test('a chain of logical partitions that is a circle, broken or endless ends', (t) => {
  const circle = new Uint8Array(SECTORS * 512);
  putMbr(circle, 0, [{ type: 5, start: 1000, count: 10_000 }]);
  putMbr(circle, 1000, [
    { type: 0x83, start: 1, count: 10 },
    { type: 5, start: 50, count: 100 },
  ]);
  putMbr(circle, 1050, [
    { type: 0x83, start: 1, count: 10 },
    { type: 5, start: 50, count: 100 },
  ]);
  t.deepEqual(found(circle), [
    [5, 1001, 10],
    [6, 1051, 10],
  ]);
  t.regex(readTable(circle).notes.join(), /circle/);
  const broken = circle.slice();
  broken.fill(0, 1050 * 512, 1051 * 512);
  t.regex(readTable(broken).notes.join(), /record at 1050: not valid/);
  const outside = circle.slice();
  putMbr(outside, 1050, [
    { type: 0x83, start: 1, count: 10 },
    { type: 5, start: 15_000, count: 100 },
  ]);
  t.regex(readTable(outside).notes.join(), /outside its partition/);
  const endless = new Uint8Array(SECTORS * 512);
  putMbr(endless, 0, [{ type: 5, start: 1000, count: 10_000 }]);
  for (let i = 0; i < 200; i++)
    putMbr(endless, 1000 + i * 10, [
      { type: 0x83, start: 1, count: 9 },
      { type: 5, start: (i + 1) * 10, count: 10 },
    ]);
  t.is(readTable(endless).partitions.length, 128);
  t.regex(readTable(endless).notes.join(), /more than 128/);
});

test('a disk that cannot be read has no partitions and a note', (t) => {
  const table = runNow(
    readPartitions({
      sectorCount: 100,
      *read() {
        throw new PosixError(EIO, 'bad spot');
      },
    }),
  );
  t.deepEqual(table.partitions, []);
  t.regex(table.notes.join(), /bad spot/);
});

test('tables with garbled bytes never throw, and never give what is outside the disk', (t) => {
  const seed = testSeed();
  t.log(`ATOLL_SEED=${seed}`);
  const random = integersFrom(seed);
  const gpt = madeGpt();
  const mbr = new Uint8Array(SECTORS * 512);
  putMbr(mbr, 0, [
    { type: 0x83, start: 100, count: 500 },
    { type: 5, start: 1000, count: 10_000 },
  ]);
  for (let i = 0; i < 5; i++)
    putMbr(mbr, 1000 + i * 100, [
      { type: 0x83, start: 1, count: 50 },
      { type: 5, start: (i + 1) * 100, count: 100 },
    ]);
  const spots = [0, 1, 2, 1000, 1100, 1300, SECTORS - 1];
  for (let round = 0; round < 2000; round++) {
    const disk = gpt && round % 2 ? gpt : mbr;
    const undo: [number, number][] = [];
    for (let k = 0; k <= random(6); k++) {
      const sector = spots[random(spots.length)] ?? 0;
      const at = sector * 512 + (sector === 0 || sector >= 1000 ? 440 + random(72) : random(100));
      undo.push([at, disk[at] ?? 0]);
      disk[at] = random(256);
    }
    if (disk === gpt && random(2)) sealGpt(disk);
    for (const { start, count } of readTable(disk).partitions)
      if (!(start >= 1 && count > 0 && start + count <= SECTORS)) t.fail(`${start}+${count}`);
    for (const [at, byte] of undo.reverse()) disk[at] = byte;
  }
  t.pass();
});

/** Makes the checksums right again, so that garbled fields get past them. */
function sealGpt(disk: Uint8Array): void {
  const view = new DataView(disk.buffer);
  const count = view.getUint32(512 + 80, true);
  const size = view.getUint32(512 + 84, true);
  if (count * size <= 100_000)
    view.setUint32(512 + 88, crc32(disk.subarray(1024, 1024 + count * size)), true);
  view.setUint32(512 + 16, 0, true);
  const headerSize = view.getUint32(512 + 12, true);
  if (headerSize <= 512)
    view.setUint32(512 + 16, crc32(disk.subarray(512, 512 + headerSize)), true);
}
