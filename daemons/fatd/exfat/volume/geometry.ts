// What an exFAT volume is: read from its boot sector and checked before anything is believed.
// exFAT specification 1.00, §3.1.

import { EMEDIUMTYPE, EOPNOTSUPP, EUCLEAN, fail } from '../../../../kernel/abi/errno.ts';
import { blockSizeOf } from '../../volume/block-size.ts';
import {
  BOOT_SIGNATURE,
  BootSector,
  type BootSectorView,
  FILE_SYSTEM_NAME,
  REGION_SECTORS,
} from '../ondisk.ts';

export interface ExFatVolume {
  /** The unit of the block cache: the largest to 4 KiB that divides all of the places below. */
  readonly blockSize: number;
  readonly sectorSize: number;
  readonly clusterSize: number; // bytes
  /** Numbers of the clusters are 2 .. clusterEnd - 1. */
  readonly clusterEnd: number;
  readonly fatStart: number; // bytes
  readonly fatSize: number; // bytes
  readonly dataStart: number; // bytes, of cluster 2
  readonly rootCluster: number;
  readonly serial: number;
  readonly sizeBytes: number;
}

const CLUSTERS_MOST = 2 ** 32 - 11;
const CLUSTER_SHIFT_MOST = 25;
/** Behind it lies what only the cache has (held.ts). */
const BLOCKS_MOST = 2 ** 40;

/** Throws EMEDIUMTYPE when it is no exFAT volume, EUCLEAN when it is one that cannot be right. */
export function openExFat(sector: Uint8Array, deviceBytes: number): ExFatVolume {
  if (sector.length < BootSector.size) fail(EMEDIUMTYPE, 'no room for a boot sector');
  const boot = new BootSector(new DataView(sector.buffer, sector.byteOffset, BootSector.size));
  mustBeExFat(boot);
  const { BytesPerSectorShift: shift, SectorsPerClusterShift: perCluster } = boot;
  if (shift < 9 || shift > 12) fail(EUCLEAN, `sectors of 2^${shift} bytes`);
  if (shift + perCluster > CLUSTER_SHIFT_MOST) fail(EUCLEAN, `clusters of 2^${shift + perCluster}`);
  const sectorSize = 2 ** shift;
  const clusterSize = sectorSize * 2 ** perCluster;
  const sizeBytes = boot.VolumeLength * sectorSize;
  if (sizeBytes > deviceBytes)
    fail(
      EUCLEAN,
      `${boot.VolumeLength} sectors of ${sectorSize} on a device of ${deviceBytes} bytes`,
    );
  const volume = {
    ...{ sectorSize, clusterSize, sizeBytes },
    clusterEnd: boot.ClusterCount + 2,
    fatStart: boot.FatOffset * sectorSize,
    fatSize: boot.FatLength * sectorSize,
    dataStart: boot.ClusterHeapOffset * sectorSize,
    rootCluster: boot.FirstClusterOfRootDirectory,
    serial: boot.VolumeSerialNumber,
  };
  mustFit(boot, volume);
  const { fatStart, fatSize, dataStart } = volume;
  const blockSize = blockSizeOf([clusterSize, fatStart, fatSize, dataStart]);
  if (sizeBytes / blockSize > BLOCKS_MOST) fail(EOPNOTSUPP, `a volume of ${sizeBytes} bytes`);
  return { ...volume, blockSize };
}

function mustBeExFat(boot: BootSectorView): void {
  const named = String.fromCharCode(...boot.FileSystemName) === FILE_SYSTEM_NAME;
  const empty = boot.MustBeZero.every((byte) => byte === 0);
  if (!named || !empty || boot.BootSignature !== BOOT_SIGNATURE)
    fail(EMEDIUMTYPE, 'no exFAT boot sector');
  const major = boot.FileSystemRevision >> 8;
  if (major !== 1) fail(EOPNOTSUPP, `exFAT revision ${major}`);
  if (boot.NumberOfFats !== 1) fail(EOPNOTSUPP, `${boot.NumberOfFats} FATs: TexFAT`);
}

function mustFit(boot: BootSectorView, volume: Omit<ExFatVolume, 'blockSize'>): void {
  const { clusterEnd, fatSize, clusterSize, sizeBytes, dataStart, rootCluster } = volume;
  const clusters = clusterEnd - 2;
  if (boot.FatOffset < 2 * REGION_SECTORS) fail(EUCLEAN, `a FAT at sector ${boot.FatOffset}`);
  if (boot.ClusterHeapOffset < boot.FatOffset + boot.FatLength)
    fail(EUCLEAN, `clusters from sector ${boot.ClusterHeapOffset} on, in the FAT`);
  if (clusters < 1 || clusters > CLUSTERS_MOST) fail(EUCLEAN, `${clusters} clusters`);
  if (fatSize < clusterEnd * 4) fail(EUCLEAN, `a FAT of ${fatSize} bytes for ${clusters} clusters`);
  if (dataStart + clusters * clusterSize > sizeBytes)
    fail(EUCLEAN, `${clusters} clusters of ${clusterSize} in ${sizeBytes} bytes`);
  if (rootCluster < 2 || rootCluster >= clusterEnd)
    fail(EUCLEAN, `the root directory begins at cluster ${rootCluster}`);
}
