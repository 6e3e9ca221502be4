// A volume's header as both formats have one: counts, dates, and where the special files lie. HFS: the
// master directory block; HFS Plus: the volume header.

import { EMPTY_FORK, type ForkData, hfsExtents, readFork, writeFork } from '../fork/fork-data.ts';
import {
  ALLOCATION_ID,
  ATTRIBUTES_ID,
  CATALOG_ID,
  EXTENTS_ID,
  VolumeHeader,
  type VolumeHeaderView,
} from '../ondisk.ts';
import { MasterDirectoryBlock, type MasterDirectoryBlockView } from '../ondisk-hfs.ts';

export type SpecialFile =
  | typeof EXTENTS_ID
  | typeof CATALOG_ID
  | typeof ALLOCATION_ID
  | typeof ATTRIBUTES_ID;

/** A change in the number of files and folders; `root`: in the root folder itself. */
export interface Counted {
  readonly files: number;
  readonly folders: number;
  readonly root: boolean;
}

/** A view over the header's bytes: assignments change them. */
export interface Head {
  freeBlocks: number;
  nextAllocation: number;
  nextCnid: number;
  attributes: number;
  writeCount: number;
  modifyDate: number;
  readonly createDate: number;
  readonly files: number;
  readonly folders: number;
  count(change: Counted): void;
  special(file: SpecialFile): ForkData;
  setSpecial(file: SpecialFile, fork: Readonly<ForkData>): void;
}

export class PlusHead implements Head {
  readonly raw: VolumeHeaderView;

  constructor(view: DataView, at: number) {
    this.raw = new VolumeHeader(view, at);
  }

  get freeBlocks(): number {
    return this.raw.freeBlocks;
  }
  set freeBlocks(count: number) {
    this.raw.freeBlocks = count;
  }
  get nextAllocation(): number {
    return this.raw.nextAllocation;
  }
  set nextAllocation(block: number) {
    this.raw.nextAllocation = block;
  }
  get nextCnid(): number {
    return this.raw.nextCatalogID;
  }
  set nextCnid(cnid: number) {
    this.raw.nextCatalogID = cnid;
  }
  get attributes(): number {
    return this.raw.attributes;
  }
  set attributes(bits: number) {
    this.raw.attributes = bits;
  }
  get writeCount(): number {
    return this.raw.writeCount;
  }
  set writeCount(count: number) {
    this.raw.writeCount = count;
  }
  get modifyDate(): number {
    return this.raw.modifyDate;
  }
  set modifyDate(date: number) {
    this.raw.modifyDate = date;
  }
  get createDate(): number {
    return this.raw.createDate;
  }
  get files(): number {
    return this.raw.fileCount;
  }
  get folders(): number {
    return this.raw.folderCount;
  }

  count({ files, folders }: Counted): void {
    this.raw.fileCount += files;
    this.raw.folderCount += folders;
  }

  special(file: SpecialFile): ForkData {
    return readFork(this.raw[FORK_FIELDS[file]]);
  }

  setSpecial(file: SpecialFile, fork: Readonly<ForkData>): void {
    this.raw[FORK_FIELDS[file]] = writeFork(fork);
  }
}

const FORK_FIELDS = {
  [EXTENTS_ID]: 'extentsFile',
  [CATALOG_ID]: 'catalogFile',
  [ALLOCATION_ID]: 'allocationFile',
  [ATTRIBUTES_ID]: 'attributesFile',
} as const;

export class HfsHead implements Head {
  readonly raw: MasterDirectoryBlockView;

  constructor(view: DataView, at: number) {
    this.raw = new MasterDirectoryBlock(view, at);
  }

  get freeBlocks(): number {
    return this.raw.drFreeBks;
  }
  set freeBlocks(count: number) {
    this.raw.drFreeBks = count;
  }
  get nextAllocation(): number {
    return this.raw.drAllocPtr;
  }
  set nextAllocation(block: number) {
    this.raw.drAllocPtr = block;
  }
  get nextCnid(): number {
    return this.raw.drNxtCNID;
  }
  set nextCnid(cnid: number) {
    this.raw.drNxtCNID = cnid;
  }
  get attributes(): number {
    return this.raw.drAtrb;
  }
  set attributes(bits: number) {
    this.raw.drAtrb = bits;
  }
  get writeCount(): number {
    return this.raw.drWrCnt;
  }
  set writeCount(count: number) {
    this.raw.drWrCnt = count;
  }
  get modifyDate(): number {
    return this.raw.drLsMod;
  }
  set modifyDate(date: number) {
    this.raw.drLsMod = date;
  }
  get createDate(): number {
    return this.raw.drCrDate;
  }
  get files(): number {
    return this.raw.drFilCnt;
  }
  get folders(): number {
    return this.raw.drDirCnt;
  }

  count({ files, folders, root }: Counted): void {
    this.raw.drFilCnt += files;
    this.raw.drDirCnt += folders;
    if (!root) return;
    this.raw.drNmFls += files;
    this.raw.drNmRtDirs += folders;
  }

  special(file: SpecialFile): ForkData {
    const { raw } = this;
    const of = (size: number, clump: number, extents: Uint8Array): ForkData => {
      const blocks = Math.ceil(size / Math.max(1, raw.drAlBlkSiz));
      return { size, blocks, clump, extents: hfsExtents.read(extents) };
    };
    if (file === EXTENTS_ID) return of(raw.drXTFlSize, raw.drXTClpSiz, raw.drXTExtRec);
    if (file === CATALOG_ID) return of(raw.drCTFlSize, raw.drCTClpSiz, raw.drCTExtRec);
    return { ...EMPTY_FORK };
  }

  setSpecial(file: SpecialFile, { size, extents }: Readonly<ForkData>): void {
    const { raw } = this;
    if (file === EXTENTS_ID) {
      raw.drXTFlSize = size;
      raw.drXTExtRec = hfsExtents.write(extents);
    } else if (file === CATALOG_ID) {
      raw.drCTFlSize = size;
      raw.drCTExtRec = hfsExtents.write(extents);
    }
  }
}
