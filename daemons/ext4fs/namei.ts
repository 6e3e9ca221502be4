// Changing names: create, link, unlink, rename, with the rules on link counts and '..'.

import { dtype, S_IFDIR, S_IFMT } from '../../kernel/abi/constants.ts';
import {
  EEXIST,
  EINVAL,
  EISDIR,
  EMLINK,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
  EUCLEAN,
  EXDEV,
  fail,
} from '../../kernel/abi/errno.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import {
  addEntry,
  type Found,
  FT_DIR,
  findEntry,
  initDirectory,
  isEmptyDir,
  parentOf,
  removeEntry,
  replaceEntry,
  setParent,
} from './dir/dir.ts';
import { fileTypeOf } from './dir/readdir.ts';
import type { Inode } from './inode/inode.ts';
import { dropLink, newInode } from './inode/lifecycle.ts';
import { EXT4_PROJINHERIT_FL, EXT4_ROOT_INO } from './ondisk.ts';
import { has } from './volume/superblock.ts';

const EXT4_LINK_MAX = 65000;

const typeOf = (inode: Inode): number => fileTypeOf(dtype(inode.mode));

/** The inode that a name means. */
export function lookupName(dir: Inode, name: string): Inode | undefined {
  const found = findEntry(dir, encodeText(name));
  return found === undefined ? undefined : named(dir, found, name);
}

function named(dir: Inode, { entry }: Found, name: string): Inode {
  const inode = dir.op.inode(entry.ino);
  if (inode.mode === 0 || inode.links === 0)
    fail(EUCLEAN, `directory ${dir.ino}: '${name}' names inode ${entry.ino}, which is free`);
  return inode;
}

function mustNotExist(dir: Inode, name: string): void {
  if (dir.links === 0) fail(ENOENT);
  if (findEntry(dir, encodeText(name)) !== undefined) fail(EEXIST);
}

export interface Create {
  name: string;
  mode: number; // S_IF* and permission bits
  gid: number;
}

/** A new inode with a name; `init` fills it (a target, a device number). */
export function create(dir: Inode, request: Create, init: (inode: Inode) => void): Inode {
  mustNotExist(dir, request.name);
  const inode = newInode(dir.op, dir, request);
  init(inode);
  addEntry(dir, { name: encodeText(request.name), ino: inode.ino, type: typeOf(inode) });
  return inode;
}

export function mkdir(dir: Inode, request: Create): Inode {
  mustTakeSubdirectory(dir);
  const inode = create(dir, { ...request, mode: S_IFDIR | (request.mode & 0o7777) }, (made) => {
    initDirectory(made, dir.ino);
    made.links = 2;
  });
  addSubdirectory(dir);
  return inode;
}

/** With dir_nlink a hashed directory may have more than 65000: its count is then 1, "many". */
function mustTakeSubdirectory(dir: Inode): void {
  const unlimited = has.dirNlink(dir.op.vol) && dir.isIndexed;
  if (dir.links >= EXT4_LINK_MAX && !unlimited) fail(EMLINK);
}

export function addSubdirectory(dir: Inode): void {
  const links = dir.links + 1;
  const many = has.dirNlink(dir.op.vol) && dir.isIndexed;
  dir.links = many && (links > EXT4_LINK_MAX || links === 2) ? 1 : links;
}

export function removeSubdirectory(dir: Inode): void {
  if (dir.links > 2) dir.links -= 1;
}

export function link(dir: Inode, inode: Inode, name: string): void {
  if (inode.isDir) fail(EPERM);
  if (inode.links === 0) fail(ENOENT);
  if (inode.links >= EXT4_LINK_MAX) fail(EMLINK);
  mustNotExist(dir, name);
  mustSuitProject(dir, inode);
  inode.links += 1;
  inode.ctime = inode.op.tx.now;
  addEntry(dir, { name: encodeText(name), ino: inode.ino, type: typeOf(inode) });
}

export function unlink(dir: Inode, name: string): void {
  const found = findEntry(dir, encodeText(name)) ?? fail(ENOENT);
  const inode = named(dir, found, name);
  if (inode.isDir) fail(EISDIR);
  removeEntry(dir, found);
  inode.links -= 1;
  dropLink(inode);
}

export function rmdir(dir: Inode, name: string): void {
  const found = findEntry(dir, encodeText(name)) ?? fail(ENOENT);
  const inode = named(dir, found, name);
  if (!inode.isDir) fail(ENOTDIR);
  if (!isEmptyDir(inode)) fail(ENOTEMPTY);
  removeEntry(dir, found);
  removeSubdirectory(dir);
  inode.links = 0;
  dropLink(inode);
}

/** A directory whose project is inherited takes no file of another. */
function mustSuitProject(dir: Inode, inode: Inode): void {
  const inherits = has.project(dir.op.vol) && (dir.flags & EXT4_PROJINHERIT_FL) !== 0;
  if (inherits && dir.projid !== inode.projid) fail(EXDEV);
}

export interface Place {
  dir: Inode;
  name: string;
}

export function rename(from: Place, to: Place): void {
  const found = findEntry(from.dir, encodeText(from.name)) ?? fail(ENOENT);
  const inode = named(from.dir, found, from.name);
  if (to.dir.links === 0) fail(ENOENT);
  const there = findEntry(to.dir, encodeText(to.name));
  const old = there === undefined ? undefined : named(to.dir, there, to.name);
  if (old === inode) return;
  mustSuitProject(to.dir, inode);
  if (inode.isDir) mustNotContain(inode, to.dir);
  if (old !== undefined) mustBeReplaceable(inode, old);
  const moves = inode.isDir && from.dir !== to.dir;
  if (moves && old === undefined) mustTakeSubdirectory(to.dir);
  putName(to, inode, there);
  // Adding a name may have moved the old one (a split, another block): look again.
  removeEntry(from.dir, findEntry(from.dir, encodeText(from.name)) ?? fail(ENOENT));
  if (moves) setParent(inode, to.dir.ino);
  // A replaced directory's place in the count goes to the one that replaces it.
  if (inode.isDir && (moves || old !== undefined)) removeSubdirectory(from.dir);
  if (moves && old === undefined) addSubdirectory(to.dir);
  inode.ctime = inode.op.tx.now;
  if (old !== undefined) dropReplaced(old);
}

function putName({ dir, name }: Place, inode: Inode, there: Found | undefined): void {
  const type = inode.isDir ? FT_DIR : typeOf(inode);
  if (there !== undefined) replaceEntry(dir, there, { ino: inode.ino, type });
  else addEntry(dir, { name: encodeText(name), ino: inode.ino, type });
}

function mustBeReplaceable(inode: Inode, old: Inode): void {
  if (inode.isDir && !old.isDir) fail(ENOTDIR);
  if (!inode.isDir && old.isDir) fail(EISDIR);
  if (old.isDir && !isEmptyDir(old)) fail(ENOTEMPTY);
}

function dropReplaced(old: Inode): void {
  old.links = old.isDir ? 0 : old.links - 1;
  dropLink(old);
}

/** Directories on the way to the root; no path is longer. */
const DEPTH_MAX = 65536;

/** A directory cannot move into itself: EINVAL when `inner` lies below `outer`. */
function mustNotContain(outer: Inode, inner: Inode): void {
  const { op } = inner;
  let ino = inner.ino;
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    if (ino === outer.ino) fail(EINVAL);
    if (ino === EXT4_ROOT_INO) return;
    const dir = op.inode(ino);
    if ((dir.mode & S_IFMT) !== S_IFDIR) fail(EUCLEAN, `inode ${ino} is no directory`);
    ino = parentOf(dir);
  }
  fail(EUCLEAN, `directory ${inner.ino}: its '..' never lead to the root`);
}
