// Names: the calls that make, remove and move directory entries. Each holds the name that it changes
// (dir-lock.ts); rename holds both directories, the lower inode number first, under one lock for all renames.

import {
  NAME_MAX,
  O_CREAT,
  O_EXCL,
  O_RDWR,
  PATH_MAX,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
  S_ISGID,
  W_OK,
  X_OK,
} from '../abi/constants.ts';
import {
  EBUSY,
  EEXIST,
  EINVAL,
  EISDIR,
  ENAMETOOLONG,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
  EROFS,
  EXDEV,
  fail,
} from '../abi/errno.ts';
import { textSize } from '../abi/text.ts';
import type { Task } from '../ipc/task.ts';
import type { Request } from '../ninep/client.ts';
import {
  AT_REMOVEDIR,
  type Attr,
  P9_SETATTR_UID,
  type RMessage,
  type TMessage,
  type TName,
} from '../ninep/types.ts';
import type { Call } from './call.ts';
import type { Dentry } from './dcache.ts';
import { onName } from './dir-lock.ts';
import { clunkLater, getattr, type Inode, iget, together, walkTo } from './inode.ts';
import type { Path } from './mount.ts';
import { lookupLocked, namei, nameiParent, type Parent } from './namei.ts';
import { checkAccess, checkSticky, mayAccess } from './permission.ts';

/** The server opens a file that is there unless it is told not to. */
const NEW = O_RDWR | O_CREAT | O_EXCL;

/** Makes a regular file. The caller holds the name, and knows that it is free. */
export function* createFile(
  call: Call,
  dir: Path,
  request: { name: string; mode: number },
): Task<Dentry> {
  const parent = writableDirectory(call, dir);
  const { superblock } = parent;
  const { client } = superblock;
  const fid = client.takeFid();
  const mode = S_IFREG | (request.mode & 0o7777 & ~call.process.umask);
  const gid = groupFor(call, parent);
  const { name: filename } = request;
  const requests: Request[] = [
    { message: { name: 'Twalk', fid: parent.fid, newfid: fid, wname: [] } },
    { message: { name: 'Tlcreate', fid, filename, flags: NEW, mode, gid } },
    { message: getattr(fid) },
  ];
  const replies = yield* client.all(requests);
  parent.stale = true;
  try {
    const attr = yield* owned(call, parent, { fid, replies: replies.slice(1), made: 'Tlcreate' });
    if (superblock.cached) {
      const inode = iget(call.kernel, superblock, { fid, attr });
      if (inode.fid === fid) inode.opened = 'write'; // else it is known by another name: its own fid is
      return call.kernel.dcache.set(dir.dentry, filename, inode);
    }
    clunkLater(call.kernel.executor, superblock, fid);
    const found = yield* walkTo(superblock, { fid: parent.fid, name: filename });
    return call.kernel.dcache.set(dir.dentry, filename, iget(call.kernel, superblock, found));
  } catch (error) {
    // It may be there all the same: what was known of the name counts no more.
    call.kernel.dcache.forget(dir.dentry, filename);
    throw error;
  }
}

/**
 * The attributes of what was just made, after it was given to the caller. A fid whose file was not
 * made may stand for another file, so it is never touched before the reply is known. The fid is
 * clunked when anything fails.
 */
function* owned(
  call: Call,
  parent: Inode,
  of: { fid: number; replies: readonly RMessage[]; made: TName },
): Task<Attr> {
  const { client } = parent.superblock;
  const { fid, replies, made } = of;
  try {
    client.expect(made, replies[0]);
    const { attr } = client.expect('Tgetattr', replies.at(-1));
    if (made === 'Tlink' || attr.uid === call.uid) return attr;
    const time = { sec: 0, nsec: 0 };
    const ids = { mode: 0, uid: call.uid, gid: 0, size: 0, atime: time, mtime: time };
    const [, told] = yield* client.all([
      { message: { name: 'Tsetattr', fid, attr: { valid: P9_SETATTR_UID, ...ids } } },
      { message: getattr(fid) },
    ]);
    return client.expect('Tgetattr', told).attr;
  } catch (error) {
    clunkLater(call.kernel.executor, parent.superblock, fid);
    throw error;
  }
}

const groupFor = (call: Call, dir: Inode): number =>
  dir.attr.mode & S_ISGID ? dir.attr.gid : call.gid;

/** Makes a name by `message` and walks to it: one exchange. */
function* makeAndAdopt(
  call: Call,
  dir: Dentry,
  what: { name: string; message: TMessage },
): Task<Dentry> {
  const parent = dir.inode ?? fail(ENOENT);
  const { client } = parent.superblock;
  const fid = client.takeFid();
  const walk: TMessage = { name: 'Twalk', fid: parent.fid, newfid: fid, wname: [what.name] };
  const replies = yield* client.all([
    { message: what.message },
    { message: walk },
    { message: getattr(fid) },
  ]);
  parent.stale = true;
  const [made, walked] = replies;
  if (walked?.name === 'Rlerror') {
    client.freeFid(fid);
    if (made?.name !== 'Rlerror') call.kernel.dcache.forget(dir, what.name);
    client.expect(what.message.name, made);
    client.expect('Twalk', walked);
  }
  const attr = yield* owned(call, parent, { fid, replies, made: what.message.name });
  const inode = iget(call.kernel, parent.superblock, { fid, attr });
  return call.kernel.dcache.set(dir, what.name, inode);
}

/** A last component that is no name of its own. */
const isSpecial = (name: string): boolean => name === '.' || name === '..' || name === '/';

/** The directory's inode, when the caller may change it. */
function writableDirectory(call: Call, dir: Path): Inode {
  const inode = dir.dentry.inode ?? fail(ENOENT);
  if (!inode.isDirectory) fail(ENOTDIR);
  if (dir.dentry.detached) fail(ENOENT);
  checkAccess(call, inode, W_OK | X_OK);
  if (inode.superblock.readOnly) fail(EROFS);
  return inode;
}

/**
 * Whether a name is known to be there. A name that nobody looked up yet is left to the server to
 * find, unless the caller may not make it anyhow: then EEXIST comes before EACCES and EROFS.
 */
export function* exists(call: Call, dir: Path, name: string): Task<boolean> {
  const inode = dir.dentry.inode ?? fail(ENOENT);
  const { superblock } = inode;
  if (textSize(name) > NAME_MAX) fail(ENAMETOOLONG);
  const known = call.kernel.dcache.peek(dir.dentry, name);
  const mayMake = mayAccess(call, inode, W_OK | X_OK) && !superblock.readOnly;
  if (known === undefined && superblock.cached && mayMake) return false;
  return (yield* lookupLocked(call, dir.dentry, name)).inode !== undefined;
}

/** Makes a name by one message; throws EEXIST when it is there. */
function* make(
  call: Call,
  path: string,
  options: { directory: boolean; message: (parent: Inode, name: string) => TMessage },
): Task<void> {
  const parent = yield* nameiParent(call, path);
  const { dir, name } = parent;
  if (isSpecial(name)) fail(EEXIST);
  yield* onName(dir.dentry, name, function* () {
    if (yield* exists(call, dir, name)) fail(EEXIST);
    if (parent.mustBeDirectory && !options.directory) fail(ENOENT);
    const message = options.message(writableDirectory(call, dir), name);
    yield* makeAndAdopt(call, dir.dentry, { name, message });
  });
}

export function* mkdir(call: Call, path: string, mode: number): Task<void> {
  yield* make(call, path, {
    directory: true,
    message: (parent, filename) => ({
      name: 'Tmkdir',
      dfid: parent.fid,
      filename,
      mode: S_IFDIR | (mode & 0o1777 & ~call.process.umask) | (parent.attr.mode & S_ISGID),
      gid: groupFor(call, parent),
    }),
  });
}

export function* symlink(call: Call, target: string, path: string): Task<void> {
  if (target === '') fail(ENOENT);
  if (textSize(target) >= PATH_MAX) fail(ENAMETOOLONG);
  yield* make(call, path, {
    directory: false,
    message: (parent, filename) => ({
      name: 'Tsymlink',
      dfid: parent.fid,
      filename,
      symtgt: target,
      gid: groupFor(call, parent),
    }),
  });
}

export function* mknod(call: Call, path: string, node: { mode: number; rdev: number }): Task<void> {
  const type = node.mode & S_IFMT || S_IFREG;
  if (type === S_IFDIR) fail(EPERM);
  if (call.uid !== 0 && (type === S_IFCHR || type === S_IFBLK)) fail(EPERM);
  yield* make(call, path, {
    directory: false,
    message: (parent, filename) => ({
      name: 'Tmknod',
      dfid: parent.fid,
      filename,
      mode: type | (node.mode & 0o7777 & ~call.process.umask),
      major: Math.floor(node.rdev / 256) & 0xfff,
      minor: node.rdev & 0xff,
      gid: groupFor(call, parent),
    }),
  });
}

export function* link(call: Call, target: string, path: string): Task<void> {
  const from = yield* namei(call, target, { follow: false });
  if (from.inode.isDirectory) yield* refuseLink(call, path);
  yield* make(call, path, {
    directory: false,
    message: (parent, filename) => {
      if (parent.superblock !== from.inode.superblock) fail(EXDEV);
      return { name: 'Tlink', dfid: parent.fid, fid: from.inode.fid, filename };
    },
  });
  from.inode.stale = true;
}

/** A directory gets no second name: EPERM, but what is wrong with the new name comes first. */
function* refuseLink(call: Call, path: string): Task<never> {
  const { dir, name } = yield* nameiParent(call, path);
  return yield* onName(dir.dentry, name, function* () {
    const there = isSpecial(name) || (yield* lookupLocked(call, dir.dentry, name)).inode;
    return fail(there ? EEXIST : EPERM);
  });
}

/** unlink(2) and rmdir(2). */
export function* remove(call: Call, path: string, kind: 'file' | 'directory'): Task<void> {
  const parent = yield* nameiParent(call, path);
  const { dir, name } = parent;
  if (name === '/') fail(kind === 'file' ? EISDIR : EBUSY);
  if (name === '.') fail(kind === 'file' ? EISDIR : EINVAL);
  if (name === '..') fail(kind === 'file' ? EISDIR : ENOTEMPTY);
  yield* onName(dir.dentry, name, function* () {
    const dentry = yield* lookupLocked(call, dir.dentry, name);
    const victim = dentry.inode ?? fail(ENOENT);
    if (kind === 'directory' && !victim.isDirectory) fail(ENOTDIR);
    if (kind === 'file' && victim.isDirectory) fail(EISDIR);
    if (kind === 'file' && parent.mustBeDirectory) fail(ENOTDIR);
    if (dentry.mounts > 0) fail(EBUSY);
    const inode = writableDirectory(call, dir);
    checkSticky(call, inode, victim);
    const flags = kind === 'directory' ? AT_REMOVEDIR : 0;
    yield* together(inode, [
      { message: { name: 'Tunlinkat', dirfd: inode.fid, filename: name, flags } },
    ]);
    inode.stale = true;
    unlinked(call, dentry);
    call.kernel.dcache.set(dir.dentry, name, undefined);
  });
}

/** A name of the inode is gone: counts its links down and takes the dentry out. */
function unlinked(call: Call, dentry: Dentry): void {
  const { inode } = dentry;
  if (inode) {
    inode.attr.nlink = inode.isDirectory ? 0 : Math.max(0, inode.attr.nlink - 1);
    inode.stale = true;
  }
  call.kernel.dcache.detach(dentry);
}

export function* rename(call: Call, from: string, to: string): Task<void> {
  const { renameLock } = call.kernel;
  yield* renameLock.acquire();
  try {
    const source = yield* nameiParent(call, from);
    const target = yield* nameiParent(call, to);
    for (const { name } of [source, target]) if (isSpecial(name)) fail(EBUSY);
    if (source.dir.mount.superblock !== target.dir.mount.superblock) fail(EXDEV);
    const unlock = yield* lockBoth(source.dir.dentry, target.dir.dentry);
    try {
      yield* renameLocked(call, source, target);
    } finally {
      unlock();
    }
  } finally {
    renameLock.release();
  }
}

function* lockBoth(a: Dentry, b: Dentry): Task<() => void> {
  const first = a.inode ?? fail(ENOENT);
  const second = b.inode ?? fail(ENOENT);
  const ordered = first.qid.path <= second.qid.path ? [first, second] : [second, first];
  const inodes = first === second ? [first] : ordered;
  for (const inode of inodes) yield* inode.lock.acquire();
  return () => {
    for (const inode of inodes) inode.lock.release();
  };
}

function* renameLocked(call: Call, source: Parent, target: Parent): Task<void> {
  const from = yield* lookupLocked(call, source.dir.dentry, source.name);
  const to = yield* lookupLocked(call, target.dir.dentry, target.name);
  const moved = from.inode ?? fail(ENOENT);
  if (!moved.isDirectory && (source.mustBeDirectory || target.mustBeDirectory)) fail(ENOTDIR);
  if (from.mounts > 0 || to.mounts > 0) fail(EBUSY);
  const oldDir = writableDirectory(call, source.dir);
  const newDir = writableDirectory(call, target.dir);
  checkSticky(call, oldDir, moved);
  for (let at: Dentry | undefined = target.dir.dentry; at; at = at.parent) {
    if (at === from) fail(EINVAL);
  }
  for (let at: Dentry | undefined = source.dir.dentry; at; at = at.parent) {
    if (at === to) fail(ENOTEMPTY);
  }
  const recased = from === to && source.name !== target.name; // one name, in other letters: FAT
  if (to.inode && !recased) {
    if (to.inode === moved) return; // two names of one file: nothing happens
    if (moved.isDirectory && !to.inode.isDirectory) fail(ENOTDIR);
    if (!moved.isDirectory && to.inode.isDirectory) fail(EISDIR);
    checkSticky(call, newDir, to.inode);
  }
  yield* together(oldDir, [
    {
      message: {
        name: 'Trenameat',
        olddirfid: oldDir.fid,
        oldname: source.name,
        newdirfid: newDir.fid,
        newname: target.name,
      },
    },
  ]);
  for (const inode of [oldDir, newDir, moved]) inode.stale = true;
  if (to.inode && !recased) unlinked(call, to);
  call.kernel.dcache.move(from, target.dir.dentry, target.name);
  if (!recased) call.kernel.dcache.set(source.dir.dentry, source.name, undefined);
}
