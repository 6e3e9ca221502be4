// System calls on attributes: stat, chmod, chown, utimens, truncate, access, statfs.

import { S_IFREG, W_OK } from '../abi/constants.ts';
import { EACCES, EINVAL, EROFS, fail } from '../abi/errno.ts';
import type { Stat } from '../abi/stat.ts';
import { putStat, putStatFs, STAT_SIZE, STATFS_SIZE, SYS } from '../abi/syscall.ts';
import type { Task } from '../ipc/task.ts';
import { setMode, setOwner, setSize, setTimes, statInode, type Times } from '../vfs/attr.ts';
import type { Call } from '../vfs/call.ts';
import type { Inode } from '../vfs/inode.ts';
import { namei } from '../vfs/namei.ts';
import { checkAccess, mayAccess } from '../vfs/permission.ts';
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
};

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
