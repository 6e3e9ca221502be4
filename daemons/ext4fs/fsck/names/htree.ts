// The hash tree of a directory: looked at from its root to each leaf. One with a fault becomes a linear
// directory, which is right for every reader; its index blocks become leaves. directory.rst.

import { PosixError } from '../../../../kernel/abi/errno.ts';
import { DX_HASH_TEA, hashName, hashVersion } from '../../dir/hash.ts';
import {
  DX_NODE_COUNT_OFFSET,
  DX_ROOT_COUNT_OFFSET,
  DxCountLimit,
  DxEntry,
  DxRoot,
  DxTail,
  EXT4_CASEFOLD_FL,
  EXT4_INDEX_FL,
} from '../../ondisk.ts';
import { dxSealing } from '../../volume/checksum.ts';
import { has } from '../../volume/superblock.ts';
import type { Directory, State } from '../state.ts';
import { clearEntry, editLeaf, endOf, entriesOf, putSize, putTail } from './entries.ts';

const ROOT_INFO = 8;
const LEVELS_MAX = 3;
/** Encrypted names with folded case. */
const HASH_SIPHASH = 6;

interface Leaf {
  readonly lblock: number;
  readonly from: number;
}

/** Blocks that are index and no leaf; undefined when the tree is at fault, which is told. */
export function indexBlocks(state: State, dir: Directory): ReadonlySet<number> | undefined {
  const nodes = new Set<number>();
  const leaves: Leaf[] = [];
  const why = walkRoot(state, dir, { nodes, leaves }) ?? order(state, dir, { nodes, leaves });
  if (why === undefined) return nodes;
  state.bad(`directory ${dir.ino}: its index: ${why}; it is linear from now on`);
  return undefined;
}

interface Walked {
  readonly nodes: Set<number>;
  readonly leaves: Leaf[];
}

function walkRoot(state: State, dir: Directory, walked: Walked): string | undefined {
  const { view } = state.tx.read(dir.blocks[0] ?? 0);
  const root = new DxRoot(view);
  const levels = root.indirect_levels;
  const most = has.largeDir(state.vol) ? LEVELS_MAX : LEVELS_MAX - 1;
  const folds = (state.inode(dir.ino).i_flags & EXT4_CASEFOLD_FL) !== 0;
  const hashes = root.hash_version <= DX_HASH_TEA || (folds && root.hash_version === HASH_SIPHASH);
  if (root.reserved_zero !== 0 || root.info_length !== ROOT_INFO || !hashes) return 'its root';
  if (root.unused_flags !== 0 || levels >= most + 1) return `${levels} levels`;
  const why = walk(state, dir, { lblock: 0, level: levels, from: 0, walked });
  if (why !== undefined) return why;
  const seen = walked.nodes.size + walked.leaves.length;
  return seen === dir.blocks.length ? undefined : 'blocks that it does not name';
}

interface Step {
  readonly lblock: number;
  readonly level: number;
  readonly from: number;
  readonly walked: Walked;
}

function walk(
  state: State,
  dir: Directory,
  { lblock, level, from, walked }: Step,
): string | undefined {
  const { vol, tx } = state;
  const block = tx.read(dir.blocks[lblock] ?? 0);
  const countAt = lblock === 0 ? DX_ROOT_COUNT_OFFSET : DX_NODE_COUNT_OFFSET;
  const tail = has.metadataCsum(vol) ? DxTail.size : 0;
  const { limit, count } = new DxCountLimit(block.view, countAt);
  const room = Math.floor((vol.blockSize - countAt - tail) / DxEntry.size);
  walked.nodes.add(lblock);
  if (limit !== room) return `a limit of ${limit} in block ${lblock}, not ${room}`;
  if (count < 1 || count > limit) return `${count} entries in block ${lblock}`;
  try {
    if (has.metadataCsum(vol)) dxSealing(vol, dir.ino, state.seed(dir.ino)).check(block);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return `the checksum of block ${lblock}`;
  }
  let last = from;
  for (let i = 0; i < count; i++) {
    const entry = new DxEntry(block.view, countAt + i * DxEntry.size);
    const child = entry.block & 0x0fff_ffff;
    const hash = i === 0 ? from : entry.hash;
    const known = walked.nodes.has(child) || walked.leaves.some((leaf) => leaf.lblock === child);
    if (child >= dir.blocks.length || known) return `its child ${child}`;
    if (hash < last) return 'hashes that are out of order';
    last = hash;
    if (level === 0) walked.leaves.push({ lblock: child, from: hash });
    else {
      const why = walk(state, dir, { lblock: child, level: level - 1, from: hash, walked });
      if (why !== undefined) return why;
    }
  }
  return undefined;
}

/** Each name has a hash that its leaf may hold. */
function order(state: State, dir: Directory, { leaves }: Walked): string | undefined {
  const { vol, tx } = state;
  // The hash of a name whose case does not matter is that of its folded form.
  if ((state.inode(dir.ino).i_flags & EXT4_CASEFOLD_FL) !== 0) return undefined;
  const { hash_version } = new DxRoot(tx.read(dir.blocks[0] ?? 0).view);
  const version = hashVersion(vol, hash_version);
  for (const [i, { lblock, from }] of leaves.entries()) {
    const end = leaves[i + 1]?.from ?? 0x1_0000_0000;
    // A leaf that is broken is mended as any other; its names are looked for where they stand.
    for (const { ino, name } of entriesOf(vol, tx.read(dir.blocks[lblock] ?? 0)).entries) {
      if (ino === 0) continue;
      const { major } = hashName(vol, version, name);
      // The lowest bit of `end` says that names of the same hash go on there.
      if (major < (from & ~1) >>> 0 || (major >= end && major !== (end & ~1) >>> 0))
        return `a name in the wrong leaf`;
    }
  }
  return undefined;
}

/** Index blocks become leaves without entries, the root one with '.' and '..'. */
export function linearise(state: State, dir: Directory, nodes: Iterable<number>): void {
  const { vol } = state;
  for (const lblock of nodes) {
    const block = editLeaf(state, dir.ino, dir.blocks[lblock] ?? 0);
    const end = endOf(vol);
    const first = lblock === 0 ? 12 : 0;
    if (first === 0) clearEntry(block.view, 0);
    putSize(block.view, first, end - first);
    putTail(state, block);
  }
  state.change(dir.ino, (inode) => {
    inode.i_flags &= ~EXT4_INDEX_FL;
  });
}

/** Every block that cannot be told from an index block by its first entry alone. */
export function looksLikeNode(state: State, block: number): boolean {
  const { view } = state.tx.read(block);
  return view.getUint32(0, true) === 0 && view.getUint16(4, true) === state.vol.blockSize % 65_536;
}
