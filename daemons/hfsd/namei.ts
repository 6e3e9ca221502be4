// Changing names: create, link, unlink, rename, with valences and link counts.

import { S_IFDIR, S_IFLNK, S_IFMT, S_ISGID } from '../../kernel/abi/constants.ts';
import {
  EEXIST,
  EINVAL,
  EISDIR,
  EMLINK,
  ENAMETOOLONG,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
  EUCLEAN,
  fail,
} from '../../kernel/abi/errno.ts';
import { type Item, isLockedItem, newItem } from './catalog/item.ts';
import {
  inodeKey,
  isHidden,
  isLink,
  isLinked,
  isNameless,
  linkNumber,
  namelessKey,
  resolve,
} from './catalog/private.ts';
import type { CatalogKey } from './names/keys.ts';
import { HARD_LINK, ROOT_ID } from './ondisk.ts';
import type { Op } from './op.ts';

const VALENCE_MAX = 32_767; // classic HFS counts in 16 bits

/** The entry of a folder, not resolved; undefined when there is none. */
function findEntry(op: Op, dir: Item, name: string): Item | undefined {
  const disk = op.vol.names.toDisk(name);
  if (disk === ENAMETOOLONG) return fail(ENAMETOOLONG);
  if (disk === undefined || disk === '') return undefined;
  const key = { parent: dir.cnid, name: disk };
  return isHidden(op, key) ? undefined : op.catalog.lookup(key);
}

export function lookupName(op: Op, dir: Item, name: string): Item | undefined {
  const entry = findEntry(op, dir, name);
  return entry && resolve(op, entry);
}

/** The key of a name that is to be made. */
function keyFor(op: Op, dir: Item, name: string): CatalogKey {
  if (isNameless(op, dir)) fail(ENOENT);
  const disk = op.vol.names.toDisk(name);
  if (disk === ENAMETOOLONG) return fail(ENAMETOOLONG);
  if (disk === undefined || disk === '') return fail(EINVAL, `no name here: '${name}'`);
  const key = { parent: dir.cnid, name: disk };
  if (isHidden(op, key)) fail(EPERM);
  return key;
}

/** One entry more or less in a folder. */
function count(op: Op, dir: Item | undefined, entry: Item, by: 1 | -1): void {
  const folder = entry.kind === 'folder' ? by : 0;
  const change = { files: by - folder, folders: folder, root: dir?.cnid === ROOT_ID };
  op.editHead().count(change);
  if (dir === undefined) return;
  if (by === 1 && op.vol.kind === 'hfs' && dir.valence >= VALENCE_MAX) fail(EMLINK);
  dir.valence = Math.max(0, dir.valence + by);
  dir.modified = op.now;
  dir.changed = op.now;
  op.catalog.save(dir);
}

/** The folder that holds an entry, if it is one that counts. */
const parentOf = (op: Op, { key }: Item): Item | undefined => op.catalog.find(key.parent);

function add(op: Op, dir: Item, item: Item): void {
  op.catalog.add(item);
  count(op, dir, item, 1);
}

function moveTo(op: Op, item: Item, key: CatalogKey): void {
  const from = parentOf(op, item);
  if (item.key.parent !== key.parent) {
    count(op, from, item, -1);
    op.catalog.move(item, key);
    count(op, op.catalog.find(key.parent), item, 1);
    return;
  }
  op.catalog.move(item, key);
  if (from === undefined) return;
  from.modified = op.now;
  op.catalog.save(from);
}

/** The record of an entry goes; not its blocks. */
export function removeRecord(op: Op, item: Item): void {
  const dir = parentOf(op, item);
  op.catalog.delete(item);
  count(op, dir, item, -1);
}

export interface Create {
  readonly name: string;
  readonly mode: number; // S_IF* and permission bits
  readonly gid: number;
}

/** `init` fills the new file or folder (a target, a device number). */
export function create(op: Op, dir: Item, request: Create, init: (item: Item) => void): Item {
  const key = keyFor(op, dir, request.name);
  if (op.catalog.lookup(key) !== undefined) fail(EEXIST);
  const kind = (request.mode & S_IFMT) === S_IFDIR ? 'folder' : 'file';
  const item = newItem(op.vol, { kind, cnid: op.takeCnid(), key, now: op.now });
  const setgid = (dir.mode & S_ISGID) !== 0;
  item.mode = setgid && kind === 'folder' ? request.mode | S_ISGID : request.mode;
  item.gid = setgid ? dir.gid : request.gid;
  init(item);
  add(op, dir, item);
  return item;
}

export function link(op: Op, dir: Item, target: Item, name: string): void {
  if (target.kind === 'folder') fail(EPERM);
  if (isNameless(op, target)) fail(ENOENT);
  const key = keyFor(op, dir, name);
  if (op.catalog.lookup(key) !== undefined) fail(EEXIST);
  const type = target.mode & S_IFMT;
  if (type !== 0 && type !== S_IFLNK && type !== 0o100000) fail(EPERM); // `special` is theirs
  if (!isLinked(op, target)) makeLinked(op, target);
  target.special += 1;
  target.changed = op.now;
  op.catalog.save(target);
  addLink(op, dir, { key, target });
}

/** The file moves into the private folder; a link takes its place. */
function makeLinked(op: Op, target: Item): void {
  const key = target.key;
  const dir = parentOf(op, target) ?? fail(EUCLEAN, `file ${target.cnid}: no folder`);
  moveTo(op, target, inodeKey(op, target.cnid));
  target.special = 1;
  op.catalog.save(target);
  addLink(op, dir, { key, target });
}

function addLink(op: Op, dir: Item, { key, target }: { key: CatalogKey; target: Item }): void {
  const entry = newItem(op.vol, { kind: 'file', cnid: op.takeCnid(), key, now: op.now });
  entry.mode = 0o100444;
  entry.special = linkNumber(target);
  const finder = new DataView(entry.finderInfo.buffer);
  finder.setUint32(0, HARD_LINK[0]);
  finder.setUint32(4, HARD_LINK[1]);
  add(op, dir, entry);
}

export function unlink(op: Op, dir: Item, name: string): void {
  const entry = findEntry(op, dir, name) ?? fail(ENOENT);
  if (entry.kind === 'folder') fail(EISDIR);
  dropEntry(op, entry);
}

export function rmdir(op: Op, dir: Item, name: string): void {
  const entry = findEntry(op, dir, name) ?? fail(ENOENT);
  if (entry.kind === 'file') fail(ENOTDIR);
  mustBeEmpty(op, entry);
  dropEntry(op, entry);
}

function mustBeEmpty(op: Op, dir: Item): void {
  let empty = true;
  op.catalog.children(dir.cnid, () => {
    empty = false;
    return false;
  });
  if (!empty) fail(ENOTEMPTY);
}

/** Takes an entry away; its file waits without a name until `forget`. */
function dropEntry(op: Op, entry: Item): void {
  if (isLockedItem(entry) && op.vol.kind === 'hfs') fail(EPERM);
  if (!isLink(op, entry)) {
    entry.changed = op.now;
    moveTo(op, entry, namelessKey(op, entry));
    return;
  }
  const target = resolve(op, entry);
  removeRecord(op, entry);
  if (target === entry) return;
  target.special = Math.max(0, target.special - 1);
  target.changed = op.now;
  op.catalog.save(target);
  if (target.special === 0) moveTo(op, target, namelessKey(op, target));
}

export interface Place {
  readonly dir: Item;
  readonly name: string;
}

export function rename(op: Op, from: Place, to: Place): void {
  const entry = findEntry(op, from.dir, from.name) ?? fail(ENOENT);
  const key = keyFor(op, to.dir, to.name);
  const old = op.catalog.lookup(key);
  if (entry.kind === 'folder') mustNotContain(op, entry, to.dir);
  if (old !== undefined && old !== entry) {
    if (resolve(op, old) === resolve(op, entry)) return;
    mustBeReplaceable(op, entry, old);
    dropEntry(op, old);
  }
  entry.changed = op.now;
  moveTo(op, entry, key);
}

function mustBeReplaceable(op: Op, entry: Item, old: Item): void {
  if (entry.kind === 'folder' && old.kind !== 'folder') fail(ENOTDIR);
  if (entry.kind !== 'folder' && old.kind === 'folder') fail(EISDIR);
  if (old.kind === 'folder') mustBeEmpty(op, old);
}

/** Folders on the way to the root; no path is longer. */
const DEPTH_MAX = 65_536;

/** A folder cannot move into itself: EINVAL when `inner` lies below `outer`. */
function mustNotContain(op: Op, outer: Item, inner: Item): void {
  let at = inner;
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    if (at.cnid === outer.cnid) fail(EINVAL);
    if (at.cnid === ROOT_ID) return;
    at = op.catalog.find(at.key.parent) ?? fail(EUCLEAN, `folder ${at.cnid}: its parent is gone`);
  }
  fail(EUCLEAN, `folder ${inner.cnid}: its parents never lead to the root`);
}
