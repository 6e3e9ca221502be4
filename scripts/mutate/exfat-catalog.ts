// Where the structures of an exFAT image lie, as tables of fields: boot sector, links, bits, entries of sets.
// The checksums of the boot region and of a set are put right, so that damage is read.

import { sealRegion } from '../../daemons/fatd/exfat/fsck/boot.ts';
import { checkExFat } from '../../daemons/fatd/exfat/fsck/check.ts';
import {
  BitmapEntry,
  BootSector,
  FileEntry,
  NameEntry,
  REGION_SECTORS,
  StreamEntry,
  setChecksum,
  TYPE_BITMAP,
  TYPE_FILE,
  TYPE_NAME,
  TYPE_STREAM,
  TYPE_UPCASE,
  UpcaseEntry,
} from '../../daemons/fatd/exfat/ondisk.ts';
import type { ExFatVolume } from '../../daemons/fatd/exfat/volume/geometry.ts';
import { SLOT } from '../../daemons/fatd/ondisk.ts';
import { imageMedium } from '../../daemons/lib/memory/image-medium.ts';
import { type Place, type Target, targetsOf } from './catalog.ts';

const none = (): void => undefined; // nothing is put right
const NUMBERS_MAX = 200;
const CLUSTERS_MAX = 200;

/** An exFAT image's structures by kind. */
export function exFatCatalogOf(image: Uint8Array): Target[][] {
  const { vol } = checkExFat(imageMedium(image.slice()));
  const region = REGION_SECTORS * vol.sectorSize;
  const seal = (bytes: Uint8Array): void => sealRegion(bytes.subarray(0, region));
  const boot: Place[] = [{ table: BootSector, at: 0, what: 'boot sector', reseal: seal }];
  const kinds = [boot, numbersOf(vol), bitsOf(image, vol), ...entriesOf(image, vol)];
  return kinds.filter((kind) => kind.length > 0).map((kind) => kind.flatMap(targetsOf));
}

const NUMBER = { structName: 'number', size: 4, offsets: { value: 0 } };

/** Links of the clusters at the beginning of the volume, where its files lie. */
const numbersOf = ({ fatStart, clusterEnd }: ExFatVolume): Place[] =>
  Array.from({ length: Math.min(NUMBERS_MAX, clusterEnd) }, (_, i) => ({
    ...{ table: NUMBER, at: fatStart + i * 4, reseal: none },
    what: `link of cluster ${i}`,
  }));

function bitsOf(image: Uint8Array, vol: ExFatVolume): Place[] {
  const [slot = 0] = slotsIn(image, vol, vol.rootCluster).filter((at) => image[at] === TYPE_BITMAP);
  const { FirstCluster } = new BitmapEntry(viewOf(image), slot);
  const start = byteOf(vol, FirstCluster);
  return Array.from({ length: NUMBERS_MAX / 8 }, (_, i) => ({
    ...{ table: NUMBER, at: start + i * 4, reseal: none },
    what: `bits from ${i * 32} on`,
  }));
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

const byteOf = (vol: ExFatVolume, cluster: number): number =>
  vol.dataStart + (cluster - 2) * vol.clusterSize;

const slotsIn = ({ length }: Uint8Array, vol: ExFatVolume, cluster: number): number[] =>
  Array.from({ length: vol.clusterSize / SLOT }, (_, i) => byteOf(vol, cluster) + i * SLOT).filter(
    (at) => at + SLOT <= length,
  );

/** Entries of the root directory, and of what looks like another one in the first clusters. */
function entriesOf(image: Uint8Array, vol: ExFatVolume): [Place[], Place[], Place[], Place[]] {
  const [system, files, streams, names]: [Place[], Place[], Place[], Place[]] = [[], [], [], []];
  for (let cluster = 2; cluster < Math.min(vol.clusterEnd, CLUSTERS_MAX); cluster++) {
    const isDirectory = cluster === vol.rootCluster || image[byteOf(vol, cluster)] === TYPE_FILE;
    let head = 0;
    for (const at of isDirectory ? slotsIn(image, vol, cluster) : []) {
      const type = image[at];
      if (type === TYPE_FILE) head = at;
      const file = head;
      const place = { at, what: `slot at ${at}`, reseal: (b: Uint8Array) => sealSet(b, file) };
      if (type === TYPE_BITMAP) system.push({ ...place, table: BitmapEntry, reseal: none });
      if (type === TYPE_UPCASE) system.push({ ...place, table: UpcaseEntry, reseal: none });
      if (type === TYPE_FILE) files.push({ ...place, table: FileEntry });
      if (type === TYPE_STREAM) streams.push({ ...place, table: StreamEntry });
      if (type === TYPE_NAME) names.push({ ...place, table: NameEntry });
    }
  }
  return [system, files, streams, names];
}

function sealSet(image: Uint8Array, at: number): void {
  const file = new FileEntry(viewOf(image), at);
  const end = Math.min(image.length, at + (file.SecondaryCount + 1) * SLOT);
  file.SetChecksum = setChecksum(image.subarray(at, end));
}
