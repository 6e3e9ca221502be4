// The name and the number of an exFAT volume that nobody has mounted: an entry of the root directory, and a
// field of both boot regions. exFAT specification 1.00, §7.3, §3.1.11.

import { EINVAL, EMEDIUMTYPE, ENOSPC, fail, PosixError } from '../../../../kernel/abi/errno.ts';
import type { Medium } from '../../../lib/medium.ts';
import { SLOT } from '../../ondisk.ts';
import { sealRegion } from '../fsck/boot.ts';
import {
  BootSector,
  IN_USE,
  LABEL_UNITS_MAX,
  LabelEntry,
  REGION_SECTORS,
  TYPE_END,
  TYPE_LABEL,
} from '../ondisk.ts';
import { type ExFatVolume, openExFat } from '../volume/geometry.ts';

const SECTOR = 512;
const ROOT_MOST = 4096; // clusters

export const openMediumVolume = (medium: Medium): ExFatVolume =>
  medium.sizeBytes < SECTOR
    ? fail(EMEDIUMTYPE, 'no room for a boot sector')
    : openExFat(medium.read(0, SECTOR), medium.sizeBytes);

export function readName(medium: Medium): { label: string; serial: number } {
  const vol = openMediumVolume(medium);
  const { at, used } = findLabel(medium, vol);
  if (at === undefined || !used) return { label: '', serial: vol.serial };
  const bytes = medium.read(at, SLOT);
  const entry = new LabelEntry(viewOf(bytes));
  const length = Math.min(entry.CharacterCount, LABEL_UNITS_MAX);
  const units = viewOf(entry.VolumeLabel);
  const codes = Array.from({ length }, (_, i) => units.getUint16(2 * i, true));
  return { label: String.fromCharCode(...codes), serial: vol.serial };
}

export function writeLabel(medium: Medium, label: string): void {
  const entry = labelEntry(label);
  const { at } = findLabel(medium, openMediumVolume(medium));
  if (at === undefined) throw new PosixError(ENOSPC, 'the root directory has no room for a label');
  medium.write(at, entry);
  medium.flush();
}

export function writeSerial(medium: Medium, serial: number): void {
  const { sectorSize } = openMediumVolume(medium);
  const length = REGION_SECTORS * sectorSize;
  for (const at of [0, length]) {
    const region = medium.read(at, length);
    new BootSector(viewOf(region)).VolumeSerialNumber = serial;
    sealRegion(region);
    medium.write(at, region);
  }
  medium.flush();
}

/** EINVAL for what cannot be a name. */
export function labelEntry(label: string): Uint8Array {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are forbidden.
  const bad = /["*/:<>?\\|\x00-\x1f]/.test(label) || label.length > LABEL_UNITS_MAX;
  if (bad) fail(EINVAL, `'${label}' can be no label`);
  const bytes = new Uint8Array(SLOT);
  const entry = new LabelEntry(viewOf(bytes));
  entry.EntryType = TYPE_LABEL;
  entry.CharacterCount = label.length;
  for (let i = 0; i < label.length; i++)
    viewOf(entry.VolumeLabel).setUint16(2 * i, label.charCodeAt(i), true);
  return bytes;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Where the label lies, or the first entry that is free. */
function findLabel(medium: Medium, vol: ExFatVolume): { at: number | undefined; used: boolean } {
  let free: number | undefined;
  let cluster = vol.rootCluster;
  for (let i = 0; i < ROOT_MOST && cluster >= 2 && cluster < vol.clusterEnd; i++) {
    const start = vol.dataStart + (cluster - 2) * vol.clusterSize;
    const bytes = medium.read(start, vol.clusterSize);
    for (let at = 0; at < bytes.length; at += SLOT) {
      const type = bytes[at] ?? 0;
      if (type === TYPE_LABEL) return { at: start + at, used: true };
      if ((type & IN_USE) === 0) free ??= start + at;
      // The end may not be overwritten where nobody has cleared what is behind it.
      if (type === TYPE_END) return { at: free, used: false };
    }
    cluster = viewOf(medium.read(vol.fatStart + cluster * 4, 4)).getUint32(0, true);
  }
  return { at: free, used: false };
}
