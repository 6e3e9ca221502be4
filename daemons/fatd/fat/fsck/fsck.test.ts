// What mkfs.fat inside Atoll makes and its fsck.fat repairs, judged by the real tools; and damage of each
// kind in volumes that the real mkfs.fat made.

import test from 'ava';
import {
  fsckFat,
  haveDosfstools,
  mkfsFat,
  mtools,
} from '../../../../scripts/testing/dosfstools.ts';
import { imageMedium } from '../../../lib/memory/image-medium.ts';
import { bootVolume } from '../../../lib/testing/boot.ts';
import { readName, writeLabel, writeSerial } from '../mkfs/label.ts';
import { layoutOf, type MkfsRequest } from '../mkfs/layout.ts';
import { mkfs } from '../mkfs/mkfs.ts';
import { mountFat } from '../mount.ts';
import { BootSector, DirEntry } from '../ondisk.ts';
import { type FatVolume, openVolume } from '../volume/geometry.ts';
import { checkFat } from './check.ts';
import { FatTable } from './table.ts';

const NOW = { sec: 1_760_000_000, nsec: 0 };
const REQUEST: MkfsRequest = {
  ...{ sizeBytes: 0, bits: undefined, sectorSize: 512, sectorsPerCluster: undefined },
  ...{ reservedSectors: undefined, rootEntries: undefined, fats: 2 },
};

function fill(image: Uint8Array): void {
  const { fs } = bootVolume({ format: mountFat, image });
  for (const dir of ['a', 'a/A folder with a long name', 'b']) fs.mkdir(dir);
  for (const name of [
    'ONE',
    'TWO',
    'a/another file',
    'a/A folder with a long name/deep',
    'b/B.TXT',
  ]) {
    const fid = fs.create(name);
    fs.write(fid, 0, new Uint8Array(9000).fill(7));
    fs.clunk(fid);
  }
  fs.detach();
}

const makes = test.macro({
  exec(t, sizeBytes: number, request: Partial<MkfsRequest>) {
    if (!haveDosfstools()) return t.pass('no dosfstools here: skipped');
    const image = new Uint8Array(sizeBytes).fill(0xaa);
    const layout = layoutOf({ ...REQUEST, ...request, sizeBytes });
    mkfs(imageMedium(image), layout, { label: 'Atoll', serial: 0xa7011005, now: NOW });
    const empty = fsckFat(image);
    t.is(empty.status, 0, empty.output);
    t.deepEqual(checkFat(imageMedium(image), { lost: 'free' }).problems, []);
    fill(image);
    const full = fsckFat(image);
    t.is(full.status, 0, full.output);
    const found = checkFat(imageMedium(image), { lost: 'free' });
    t.deepEqual(found.problems, []);
    t.is(found.nodes.length, 9);
    const { outputs } = mtools(image, [
      ['mdir', ['-/', '-b', '-i', 'IMAGE', '::']],
      ['minfo', ['-i', 'IMAGE']],
    ]);
    const [listed = '', info = ''] = outputs.map((bytes) =>
      new TextDecoder('latin1').decode(bytes),
    );
    t.regex(listed, /A folder with a long name\/deep/);
    t.regex(info, /serial number: A7011005/i);
    t.regex(info, /ATOLL/);
  },
  title: (_, size: number, request: Partial<MkfsRequest>) =>
    `${size >> 10} KiB ${JSON.stringify(request)}: what mkfs makes, fsck.fat and mtools take, empty and filled`,
});
test(makes, 1440 << 10, {});
test(makes, 5 << 20, { bits: 12, fats: 1, rootEntries: 64 });
test(makes, 20 << 20, {});
test(makes, 12 << 20, { sectorSize: 1024, bits: 16 });
test(makes, 35 << 20, { bits: 32 });
test(makes, 12 << 20, { bits: 16, sectorSize: 2048, sectorsPerCluster: 1 });

test('a label and a number are shown and changed as fatlabel does it', (t) => {
  if (!haveDosfstools()) return t.pass('no dosfstools here: skipped');
  for (const args of [
    ['-F', '12'],
    ['-F', '32', '-n', 'FIRST'],
  ]) {
    const image = mkfsFat(args[1] === '32' ? 34 << 20 : 1440 << 10, args);
    const medium = imageMedium(image);
    t.is(readName(medium).label, args.length > 2 ? 'FIRST' : '');
    writeLabel(medium, 'second one', NOW);
    writeSerial(medium, 0x1234abcd);
    t.deepEqual(readName(medium), { label: 'SECOND ONE', serial: 0x1234abcd });
    t.regex(
      new TextDecoder().decode(mtools(image, [['mlabel', ['-s', '-i', 'IMAGE', '::']]]).outputs[0]),
      /SECOND ONE/,
    );
    const { status, output } = fsckFat(image);
    t.is(status, 0, output);
    writeLabel(medium, '', NOW);
    t.is(readName(medium).label, '');
  }
});

interface Damaged {
  readonly image: Uint8Array;
  readonly vol: FatVolume;
  readonly table: FatTable;
  /** The entry of a file or folder of the root directory. */
  entry(name: string): InstanceType<typeof DirEntry>;
}

const start = (entry: InstanceType<typeof DirEntry>): number =>
  entry.DIR_FstClusHI * 0x1_0000 + entry.DIR_FstClusLO;

const DAMAGE: Readonly<Record<string, (on: Damaged) => void>> = {
  'lost clusters': ({ entry }) => {
    entry('ONE').DIR_Name = Uint8Array.of(0xe5, ...entry('ONE').DIR_Name.subarray(1));
  },
  'a second owner': ({ entry }) => {
    entry('TWO').DIR_FstClusLO = entry('ONE').DIR_FstClusLO;
    entry('TWO').DIR_FstClusHI = entry('ONE').DIR_FstClusHI;
  },
  'a loop': ({ table, entry }) => table.set(table.get(start(entry('ONE'))), start(entry('ONE'))),
  'a chain out of the volume': ({ vol, table, entry }) =>
    table.set(start(entry('ONE')), vol.clusterEnd + 7),
  'a chain into nothing': ({ table, entry }) => table.set(table.get(start(entry('TWO'))), 0),
  'a size too large': ({ entry }) => {
    entry('ONE').DIR_FileSize = 5_000_000;
  },
  'a size too small': ({ entry }) => {
    entry('ONE').DIR_FileSize = 10;
  },
  'a name that cannot be': ({ entry }) => {
    entry('ONE').DIR_Name = new TextEncoder().encode('O*E     T?T');
  },
  'one name twice': ({ entry }) => {
    entry('TWO').DIR_Name = entry('ONE').DIR_Name;
  },
  "a wrong '..'": ({ image, vol, entry }) => {
    const at = vol.dataStart + (start(entry('B')) - 2) * vol.clusterSize + DirEntry.size;
    new DirEntry(new DataView(image.buffer), at).DIR_FstClusLO = start(entry('A'));
  },
  'a long name without its entry': ({ image, vol, entry }) => {
    const at = vol.dataStart + (start(entry('A')) - 2) * vol.clusterSize;
    for (let slot = at; slot < at + vol.clusterSize; slot += DirEntry.size) {
      const found = new DirEntry(new DataView(image.buffer), slot);
      if (found.DIR_Attr !== 0x0f && found.DIR_Name[0] === 0x41)
        found.DIR_Name = Uint8Array.of(0xe5, ...found.DIR_Name.subarray(1));
    }
  },
  'tables that differ': ({ image, vol }) => {
    const mirror = vol.mirrors[0] ?? 0;
    image.fill(0x55, mirror + 100, mirror + 120);
  },
  'a dirty mark': ({ image, vol }) => {
    const boot = new BootSector(new DataView(image.buffer));
    if (vol.bits === 32) boot.BS32_Reserved1 = 1;
    else boot.BS_Reserved1 = 1;
  },
};

const repairs = test.macro({
  exec(t, bits: string, names: readonly string[]) {
    if (!haveDosfstools()) return t.pass('no dosfstools here: skipped');
    const sizes: Readonly<Record<string, number>> = { 12: 1440 << 10, 16: 5 << 20, 32: 3 << 20 };
    const golden = mkfsFat(sizes[bits] ?? 0, ['-F', bits, '-s', '1']);
    fill(golden);
    for (const lost of ['free', 'save'] as const) {
      const image = golden.slice();
      for (const name of names) damage(image, name);
      const medium = imageMedium(image);
      const before = image.slice();
      const found = checkFat(medium, { lost });
      t.true(found.problemCount > 0, `${names}: nothing found`);
      t.is(Buffer.compare(image, before), 0, `${names}: a check writes nothing`);
      found.store();
      t.deepEqual(checkFat(medium, { lost }).problems, [], `${names}`);
      const { status, output } = fsckFat(image);
      t.is(status, 0, `${names}: ${output}`);
    }
  },
  title: (_, bits: string, names: readonly string[]) =>
    `FAT${bits} with ${names.join(', ')}: repaired`,
});

function damage(image: Uint8Array, name: string): void {
  const vol = openVolume(image, image.length);
  const medium = imageMedium(image);
  const table = new FatTable(medium, vol);
  const root =
    vol.rootCluster === 0 ? vol.rootStart : vol.dataStart + (vol.rootCluster - 2) * vol.clusterSize;
  const entry = (wanted: string): InstanceType<typeof DirEntry> => {
    for (let at = root; at < root + 64 * DirEntry.size; at += DirEntry.size) {
      const found = new DirEntry(new DataView(image.buffer), at);
      if (new TextDecoder().decode(found.DIR_Name).trimEnd() === wanted) return found;
    }
    throw new Error(`no ${wanted}`);
  };
  DAMAGE[name]?.({ image, vol, table, entry });
  table.store(medium);
}

for (const bits of ['12', '16', '32'])
  for (const name of Object.keys(DAMAGE)) test(repairs, bits, [name]);
test(repairs, '32', ['a loop', "a wrong '..'", 'a dirty mark', 'a size too large']);

test('a destroyed boot sector of FAT32 comes back from its backup', (t) => {
  if (!haveDosfstools()) return t.pass('no dosfstools here: skipped');
  const image = mkfsFat(3 << 20, ['-F', '32']);
  image.fill(0, 0, 512);
  const found = checkFat(imageMedium(image), { lost: 'free' });
  t.deepEqual(
    found.problems.map(({ kind }) => kind),
    ['boot'],
  );
  found.store();
  t.is(fsckFat(image).status, 0);
});
