// Where a new volume has what: sizes of clusters, tables and the root directory. fatgen103, "FAT Volume
// Initialization"; the defaults are those of mkfs.fat(8).

import { EINVAL, ENOSPC, fail } from '../../../../kernel/abi/errno.ts';
import { SLOT } from '../../ondisk.ts';
import type { FatBits } from '../volume/geometry.ts';

export interface MkfsRequest {
  readonly sizeBytes: number;
  readonly bits: FatBits | undefined;
  readonly sectorSize: number;
  readonly sectorsPerCluster: number | undefined;
  readonly reservedSectors: number | undefined;
  readonly rootEntries: number | undefined;
  readonly fats: number;
}

export interface Layout {
  readonly bits: FatBits;
  readonly sectorSize: number;
  readonly sectors: number;
  readonly sectorsPerCluster: number;
  readonly reserved: number;
  readonly fats: number;
  readonly fatSectors: number;
  readonly rootEntries: number; // 0 on FAT32
  readonly rootSectors: number;
  readonly clusters: number;
  readonly media: number;
  readonly perTrack: number;
  readonly heads: number;
}

const CLUSTERS_MOST: Readonly<Record<FatBits, number>> = { 12: 4084, 16: 65_524, 32: 0x0fff_fff4 };
const CLUSTER_BYTES_MOST = 65_536;
const MIB = 2 ** 20;

interface Disk {
  readonly media: number;
  readonly perTrack: number;
  readonly heads: number;
  readonly sectorsPerCluster?: number;
  readonly rootEntries?: number;
}

/** By KiB: disks that everybody makes alike. */
const FLOPPIES: Readonly<Record<number, Disk>> = {
  360: { media: 0xfd, perTrack: 9, heads: 2, sectorsPerCluster: 2, rootEntries: 112 },
  720: { media: 0xf9, perTrack: 9, heads: 2, sectorsPerCluster: 2, rootEntries: 112 },
  1200: { media: 0xf9, perTrack: 15, heads: 2, sectorsPerCluster: 1, rootEntries: 224 },
  1440: { media: 0xf0, perTrack: 18, heads: 2, sectorsPerCluster: 1, rootEntries: 224 },
  2880: { media: 0xf0, perTrack: 36, heads: 2, sectorsPerCluster: 2, rootEntries: 224 },
};
const HARD_DISK: Disk = { media: 0xf8, perTrack: 63, heads: 255 };

/** Throws EINVAL or ENOSPC for what no volume can be. */
export function layoutOf(request: MkfsRequest): Layout {
  const { sizeBytes, sectorSize } = request;
  const sectors = Math.min(Math.floor(sizeBytes / sectorSize), 2 ** 32 - 1);
  const floppy = sectorSize === 512 ? FLOPPIES[sizeBytes / 1024] : undefined;
  const disk = floppy ?? HARD_DISK;
  const bits =
    request.bits ?? (floppy || sizeBytes < 16 * MIB ? 12 : sizeBytes > 512 * MIB ? 32 : 16);
  const wish = request.sectorsPerCluster ?? (bits === 12 ? disk.sectorsPerCluster : undefined);
  const first = wish ?? (bits === 32 ? fat32Cluster(sizeBytes, sectorSize) : 1);
  for (let each = first; each <= 128 && each * sectorSize <= CLUSTER_BYTES_MOST; each *= 2) {
    const layout = tryLayout(request, { bits, sectors, disk, each });
    if (layout.clusters < 1) fail(ENOSPC, `${sizeBytes} bytes are too few for FAT${bits}`);
    if (layout.clusters <= CLUSTERS_MOST[bits]) return mustBeKind(layout);
    if (request.sectorsPerCluster !== undefined) break;
  }
  return fail(EINVAL, `${sizeBytes} bytes are too many clusters for FAT${bits}`);
}

/** The number of clusters decides what a volume is; on FAT32 another field does. */
function mustBeKind(layout: Layout): Layout {
  if (layout.bits === 16 && layout.clusters <= CLUSTERS_MOST[12])
    fail(EINVAL, `${layout.clusters} clusters are too few for FAT16`);
  return layout;
}

function fat32Cluster(sizeBytes: number, sectorSize: number): number {
  const gib = sizeBytes / 2 ** 30;
  const bytes =
    gib <= 260 / 1024 ? 512 : gib <= 8 ? 4096 : gib <= 16 ? 8192 : gib <= 32 ? 16_384 : 32_768;
  return Math.max(1, bytes / sectorSize);
}

function tryLayout(
  request: MkfsRequest,
  { bits, sectors, disk, each }: { bits: FatBits; sectors: number; disk: Disk; each: number },
): Layout {
  const { sectorSize, fats } = request;
  // Large volumes have all parts begin at a multiple of a cluster.
  const unit = sectors < 8192 ? 1 : each;
  const up = (count: number): number => Math.ceil(count / unit) * unit;
  const reserved = up(Math.max(request.reservedSectors ?? 0, bits === 32 ? 32 : 1));
  const wanted = bits === 32 ? 0 : (request.rootEntries ?? disk.rootEntries ?? 512);
  const rootSectors = up(Math.ceil((wanted * SLOT) / sectorSize));
  let fatSectors = unit;
  let clusters = 0;
  for (let tries = 0; tries < 64; tries++) {
    const data = sectors - reserved - fats * fatSectors - rootSectors;
    clusters = Math.floor(data / each);
    const needed = up(
      Math.ceil(((Math.min(clusters, CLUSTERS_MOST[32]) + 2) * bits) / 8 / sectorSize),
    );
    if (needed <= fatSectors) break;
    fatSectors = needed;
  }
  return {
    ...{ bits, sectorSize, sectors, reserved, fats, fatSectors, rootSectors, clusters },
    sectorsPerCluster: each,
    rootEntries: (rootSectors * sectorSize) / SLOT,
    ...{ media: disk.media, perTrack: disk.perTrack, heads: disk.heads },
  };
}
