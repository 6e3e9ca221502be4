// System calls on attributes: stat, chmod, chown, utimens, truncate, access, statfs, xattrs.

import { S_IFREG, W_OK } from '../abi/constants.ts';
import {
  EACCES,
  EINVAL,
  ENODATA,
  EOPNOTSUPP,
  EROFS,
  type Errno,
  fail,
  PosixError,
} from '../abi/errno.ts';
import type { Stat } from '../abi/stat.ts';
import { putStat, putStatFs, STAT_SIZE, STATFS_SIZE, SYS } from '../abi/syscall.ts';
import { decodeText } from '../abi/text.ts';
import { GRANT_READ, GRANT_WRITE } from '../ipc/grant.ts';
import type { Task } from '../ipc/task.ts';
import { setMode, setOwner, setSize, setTimes, statInode, type Times } from '../vfs/attr.ts';
import type { Call } from '../vfs/call.ts';
import { clunk, type Inode } from '../vfs/inode.ts';
import { namei } from '../vfs/namei.ts';
import { checkAccess, checkOwner, mayAccess } from '../vfs/permission.ts';
import {
  arg,
  type Calls,
  fdArg,
  type Request,
  type Result,
  textData,
  textsData,
} from './dispatch.ts';

const view = (request: Request, size: number): DataView => {
  const { bytes } = request.room(size);
  if (bytes.length < size) fail(EINVAL);
  return new DataView(bytes.buffer, bytes.byteOffset, size);
};

const putStatResult = (request: Request, stat: Stat): Result => ({
  length: putStat(view(request, STAT_SIZE), stat),
});

const inodeAt = function* (call: Call, path: string, follow = true): Task<Inode> {
  return (yield* namei(call, path, { follow })).inode;
};

export const attributeCalls: Calls = {
  *[SYS.stat](call, request) {
    const inode = yield* inodeAt(call, textData(request));
    return putStatResult(request, yield* statInode(inode));
  },
  *[SYS.lstat](call, request) {
    const inode = yield* inodeAt(call, textData(request), false);
    return putStatResult(request, yield* statInode(inode));
  },
  *[SYS.fstat](call, request) {
    const file = call.file(fdArg(request));
    const stat = file.inode ? yield* statInode(file.inode) : pipeStat(call);
    return putStatResult(request, stat);
  },
  *[SYS.statfs](call, request) {
    const inode = yield* inodeAt(call, textData(request));
    const { client } = inode.superblock;
    const { stat } = yield* client.rpc({ name: 'Tstatfs', fid: inode.fid });
    return { length: putStatFs(view(request, STATFS_SIZE), stat) };
  },
  *[SYS.truncate](call, request) {
    const inode = yield* inodeAt(call, textData(request));
    checkAccess(call, inode, W_OK);
    if (inode.kind === S_IFREG && inode.isCachedFile) yield* openForWriting(inode);
    yield* setSize(call, inode, arg(request, 0));
    return {};
  },
  *[SYS.chmod](call, request) {
    const mode = arg(request, 0);
    if (!(mode >= 0)) fail(EINVAL);
    yield* setMode(call, yield* inodeAt(call, textData(request)), mode);
    return {};
  },
  *[SYS.chown](call, request) {
    const inode = yield* inodeAt(call, textData(request), arg(request, 2) === 0);
    const [uid, gid] = [arg(request, 0), arg(request, 1)];
    for (const id of [uid, gid]) if (!(id >= -1 && id < 0xffff_ffff)) fail(EINVAL);
    yield* setOwner(call, inode, { uid, gid });
    return {};
  },
  *[SYS.utimens](call, request) {
    const [path = '', json = ''] = textsData(request);
    const inode = yield* inodeAt(call, path, arg(request, 0) === 0);
    yield* setTimes(call, inode, timesOf(json));
    return {};
  },
  *[SYS.access](call, request) {
    const inode = yield* inodeAt(call, textData(request));
    const mode = arg(request, 0);
    if (!(mode >= 0 && mode <= 7)) fail(EINVAL);
    if (mode & W_OK && inode.superblock.readOnly && inode.kind === S_IFREG) fail(EROFS);
    return mayAccess(call, inode, mode) ? {} : fail(EACCES);
  },
  *[SYS.getxattr](call, request) {
    const [path = '', name = ''] = textsData(request);
    if (name === '') fail(EINVAL);
    return yield* getxattr(call, request, { path, name });
  },
  *[SYS.listxattr](call, request) {
    return yield* getxattr(call, request, { path: textData(request), name: '' });
  },
  *[SYS.setxattr](call, request) {
    const first = request.data.indexOf(0);
    const second = request.data.indexOf(0, first + 1);
    if (first < 0 || second < 0) fail(EINVAL);
    const path = decodeText(request.data.slice(0, first));
    const name = decodeText(request.data.slice(first + 1, second));
    const at = {
      address: request.source.segment.address + second + 1,
      length: request.data.length - second - 1,
    };
    yield* setxattr(call, { path, name, flags: arg(request, 0) }, at);
    return {};
  },
  *[SYS.removexattr](call, request) {
    const [path = '', name = ''] = textsData(request);
    yield* setxattr(call, { path, name, flags: XATTR_REPLACE }, { address: 0, length: 0 });
    return {};
  },
};

const XATTR_REPLACE = 2;

/** Makes sure that the server will take pages of a file that was not opened. */
function* openForWriting(inode: Inode): Task<void> {
  if (inode.opened !== 'no' || inode.superblock.readOnly) return;
  yield* inode.superblock.client.rpc({ name: 'Tlopen', fid: inode.fid, flags: 2 });
  inode.opened = 'write';
}

function pipeStat(call: Call): Stat {
  const time = call.kernel.clock.wallclock();
  return {
    ...{ dev: 0, ino: 0, mode: 0o010600, nlink: 1, uid: call.uid, gid: call.gid, rdev: 0 },
    ...{ size: 0, blksize: 4096, blocks: 0 },
    ...{ atime: time, mtime: time, ctime: time },
  };
}

function timesOf(json: string): Times {
  try {
    const { atime, mtime } = JSON.parse(json) as Times;
    for (const time of [atime, mtime]) if (!isTime(time)) fail(EINVAL);
    return { atime, mtime };
  } catch {
    fail(EINVAL);
  }
}

function isTime(time: unknown): boolean {
  if (time === 'now' || time === 'omit') return true;
  const { sec, nsec } = (time ?? {}) as { sec?: unknown; nsec?: unknown };
  return (
    Number.isSafeInteger(sec) && Number.isInteger(nsec) && Number(nsec) >= 0 && Number(nsec) < 1e9
  );
}

/** An attribute's value, or with name '' the list of names: 9P reads both through a fid of their own. */
function* getxattr(
  call: Call,
  request: Request,
  what: { path: string; name: string },
): Task<Result> {
  const inode = yield* inodeAt(call, what.path);
  const { client } = inode.superblock;
  const newfid = client.takeFid();
  const walk = { name: 'Txattrwalk', fid: inode.fid, newfid, attrName: what.name } as const;
  let size = 0;
  try {
    ({ size } = yield* client.rpc(walk));
  } catch (error) {
    client.freeFid(newfid);
    // A file system without attributes has none to list.
    if (what.name === '' && isErrno(error, EOPNOTSUPP)) return { length: 0, r0: 0 };
    throw error;
  }
  try {
    const room = request.room(size);
    if (room.bytes.length < size) fail(EINVAL);
    if (size === 0) return { length: 0, r0: 0 };
    const memory = { segments: [room.segment], rights: GRANT_WRITE };
    const message = { name: 'Tread', fid: newfid, offset: 0, count: size } as const;
    const { count } = yield* client.rpc(message, { memory });
    return { length: count, r0: count };
  } finally {
    yield* clunk(inode.superblock, newfid);
  }
}

const isErrno = (error: unknown, errno: Errno): boolean =>
  error instanceof PosixError && error.errno === errno;

/** Sets an attribute; an empty value with XATTR_REPLACE removes it (9P2000.L has no other way). */
function* setxattr(
  call: Call,
  what: { path: string; name: string; flags: number },
  value: { address: number; length: number },
): Task<void> {
  const inode = yield* inodeAt(call, what.path);
  if (what.name === '') fail(EINVAL);
  if (what.name.startsWith('user.')) checkAccess(call, inode, W_OK);
  else checkOwner(call, inode);
  if (inode.superblock.readOnly) fail(EROFS);
  const { client } = inode.superblock;
  const fid = client.takeFid();
  const { length: attrSize } = value;
  const { name: attrName, flags } = what;
  const data = new Uint8Array(0);
  const replies = yield* client.all([
    { message: { name: 'Twalk', fid: inode.fid, newfid: fid, wname: [] } },
    { message: { name: 'Txattrcreate', fid, attrName, attrSize, flags } },
    ...(attrSize === 0
      ? []
      : [
          {
            message: { name: 'Twrite', fid, offset: 0, count: attrSize, data } as const,
            memory: { segments: [value], rights: GRANT_READ },
          },
        ]),
    { message: { name: 'Tclunk', fid } },
  ]);
  client.freeFid(fid);
  for (const reply of replies) {
    if (reply.name === 'Rlerror' && reply.ecode === ENODATA) fail(ENODATA);
    if (reply.name === 'Rlerror') client.expect('Txattrcreate', reply);
  }
  if (replies.length === 0) fail(EOPNOTSUPP);
  inode.stale = true;
}
