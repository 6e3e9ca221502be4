// What is fixed about a volume while it is mounted, read from its header and checked against the device.
// TN1150, "Volume Header", "HFS Wrapper"; Inside Macintosh: Files, "Master Directory Blocks".

import { EMEDIUMTYPE, EUCLEAN, fail, PosixError } from '../../../kernel/abi/errno.ts';
import { type ExtentCoding, hfsExtents, plusExtents } from '../fork/fork-data.ts';
import { hfsKeys, type Keys, plusKeys } from '../names/keys.ts';
import { hfsNames, type Names, plusNames } from '../names/names.ts';
import {
  HEADER_OFFSET,
  HFSPLUS_SIGNATURE,
  HFSX_SIGNATURE,
  VOLUME_HARDWARE_LOCK,
  VOLUME_JOURNALED,
  VOLUME_SOFTWARE_LOCK,
  VOLUME_UNMOUNTED,
  VolumeHeader,
} from '../ondisk.ts';
import { HFS_SIGNATURE, MasterDirectoryBlock, SECTOR } from '../ondisk-hfs.ts';
import { type Head, HfsHead, PlusHead } from './head.ts';

export interface Volume {
  readonly kind: 'hfs' | 'hfs+';
  readonly sizeBytes: number;
  /** Bytes of a block of the block cache: what the engine reads and writes. */
  readonly unit: number;
  /** Bytes of an allocation block; a multiple of the unit. */
  readonly allocSize: number;
  readonly allocCount: number;
  /** Where allocation block 0 begins, in bytes. */
  readonly allocAt: number;
  /** HFS: where the bitmap begins, in bytes. HFS Plus keeps it in a file. */
  readonly bitmapAt: number;
  readonly keys: Keys;
  readonly names: Names;
  readonly extents: ExtentCoding;
  readonly caseSensitive: boolean;
  readonly journalInfoBlock: number; // 0: none
  readonly attributes: number;
  /** Four words that tell volumes apart. */
  readonly identity: Int32Array;
  head(view: DataView, at: number): Head;
}

export const isClean = ({ attributes }: Volume): boolean => (attributes & VOLUME_UNMOUNTED) !== 0;
export const isLocked = ({ attributes }: Volume): boolean =>
  (attributes & (VOLUME_SOFTWARE_LOCK | VOLUME_HARDWARE_LOCK)) !== 0;

/** The part of a device that is the volume: an HFS Plus volume may lie inside an HFS one. */
export interface Place {
  readonly offset: number; // bytes
  readonly sizeBytes: number;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Where an embedded HFS Plus volume lies, told by the first sectors of its wrapper. */
export function embeddedPlace(probe: Uint8Array, sizeBytes: number): Place | undefined {
  if (probe.length < HEADER_OFFSET + SECTOR) return undefined;
  const mdb = new MasterDirectoryBlock(viewOf(probe), HEADER_OFFSET);
  if (mdb.drSigWord !== HFS_SIGNATURE || mdb.drEmbedSigWord !== HFSPLUS_SIGNATURE) return undefined;
  const offset = mdb.drAlBlSt * SECTOR + mdb.drEmbedStart * mdb.drAlBlkSiz;
  const size = mdb.drEmbedCount * mdb.drAlBlkSiz;
  if (size < 4096 || offset % SECTOR !== 0 || size % SECTOR !== 0 || offset + size > sizeBytes)
    fail(EUCLEAN, `an embedded volume at ${offset}, ${size} bytes`);
  return { offset, sizeBytes: size };
}

/** EMEDIUMTYPE when it is neither format, EUCLEAN when it contradicts itself. */
export function openVolume(probe: Uint8Array, sizeBytes: number): Volume {
  if (probe.length < HEADER_OFFSET + SECTOR)
    throw new PosixError(EMEDIUMTYPE, 'too small for a volume');
  const signature = viewOf(probe).getUint16(HEADER_OFFSET);
  if (signature === HFS_SIGNATURE) return openHfs(probe, sizeBytes);
  if (signature === HFSPLUS_SIGNATURE || signature === HFSX_SIGNATURE)
    return openPlus(probe, sizeBytes);
  throw new PosixError(EMEDIUMTYPE, 'no HFS volume');
}

function openHfs(probe: Uint8Array, sizeBytes: number): Volume {
  const mdb = new MasterDirectoryBlock(viewOf(probe), HEADER_OFFSET);
  const { drAlBlkSiz: allocSize, drNmAlBlks: allocCount, drAlBlSt, drVBMSt } = mdb;
  const allocAt = drAlBlSt * SECTOR;
  const bitmapEnd = drVBMSt * SECTOR + Math.ceil(allocCount / 8);
  if (allocSize === 0 || allocSize % SECTOR !== 0 || allocCount === 0 || drVBMSt < 3)
    fail(EUCLEAN, `master directory block: ${allocCount} blocks of ${allocSize}`);
  if (bitmapEnd > allocAt || allocAt + allocSize * allocCount > sizeBytes)
    fail(EUCLEAN, 'master directory block: the volume is larger than the device');
  return {
    ...{ kind: 'hfs', sizeBytes, unit: SECTOR, allocSize, allocCount, allocAt },
    ...{ bitmapAt: drVBMSt * SECTOR, caseSensitive: false, journalInfoBlock: 0 },
    ...{ keys: hfsKeys, names: hfsNames, extents: hfsExtents, attributes: mdb.drAtrb },
    identity: identityOf([HFS_SIGNATURE, mdb.drCrDate, allocCount, sizeBytes / SECTOR]),
    head: (view, at) => new HfsHead(view, at),
  };
}

/** The largest block of the cache: a page. */
const UNIT_MAX = 4096;
const ALLOC_MAX = 1 << 26;

function openPlus(probe: Uint8Array, sizeBytes: number): Volume {
  const header = new VolumeHeader(viewOf(probe), HEADER_OFFSET);
  const { blockSize: allocSize, totalBlocks: allocCount, version, attributes } = header;
  if (version !== 4 && version !== 5) fail(EUCLEAN, `volume header: version ${version}`);
  if (allocSize < SECTOR || allocSize > ALLOC_MAX || (allocSize & (allocSize - 1)) !== 0)
    fail(EUCLEAN, `volume header: blocks of ${allocSize}`);
  if (allocCount === 0 || allocCount * allocSize > sizeBytes)
    fail(EUCLEAN, 'volume header: the volume is larger than the device');
  const journaled = (attributes & VOLUME_JOURNALED) !== 0;
  const { finderInfo } = header;
  const id = new DataView(finderInfo.buffer, finderInfo.byteOffset + 24, 8);
  return {
    ...{ kind: 'hfs+', sizeBytes, unit: Math.min(allocSize, UNIT_MAX), allocSize, allocCount },
    ...{ allocAt: 0, bitmapAt: 0, attributes, caseSensitive: false },
    journalInfoBlock: journaled ? header.journalInfoBlock : 0,
    ...{ keys: plusKeys('folded'), names: plusNames, extents: plusExtents },
    identity: identityOf([id.getUint32(0), id.getUint32(4), header.createDate, allocCount]),
    head: (view, at) => new PlusHead(view, at),
  };
}

/** The catalog's own header says how names compare: HFSX with case-sensitive ones. */
export const withBinaryNames = (volume: Volume): Volume => ({
  ...volume,
  caseSensitive: true,
  keys: plusKeys('binary'),
});

const identityOf = (words: readonly number[]): Int32Array => Int32Array.from(words, (w) => w | 0);
