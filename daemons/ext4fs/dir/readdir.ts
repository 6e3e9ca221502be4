// Listing a directory so that whatever is there during the whole scan comes exactly once, whatever
// is added, removed or split in between: hashed directories (and one-block ones, which may become
// hashed) in the order of the names' hashes, the cookie made of the hash; others by position.

import {
  DT_BLK,
  DT_CHR,
  DT_DIR,
  DT_FIFO,
  DT_LNK,
  DT_REG,
  DT_SOCK,
  DT_UNKNOWN,
  dtype,
} from '../../../kernel/abi/constants.ts';
import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import { decodeText } from '../../../kernel/abi/text.ts';
import type { DirSink } from '../../../kernel/ninep/file-server.ts';
import { QTDIR, QTFILE, QTSYMLINK } from '../../../kernel/ninep/types.ts';
import type { Block } from '../../lib/transaction.ts';
import type { Inode } from '../inode/inode.ts';
import { mustBeKnown } from '../inode/refused.ts';
import { has } from '../volume/superblock.ts';
import { dirBlockCount, type Entry, eachEntry, nameOf, readLeaf } from './block.ts';
import { eachLinearBlock, needBlocks, parentOf } from './dir.ts';
import { hashName, hashVersion } from './hash.ts';
import { advance, type DxPath, leafBlock, nextHash, probe } from './htree.ts';
import { eachInlinePart, inlinePosition } from './inline.ts';

/** EXT4_FT_* to DT_*. */
const FT_TO_DT = [DT_UNKNOWN, DT_REG, DT_DIR, DT_CHR, DT_BLK, DT_FIFO, DT_SOCK, DT_LNK];
/** The type in a directory entry for a DT_*. */
export const fileTypeOf = (dt: number): number => Math.max(0, FT_TO_DT.indexOf(dt));

const COOKIE_DOT = 1;
const COOKIE_DOTDOT = 2;
const COOKIE_FIRST = 3;
const MINOR_BITS = 22;
const MINOR_SPAN = 2 ** MINOR_BITS;

interface Listed {
  key: number; // 31 bits of the major hash, 22 of the minor
  name: Uint8Array;
  ino: number;
  type: number; // DT_*
}

/** Adds the entries behind cookie `offset` until the sink is full. */
export function listDirectory(dir: Inode, offset: number, sink: DirSink): void {
  mustBeKnown(dir);
  if (!listDots(dir, offset, sink)) return;
  if (dir.isIndexed) listTree(dir, offset, sink);
  else if (dir.isInline) listInline(dir, offset, sink);
  else if (has.dirIndex(dir.op.vol) && dirBlockCount(dir) === 1) listOneBlock(dir, offset, sink);
  else listByPosition(dir, offset, sink);
}

function listDots(dir: Inode, offset: number, sink: DirSink): boolean {
  const dot = (name: string, ino: number, cookie: number): boolean =>
    sink.add({ qid: { type: QTDIR, version: 0, path: ino }, offset: cookie, type: DT_DIR, name });
  if (offset < COOKIE_DOT && !dot('.', dir.ino, COOKIE_DOT)) return false;
  return offset >= COOKIE_DOTDOT || dot('..', parentOf(dir), COOKIE_DOTDOT);
}

/** Leaves whose blocks are asked for at once. */
const READ_AHEAD = 8;

function listTree(dir: Inode, offset: number, sink: DirSink): void {
  const from = Math.max(0, offset - COOKIE_FIRST);
  const path = probe(dir, Math.floor(from / MINOR_SPAN) * 2);
  let left = dirBlockCount(dir);
  for (let runs = 0; left > 0; runs++) {
    if (runs % READ_AHEAD === 0) needLeaves(dir, path);
    const { entries, leaves, more } = collectRun(dir, path, left);
    left -= leaves;
    if (!emit(entries, offset, sink) || !more) return;
  }
  fail(EUCLEAN, `directory ${dir.ino}: more leaves than blocks`);
}

/** The leaves next in the lowest index block. */
function needLeaves(dir: Inode, { frames }: DxPath): void {
  const frame = frames[frames.length - 1];
  if (frame === undefined) return;
  const end = Math.min(frame.dx.count, frame.index + READ_AHEAD);
  for (let i = frame.index; i < end; i++) needBlocks(dir, frame.dx.child(i), 1);
}

/** A leaf's entries, and those of the leaves over which its last hash goes on. */
function collectRun(
  dir: Inode,
  path: DxPath,
  bound: number,
): { entries: Listed[]; leaves: number; more: boolean } {
  const entries: Listed[] = [];
  for (let leaves = 1; leaves <= bound; leaves++) {
    collect(dir, readLeaf(dir, leafBlock(path)), { version: path.hashVersion, into: entries });
    const next = nextHash(path);
    const more = advance(dir, path);
    if (!more || next === undefined || (next & 1) === 0) return { entries, leaves, more };
  }
  return fail(EUCLEAN, `directory ${dir.ino}: more leaves than blocks`);
}

/** In the order, and with the cookies, that it would have in a block. */
function listInline(dir: Inode, offset: number, sink: DirSink): void {
  const entries: Listed[] = [];
  const { defHashVersion } = dir.op.vol;
  const version = hashVersion(dir.op.vol, defHashVersion);
  const full = eachInlinePart(dir, (part) => {
    if (has.dirIndex(dir.op.vol)) collect(dir, part, { version, into: entries });
    else return listPart(dir, part, { offset, sink }) ? undefined : true;
    return undefined;
  });
  if (full === undefined) emit(entries, offset, sink);
}

/** False when the sink is full. */
function listPart(
  dir: Inode,
  part: Block,
  { offset, sink }: { offset: number; sink: DirSink },
): boolean {
  const full = eachEntry(dir, part, (entry) => {
    const cookie = inlinePosition(part, entry) + COOKIE_FIRST;
    if (cookie <= offset) return undefined;
    const listed = { ino: entry.ino, type: typeOf(dir, entry), name: nameOf(part, entry) };
    return add(listed, cookie, sink) ? undefined : true;
  });
  return full === undefined;
}

function listOneBlock(dir: Inode, offset: number, sink: DirSink): void {
  const entries: Listed[] = [];
  const version = hashVersion(dir.op.vol, dir.op.vol.defHashVersion);
  collect(dir, readLeaf(dir, 0), { version, into: entries });
  emit(entries, offset, sink);
}

function collect(
  dir: Inode,
  block: Block,
  { version, into }: { version: number; into: Listed[] },
): void {
  eachEntry(dir, block, (entry) => {
    const name = nameOf(block, entry);
    if (isDots(name)) return undefined;
    const { major, minor } = hashName(dir.op.vol, version, name);
    const key = (major >>> 1) * MINOR_SPAN + (minor >>> (32 - MINOR_BITS));
    into.push({ key, name, ino: entry.ino, type: typeOf(dir, entry) });
    return undefined;
  });
}

/** Without the filetype feature only the inode knows. */
const typeOf = (dir: Inode, entry: Entry): number =>
  has.fileType(dir.op.vol)
    ? (FT_TO_DT[entry.type] ?? DT_UNKNOWN)
    : dtype(dir.op.inode(entry.ino).mode);

function isDots(name: Uint8Array): boolean {
  return name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e));
}

/** False when the sink is full. */
function emit(entries: Listed[], offset: number, sink: DirSink): boolean {
  entries.sort((a, b) => a.key - b.key);
  for (const [i, entry] of entries.entries()) {
    const cookie = entry.key + COOKIE_FIRST;
    if (cookie <= offset) continue;
    // Two names with all 53 bits alike: behind the first of them, the scan comes back to both.
    const twin = entries[i + 1]?.key === entry.key;
    if (!add(entry, twin ? cookie - 1 : cookie, sink)) return false;
  }
  return true;
}

function add({ ino, type, name }: Omit<Listed, 'key'>, offset: number, sink: DirSink): boolean {
  const qtype = type === DT_DIR ? QTDIR : type === DT_LNK ? QTSYMLINK : QTFILE;
  const qid = { type: qtype, version: 0, path: ino };
  return sink.add({ qid, offset, type, name: decodeText(name) });
}

/** In a directory that stays linear no entry ever moves: the cookie is where it lies. */
function listByPosition(dir: Inode, offset: number, sink: DirSink): void {
  const { blockSize } = dir.op.vol;
  const first = Math.floor(Math.max(0, offset - COOKIE_FIRST) / blockSize);
  eachLinearBlock(
    dir,
    (block, lblock) =>
      eachEntry(dir, block, (entry) => {
        const cookie = lblock * blockSize + entry.at + COOKIE_FIRST;
        const name = nameOf(block, entry);
        if (cookie <= offset || isDots(name)) return undefined;
        const type = typeOf(dir, entry);
        return add({ ino: entry.ino, type, name }, cookie, sink) ? undefined : true;
      }),
    first,
  );
}
