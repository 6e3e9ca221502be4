// Where a new exFAT volume has what: the FAT, the clusters, how large those are. exFAT specification 1.00, §3.1;
// the defaults are those of mkfs.exfat(8).

import { EINVAL, ENOSPC, fail } from '../../../../kernel/abi/errno.ts';
import { REGION_SECTORS } from '../ondisk.ts';

export interface MkfsRequest {
  readonly sizeBytes: number;
  readonly sectorSize: number;
  /** Undefined: as large as suits the volume. */
  readonly clusterSize: number | undefined;
  /** The FAT and the clusters begin at multiples of this. */
  readonly alignment: number | undefined;
}

export interface Layout {
  readonly sectorSize: number;
  readonly clusterSize: number;
  readonly sectors: number;
  readonly fatSector: number;
  readonly fatSectors: number;
  readonly heapSector: number;
  readonly clusters: number;
}

const KIB = 1024;
const MIB = 2 ** 20;
const GIB = 2 ** 30;
const VOLUME_LEAST = MIB;
const CLUSTER_MOST = 32 * MIB;
const CLUSTERS_MOST = 2 ** 32 - 11;

/** Throws EINVAL or ENOSPC for what no volume can be. */
export function layoutOf(request: MkfsRequest): Layout {
  const { sizeBytes, sectorSize } = request;
  const sectors = Math.floor(sizeBytes / sectorSize);
  if (sizeBytes < VOLUME_LEAST) fail(ENOSPC, `${sizeBytes} bytes are too few for exFAT`);
  const clusterSize = request.clusterSize ?? clusterFor(sizeBytes, sectorSize);
  const alignment = request.alignment ?? (sizeBytes < 8 * MIB ? 64 * KIB : MIB);
  for (const [what, value] of [
    ['cluster', clusterSize],
    ['alignment', alignment],
  ] as const) {
    const power = (value & (value - 1)) === 0;
    if (!power || value < sectorSize || value > CLUSTER_MOST)
      fail(EINVAL, `${what} of ${value} bytes`);
  }
  const unit = alignment / sectorSize;
  const up = (sector: number): number => Math.ceil(sector / unit) * unit;
  const perCluster = clusterSize / sectorSize;
  const fatSector = up(2 * REGION_SECTORS);
  const most = Math.floor((sectors - fatSector) / perCluster);
  const fatSectors = Math.ceil(((most + 2) * 4) / sectorSize);
  const heapSector = up(fatSector + fatSectors);
  const clusters = Math.floor((sectors - heapSector) / perCluster);
  if (clusters < LEAST)
    fail(ENOSPC, `${sizeBytes} bytes are too few for clusters of ${clusterSize}`);
  if (clusters > CLUSTERS_MOST) fail(EINVAL, `${clusters} clusters are too many`);
  return { sectorSize, clusterSize, sectors, fatSector, fatSectors, heapSector, clusters };
}

/** Room for the bitmap, the up-case table and the root directory. */
const LEAST = 16;

function clusterFor(sizeBytes: number, sectorSize: number): number {
  const bytes = sizeBytes <= 256 * MIB ? 4 * KIB : sizeBytes <= 32 * GIB ? 32 * KIB : 128 * KIB;
  return Math.max(bytes, sectorSize);
}
