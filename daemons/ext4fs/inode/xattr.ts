// Extended attributes of an inode: those behind its fields, and those in a block that several
// inodes may share. attributes.rst, "Extended Attributes".

import { S_IFDIR, S_IFMT, S_IFREG } from '../../../kernel/abi/constants.ts';
import {
  EEXIST,
  EINVAL,
  ENODATA,
  ENOSPC,
  EOPNOTSUPP,
  EPERM,
  ERANGE,
  EUCLEAN,
  fail,
} from '../../../kernel/abi/errno.ts';
import { decodeText, encodeText } from '../../../kernel/abi/text.ts';
import { homeGoal } from '../map/map.ts';
import { EXT4_XATTR_MAGIC, XattrHeader, XattrIbodyHeader } from '../ondisk.ts';
import { allocBlocks, freeBlocks } from '../volume/block-alloc.ts';
import { xattrSealing } from '../volume/checksum.ts';
import { COMPAT } from '../volume/features.ts';
import { isDataBlock } from '../volume/group.ts';
import type { Inode } from './inode.ts';
import { aclToXattr, isAcl } from './xattr-acl.ts';
import {
  blockHash,
  compareXattr,
  decodeList,
  encodeList,
  listSize,
  type Placed,
  type Region,
  type Xattr,
} from './xattr-format.ts';

const PREFIXES: readonly (readonly [number, string])[] = [
  [2, 'system.posix_acl_access'],
  [3, 'system.posix_acl_default'],
  [1, 'user.'],
  [4, 'trusted.'],
  [6, 'security.'],
  [7, 'system.'],
];

const XATTR_CREATE = 1;
const XATTR_REPLACE = 2;

/** The value; undefined when there is no such attribute. */
export function getXattr(inode: Inode, fullName: string): Uint8Array | undefined {
  const wanted = splitName(fullName);
  const found = [...readBody(inode), ...readBlock(inode)].find(sameAs(wanted));
  if (found === undefined) return undefined;
  return isAcl(found.index) ? aclToXattr(found.value) : found.value;
}

/** The attribute that holds what of inline data i_block has no room for. */
const DATA: Name = { index: 7, name: encodeText('data') };
const isData = (x: Name): boolean => x.index === DATA.index && decodeText(x.name) === 'data';

/** Its value where it lies in the inode, to be read or changed there; undefined when there is none. */
export function inlineValue(inode: Inode, use: 'read' | 'edit'): Uint8Array | undefined {
  const found = readBody(inode).find(isData);
  if (found === undefined) return undefined;
  const { view } = use === 'edit' ? inode.edit() : inode.raw;
  return new Uint8Array(view.buffer, view.byteOffset + found.at, found.value.length);
}

/** The longest value that fits beside the inode's other attributes; negative when there is no room. */
export function inlineRoom(inode: Inode): number {
  const others = readBody(inode).filter((x) => !isData(x));
  const empty = listSize([...others, { ...DATA, value: new Uint8Array(0) }]);
  const room = bodyRoom(inode) - empty;
  return room < 0 ? -1 : room & ~3;
}

/** Undefined removes it; the caller has seen that it fits. */
export function setInlineValue(inode: Inode, value: Uint8Array | undefined): void {
  const others = readBody(inode).filter((x) => !isData(x));
  const data = value && { ...DATA, value: value.slice() };
  writeBody(inode, data === undefined ? others : [...others, data]);
}

/** All names, each ended by NUL, as listxattr(2) gives them. */
export function listXattr(inode: Inode): Uint8Array {
  const all = [...readBody(inode), ...readBlock(inode)].filter((x) => !isData(x));
  const names = all.map(fullNameOf);
  return encodeText(names.map((name) => `${name}\0`).join(''));
}

function fullNameOf({ index, name }: Xattr): string {
  const prefix = PREFIXES.find(([i]) => i === index)?.[1] ?? `unknown${index}.`;
  return prefix + decodeText(name);
}

interface Name {
  index: number;
  name: Uint8Array;
}

function splitName(fullName: string): Name {
  for (const [index, prefix] of PREFIXES) {
    const exact = isAcl(index);
    if (exact ? fullName !== prefix : !fullName.startsWith(prefix)) continue;
    const name = encodeText(fullName.slice(prefix.length));
    if (name.length > 255) fail(ERANGE, 'attribute name too long');
    if (name.length === 0 && !exact) fail(EINVAL, `attribute name ${fullName}`);
    if (isData({ index, name })) fail(EOPNOTSUPP, `attribute ${fullName}: it is the file's data`);
    return { index, name };
  }
  return fail(EOPNOTSUPP, `attribute ${fullName}: unknown prefix`);
}

const sameAs =
  (wanted: Name) =>
  (x: Xattr): boolean =>
    compareXattr(x, { ...wanted, value: x.value }) === 0;

export interface SetXattr {
  name: string;
  value: Uint8Array | undefined; // undefined removes it
  flags: number; // XATTR_CREATE, XATTR_REPLACE
}

export function setXattr(inode: Inode, { name, value, flags }: SetXattr): void {
  const wanted = splitName(name);
  if (isAcl(wanted.index) && value !== undefined) fail(EOPNOTSUPP, 'setting ACLs');
  const type = inode.mode & S_IFMT;
  if (wanted.index === 1 && type !== S_IFREG && type !== S_IFDIR) fail(EPERM);
  const body = readBody(inode);
  const block = readBlock(inode);
  const exists = body.some(sameAs(wanted)) || block.some(sameAs(wanted));
  if (exists && (flags & XATTR_CREATE) !== 0) fail(EEXIST);
  if (!exists && ((flags & XATTR_REPLACE) !== 0 || value === undefined)) fail(ENODATA);
  const others = (list: Xattr[]): Xattr[] => list.filter((x) => !sameAs(wanted)(x));
  place(inode, { body: others(body), block: others(block) }, value && { ...wanted, value });
  inode.ctime = inode.op.tx.now;
}

/** Puts the changed lists where they have room: the inode first, then the block. */
function place(
  inode: Inode,
  { body, block }: { body: Xattr[]; block: Xattr[] },
  added: Xattr | undefined,
): void {
  const room = bodyRoom(inode);
  if (added === undefined || listSize([...body, added]) <= room) {
    writeBody(inode, added === undefined ? body : [...body, added]);
    writeBlock(inode, block);
    return;
  }
  const list = [...block, added];
  if (listSize(list) > inode.op.vol.blockSize - XattrHeader.size)
    fail(ENOSPC, `inode ${inode.ino}: no room for attributes`);
  writeBody(inode, body);
  writeBlock(inode, list);
}

/** Bytes for a list behind the inode's fields; 0 when there are none. */
function bodyRoom(inode: Inode): number {
  const extra = inode.extraIsize;
  if (extra === 0) return 0;
  return inode.op.vol.inodeSize - 128 - extra - XattrIbodyHeader.size;
}

function bodyRegion(inode: Inode, view: DataView): Region {
  const header = inode.at + 128 + inode.extraIsize;
  const first = header + XattrIbodyHeader.size;
  const end = inode.at + inode.op.vol.inodeSize;
  return { view, first, end, base: first, what: `inode ${inode.ino}` };
}

function readBody(inode: Inode): Placed[] {
  if (bodyRoom(inode) < 4) return [];
  const region = bodyRegion(inode, inode.raw.view);
  const { h_magic } = new XattrIbodyHeader(region.view, region.first - XattrIbodyHeader.size);
  return h_magic === EXT4_XATTR_MAGIC ? decodeList(region) : [];
}

function writeBody(inode: Inode, list: Xattr[]): void {
  if (bodyRoom(inode) < 4) return;
  const { view } = inode.edit();
  const region = bodyRegion(inode, view);
  const header = new XattrIbodyHeader(view, region.first - XattrIbodyHeader.size);
  header.h_magic = list.length === 0 ? 0 : EXT4_XATTR_MAGIC;
  encodeList(region, list, 'plain');
}

function blockRegion(inode: Inode, no: number, view: DataView): Region {
  const what = `inode ${inode.ino}: attribute block ${no}`;
  return { view, first: XattrHeader.size, end: view.byteLength, base: 0, what };
}

/** The header of the inode's attribute block, checked. */
function readHeader(inode: Inode, no: number): InstanceType<typeof XattrHeader> {
  if (!isDataBlock(inode.op.vol, no))
    fail(EUCLEAN, `inode ${inode.ino}: attributes at block ${no}`);
  const { view } = inode.op.tx.read(no, xattrSealing(inode.op.vol).check);
  const header = new XattrHeader(view);
  if (header.h_magic !== EXT4_XATTR_MAGIC || header.h_blocks !== 1 || header.h_refcount === 0)
    fail(EUCLEAN, `inode ${inode.ino}: attribute block ${no}: bad header`);
  return header;
}

function readBlock(inode: Inode): Placed[] {
  const no = inode.fileAcl;
  if (no === 0) return [];
  return decodeList(blockRegion(inode, no, readHeader(inode, no).view));
}

/** Writes the list to a block that is this inode's alone; an empty list needs none. */
function writeBlock(inode: Inode, list: Xattr[]): void {
  if (list.length === 0) {
    dropBlock(inode);
    return;
  }
  const { op } = inode;
  const no = ownBlock(inode);
  const { view } = op.tx.edit(no, xattrSealing(op.vol).seal);
  const header = new XattrHeader(view);
  encodeList(blockRegion(inode, no, view), list.sort(compareXattr), 'hashed');
  header.h_hash = blockHash(view, view.byteLength);
}

/** The inode's block when it alone has it; else a new one. */
function ownBlock(inode: Inode): number {
  const { op } = inode;
  const old = inode.fileAcl;
  if (old !== 0 && readHeader(inode, old).h_refcount === 1) return old;
  dropBlock(inode);
  const { start } = allocBlocks(op, { goal: homeGoal(inode), count: 1 });
  const header = new XattrHeader(op.tx.create(start, xattrSealing(op.vol).seal).view);
  header.h_magic = EXT4_XATTR_MAGIC;
  header.h_refcount = 1;
  header.h_blocks = 1;
  inode.fileAcl = start;
  inode.addBlocks(1);
  if ((op.readSuperblock().s_feature_compat & COMPAT.ext_attr) === 0)
    op.editSuperblock().s_feature_compat |= COMPAT.ext_attr;
  return start;
}

/** The inode lets go of its attribute block; the last one frees it. */
export function dropBlock(inode: Inode): void {
  const { op } = inode;
  const no = inode.fileAcl;
  if (no === 0) return;
  const header = readHeader(inode, no);
  if (header.h_refcount === 1) freeBlocks(op, { start: no, count: 1 }, 'metadata');
  else new XattrHeader(op.tx.edit(no, xattrSealing(op.vol).seal).view).h_refcount -= 1;
  inode.fileAcl = 0;
  inode.addBlocks(-1);
}
