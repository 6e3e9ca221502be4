// What mkfs.exfat inside Atoll makes and its fsck.exfat repairs, judged by the real tools; and damage of each
// kind in volumes that the real mkfs.exfat made.

import test from 'ava';
import { foldExFat, upcaseTable } from '../../../../kernel/abi/names/exfat.ts';
import {
  dumpExFat,
  fsckExFat,
  haveExfatprogs,
  mkfsExFat,
} from '../../../../scripts/testing/exfatprogs.ts';
import { imageMedium } from '../../../lib/memory/image-medium.ts';
import { bootVolume } from '../../../lib/testing/boot.ts';
import { SLOT } from '../../ondisk.ts';
import { readName, writeLabel, writeSerial } from '../mkfs/label.ts';
import { layoutOf, type MkfsRequest } from '../mkfs/layout.ts';
import { mkfs } from '../mkfs/mkfs.ts';
import { mountExFat } from '../mount.ts';
import {
  BootSector,
  checksum32,
  FileEntry,
  StreamEntry,
  setChecksum,
  TYPE_BITMAP,
  TYPE_FILE,
} from '../ondisk.ts';
import { type ExFatVolume, openExFat } from '../volume/geometry.ts';
import { encodeUpcase } from '../volume/upcase.ts';
import { checkExFat } from './check.ts';

const MIB = 1 << 20;

function fill(image: Uint8Array): void {
  const { fs } = bootVolume({ format: mountExFat, image });
  for (const dir of ['a', 'a/A folder with a long name', 'b']) fs.mkdir(dir);
  for (const name of ['one', 'two', 'a/another file', 'a/A folder with a long name/deep']) {
    const fid = fs.create(name);
    fs.write(fid, 0, new Uint8Array(9000).fill(7));
    fs.clunk(fid);
  }
  const chained = fs.open('one');
  fs.write(chained, 9000, new Uint8Array(9000).fill(8));
  fs.clunk(chained);
  fs.detach();
}

const makes = test.macro({
  exec(t, sizeBytes: number, request: Partial<MkfsRequest>) {
    if (!haveExfatprogs()) return t.pass('no exfatprogs here: skipped');
    const image = new Uint8Array(sizeBytes).fill(0xaa);
    const none = { sectorSize: 512, clusterSize: undefined, alignment: undefined };
    mkfs(imageMedium(image), layoutOf({ ...none, ...request, sizeBytes }), {
      ...{ label: 'Atoll ü', serial: 0xa7011005 },
    });
    t.is(fsckExFat(image), '');
    t.deepEqual(checkExFat(imageMedium(image)).problems, []);
    fill(image);
    t.is(fsckExFat(image), '');
    const found = checkExFat(imageMedium(image));
    t.deepEqual(found.problems, []);
    t.is(found.nodes.length, 8);
    t.regex(dumpExFat(image), /0xa7011005/);
    t.deepEqual(readName(imageMedium(image)), { label: 'Atoll ü', serial: 0xa7011005 });
  },
  title: (_, size: number, request: Partial<MkfsRequest>) =>
    `${size >> 10} KiB ${JSON.stringify(request)}: what mkfs makes, fsck.exfat takes, empty and filled`,
});
test(makes, 2 * MIB, {});
test(makes, 9 * MIB, { clusterSize: 512 });
test(makes, 20 * MIB, { sectorSize: 4096, clusterSize: 32_768, alignment: 65_536 });

test('the up-case table is the recommended one', (t) => {
  t.is(checksum32(encodeUpcase(upcaseTable())), 0xe619_d30d);
  t.is(foldExFat('aé\u0450ß\u1f51\ufb01'), 'AÉ\u0400ß\u1f59\ufb01');
});

test('a label and a number are shown and changed as exfatlabel does it', (t) => {
  if (!haveExfatprogs()) return t.pass('no exfatprogs here: skipped');
  const image = mkfsExFat(4 * MIB, ['-L', 'First']);
  const medium = imageMedium(image);
  t.is(readName(medium).label, 'First');
  writeLabel(medium, 'second öne');
  writeSerial(medium, 0x1234abcd);
  t.deepEqual(readName(medium), { label: 'second öne', serial: 0x1234abcd });
  t.regex(dumpExFat(image), /0x1234abcd.*second öne/s);
  t.is(fsckExFat(image), '');
  writeLabel(medium, '');
  t.is(readName(medium).label, '');
});

interface Damaged {
  readonly image: Uint8Array;
  readonly vol: ExFatVolume;
  readonly fat: DataView;
  /** The set of the root directory with this number: a, b, one, two. */
  set(number: number, change: (file: FileView, stream: StreamView) => void): void;
  byteOf(cluster: number): number;
}
type FileView = InstanceType<typeof FileEntry>;
type StreamView = InstanceType<typeof StreamEntry>;

const ONE = 2;
const TWO = 3;

const DAMAGE: Readonly<Record<string, (on: Damaged) => void>> = {
  'lost clusters': ({ set }) =>
    set(ONE, (file) => {
      file.EntryType = 0x05;
    }),
  'a second owner': ({ set }) => {
    let cluster = 0;
    set(ONE, (_, stream) => {
      cluster = stream.FirstCluster;
    });
    set(TWO, (_, stream) => {
      stream.FirstCluster = cluster;
    });
  },
  'a loop': ({ set, fat }) =>
    set(ONE, (_, { FirstCluster: at }) => fat.setUint32((at + 1) * 4, at, true)),
  'a chain out of the volume': ({ set, fat, vol }) =>
    set(ONE, (_, { FirstCluster: at }) => fat.setUint32(at * 4, vol.clusterEnd + 7, true)),
  'a size too large': ({ set }) =>
    set(ONE, (_, stream) => {
      stream.DataLength = 5_000_000_000;
    }),
  'a size too small': ({ set }) =>
    set(ONE, (_, stream) => {
      stream.DataLength = 10;
      stream.ValidDataLength = 10;
    }),
  'more written than there is': ({ set }) =>
    set(TWO, (_, stream) => {
      stream.ValidDataLength = 1_000_000;
    }),
  'a wrong checksum': ({ image, vol, byteOf }) => {
    const at = byteOf(vol.rootCluster);
    for (let slot = at; ; slot += SLOT) {
      if (image[slot] !== TYPE_FILE) continue;
      image[slot + 2] = (image[slot + 2] ?? 0) ^ 0xff;
      return;
    }
  },
  'a wrong hash': ({ set }) =>
    set(TWO, (_, stream) => {
      stream.NameHash ^= 0x55;
    }),
  'a cluster that is not marked': ({ image, vol, byteOf }) => {
    for (let slot = byteOf(vol.rootCluster); ; slot += SLOT) {
      if (image[slot] !== TYPE_BITMAP) continue;
      const bits = byteOf(new DataView(image.buffer).getUint32(slot + 20, true));
      image[bits + 1] = 0;
      return;
    }
  },
  'a dirty mark': ({ image }) => {
    new BootSector(new DataView(image.buffer)).VolumeFlags |= 2;
  },
  'a destroyed boot region': ({ image }) => void image.fill(0x11, 0, 512),
  'a destroyed backup': ({ image }) => void image.fill(0x11, 13 * 512, 14 * 512),
};

function damage(image: Uint8Array, name: string): void {
  const vol = openExFat(image, image.length);
  const byteOf = (cluster: number): number => vol.dataStart + (cluster - 2) * vol.clusterSize;
  const view = new DataView(image.buffer);
  const set: Damaged['set'] = (number, change) => {
    let met = 0;
    for (let at = byteOf(vol.rootCluster); ; at += SLOT) {
      if (image[at] !== TYPE_FILE || met++ !== number) continue;
      const file = new FileEntry(view, at);
      const count = file.SecondaryCount + 1;
      change(file, new StreamEntry(view, at + SLOT));
      if (file.EntryType !== TYPE_FILE) image.fill(0x45, at + SLOT, at + SLOT + 1);
      if (file.EntryType !== TYPE_FILE) image.fill(0x41, at + 2 * SLOT, at + 2 * SLOT + 1);
      file.SetChecksum = setChecksum(image.subarray(at, at + count * SLOT));
      return;
    }
  };
  DAMAGE[name]?.({ image, vol, byteOf, set, fat: new DataView(image.buffer, vol.fatStart) });
}

const repairs = test.macro({
  exec(t, names: readonly string[]) {
    if (!haveExfatprogs()) return t.pass('no exfatprogs here: skipped');
    const image = mkfsExFat(4 * MIB, ['-c', '1K']);
    fill(image);
    for (const name of names) damage(image, name);
    const before = image.slice();
    const medium = imageMedium(image);
    const found = checkExFat(medium);
    t.true(found.problemCount > 0, `${names}: nothing found`);
    t.is(Buffer.compare(image, before), 0, `${names}: a check writes nothing`);
    found.store();
    t.deepEqual(checkExFat(medium).problems, [], `${names}`);
    t.is(fsckExFat(image), '', `${names}`);
  },
  title: (_, names: readonly string[]) => `${names.join(', ')}: repaired`,
});
for (const name of Object.keys(DAMAGE)) test(repairs, [name]);
test(repairs, ['a loop', 'a size too small', 'a wrong hash', 'a dirty mark', 'a destroyed backup']);
