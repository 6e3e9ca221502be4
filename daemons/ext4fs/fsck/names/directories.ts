// Second pass: every entry of every directory names an inode that is in use, by a name that may be, with
// its kind; '.' and '..' stand first. directory.rst.

import { EXT4_INDEX_FL, EXT4_ROOT_INO } from '../../ondisk.ts';
import { dirLeafSealing, dxSealing } from '../../volume/checksum.ts';
import { has } from '../../volume/superblock.ts';
import { FT_DIR, isEncrypted } from '../inodes.ts';
import type { Directory, State } from '../state.ts';
import {
  clearEntry,
  type Entry,
  editLeaf,
  endOf,
  entriesOf,
  leafSumFault,
  putEntry,
  putSize,
  putTail,
} from './entries.ts';
import { indexBlocks, linearise, looksLikeNode } from './htree.ts';
import { checkInlineDirectory } from './inline.ts';

export const DOT = Uint8Array.of(0x2e);
export const DOTDOT = Uint8Array.of(0x2e, 0x2e);
const isDot = (name: Uint8Array): boolean => name.length === 1 && name[0] === 0x2e;
const isDotDot = (name: Uint8Array): boolean =>
  name.length === 2 && name[0] === 0x2e && name[1] === 0x2e;

export function checkDirectories(state: State): void {
  for (const dir of [...state.directories.values()].sort((a, b) => a.ino - b.ino))
    checkDirectory(state, dir);
}

function checkDirectory(state: State, dir: Directory): void {
  if (checkInlineDirectory(state, dir)) return;
  const indexed = (state.inode(dir.ino).i_flags & EXT4_INDEX_FL) !== 0;
  let nodes: ReadonlySet<number> = new Set();
  if (indexed) {
    const sound = indexBlocks(state, dir);
    if (sound === undefined) {
      // Which of its blocks are index is told by their looks: the root, and those with one unused entry.
      const looks = [...dir.blocks.keys()].filter(
        (lblock) => lblock === 0 || looksLikeNode(state, dir.blocks[lblock] ?? 0),
      );
      linearise(state, dir, looks);
    } else nodes = sound;
  }
  checkDots(state, dir, nodes.has(0) ? 'index' : 'leaf');
  const names = new Set<string>();
  for (const [lblock, no] of dir.blocks.entries()) {
    if (nodes.has(lblock)) continue;
    checkLeaf(state, dir, { no, first: lblock === 0, names });
  }
}

/** The first two entries of the first block are those of the directory itself and of its parent. */
function checkDots(state: State, dir: Directory, kind: 'index' | 'leaf'): void {
  const { vol } = state;
  const no = dir.blocks[0] ?? 0;
  const { view, bytes } = state.tx.read(no);
  const nameAt = (at: number): Uint8Array => bytes.subarray(at + 8, at + 8 + view.getUint8(at + 6));
  const typed = has.fileType(vol);
  const end = kind === 'index' ? vol.blockSize : endOf(vol);
  const typeFits = (at: number): boolean => !typed || view.getUint8(at + 7) === FT_DIR;
  const dotFits =
    view.getUint32(0, true) === dir.ino &&
    view.getUint16(4, true) === 12 &&
    isDot(nameAt(0)) &&
    typeFits(0);
  const size = view.getUint16(16, true);
  const fits =
    kind === 'leaf' ? size >= 12 && size % 4 === 0 && 12 + size <= end : size === end - 12;
  const parent = view.getUint32(12, true);
  const dotdotFits = fits && isDotDot(nameAt(12)) && typeFits(12) && parent !== 0;
  dir.dotdot = isDotDot(nameAt(12)) ? parent : 0;
  count(state, dir.ino);
  if (dotFits && dotdotFits) return;
  state.bad(`directory ${dir.ino}: '.' or '..' is missing or wrong`);
  const sealing = kind === 'leaf' ? dirLeafSealing : dxSealing;
  const { seal } = sealing(vol, dir.ino, state.seed(dir.ino));
  const block = state.tx.edit(no, seal);
  // What lay there can be an entry of another name: the block is then left to its '.' and '..'.
  const room = fits ? size : end - 12;
  putEntry(vol, block, { at: 0, size: 12, ino: dir.ino, name: DOT, type: FT_DIR });
  putEntry(vol, block, {
    at: 12,
    size: room,
    ino: parent || EXT4_ROOT_INO,
    name: DOTDOT,
    type: FT_DIR,
  });
  if (kind === 'leaf') putTail(state, block);
}

function checkLeaf(
  state: State,
  dir: Directory,
  { no, first, names }: { no: number; first: boolean; names: Set<string> },
): void {
  const { vol, tx } = state;
  const block = tx.read(no);
  const fault = leafSumFault(state, dir.ino, block);
  let { entries, brokenAt } = entriesOf(vol, block);
  if (brokenAt >= 0) {
    state.bad(`directory ${dir.ino}: block ${no} is broken at ${brokenAt}`);
    salvage(state, dir, { no, entries, brokenAt });
    entries = entriesOf(vol, tx.read(no)).entries;
  } else if (fault !== undefined && !tx.isChanged(no)) {
    state.bad(`directory ${dir.ino}: block ${no}: ${fault}`);
    putTail(state, editLeaf(state, dir.ino, no));
  }
  for (const [i, entry] of entries.entries()) {
    if (entry.ino === 0) continue;
    if (first && i < 2) continue; // '.' is counted, '..' will be when it is known to be right
    checkEntry(state, dir, { no, entry, names });
  }
}

/** The last whole entry takes what is left of the block. */
function salvage(
  state: State,
  dir: Directory,
  { no, entries, brokenAt }: { no: number; entries: readonly Entry[]; brokenAt: number },
): void {
  const block = editLeaf(state, dir.ino, no);
  const last = entries.at(-1);
  const end = endOf(state.vol);
  const rest = end - brokenAt;
  if (last !== undefined) putSize(block.view, last.at, last.size + rest);
  else {
    block.bytes.fill(0, 0, 8);
    putSize(block.view, 0, rest);
  }
  putTail(state, block);
}

function checkEntry(
  state: State,
  dir: Directory,
  { no, entry, names }: { no: number; entry: Entry; names: Set<string> },
): void {
  const { at, ino, name, type } = entry;
  const text = String.fromCharCode(...name);
  const why = whyNot(state, dir, { entry, text, names });
  const what = `directory ${dir.ino}: '${text.replace(/[^ -~]/g, '?')}'`;
  if (why !== undefined) {
    state.bad(`${what} ${why}; it is cleared`);
    clearEntry(editLeaf(state, dir.ino, no).view, at);
    return;
  }
  names.add(text);
  const kind = state.kinds[ino] ?? 0;
  const right = has.fileType(state.vol) ? kind : 0;
  if (has.fileType(state.vol) && type !== right) {
    state.bad(`${what} has kind ${type}, its inode ${right}`);
    editLeaf(state, dir.ino, no).view.setUint8(at + 7, right);
  }
  count(state, ino);
  const child = state.directories.get(ino);
  if (child !== undefined) child.parent = dir.ino;
}

/** Why the entry cannot stay. */
export function whyNot(
  state: State,
  dir: Directory,
  { entry, text, names }: { entry: Entry; text: string; names: ReadonlySet<string> },
): string | undefined {
  const { ino, name } = entry;
  const { vol, kinds, directories } = state;
  if (name.length === 0) return 'has no letter';
  if (isDot(name) || isDotDot(name)) return 'stands there twice';
  if (/[/\0]/.test(text) && !isEncrypted(state, dir.ino)) return 'is no name';
  if (ino > vol.inodesCount || (ino < vol.firstIno && ino !== EXT4_ROOT_INO))
    return `is inode ${ino}, which cannot be`;
  if (kinds[ino] === 0) return `is inode ${ino}, which is free`;
  if (ino === EXT4_ROOT_INO) return 'is the root';
  const child = directories.get(ino);
  if (child !== undefined && (child.parent !== 0 || child.ino === dir.ino))
    return `is directory ${ino}, which has a name`;
  return names.has(text) ? 'stands there twice' : undefined;
}

export function count(state: State, ino: number): void {
  state.names[ino] = (state.names[ino] ?? 0) + 1;
}
