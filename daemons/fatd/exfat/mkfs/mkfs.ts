// An empty exFAT volume: both boot regions, FAT, allocation bitmap, up-case table, root directory. exFAT
// specification 1.00, §3, §4, §7.

import { upcaseTable } from '../../../../kernel/abi/names/exfat.ts';
import type { Medium } from '../../../lib/medium.ts';
import { SLOT } from '../../ondisk.ts';
import { sealRegion } from '../fsck/boot.ts';
import {
  BitmapEntry,
  BOOT_SIGNATURE,
  BootSector,
  checksum32,
  EXTENDED_SIGNATURE,
  FILE_SYSTEM_NAME,
  REGION_SECTORS,
  REVISION,
  TYPE_BITMAP,
  TYPE_UPCASE,
  UpcaseEntry,
} from '../ondisk.ts';
import { END } from '../volume/fat.ts';
import { encodeUpcase } from '../volume/upcase.ts';
import { labelEntry } from './label.ts';
import type { Layout } from './layout.ts';

export interface Identity {
  /** '' for none. */
  readonly label: string;
  readonly serial: number;
}

const MEDIA = 0xffff_fff8;
const PIECE = 1 << 20;
const EXTENDED_SECTORS = 8;

export function mkfs(medium: Medium, layout: Layout, identity: Identity): void {
  const { sectorSize, clusterSize, clusters } = layout;
  const table = encodeUpcase(upcaseTable());
  const bitmapBytes = Math.ceil(clusters / 8);
  const parts = [bitmapBytes, table.length, clusterSize].map((bytes) =>
    Math.ceil(bytes / clusterSize),
  );
  const [bitmapAt = 2, tableAt = 2, rootAt = 2] = firstClusters(parts);
  const used = parts.reduce((sum, count) => sum + count, 0);
  const heap = layout.heapSector * sectorSize;
  const placeOf = (cluster: number): number => heap + (cluster - 2) * clusterSize;
  zero(medium, 0, placeOf(2 + used));
  const region = bootRegion(layout, { identity, rootAt, used });
  medium.write(layout.fatSector * sectorSize, fatHead(parts));
  medium.write(placeOf(bitmapAt), bitmapHead(used));
  medium.write(placeOf(tableAt), table);
  const root = new Uint8Array(3 * SLOT);
  const view = new DataView(root.buffer);
  root.set(labelEntry(identity.label));
  const bitmap = new BitmapEntry(view, SLOT);
  bitmap.EntryType = TYPE_BITMAP;
  bitmap.FirstCluster = bitmapAt;
  bitmap.DataLength = bitmapBytes;
  const upcase = new UpcaseEntry(view, 2 * SLOT);
  upcase.EntryType = TYPE_UPCASE;
  upcase.TableChecksum = checksum32(table);
  upcase.FirstCluster = tableAt;
  upcase.DataLength = table.length;
  medium.write(placeOf(rootAt), root);
  for (const at of [0, region.length]) medium.write(at, region);
  medium.flush();
}

function firstClusters(counts: readonly number[]): number[] {
  let next = 2;
  return counts.map((count) => {
    next += count;
    return next - count;
  });
}

function zero(medium: Medium, from: number, to: number): void {
  const zeroes = new Uint8Array(PIECE);
  for (let at = from; at < to; at += PIECE) {
    medium.write(at, zeroes.subarray(0, Math.min(PIECE, to - at)));
  }
}

function bootRegion(
  layout: Layout,
  { identity, rootAt, used }: { identity: Identity; rootAt: number; used: number },
): Uint8Array {
  const { sectorSize, clusterSize } = layout;
  const region = new Uint8Array(REGION_SECTORS * sectorSize);
  const view = new DataView(region.buffer);
  const boot = new BootSector(view);
  boot.JumpBoot = Uint8Array.of(0xeb, 0x76, 0x90);
  boot.FileSystemName = new TextEncoder().encode(FILE_SYSTEM_NAME);
  boot.VolumeLength = layout.sectors;
  boot.FatOffset = layout.fatSector;
  boot.FatLength = layout.fatSectors;
  boot.ClusterHeapOffset = layout.heapSector;
  boot.ClusterCount = layout.clusters;
  boot.FirstClusterOfRootDirectory = rootAt;
  boot.VolumeSerialNumber = identity.serial;
  boot.FileSystemRevision = REVISION;
  boot.BytesPerSectorShift = Math.log2(sectorSize);
  boot.SectorsPerClusterShift = Math.log2(clusterSize / sectorSize);
  boot.NumberOfFats = 1;
  boot.DriveSelect = 0x80;
  boot.PercentInUse = Math.floor((100 * used) / layout.clusters);
  boot.BootCode = new Uint8Array(390).fill(0xf4); // HLT: not bootable
  boot.BootSignature = BOOT_SIGNATURE;
  for (let i = 1; i <= EXTENDED_SECTORS; i++)
    view.setUint32((i + 1) * sectorSize - 4, EXTENDED_SIGNATURE, true);
  sealRegion(region);
  return region;
}

/** The first two numbers, and a chain for each part. */
function fatHead(counts: readonly number[]): Uint8Array {
  const links = [MEDIA, END];
  for (const count of counts) {
    for (let i = 1; i < count; i++) links.push(links.length + 1);
    links.push(END);
  }
  const bytes = new Uint8Array(4 * links.length);
  const view = new DataView(bytes.buffer);
  for (const [i, link] of links.entries()) view.setUint32(4 * i, link, true);
  return bytes;
}

function bitmapHead(used: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(used / 8)).fill(0xff);
  if (used % 8 !== 0) bytes[bytes.length - 1] = (1 << (used % 8)) - 1;
  return bytes;
}
