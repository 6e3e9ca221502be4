// The header of a new volume, as 512 bytes: a master directory block, or a volume header.

import { EMPTY_FORK, hfsExtents, type Run, writeFork } from '../fork/fork-data.ts';
import {
  FIRST_USER_ID,
  HFSPLUS_SIGNATURE,
  HFSX_SIGNATURE,
  VOLUME_JOURNALED,
  VOLUME_UNMOUNTED,
  VolumeHeader,
} from '../ondisk.ts';
import { HFS_SIGNATURE, MasterDirectoryBlock } from '../ondisk-hfs.ts';
import { type Geometry, runsOf } from './geometry.ts';

const total = (runs: readonly Run[]): number => runs.reduce((sum, { count }) => sum + count, 0);

export function hfsHeader(geometry: Geometry, about: { label: string; now: number }): Uint8Array {
  const bytes = new Uint8Array(512);
  const mdb = new MasterDirectoryBlock(new DataView(bytes.buffer));
  const { allocSize, allocCount, extents, catalog } = geometry;
  mdb.drSigWord = HFS_SIGNATURE;
  mdb.drCrDate = about.now;
  mdb.drLsMod = about.now;
  mdb.drAtrb = VOLUME_UNMOUNTED;
  mdb.drVBMSt = 3;
  mdb.drNmAlBlks = allocCount;
  mdb.drAlBlkSiz = allocSize;
  mdb.drClpSiz = 4 * allocSize;
  mdb.drAlBlSt = geometry.allocAt / 512;
  mdb.drNxtCNID = FIRST_USER_ID;
  mdb.drFreeBks = allocCount - total(runsOf(geometry));
  const { label } = about;
  mdb.drVN = Uint8Array.from([label.length, ...[...label].map((c) => c.charCodeAt(0))]);
  mdb.drXTFlSize = extents.run.count * allocSize;
  mdb.drXTClpSiz = mdb.drXTFlSize;
  mdb.drXTExtRec = hfsExtents.write([extents.run]);
  mdb.drCTFlSize = catalog.run.count * allocSize;
  mdb.drCTClpSiz = mdb.drCTFlSize;
  mdb.drCTExtRec = hfsExtents.write([catalog.run]);
  return bytes;
}

export interface PlusAbout {
  readonly now: number;
  readonly id: readonly [number, number];
  readonly caseSensitive: boolean;
}

/** 'Atol', which mounted it last. */
const MOUNTED_BY = 0x4174_6f6c;

export function plusHeader(geometry: Geometry, about: PlusAbout): Uint8Array {
  const bytes = new Uint8Array(512);
  const view = new DataView(bytes.buffer);
  const header = new VolumeHeader(view);
  const { allocSize, allocCount, journalInfo } = geometry;
  header.signature = about.caseSensitive ? HFSX_SIGNATURE : HFSPLUS_SIGNATURE;
  header.version = about.caseSensitive ? 5 : 4;
  header.attributes = VOLUME_UNMOUNTED | (journalInfo === undefined ? 0 : VOLUME_JOURNALED);
  header.lastMountedVersion = MOUNTED_BY;
  header.journalInfoBlock = journalInfo?.start ?? 0;
  header.createDate = about.now;
  header.modifyDate = about.now;
  header.checkedDate = about.now;
  header.blockSize = allocSize;
  header.totalBlocks = allocCount;
  header.freeBlocks = allocCount - total(geometry.fixed) - total(runsOf(geometry));
  header.nextCatalogID = FIRST_USER_ID;
  header.rsrcClumpSize = 16 * allocSize;
  header.dataClumpSize = 16 * allocSize;
  header.encodingsBitmapLo = 1; // MacRoman
  view.setUint32(80 + 24, about.id[0]);
  view.setUint32(80 + 28, about.id[1]);
  const fork = (run: Run | undefined): Uint8Array => {
    if (run === undefined) return writeFork(EMPTY_FORK);
    const size = run.count * allocSize;
    return writeFork({ size, blocks: run.count, clump: size, extents: [run] });
  };
  header.allocationFile = fork(geometry.bitmap);
  header.extentsFile = fork(geometry.extents.run);
  header.catalogFile = fork(geometry.catalog.run);
  header.attributesFile = fork(geometry.attributes?.run);
  return bytes;
}
