// Where the structures of a FAT image lie, as tables of fields: boot sector, FSInfo, numbers of the table,
// entries and parts of long names. Only the sum in a long name's parts covers any of it; it stays wrong.

import { checkFat } from '../../daemons/fatd/fat/fsck/check.ts';
import {
  ATTR_LONG_NAME,
  BootSector,
  DirEntry,
  FsInfo,
  LongEntry,
} from '../../daemons/fatd/fat/ondisk.ts';
import type { FatVolume } from '../../daemons/fatd/fat/volume/geometry.ts';
import { SLOT, SLOT_END } from '../../daemons/fatd/ondisk.ts';
import { imageMedium } from '../../daemons/lib/memory/image-medium.ts';
import { type Place, type Target, targetsOf } from './catalog.ts';

const none = (): void => undefined; // nothing is put right
const ENTRIES_MAX = 200;
const NUMBERS_MAX = 200;

/** A FAT image's structures by kind. */
export function fatCatalogOf(image: Uint8Array): Target[][] {
  const { vol, nodes } = checkFat(imageMedium(image.slice()), { lost: 'free' });
  const boot: Place[] = [{ table: BootSector, at: 0, what: 'boot sector', reseal: none }];
  if (vol.fsInfo !== undefined)
    boot.push({ table: FsInfo, at: vol.fsInfo, what: 'FSInfo', reseal: none });
  const kinds = [boot, numbersOf(vol), ...slotsOf(image, vol, nodes.length)];
  return kinds.filter((kind) => kind.length > 0).map((kind) => kind.flatMap(targetsOf));
}

/** Of the clusters at the beginning of the volume, where its files lie. */
function numbersOf({ fatStart, bits, clusterEnd }: FatVolume): Place[] {
  const size = bits === 32 ? 4 : 2;
  const table = { structName: 'number', size, offsets: { value: 0 } };
  return Array.from({ length: Math.min(NUMBERS_MAX, clusterEnd) }, (_, i) => ({
    ...{ table, at: fatStart + Math.floor((i * bits) / 8), reseal: none },
    what: `number of cluster ${i}`,
  }));
}

/** Slots of the root directory, and of what looks like another one in the first clusters. */
function slotsOf(image: Uint8Array, vol: FatVolume, count: number): [Place[], Place[]] {
  const entries: Place[] = [];
  const longs: Place[] = [];
  const { dataStart, clusterSize, rootStart, rootSlots } = vol;
  const addPiece = (start: number, size: number): void => {
    for (let at = start; at < start + size && image[at] !== SLOT_END; at += SLOT) {
      const isLong = image[at + DirEntry.offsets.DIR_Attr] === ATTR_LONG_NAME;
      const place = { at, reseal: none, what: `slot at ${at}` };
      if (isLong) longs.push({ ...place, table: LongEntry });
      else entries.push({ ...place, table: DirEntry });
    }
  };
  if (vol.rootCluster === 0) addPiece(rootStart, rootSlots * SLOT);
  else addPiece(dataStart + (vol.rootCluster - 2) * clusterSize, clusterSize);
  for (let cluster = 2; cluster < 2 + count * 8 && entries.length < ENTRIES_MAX; cluster++) {
    const at = dataStart + (cluster - 2) * clusterSize;
    const isDirectory = image[at] === 0x2e && image[at + 1] === 0x20;
    if (isDirectory && at + clusterSize <= image.length) addPiece(at, clusterSize);
  }
  return [entries, longs];
}
