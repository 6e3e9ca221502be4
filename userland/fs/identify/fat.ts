// FAT12, FAT16, FAT32 and exFAT for identify.ts: the label of the boot sector and that of the root
// directory. fatgen103; Microsoft "exFAT file system specification" §3.1, §7.3.

import { openMediumVolume, readName } from '../../../daemons/fatd/exfat/mkfs/label.ts';
import { BootSector, DirEntry } from '../../../daemons/fatd/fat/ondisk.ts';
import { type FatVolume, openVolume } from '../../../daemons/fatd/fat/volume/geometry.ts';
import type { Medium } from '../../../daemons/lib/medium.ts';
import { bytesAt, hex, type Tags, tagsOf, viewOf } from './tags.ts';

const ATTR_VOLUME_ID = 0x08;
const ATTR_LONG_NAME = 0x0f;
const FREE = 0xe5;
const EXTENDED_BOOT = 0x29;
/** A root directory is looked at as far as this many clusters. */
const CLUSTERS_MAX = 64;

export function identifyFat(medium: Medium): Tags | undefined {
  const sector = bytesAt(medium, 0, BootSector.size);
  if (sector === undefined) return undefined;
  const volume = openVolume(sector, medium.sizeBytes);
  const boot = new BootSector(viewOf(sector));
  const wide = volume.bits === 32;
  const extended = (wide ? boot.BS32_BootSig : boot.BS_BootSig) === EXTENDED_BOOT;
  const inBoot = extended ? label(wide ? boot.BS32_VolLab : boot.BS_VolLab) : '';
  const serial = hex(volume.serial >>> 0, 8);
  return tagsOf([
    ['SEC_TYPE', wide ? undefined : 'msdos'],
    ['LABEL_FATBOOT', inBoot === 'NO NAME' ? undefined : inBoot],
    ['LABEL', rootLabel(medium, volume)],
    ['UUID', volume.serial === 0 ? undefined : `${serial.slice(0, 4)}-${serial.slice(4)}`],
    ['BLOCK_SIZE', String(volume.sectorSize)],
    ['TYPE', 'vfat'],
  ]);
}

/** Eleven bytes of the code page; what is not ASCII is left as Latin-1. */
const label = (raw: Uint8Array): string => String.fromCharCode(...raw).replace(/[ \0]+$/, '');

function rootLabel(medium: Medium, volume: FatVolume): string | undefined {
  for (const directory of rootParts(medium, volume)) {
    for (let at = 0; at + DirEntry.size <= directory.length; at += DirEntry.size) {
      const entry = new DirEntry(viewOf(directory), at);
      const [first] = entry.DIR_Name;
      if (first === 0) return undefined;
      const isLabel = (entry.DIR_Attr & ATTR_LONG_NAME) === ATTR_VOLUME_ID;
      if (isLabel && first !== FREE) return label(entry.DIR_Name);
    }
  }
  return undefined;
}

/** The root directory, cluster by cluster on FAT32. */
function* rootParts(medium: Medium, volume: FatVolume): Generator<Uint8Array> {
  if (volume.bits !== 32) {
    yield medium.read(volume.rootStart, volume.rootSlots * DirEntry.size);
    return;
  }
  let cluster = volume.rootCluster;
  for (let i = 0; i < CLUSTERS_MAX && cluster >= 2 && cluster < volume.clusterEnd; i++) {
    yield medium.read(volume.dataStart + (cluster - 2) * volume.clusterSize, volume.clusterSize);
    cluster = viewOf(medium.read(volume.fatStart + cluster * 4, 4)).getUint32(0, true) & 0xfffffff;
  }
}

/** blkid takes the zeroes of its boot sector for a partition table without partitions, and says so. */
export function identifyExFat(medium: Medium): Tags | undefined {
  const sector = bytesAt(medium, 0, BootSector.size);
  if (sector === undefined) return undefined;
  const { sectorSize } = openMediumVolume(medium);
  const { label: name, serial } = readName(medium);
  const id = hex(serial >>> 0, 8);
  return tagsOf([
    ['LABEL', name],
    ['UUID', `${id.slice(0, 4)}-${id.slice(4)}`],
    ['BLOCK_SIZE', String(sectorSize)],
    ['TYPE', 'exfat'],
    ['PTTYPE', FLAGS_AT.every((at) => (sector[at] ?? 0) % 0x80 === 0) ? 'dos' : undefined],
  ]);
}
/** Of the four entries that an MBR would have there. */
const FLAGS_AT: readonly number[] = [446, 462, 478, 494];
