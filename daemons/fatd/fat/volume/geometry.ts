// What a FAT volume is: read from its boot sector and checked before anything is believed.
// fatgen103, "BPB" and "FAT Type Determination".

import { EMEDIUMTYPE, EUCLEAN, fail } from '../../../../kernel/abi/errno.ts';
import { SLOT } from '../../ondisk.ts';
import { blockSizeOf } from '../../volume/block-size.ts';
import { BOOT_SIGNATURE, BootSector, type BootSectorView } from '../ondisk.ts';

export type FatBits = 12 | 16 | 32;

export interface FatVolume {
  readonly bits: FatBits;
  /** The unit of the block cache: the largest to 4 KiB that divides all of the places below. */
  readonly blockSize: number;
  readonly sectorSize: number;
  readonly clusterSize: number; // bytes
  /** Numbers of the clusters are 2 .. clusterEnd - 1. */
  readonly clusterEnd: number;
  readonly fatStart: number; // bytes, of the FAT that counts
  readonly fatSize: number; // bytes
  /** Where the other copies of it begin, when they are kept equal. */
  readonly mirrors: readonly number[];
  /** FAT12 and FAT16: the root directory's place; FAT32: its first cluster. */
  readonly rootStart: number;
  readonly rootSlots: number;
  readonly rootCluster: number;
  readonly dataStart: number; // bytes, of cluster 2
  readonly fsInfo: number | undefined; // bytes
  readonly serial: number;
  readonly sizeBytes: number;
}

const CLUSTERS_FAT12 = 4085;
const CLUSTERS_FAT16 = 65_525;
const CLUSTERS_MOST = 0x0fff_fff5;
const CLUSTER_MOST = 256 * 1024;

/** Throws EMEDIUMTYPE when it is no FAT volume, EUCLEAN when it is one that cannot be right. */
export function openVolume(sector: Uint8Array, deviceBytes: number): FatVolume {
  if (sector.length < BootSector.size) fail(EMEDIUMTYPE, 'no room for a boot sector');
  const boot = new BootSector(new DataView(sector.buffer, sector.byteOffset, BootSector.size));
  mustBeFat(boot);
  const sectorSize = boot.BPB_BytsPerSec;
  const clusterSize = boot.BPB_SecPerClus * sectorSize;
  const fatSectors = boot.BPB_FATSz16 !== 0 ? boot.BPB_FATSz16 : boot.BPB_FATSz32;
  const total = boot.BPB_TotSec16 !== 0 ? boot.BPB_TotSec16 : boot.BPB_TotSec32;
  if (clusterSize > CLUSTER_MOST) fail(EUCLEAN, `clusters of ${clusterSize} bytes`);
  if (total * sectorSize > deviceBytes)
    fail(EUCLEAN, `${total} sectors of ${sectorSize} on a device of ${deviceBytes} bytes`);
  const rootSectors = Math.ceil((boot.BPB_RootEntCnt * SLOT) / sectorSize);
  const rootSector = boot.BPB_RsvdSecCnt + boot.BPB_NumFATs * fatSectors;
  const dataSector = rootSector + rootSectors;
  const clusters = Math.floor((total - dataSector) / boot.BPB_SecPerClus);
  if (fatSectors === 0 || clusters < 1) fail(EUCLEAN, `${total} sectors leave no room for data`);
  const bits = bitsOf(boot, clusters);
  const fatSize = fatSectors * sectorSize;
  if (Math.floor((fatSize * 8) / bits) < clusters + 2)
    fail(EUCLEAN, `a FAT of ${fatSize} bytes for ${clusters} clusters`);
  const places = {
    fatStart: boot.BPB_RsvdSecCnt * sectorSize,
    rootStart: rootSector * sectorSize,
    dataStart: dataSector * sectorSize,
  };
  const volume: FatVolume = {
    ...{ bits, sectorSize, clusterSize, clusterEnd: clusters + 2, fatSize, ...places },
    ...fatCopies(boot, bits, { fatStart: places.fatStart, fatSize }),
    blockSize: blockSizeOf([clusterSize, fatSize, ...Object.values(places)]),
    rootSlots: bits === 32 ? 0 : boot.BPB_RootEntCnt,
    rootCluster: bits === 32 ? boot.BPB_RootClus : 0,
    fsInfo: bits === 32 ? fsInfoOf(boot) : undefined,
    serial: bits === 32 ? boot.BS32_VolID : boot.BS_VolID,
    sizeBytes: total * sectorSize,
  };
  mustHaveRoot(volume);
  return volume;
}

const isPowerOfTwo = (n: number): boolean => n > 0 && (n & (n - 1)) === 0;

/** There is no magic number: what cannot be a BPB is no FAT volume. */
function mustBeFat(boot: BootSectorView): void {
  const sector = boot.BPB_BytsPerSec;
  const plausible =
    boot.BS_signature === BOOT_SIGNATURE &&
    isPowerOfTwo(sector) &&
    sector >= 512 &&
    sector <= 4096 &&
    isPowerOfTwo(boot.BPB_SecPerClus) &&
    boot.BPB_RsvdSecCnt > 0 &&
    boot.BPB_NumFATs > 0 &&
    (boot.BPB_Media === 0xf0 || boot.BPB_Media >= 0xf8);
  if (!plausible) fail(EMEDIUMTYPE, 'no FAT boot sector');
}

/** The number of clusters alone decides between FAT12 and FAT16; FAT32 has no 16-bit size of a FAT. */
function bitsOf(boot: BootSectorView, clusters: number): FatBits {
  if (boot.BPB_FATSz16 === 0) {
    if (boot.BPB_FSVer !== 0) fail(EUCLEAN, `FAT32 version ${boot.BPB_FSVer}`);
    if (boot.BPB_RootEntCnt !== 0)
      fail(EUCLEAN, 'FAT32 with a root directory in a place of its own');
    if (clusters >= CLUSTERS_MOST) fail(EUCLEAN, `${clusters} clusters`);
    return 32;
  }
  if (boot.BPB_RootEntCnt === 0) fail(EUCLEAN, 'a root directory without entries');
  if (clusters >= CLUSTERS_FAT16) fail(EUCLEAN, `${clusters} clusters on FAT16`);
  return clusters < CLUSTERS_FAT12 ? 12 : 16;
}

/** FAT32 may say that only one of its FATs is used. */
function fatCopies(
  boot: BootSectorView,
  bits: FatBits,
  { fatStart, fatSize }: Pick<FatVolume, 'fatStart' | 'fatSize'>,
): Pick<FatVolume, 'fatStart' | 'mirrors'> {
  const copies = Array.from({ length: boot.BPB_NumFATs }, (_, i) => fatStart + i * fatSize);
  const single = bits === 32 && (boot.BPB_ExtFlags & 0x80) !== 0;
  if (!single) return { fatStart, mirrors: copies.slice(1) };
  const active = boot.BPB_ExtFlags & 0x0f;
  const start = copies[active] ?? fail(EUCLEAN, `FAT ${active} of ${copies.length} is active`);
  return { fatStart: start, mirrors: [] };
}

function fsInfoOf(boot: BootSectorView): number | undefined {
  const sector = boot.BPB_FSInfo;
  const there = sector > 0 && sector < boot.BPB_RsvdSecCnt;
  return there ? sector * boot.BPB_BytsPerSec : undefined;
}

function mustHaveRoot({ bits, rootCluster, clusterEnd }: FatVolume): void {
  if (bits === 32 && (rootCluster < 2 || rootCluster >= clusterEnd))
    fail(EUCLEAN, `the root directory begins at cluster ${rootCluster}`);
}
