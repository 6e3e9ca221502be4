// Replay of fast commits, entry by entry: inodes, ranges, names. What they say may have happened already, in
// part or whole. Blocks are taken before anything else, and given back when all maps are known.
// journal.rst, "Fast Commits".

import { PosixError } from '../../../kernel/abi/errno.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import type { Inode } from '../inode/inode.ts';
import { addOrphan } from '../inode/orphan.ts';
import type { Op } from '../op.ts';
import type { Run } from '../volume/block-alloc.ts';
import { inodeInUse } from '../volume/inode-alloc.ts';
import { claim, ownedBlocks, release, without } from './blocks.ts';
import { applyFields } from './fields.ts';
import { applyName } from './names.ts';
import { applyRange } from './ranges.ts';
import type { FastEntry } from './scan.ts';

/** Blocks whose bits one request changes: they lie in a few groups. */
const BLOCKS_A_STEP = 65_536;

/** Runs a body as one request, until it finds all its blocks. */
export type RunOp = <R>(body: (op: Op) => R) => Task<R>;

/** What an entry did besides what stands in the volume now. */
export interface Effect {
  /** Blocks that are no longer mapped where they were. */
  readonly released: readonly Run[];
  /** The inode was free, and is not. */
  readonly born?: boolean;
}

export function* replayFastCommits(
  entries: readonly FastEntry[],
  run: RunOp,
  log: (line: string) => void,
): Task<void> {
  for (const entry of entries) {
    if (entry.kind !== 'add') continue;
    yield* inSteps({ start: entry.pblock, count: entry.count }, (part) =>
      attempt(run, log, (op) => claim(op, part)),
    );
  }
  const touched = new Set<number>();
  const nameless = new Set<number>();
  const released: Run[] = [];
  for (const entry of entries) {
    touched.add(entry.ino);
    const effect = yield* attempt(run, log, (op) => apply(op, entry));
    released.push(...(effect?.released ?? []));
    if (effect?.born) nameless.add(entry.ino);
    if (entry.kind === 'create' || entry.kind === 'link') nameless.delete(entry.ino);
  }
  const kept: Run[] = [];
  for (const ino of touched) {
    const owned = yield* attempt(run, log, (op) => settle(op, ino, nameless.has(ino)));
    for (const part of owned ?? []) {
      kept.push(part);
      yield* inSteps(part, (some) => attempt(run, log, (op) => claim(op, some)));
    }
  }
  for (const part of without(released, kept)) {
    yield* inSteps(part, (some) => attempt(run, log, (op) => release(op, some)));
  }
}

function* inSteps({ start, count }: Run, step: (part: Run) => Task<unknown>): Task<void> {
  for (let done = 0; done < count; done += BLOCKS_A_STEP)
    yield* step({ start: start + done, count: Math.min(BLOCKS_A_STEP, count - done) });
}

/** An entry that makes no sense is told and left out, as the others may. */
function* attempt<R>(
  run: RunOp,
  log: (line: string) => void,
  body: (op: Op) => R,
): Task<R | undefined> {
  try {
    return yield* run(body);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    log(`fast commit: ${error.message}`);
    return undefined;
  }
}

function apply(op: Op, entry: FastEntry): Effect {
  switch (entry.kind) {
    case 'add':
    case 'cut':
      return { released: applyRange(op, entry) };
    case 'inode':
      return applyFields(op, entry);
    default:
      return { released: applyName(op, entry) };
  }
}

/** The last look at an inode: one without a name goes the way of orphans. Gives back what it owns. */
function settle(op: Op, ino: number, isNameless: boolean): readonly Run[] {
  if (!inodeInUse(op, ino)) return [];
  const inode = op.inode(ino);
  if (inode.mode === 0) return [];
  if (isNameless) inode.links = 0;
  if (inode.links === 0) addOrphan(inode);
  if (!inode.usesExtents || inode.isInline) return [];
  const { data, nodes } = ownedBlocks(inode);
  const owned = [...data, ...nodes];
  setBlockCount(inode, owned);
  return owned;
}

function setBlockCount(inode: Inode, owned: readonly Run[]): void {
  const { blockSize } = inode.op.vol;
  const attributes = inode.fileAcl === 0 ? 0 : 1;
  const blocks = owned.reduce((sum, { count }) => sum + count, attributes);
  const stored = inode.sectors / (blockSize / 512);
  if (blocks !== stored) inode.addBlocks(blocks - stored);
}
