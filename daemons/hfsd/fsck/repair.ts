// Writes what a check has put right in memory: forks that shared blocks get their own, the bitmap and the
// header say what is so, and trees have the records that they are to have. A damaged tree is made anew
// in other blocks where there is room, so that the old one is whole until the header leaves it.

import { EUCLEAN, fail, PosixError } from '../../../kernel/abi/errno.ts';
import { type Medium, MediumTransaction } from '../../lib/medium.ts';
import { insert, remove, replace } from '../btree/change.ts';
import { coverNodes } from '../btree/space.ts';
import type { BTree } from '../btree/tree.ts';
import { Places } from '../catalog/catalog.ts';
import type { Run } from '../fork/fork-data.ts';
import { treeHeaderNode, treeKind } from '../mkfs/tree.ts';
import {
  ALLOCATION_ID,
  ALTERNATE_FROM_END,
  CATALOG_ID,
  EXTENTS_ID,
  HEADER_OFFSET,
  VOLUME_INCONSISTENT,
  VOLUME_JOURNALED,
  VOLUME_UNMOUNTED,
} from '../ondisk.ts';
import { MasterDirectoryBlock } from '../ondisk-hfs.ts';
import { Op } from '../op.ts';
import { freeRunOf } from '../volume/alloc.ts';
import type { SpecialFile } from '../volume/head.ts';
import type { Volume } from '../volume/volume.ts';
import { bitmapPieces, freeBlocks } from './bitmap.ts';
import { type Findings, planTrees, type TreePlan } from './check.ts';
import { countsOf } from './counts.ts';
import type { WholeFork } from './forks.ts';
import { takeRun } from './room.ts';
import type { TreeRecord } from './tree.ts';
import { viewOf } from './tree.ts';

export interface RepairWorld {
  readonly nowSec: number; // since 1970
  readonly random: () => number;
}

/** Brings the medium to what `checkVolume` said it should be. */
export function repairVolume(medium: Medium, findings: Findings, world: RepairWorld): void {
  const { entries, forks } = findings;
  for (const [cnid, { data, resources }] of forks) {
    const item = entries.byId.get(cnid)?.item;
    for (const fork of [data, resources]) ownBlocks(medium, findings, fork);
    if (item === undefined) continue;
    item.data = ownPart(findings, data);
    item.resources = ownPart(findings, resources);
  }
  const left = planTrees(findings).flatMap(({ id, was }) =>
    was.damaged ? moveFork(findings, id, TREE_LEAST) : [],
  );
  left.push(...placeBitmap(findings));
  writeHeader(medium, findings);
  writeBitmap(medium, findings);
  for (const tree of planTrees(findings)) writeTree(medium, findings, { tree, world });
  freeRuns(medium, findings, { runs: left, world });
  finishHeader(medium, findings);
}

/** Copies runs that are another's, too, into blocks of its own; without room the fork ends there. */
function ownBlocks(medium: Medium, { opened, owners }: Findings, fork: WholeFork): void {
  const { allocAt, allocSize, allocCount } = opened.volume;
  for (const [i, run] of fork.runs.entries()) {
    if (!fork.shared.includes(run)) continue;
    const fresh = takeRun(owners, allocCount, run.count);
    if (fresh === undefined) {
      const kept = fork.runs.slice(0, i);
      fork.runs = kept;
      fork.data.blocks = kept.reduce((sum, { count }) => sum + count, 0);
      fork.data.size = Math.min(fork.data.size, fork.data.blocks * allocSize);
      return;
    }
    for (let k = 0; k < run.count; k++) {
      const bytes = medium.read(allocAt + (run.start + k) * allocSize, allocSize);
      medium.write(allocAt + (fresh.start + k) * allocSize, bytes);
    }
    fork.runs[i] = fresh;
  }
}

const ownPart = ({ opened }: Findings, { data, runs }: WholeFork) => ({
  ...data,
  extents: runs.slice(0, opened.volume.extents.slots),
});

const TREE_LEAST = 16_384; // bytes

/** Other blocks for a special file, none of whose content is wanted; those that it leaves. */
function moveFork(findings: Findings, id: SpecialFile, leastBytes: number): Run[] {
  const { specials, owners, opened } = findings;
  const { allocCount, allocSize } = opened.volume;
  const fork = specials.get(id);
  const count = Math.max(Math.ceil(leastBytes / allocSize), fork?.data.blocks ?? 0);
  const run = takeRun(owners, allocCount, count);
  if (fork === undefined || run === undefined) return [];
  const left = fork.runs.filter((old) => !fork.shared.includes(old));
  fork.runs = [run];
  fork.data.blocks = run.count;
  fork.data.size = run.count * allocSize;
  fork.changed = true;
  return left;
}

/** A bitmap that is too short, or lies in others' blocks, moves. */
function placeBitmap(findings: Findings): Run[] {
  const fork = findings.specials.get(ALLOCATION_ID);
  if (fork === undefined) return [];
  const bytes = Math.ceil(findings.opened.volume.allocCount / 8);
  const enough = fork.data.size >= bytes && fork.shared.length === 0;
  return enough ? [] : moveFork(findings, ALLOCATION_ID, bytes);
}

function writeBitmap(medium: Medium, { opened, owners, specials }: Findings): void {
  for (const { offset, first, length } of bitmapPieces(opened.volume, specials.get(ALLOCATION_ID)))
    medium.write(offset, owners.bits.slice(first, first + length));
}

function writeHeader(medium: Medium, findings: Findings): void {
  const { opened, entries, owners, specials, journal } = findings;
  const { volume, header, head } = opened;
  for (const [id, fork] of specials) {
    if (!fork.changed) continue;
    const extents = fork.runs.slice(0, volume.extents.slots);
    head.setSpecial(id, { ...fork.data, extents });
  }
  const { files, folders, rootFiles, rootFolders } = countsOf(entries);
  const root = { files: rootFiles & 0xffff, folders: rootFolders & 0xffff };
  head.count({ files: files - head.files, folders: folders - head.folders, root: false });
  if (volume.kind === 'hfs') {
    const mdb = new MasterDirectoryBlock(viewOf(header), 0);
    mdb.drNmFls = root.files;
    mdb.drNmRtDirs = root.folders;
  }
  if (journal === 'damaged') head.attributes &= ~VOLUME_JOURNALED;
  head.freeBlocks = freeBlocks(volume, owners);
  head.nextCnid = entries.nextCnid;
  medium.write(HEADER_OFFSET, header);
}

const RECORDS_AT_ONCE = 500;
const NODE_SIZE = 8192;

function writeTree(
  medium: Medium,
  { opened, specials }: Findings,
  { tree, world }: { tree: TreePlan; world: RepairWorld },
): void {
  const { id, was, records } = tree;
  if (!was.damaged && records === undefined) return;
  const { volume } = opened;
  if (was.damaged) {
    const fork = specials.get(id);
    const [first] = fork?.runs ?? [];
    const kind = treeKind(id, volume);
    const nodeSize = was.nodeSize || (volume.kind === 'hfs' ? 512 : NODE_SIZE);
    const sizeBytes = (fork?.data.blocks ?? 0) * volume.allocSize;
    const node = treeHeaderNode({ ...kind, nodeSize, sizeBytes });
    if (first === undefined || first.count * volume.allocSize < node.length)
      throw new PosixError(EUCLEAN, 'no room for a tree');
    medium.write(volume.allocAt + first.start * volume.allocSize, node);
  }
  const steps = difference(tree, was.damaged ? [] : was.records, records ?? was.records);
  const tx = transaction(medium, volume, world);
  for (let at = 0; at < steps.length || at === 0; at += RECORDS_AT_ONCE) {
    const op = newOp(tx, volume);
    const target = treeOf(op, id);
    if (at === 0 && was.damaged) coverNodes(target, 1);
    for (const step of steps.slice(at, at + RECORDS_AT_ONCE)) step(target);
    op.finish();
    tx.commit();
  }
}

const transaction = (
  medium: Medium,
  { unit }: Volume,
  { nowSec, random }: RepairWorld,
): MediumTransaction =>
  new MediumTransaction({ medium, blockSize: unit, now: { sec: nowSec, nsec: 0 }, random });

const newOp = (tx: MediumTransaction, volume: Volume): Op =>
  new Op(tx, volume, { unfinished: () => {}, places: new Places() });

/** Gives back what trees lay in before they moved. */
function freeRuns(
  medium: Medium,
  { opened }: Findings,
  { runs, world }: { runs: readonly Run[]; world: RepairWorld },
): void {
  const tx = transaction(medium, opened.volume, world);
  const op = newOp(tx, opened.volume);
  for (const run of runs) freeRunOf(op, run);
  op.finish();
  tx.commit();
}

function treeOf(op: Op, id: SpecialFile): BTree {
  if (id === EXTENTS_ID) return op.extents;
  if (id === CATALOG_ID) return op.catalog.tree;
  return op.attributes ?? fail(EUCLEAN, `no tree ${id}`);
}

/** From the records that are there to those that are due. */
function difference(
  { format }: TreePlan,
  old: readonly TreeRecord[],
  due: readonly TreeRecord[],
): ((tree: BTree) => void)[] {
  const steps: ((tree: BTree) => void)[] = [];
  const compare = (a: TreeRecord, b: TreeRecord): number =>
    format.compare(viewOf(a.key), 0, viewOf(b.key), 0);
  for (let i = 0, k = 0; i < old.length || k < due.length; ) {
    const [a, b] = [old[i], due[k]];
    const order = a === undefined ? 1 : b === undefined ? -1 : compare(a, b);
    if (a !== undefined && order < 0) steps.push((tree) => void remove(tree, a.key));
    if (b !== undefined && order > 0) steps.push((tree) => insert(tree, b.key, b.data));
    if (order === 0 && a !== b && b !== undefined)
      steps.push((tree) => replace(tree, b.key, b.data));
    if (order <= 0) i++;
    if (order >= 0) k++;
  }
  return steps;
}

/** Says that all is well, in both headers. */
function finishHeader(medium: Medium, { opened }: Findings): void {
  const header = medium.read(HEADER_OFFSET, 512);
  const head = opened.volume.head(viewOf(header), 0);
  head.attributes = (head.attributes | VOLUME_UNMOUNTED) & ~VOLUME_INCONSISTENT;
  head.writeCount = (head.writeCount + 1) >>> 0; // no log belongs to this
  medium.write(HEADER_OFFSET, header);
  medium.write(medium.sizeBytes - ALTERNATE_FROM_END, header);
}
