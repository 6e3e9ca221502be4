// A whole volume that nobody has mounted, checked: header, trees, catalog, attributes, forks, bitmap. What
// is wrong is told and put right in memory; `repair.ts` writes that. TN1150; Inside Macintosh: Files.

import { PosixError } from '../../../kernel/abi/errno.ts';
import { type Medium, runAtOnce } from '../../lib/medium.ts';
import { type ForkData, readFork } from '../fork/fork-data.ts';
import { mediumSectors } from '../journal/bytes.ts';
import { findLog } from '../journal/find.ts';
import type { TreeId } from '../mkfs/tree.ts';
import { attributeFormat, type KeyFormat } from '../names/keys.ts';
import {
  ALLOCATION_ID,
  ATTRIBUTES_ID,
  BAD_BLOCKS_ID,
  CATALOG_ID,
  DATA_FORK,
  EXTENTS_ID,
  JOURNAL_IN_FS,
  JOURNAL_NEED_INIT,
  JOURNAL_ON_OTHER_DEVICE,
  JournalInfoBlock,
  RESOURCE_FORK,
  VOLUME_INCONSISTENT,
  VOLUME_UNMOUNTED,
  VolumeHeader,
} from '../ondisk.ts';
import type { SpecialFile } from '../volume/head.ts';
import type { Volume } from '../volume/volume.ts';
import { type CheckedAttributes, checkAttributes } from './attributes.ts';
import { checkBitmap, fixedBlocks } from './bitmap.ts';
import { checkCounts } from './counts.ts';
import { Entries, nameOf } from './entries.ts';
import { Folders, type OwnFile } from './folders.ts';
import { Ownership, type WholeFork } from './forks.ts';
import { type Opened, openForCheck } from './open.ts';
import { Report } from './report.ts';
import { type CheckedTree, checkTree, type TreeRecord, viewOf } from './tree.ts';

/** A tree as it is and as it is to be. */
export interface TreePlan {
  readonly id: TreeId;
  readonly format: KeyFormat;
  readonly was: CheckedTree;
  /** Undefined: its records may stay. */
  readonly records: readonly TreeRecord[] | undefined;
}

export interface Findings {
  readonly problems: readonly string[];
  readonly opened: Opened;
  readonly entries: Entries;
  readonly owners: Ownership;
  readonly specials: ReadonlyMap<SpecialFile, WholeFork>;
  readonly extents: CheckedTree;
  readonly catalog: CheckedTree;
  readonly attributes: (CheckedTree & { readonly kept: CheckedAttributes }) | undefined;
  /** A damaged one is switched off. */
  readonly journal: 'fine' | 'damaged';
  /** Of files whose forks are not as they were. */
  readonly forks: ReadonlyMap<number, Forks>;
}

export interface Forks {
  readonly data: WholeFork;
  readonly resources: WholeFork;
}

/** Throws EMEDIUMTYPE or EUCLEAN when there is no volume that could be checked. */
export function checkVolume(medium: Medium, now: number): Findings {
  const report = new Report();
  const opened = openForCheck(medium, report);
  const { volume, head } = opened;
  checkMarks(opened, report);
  const journal = checkJournal(medium, volume, report);
  const owners = new Ownership(volume, report);
  owners.claimFixed(fixedBlocks(volume));
  const specials = new Map<SpecialFile, WholeFork>();
  const claim = (id: SpecialFile, data: ForkData): WholeFork => {
    const whose = { cnid: id, type: DATA_FORK, name: NAMES[id], contained: id === EXTENTS_ID };
    const fork = owners.claim(whose, data);
    specials.set(id, fork);
    return fork;
  };
  const tree = (id: SpecialFile, format: KeyFormat): CheckedTree => {
    const fork = claim(id, head.special(id));
    return checkTree(bytesOf(medium, volume, fork), format, report);
  };
  const extents = tree(EXTENTS_ID, volume.keys.extents);
  owners.addOverflow(extents.records);
  const catalog = tree(CATALOG_ID, volume.keys.catalog);
  const withAttributes = volume.kind === 'hfs+' && head.special(ATTRIBUTES_ID).blocks > 0;
  const attributes = withAttributes ? tree(ATTRIBUTES_ID, attributeFormat) : undefined;
  claimOthers(opened, owners, claim);
  const entries = new Entries(volume, report, head.nextCnid);
  entries.read(catalog.records);
  new Folders(entries, now).check(journal === 'fine' ? journalFiles(medium, volume) : []);
  const forks = claimForks(entries, owners);
  const values = attributes && checkAttributes(attributes.records, { entries, owners, report });
  owners.dropOrphans();
  checkBitmap({ medium, opened, owners, bitmap: specials.get(ALLOCATION_ID), report });
  checkCounts(opened, entries, report);
  return {
    ...{ problems: report.problems, opened, entries, owners, specials, extents, catalog, forks },
    journal,
    attributes: attributes && values && { ...attributes, kept: values },
  };
}

/** What each tree is to hold, in the order in which they are to be written. */
export function planTrees({ opened, owners, entries, ...trees }: Findings): TreePlan[] {
  const { keys } = opened.volume;
  const changed = entries.changed || entries.anyChanged;
  const plans: TreePlan[] = [
    { id: EXTENTS_ID, format: keys.extents, was: trees.extents, records: owners.overflow() },
    {
      ...{ id: CATALOG_ID, format: keys.catalog, was: trees.catalog },
      records: changed ? entries.records() : undefined,
    },
  ];
  const { attributes } = trees;
  if (attributes === undefined) return plans;
  const { kept } = attributes;
  const records = kept.changed ? kept.records : undefined;
  return [...plans, { id: ATTRIBUTES_ID, format: attributeFormat, was: attributes, records }];
}

const NAMES: Readonly<Record<SpecialFile, string>> = {
  [EXTENTS_ID]: 'extents file',
  [CATALOG_ID]: 'catalog',
  [ALLOCATION_ID]: 'bitmap',
  [ATTRIBUTES_ID]: 'attributes file',
};

function checkMarks({ head }: Opened, report: Report): void {
  if ((head.attributes & VOLUME_UNMOUNTED) === 0) report.bad('header: it was not unmounted');
  if ((head.attributes & VOLUME_INCONSISTENT) !== 0) report.bad('header: marked as inconsistent');
}

/** A log that can be replayed was: one that cannot is of no use. */
function checkJournal(medium: Medium, volume: Volume, report: Report): 'fine' | 'damaged' {
  if (volume.journalInfoBlock === 0) return 'fine';
  try {
    const { log, why } = runAtOnce(findLog(mediumSectors(medium), volume));
    if (log !== undefined && log.start === log.end) return 'fine';
    const { flags } = journalInfo(medium, volume);
    const elsewhere = flags === JOURNAL_ON_OTHER_DEVICE;
    const fresh = flags === (JOURNAL_IN_FS | JOURNAL_NEED_INIT);
    if (log === undefined && (elsewhere || fresh)) return 'fine';
    report.bad(`journal: ${why ?? 'not empty'}`);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    report.bad(`journal: ${error.message}`);
  }
  return 'damaged';
}

const journalInfo = (medium: Medium, { journalInfoBlock, allocSize }: Volume) =>
  new JournalInfoBlock(viewOf(medium.read(journalInfoBlock * allocSize, 512)));

/** The files that the journal lies in, as the journal itself tells. */
function journalFiles(medium: Medium, volume: Volume): OwnFile[] {
  const { journalInfoBlock: at, allocSize } = volume;
  if (at === 0) return [];
  const { flags, offset, size } = journalInfo(medium, volume);
  const info = { name: '.journal_info_block', run: { start: at, count: 1 }, sizeBytes: allocSize };
  if ((flags & JOURNAL_IN_FS) === 0) return [info];
  const run = { start: Math.floor(offset / allocSize), count: Math.ceil(size / allocSize) };
  return [info, { name: '.journal', run, sizeBytes: size }];
}

/** The file's bytes as far as its extents go. */
function bytesOf(medium: Medium, volume: Volume, { runs, data, cnid }: WholeFork) {
  const { allocAt, allocSize } = volume;
  return {
    name:
      cnid === CATALOG_ID ? 'catalog' : cnid === EXTENTS_ID ? 'extents file' : 'attributes file',
    sizeBytes: data.blocks * allocSize,
    read(offset: number, length: number): Uint8Array {
      const out = new Uint8Array(length);
      let from = 0;
      for (const { start, count } of runs) {
        const size = count * allocSize;
        const begin = Math.max(offset, from);
        const end = Math.min(offset + length, from + size);
        if (begin < end)
          out.set(
            medium.read(allocAt + start * allocSize + begin - from, end - begin),
            begin - offset,
          );
        from += size;
      }
      return out;
    },
  };
}

function claimOthers(
  { volume, head, header }: Opened,
  owners: Ownership,
  claim: (id: SpecialFile, data: ForkData) => WholeFork,
): void {
  if (volume.kind === 'hfs+') {
    claim(ALLOCATION_ID, head.special(ALLOCATION_ID));
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
    const startup = readFork(new VolumeHeader(view).startupFile);
    owners.claim({ cnid: 7, type: DATA_FORK, name: 'startup file' }, startup);
  }
  owners.claimAll(BAD_BLOCKS_ID);
}

function claimForks(entries: Entries, owners: Ownership): Map<number, Forks> {
  const out = new Map<number, Forks>();
  for (const entry of entries.list) {
    const { item } = entry;
    if (item.kind === 'folder') continue;
    const of = (type: number, data: ForkData): WholeFork => {
      const name = type === DATA_FORK ? nameOf(item) : `${nameOf(item)}, resources`;
      return owners.claim({ cnid: item.cnid, type, name }, data);
    };
    const data = of(DATA_FORK, item.data);
    const resources = of(RESOURCE_FORK, item.resources);
    if (data.changed || resources.changed) entry.changed = true;
    if (data.changed || resources.changed) out.set(item.cnid, { data, resources });
  }
  return out;
}
