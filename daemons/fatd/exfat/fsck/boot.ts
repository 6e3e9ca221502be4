// The two boot regions of a volume that nobody has mounted: each has a checksum over its first eleven
// sectors. exFAT specification 1.00, §3.

import { EMEDIUMTYPE, fail, PosixError } from '../../../../kernel/abi/errno.ts';
import type { Medium } from '../../../lib/medium.ts';
import type { Report } from '../../fsck/report.ts';
import {
  BOOT_VOLATILE,
  BootSector,
  CHECKSUM_SECTOR,
  checksum32,
  REGION_SECTORS,
  REVISION,
  SECTOR,
  VOLUME_DIRTY,
} from '../ondisk.ts';
import { type ExFatVolume, openExFat } from '../volume/geometry.ts';
import type { Kind } from './check.ts';

export interface Boot {
  readonly vol: ExFatVolume;
  /** The region that counts. */
  readonly region: Uint8Array;
  /** Which of the two are not as they must be. */
  readonly damaged: readonly ('main' | 'backup')[];
}

const SECTOR_SIZES = [512, 4096, 1024, 2048];

/** The main region, or where that is damaged the backup. Throws when neither is one. */
export function readBoot(medium: Medium, report: Report<Kind>): Boot {
  const main = regionAt(medium, 0, sectorSizeAt(medium, 0));
  const sectorSize = main?.vol.sectorSize;
  const sizes = sectorSize === undefined ? SECTOR_SIZES : [sectorSize];
  let backup: Region | undefined;
  for (const size of sizes) backup ??= regionAt(medium, REGION_SECTORS * size, size);
  if (main?.right) {
    const same = backup?.right && isCopy(main.region, backup.region);
    if (!same) report.bad('boot', 'the backup boot region is damaged');
    return { vol: main.vol, region: main.region, damaged: same ? [] : ['backup'] };
  }
  if (backup?.right) {
    report.bad('boot', 'the main boot region is damaged, its backup is not');
    return { vol: backup.vol, region: backup.region, damaged: ['main'] };
  }
  if (main === undefined) return fail(EMEDIUMTYPE, 'no exFAT boot region');
  report.bad('boot', 'the checksums of both boot regions are wrong');
  return { vol: main.vol, region: main.region, damaged: ['main', 'backup'] };
}

interface Region {
  readonly vol: ExFatVolume;
  readonly region: Uint8Array;
  readonly right: boolean;
}

function sectorSizeAt(medium: Medium, at: number): number {
  if (at + SECTOR > medium.sizeBytes) return SECTOR;
  const sector = medium.read(at, SECTOR);
  const { BytesPerSectorShift: shift } = new BootSector(viewOf(sector));
  return shift >= 9 && shift <= 12 ? 2 ** shift : SECTOR;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

function regionAt(medium: Medium, at: number, sectorSize: number): Region | undefined {
  const length = REGION_SECTORS * sectorSize;
  if (at + length > medium.sizeBytes) return undefined;
  const region = medium.read(at, length);
  try {
    const vol = openExFat(region.subarray(0, SECTOR), medium.sizeBytes);
    if (vol.sectorSize !== sectorSize) return undefined;
    const { FileSystemRevision } = new BootSector(viewOf(region));
    const right = FileSystemRevision === REVISION && sumIsRight(region, sectorSize);
    return { vol, region, right };
  } catch (error) {
    if (error instanceof PosixError) return undefined;
    throw error;
  }
}

function sumIsRight(region: Uint8Array, sectorSize: number): boolean {
  const sum = checksum32(region.subarray(0, CHECKSUM_SECTOR * sectorSize), BOOT_VOLATILE);
  const view = viewOf(region);
  for (let at = CHECKSUM_SECTOR * sectorSize; at < region.length; at += 4)
    if (view.getUint32(at, true) !== sum) return false;
  return true;
}

const isCopy = (main: Uint8Array, backup: Uint8Array): boolean =>
  main.every((byte, i) => byte === backup[i] || BOOT_VOLATILE.includes(i));

/** Fills the last sector of a region with the checksum of the others. */
export function sealRegion(region: Uint8Array): void {
  const sectorSize = region.length / REGION_SECTORS;
  const sum = checksum32(region.subarray(0, CHECKSUM_SECTOR * sectorSize), BOOT_VOLATILE);
  const view = viewOf(region);
  for (let at = CHECKSUM_SECTOR * sectorSize; at < region.length; at += 4)
    view.setUint32(at, sum, true);
}

/** Writes the regions that were damaged, and the marks of the main one. */
export function storeBoot(
  medium: Medium,
  { region, damaged, vol }: Boot,
  percentInUse: number,
): void {
  const boot = new BootSector(viewOf(region));
  boot.VolumeFlags &= ~VOLUME_DIRTY;
  boot.PercentInUse = percentInUse;
  sealRegion(region);
  if (damaged.includes('main')) medium.write(0, region);
  else medium.write(0, region.subarray(0, vol.sectorSize));
  if (damaged.length > 0) medium.write(region.length, region);
}
