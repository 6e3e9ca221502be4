// A directory that lies in its inode: '..' as a number, then entries in what i_block has left, then
// entries in the attribute system.data. '.' is not stored. Each of the two parts is walked like a
// block. When they are full the directory gets a block. ifork.rst, "Inline Directories".

import type { Block } from '../../lib/transaction.ts';
import { iBlock, inlineCapacity, leaveInline, startInline } from '../inode/inline.ts';
import type { Inode } from '../inode/inode.ts';
import { inlineValue, setInlineValue } from '../inode/xattr.ts';
import { I_BLOCK_SIZE } from '../ondisk.ts';
import {
  addToBlock,
  type Entry,
  eachEntry,
  entryAt,
  entrySize,
  initTail,
  type NewEntry,
  setRecLen,
  tailSize,
  writeEntry,
} from './block.ts';
import { growDir } from './htree-insert.ts';

/** Bytes of i_block before the entries: the number of the parent. */
const DOTDOT_SIZE = 4;
/** Where the entries stand when they lie in a block, behind '.' and '..'. */
const BLOCK_FIRST = 24;

/** The parts that hold entries, numbered 0 and 1 as if they were blocks. */
export function inlineParts(dir: Inode, use: 'read' | 'edit' = 'read'): Block[] {
  const head = iBlock(dir, use).subarray(DOTDOT_SIZE);
  const rest = inlineValue(dir, use);
  return [head, ...(rest !== undefined && rest.length > 0 ? [rest] : [])].map(asBlock);
}

const asBlock = (bytes: Uint8Array, no: number): Block => ({
  no,
  bytes,
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  version: -1,
});

/** Where an entry would stand if the directory had a block. */
export const inlinePosition = (part: Block, entry: Entry): number =>
  BLOCK_FIRST + part.no * (I_BLOCK_SIZE - DOTDOT_SIZE) + entry.at;

/** The first of these parts, in their order, for which `visit` returns something. */
export function eachInlinePart<T>(
  dir: Inode,
  visit: (part: Block) => T | undefined,
): T | undefined {
  for (const part of inlineParts(dir)) {
    const result = visit(part);
    if (result !== undefined) return result;
  }
  return undefined;
}

/** Makes a new directory one that lies in its inode. False when the inode has no room. */
export function initInlineDir(dir: Inode, parent: number): boolean {
  if (!startInline(dir)) return false;
  setInlineParent(dir, parent);
  for (const part of inlineParts(dir, 'edit')) setRecLen(part, 0, part.bytes.length);
  dir.size = I_BLOCK_SIZE;
  return true;
}

export function inlineParent(dir: Inode): number {
  const head = iBlock(dir, 'read');
  return new DataView(head.buffer, head.byteOffset).getUint32(0, true);
}

export function setInlineParent(dir: Inode, parent: number): void {
  const head = iBlock(dir, 'edit');
  new DataView(head.buffer, head.byteOffset).setUint32(0, parent, true);
}

/** False when there is no room: then the directory is to be moved to a block. */
export function addInline(dir: Inode, added: NewEntry): boolean {
  if (inlineParts(dir).some((part) => addToBlock(dir, part, added))) return true;
  const old = inlineValue(dir, 'read') ?? new Uint8Array(0);
  const length = old.length + entrySize(added.name.length);
  if (I_BLOCK_SIZE + length > inlineCapacity(dir)) return false;
  const value = new Uint8Array(length);
  value.set(old);
  const recLen = length - old.length;
  writeEntry(dir, asBlock(value, 1), { at: old.length, recLen, added });
  setInlineValue(dir, value);
  dir.size = I_BLOCK_SIZE + length;
  return true;
}

/** Moves a directory to its first block; each entry stands where its position said before. */
export function moveDirToBlock(dir: Inode): void {
  const parent = inlineParent(dir);
  const parts = inlineParts(dir).map(({ bytes }) => bytes.slice());
  leaveInline(dir);
  dir.size = 0;
  const { block } = growDir(dir, dir.leafSealing.seal);
  const end = block.view.byteLength - tailSize(dir);
  const name = Uint8Array.of(0x2e, 0x2e);
  writeEntry(dir, block, {
    at: 0,
    recLen: 12,
    added: { name: name.subarray(1), ino: dir.ino, type: 2 },
  });
  writeEntry(dir, block, { at: 12, recLen: 12, added: { name, ino: parent, type: 2 } });
  let at = BLOCK_FIRST;
  for (const bytes of parts) {
    block.bytes.set(bytes, at);
    at += bytes.length;
  }
  let last = BLOCK_FIRST;
  for (let next = last; next < at; next += entryAt(dir, block, next).recLen) last = next;
  setRecLen(block, last, end - last);
  initTail(dir, block);
}

/** Has it any entry in use? */
export const hasInlineEntries = (dir: Inode): boolean =>
  eachInlinePart(dir, (part) => eachEntry(dir, part, () => true)) === true;
