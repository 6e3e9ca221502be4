// A file or a folder as the catalog has it, the same for both formats: read from a record, changed, and
// written back into a copy of it, so that what is not understood stays.

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import { copyOf } from '../btree/room.ts';
import { EMPTY_FORK, type ForkData, hfsExtents, readFork, writeFork } from '../fork/fork-data.ts';
import type { CatalogKey } from '../names/keys.ts';
import {
  FILE_LOCKED,
  FILE_RECORD,
  FILE_THREAD_EXISTS,
  FOLDER_RECORD,
  PlusFile,
  PlusFolder,
} from '../ondisk.ts';
import { HfsFile, HfsFolder } from '../ondisk-hfs.ts';
import type { Volume } from '../volume/volume.ts';

/** Dates are seconds since 1904. */
export interface Item {
  readonly kind: 'file' | 'folder';
  readonly cnid: number;
  /** Where it is in the catalog. */
  key: CatalogKey;
  flags: number;
  valence: number; // of a folder
  created: number;
  modified: number;
  changed: number;
  accessed: number;
  uid: number;
  gid: number;
  adminFlags: number;
  ownerFlags: number;
  mode: number; // 0: none is kept
  special: number;
  finderInfo: Uint8Array;
  data: ForkData;
  resources: ForkData;
  /** The record as it was read. */
  readonly raw: Uint8Array;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Undefined when the record is a thread. */
export function readItem(vol: Volume, key: CatalogKey, record: Uint8Array): Item | undefined {
  const raw = copyOf(record);
  const type = vol.kind === 'hfs' ? raw[0] : viewOf(raw).getUint16(0);
  if (type !== FOLDER_RECORD && type !== FILE_RECORD) return undefined;
  const [folder, file] =
    vol.kind === 'hfs' ? [HfsFolder.size, HfsFile.size] : [PlusFolder.size, PlusFile.size];
  if (raw.length < (type === FOLDER_RECORD ? folder : file))
    fail(EUCLEAN, `catalog: the record of '${key.name}' in ${key.parent} is short`);
  if (vol.kind === 'hfs')
    return type === FOLDER_RECORD ? hfsFolder(key, raw) : hfsFile(vol, key, raw);
  return plusItem(key, raw, type === FOLDER_RECORD ? 'folder' : 'file');
}

function plusItem(key: CatalogKey, raw: Uint8Array, kind: Item['kind']): Item {
  const folder = new PlusFolder(viewOf(raw));
  const file = kind === 'file' ? new PlusFile(viewOf(raw)) : undefined;
  return {
    kind,
    cnid: folder.folderID,
    key,
    flags: folder.flags,
    valence: file ? 0 : folder.valence,
    created: folder.createDate,
    modified: folder.contentModDate,
    changed: folder.attributeModDate,
    accessed: folder.accessDate,
    uid: folder.ownerID,
    gid: folder.groupID,
    adminFlags: folder.adminFlags,
    ownerFlags: folder.ownerFlags,
    mode: folder.fileMode,
    special: folder.special,
    finderInfo: folder.finderInfo.slice(),
    data: file ? readFork(file.dataFork) : { ...EMPTY_FORK },
    resources: file ? readFork(file.resourceFork) : { ...EMPTY_FORK },
    raw,
  };
}

/** What classic HFS has no place for. */
const PLAIN = { uid: 0, gid: 0, adminFlags: 0, ownerFlags: 0, mode: 0, special: 0 } as const;

function hfsFolder(key: CatalogKey, raw: Uint8Array): Item {
  const { dirDirID, dirFlags, dirVal, dirCrDat, dirMdDat, finderInfo } = new HfsFolder(viewOf(raw));
  return {
    ...{ ...PLAIN, kind: 'folder', key, raw, cnid: dirDirID, flags: dirFlags, valence: dirVal },
    ...{ created: dirCrDat, modified: dirMdDat, changed: dirMdDat, accessed: dirMdDat },
    ...{ finderInfo: finderInfo.slice(), data: { ...EMPTY_FORK }, resources: { ...EMPTY_FORK } },
  };
}

function hfsFile({ allocSize }: Volume, key: CatalogKey, raw: Uint8Array): Item {
  const file = new HfsFile(viewOf(raw));
  const finderInfo = new Uint8Array(32);
  finderInfo.set(file.filUsrWds);
  finderInfo.set(file.filFndrInfo, 16);
  const fork = (size: number, physical: number, extents: Uint8Array): ForkData => ({
    size,
    blocks: Math.floor(physical / allocSize),
    clump: 0,
    extents: hfsExtents.read(extents),
  });
  const modified = file.filMdDat;
  // One literal and no spreads: requests read thousands of these.
  return {
    kind: 'file',
    cnid: file.filFlNum,
    key,
    flags: file.filFlags,
    valence: 0,
    created: file.filCrDat,
    modified,
    changed: modified,
    accessed: modified,
    uid: 0,
    gid: 0,
    adminFlags: 0,
    ownerFlags: 0,
    mode: 0,
    special: 0,
    finderInfo,
    data: fork(file.filLgLen, file.filPyLen, file.filExtRec),
    resources: fork(file.filRLgLen, file.filRPyLen, file.filRExtRec),
    raw,
  };
}

/** The record with what changed. */
export function writeItem(vol: Volume, item: Item): Uint8Array {
  const raw = copyOf(item.raw);
  if (vol.kind === 'hfs+') writePlus(raw, item);
  else if (item.kind === 'folder') writeHfsFolder(raw, item);
  else writeHfsFile(vol, raw, item);
  return raw;
}

function writePlus(raw: Uint8Array, item: Item): void {
  const record = new PlusFolder(viewOf(raw));
  record.flags = item.flags;
  record.folderID = item.cnid;
  record.createDate = item.created;
  record.contentModDate = item.modified;
  record.attributeModDate = item.changed;
  record.accessDate = item.accessed;
  record.ownerID = item.uid;
  record.groupID = item.gid;
  record.adminFlags = item.adminFlags;
  record.ownerFlags = item.ownerFlags;
  record.fileMode = item.mode;
  record.special = item.special;
  record.finderInfo = item.finderInfo;
  if (item.kind === 'folder') {
    record.recordType = FOLDER_RECORD;
    record.valence = item.valence;
    return;
  }
  const file = new PlusFile(viewOf(raw));
  file.recordType = FILE_RECORD;
  file.dataFork = writeFork(item.data);
  file.resourceFork = writeFork(item.resources);
}

function writeHfsFolder(raw: Uint8Array, item: Item): void {
  const folder = new HfsFolder(viewOf(raw));
  folder.cdrType = FOLDER_RECORD;
  folder.dirFlags = item.flags;
  folder.dirVal = item.valence;
  folder.dirDirID = item.cnid;
  folder.dirCrDat = item.created;
  folder.dirMdDat = item.modified;
  folder.finderInfo = item.finderInfo;
}

function writeHfsFile({ allocSize }: Volume, raw: Uint8Array, item: Item): void {
  const file = new HfsFile(viewOf(raw));
  file.cdrType = FILE_RECORD;
  file.filFlags = item.flags;
  file.filUsrWds = item.finderInfo.subarray(0, 16);
  file.filFndrInfo = item.finderInfo.subarray(16);
  file.filFlNum = item.cnid;
  file.filLgLen = item.data.size;
  file.filPyLen = item.data.blocks * allocSize;
  file.filRLgLen = item.resources.size;
  file.filRPyLen = item.resources.blocks * allocSize;
  file.filCrDat = item.created;
  file.filMdDat = item.modified;
  file.filExtRec = hfsExtents.write(item.data.extents);
  file.filRExtRec = hfsExtents.write(item.resources.extents);
}

export interface Born {
  readonly kind: Item['kind'];
  readonly cnid: number;
  readonly key: CatalogKey;
  readonly now: number;
}

/** A new file or folder without anything in it. */
export function newItem(vol: Volume, { kind, cnid, key, now }: Born): Item {
  const sizes =
    vol.kind === 'hfs' ? [HfsFolder.size, HfsFile.size] : [PlusFolder.size, PlusFile.size];
  const flags = kind === 'file' && vol.kind === 'hfs+' ? FILE_THREAD_EXISTS : 0;
  return {
    ...{ ...PLAIN, kind, cnid, key, flags, valence: 0 },
    ...{ created: now, modified: now, changed: now, accessed: now },
    finderInfo: new Uint8Array(32),
    data: { ...EMPTY_FORK, extents: [] },
    resources: { ...EMPTY_FORK, extents: [] },
    raw: new Uint8Array(sizes[kind === 'folder' ? 0 : 1] ?? 0),
  };
}

export const isLockedItem = (item: Item): boolean =>
  item.kind === 'file' && (item.flags & FILE_LOCKED) !== 0;
