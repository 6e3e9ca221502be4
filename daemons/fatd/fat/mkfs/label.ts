// The name and the number of a volume that nobody has mounted: in the boot sector, its backup, and an
// entry of the root directory. fatgen103, "Volume Label".

import { ENOSPC, fail } from '../../../../kernel/abi/errno.ts';
import type { Timespec } from '../../../../kernel/abi/stat.ts';
import type { Medium } from '../../../lib/medium.ts';
import { SLOT, SLOT_END } from '../../ondisk.ts';
import { isLabel } from '../fsck/slots.ts';
import { FatTable } from '../fsck/table.ts';
import { ATTR_LONG_NAME, BootSector, DirEntry, SLOT_FREE } from '../ondisk.ts';
import { isCluster } from '../volume/fat.ts';
import { type FatVolume, openVolume } from '../volume/geometry.ts';
import { labelBytes, labelEntry } from './mkfs.ts';

export interface VolumeName {
  readonly label: string;
  readonly serial: number;
}

const SECTOR = 512;
const NO_NAME = 'NO NAME';

export function readName(medium: Medium): VolumeName {
  const vol = openVolume(medium.read(0, SECTOR), medium.sizeBytes);
  const { label } = findLabel(medium, vol);
  if (label !== undefined) return { label, serial: vol.serial };
  const boot = new BootSector(viewOf(medium.read(0, SECTOR)));
  const text = textOf(vol.bits === 32 ? boot.BS32_VolLab : boot.BS_VolLab);
  return { label: text === NO_NAME ? '' : text, serial: vol.serial };
}

export function writeSerial(medium: Medium, serial: number): void {
  eachBoot(medium, (boot, bits) => {
    boot[bits === 32 ? 'BS32_VolID' : 'BS_VolID'] = serial;
  });
}

/** '' takes the name away. */
export function writeLabel(medium: Medium, label: string, now: Timespec): void {
  const vol = openVolume(medium.read(0, SECTOR), medium.sizeBytes);
  const { at, free } = findLabel(medium, vol);
  if (label === '') {
    if (at !== undefined) medium.write(at, Uint8Array.of(SLOT_FREE));
  } else {
    const place = at ?? free ?? fail(ENOSPC, 'the root directory has no room for a label');
    medium.write(place, labelEntry({ label, now }));
  }
  eachBoot(medium, (boot, bits) => {
    boot[bits === 32 ? 'BS32_VolLab' : 'BS_VolLab'] = labelBytes(label);
  });
  medium.flush();
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes).trimEnd();

function eachBoot(
  medium: Medium,
  change: (boot: InstanceType<typeof BootSector>, bits: number) => void,
): void {
  const first = medium.read(0, SECTOR);
  const { bits, sectorSize } = openVolume(first, medium.sizeBytes);
  const backup = bits === 32 ? new BootSector(viewOf(first)).BPB_BkBootSec * sectorSize : 0;
  for (const at of backup === 0 ? [0] : [0, backup]) {
    const bytes = medium.read(at, SECTOR);
    change(new BootSector(viewOf(bytes)), bits);
    medium.write(at, bytes);
  }
}

/** Where the entry lies, and the first free one. */
function findLabel(medium: Medium, vol: FatVolume): { label?: string; at?: number; free?: number } {
  let free: number | undefined;
  for (const { start, size } of rootPieces(medium, vol)) {
    const bytes = medium.read(start, size);
    for (let at = 0; at < size; at += SLOT) {
      const first = bytes[at];
      if (first === SLOT_FREE || first === SLOT_END) free ??= start + at;
      if (first === SLOT_END) return { ...(free === undefined ? {} : { free }) };
      const entry = new DirEntry(viewOf(bytes), at);
      if (first === SLOT_FREE || entry.DIR_Attr === ATTR_LONG_NAME || !isLabel(entry)) continue;
      return { label: textOf(entry.DIR_Name), at: start + at };
    }
  }
  return { ...(free === undefined ? {} : { free }) };
}

function rootPieces(medium: Medium, vol: FatVolume): { start: number; size: number }[] {
  if (vol.rootCluster === 0) return [{ start: vol.rootStart, size: vol.rootSlots * SLOT }];
  const table = new FatTable(medium, vol);
  const pieces: { start: number; size: number }[] = [];
  const met = new Set<number>();
  for (let at = vol.rootCluster; isCluster(vol, at) && !met.has(at); at = table.get(at)) {
    met.add(at);
    const start = vol.dataStart + (at - 2) * vol.clusterSize;
    pieces.push({ start, size: vol.clusterSize });
  }
  return pieces;
}
