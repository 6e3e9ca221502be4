// open(2): finds or makes the file, checks what may be done with it, and makes a description of it.

import {
  O_ACCMODE,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  R_OK,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFREG,
  S_IFSOCK,
  SYMLOOP_MAX,
  W_OK,
} from '../abi/constants.ts';
import {
  EACCES,
  EEXIST,
  EISDIR,
  ELOOP,
  ENOENT,
  ENOMEM,
  ENOTDIR,
  ENXIO,
  EROFS,
  fail,
  PosixError,
} from '../abi/errno.ts';
import { isTerminalDevice } from '../fs/tty/terminals.ts';
import type { Task } from '../ipc/task.ts';
import { setSize } from './attr.ts';
import type { Call } from './call.ts';
import type { Dentry } from './dcache.ts';
import { onName } from './dir-lock.ts';
import { newFile, type OpenFile, releaseFile } from './file.ts';
import type { Inode } from './inode.ts';
import type { Path } from './mount.ts';
import { lookupLocked, namei, nameiParent, type Parent } from './namei.ts';
import { createFile, exists } from './names.ts';
import { checkAccess } from './permission.ts';
import { Pipe } from './pipe.ts';

export interface OpenRequest {
  readonly path: string;
  readonly flags: number;
  readonly mode: number;
}

type Found = Path & { inode: Inode; created: boolean };

export function* open(call: Call, request: OpenRequest): Task<OpenFile> {
  // Before anything is made or cut: an open that fails for want of memory has done nothing.
  if (call.kernel.faults.refuses.files(1)) fail(ENOMEM, 'no memory for an open file');
  const found = yield* find(call, request);
  if (!found.created) checkOpen(call, found, request.flags);
  const { inode } = found;
  if (inode.kind === S_IFIFO) return yield* openFifo(call, found, request.flags);
  if (isTerminal(inode)) return openTerminal(call, found, request.flags);
  if (hasNoDriver(inode)) fail(ENXIO);
  const truncates = (request.flags & O_TRUNC) !== 0 && inode.kind === S_IFREG;
  const fid = yield* openOnServer(inode, request.flags);
  const path = { mount: found.mount, dentry: found.dentry };
  const { flags } = request;
  const from = { flags, path, inode, ...(fid !== undefined && { fid }) };
  const file = newFile(call.kernel, from);
  try {
    if (truncates && !found.created) yield* setSize(call, inode, 0);
    return file;
  } catch (error) {
    releaseFile(call.kernel, file);
    throw error;
  }
}

function* find(call: Call, request: OpenRequest): Task<Found> {
  const { flags } = request;
  if ((flags & O_CREAT) === 0) {
    const found = yield* namei(call, request.path, { follow: (flags & O_NOFOLLOW) === 0 });
    return { ...found, created: false };
  }
  let path = request.path;
  let from: Path | undefined;
  for (let links = 0; links <= SYMLOOP_MAX; links++) {
    const step: Found | { path: string; from: Path } = yield* findOrCreate(
      call,
      { ...request, path },
      from,
    );
    if ('inode' in step) return step;
    path = step.path;
    from = step.from;
  }
  fail(ELOOP);
}

/** The file at the path, made if it is not there; or where a symlink at its end leads. */
function* findOrCreate(
  call: Call,
  request: OpenRequest,
  from: Path | undefined,
): Task<Found | { path: string; from: Path }> {
  const parent = yield* nameiParent(call, request.path, from);
  if (['.', '..', '/'].includes(parent.name) || parent.mustBeDirectory) fail(EISDIR);
  return yield* onName(parent.dir.dentry, parent.name, () => atName(call, request, parent));
}

/** The caller holds the name. */
function* atName(
  call: Call,
  request: OpenRequest,
  parent: Parent,
): Task<Found | { path: string; from: Path }> {
  if (!(yield* exists(call, parent.dir, parent.name))) {
    const made = yield* tryCreate(call, parent, request);
    if (made?.inode) {
      const { inode } = made;
      return { mount: parent.dir.mount, dentry: call.hold(made), inode, created: true };
    }
  }
  const dentry = yield* lookupLocked(call, parent.dir.dentry, parent.name);
  if (dentry.inode === undefined) fail(ENOENT);
  if (request.flags & O_EXCL) fail(EEXIST);
  const path = call.kernel.mounts.enter({ mount: parent.dir.mount, dentry });
  const inode = path.dentry.inode ?? fail(ENOENT);
  call.hold(path.dentry);
  if (!inode.isSymlink) return { ...path, inode, created: false };
  if (request.flags & O_NOFOLLOW) fail(ELOOP);
  const { target } = yield* inode.superblock.client.rpc({ name: 'Treadlink', fid: inode.fid });
  return { path: target, from: parent.dir };
}

/** Makes the file; undefined when the server had that name all the while. */
function* tryCreate(
  call: Call,
  parent: Parent,
  { mode, flags }: OpenRequest,
): Task<Dentry | undefined> {
  try {
    return yield* createFile(call, parent.dir, { name: parent.name, mode });
  } catch (error) {
    const there = error instanceof PosixError && error.errno === EEXIST;
    if (!there || flags & O_EXCL) throw error;
    return undefined;
  }
}

function checkOpen(call: Call, found: Found, flags: number): void {
  const { inode } = found;
  const access = flags & O_ACCMODE;
  const writes = access !== O_RDONLY || (flags & O_TRUNC) !== 0;
  if (inode.isSymlink) fail(ELOOP);
  if (inode.isDirectory && (writes || flags & O_CREAT)) fail(EISDIR);
  if (flags & O_DIRECTORY && !inode.isDirectory) fail(ENOTDIR);
  if (writes && inode.superblock.readOnly && inode.kind === S_IFREG) fail(EROFS);
  const mask = (access === O_WRONLY ? 0 : R_OK) | (writes ? W_OK : 0);
  checkAccess(call, inode, mask);
  if (access === O_ACCMODE) fail(EACCES);
}

/** Opens the inode's own fid (a cached file), or a new fid for this description. */
function* openOnServer(inode: Inode, flags: number): Task<number | undefined> {
  const { client, readOnly } = inode.superblock;
  if (inode.isCachedFile) {
    if (inode.opened !== 'no') return undefined;
    yield* inode.lock.acquire();
    try {
      if (inode.opened === 'no') {
        const mode = readOnly ? O_RDONLY : O_RDWR;
        yield* client.rpc({ name: 'Tlopen', fid: inode.fid, flags: mode });
        inode.opened = readOnly ? 'read' : 'write';
      }
    } finally {
      inode.lock.release();
    }
    return undefined;
  }
  const fid = client.takeFid();
  const opened = flags & ~(O_CREAT | O_EXCL | O_TRUNC);
  const [cloned, reply] = yield* client.all([
    { message: { name: 'Twalk', fid: inode.fid, newfid: fid, wname: [] } },
    { message: { name: 'Tlopen', fid, flags: opened } },
  ]);
  try {
    client.expect('Twalk', cloned);
  } catch (error) {
    client.freeFid(fid);
    throw error;
  }
  if (reply?.name === 'Rlerror') {
    yield* client.all([{ message: { name: 'Tclunk', fid } }]);
    client.freeFid(fid);
  }
  client.expect('Tlopen', reply);
  return fid;
}

/** A socket, or a device on a file system: only the trees of drivers and of /dev hold devices. */
const hasNoDriver = ({ kind, superblock }: Inode): boolean =>
  kind === S_IFSOCK ||
  ((kind === S_IFCHR || kind === S_IFBLK) &&
    (superblock.cached || superblock.type === 'ramfs' || superblock.type === 'tmpfs'));

/** Terminals are the kernel's own, whatever way leads to them through /dev. */
const isTerminal = ({ kind, attr, superblock }: Inode): boolean =>
  kind === S_IFCHR &&
  (superblock.type === 'dev' || superblock.type === 'devpts') &&
  isTerminalDevice(attr.rdev);

function openTerminal(call: Call, found: Found, flags: number): OpenFile {
  const { inode, mount, dentry } = found;
  const stream = call.kernel.terminals.open(inode.attr.rdev, call.process);
  return newFile(call.kernel, { flags, path: { mount, dentry }, inode, stream });
}

const fifos = new WeakMap<Inode, Pipe>();

/** A FIFO's open waits for its peer, unless O_NONBLOCK or both sides at once are asked for. */
function* openFifo(call: Call, found: Found, flags: number): Task<OpenFile> {
  const { inode, mount, dentry } = found;
  let pipe = fifos.get(inode);
  if (pipe === undefined) {
    pipe = new Pipe(call.kernel, 'named');
    fifos.set(inode, pipe);
  }
  const access = flags & O_ACCMODE;
  const writes = access === O_WRONLY;
  if (writes && flags & O_NONBLOCK && pipe.readers === 0) fail(ENXIO);
  const side = access === O_RDWR ? 'both' : writes ? 'write' : 'read';
  const end = pipe.end(side);
  const peers = (): number => (writes ? pipe.readersEver : pipe.writersEver);
  const waits = access !== O_RDWR && (flags & O_NONBLOCK) === 0;
  const before = peers();
  try {
    while (waits && (writes ? pipe.readers : pipe.writers) === 0 && peers() === before) {
      yield* call.sleep(pipe.changed);
    }
  } catch (error) {
    end.close();
    throw error;
  }
  return newFile(call.kernel, { flags, path: { mount, dentry }, inode, stream: end });
}
