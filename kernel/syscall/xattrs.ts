// System calls on extended attributes (xattr(7)), which 9P2000.L reads and writes through fids of their own.

import { NAMED_FORK, W_OK } from '../abi/constants.ts';
import { EINVAL, ENODATA, EOPNOTSUPP, EROFS, type Errno, fail, PosixError } from '../abi/errno.ts';
import { SYS } from '../abi/syscall.ts';
import { decodeText } from '../abi/text.ts';
import { GRANT_READ, GRANT_WRITE } from '../ipc/grant.ts';
import type { Task } from '../ipc/task.ts';
import { flushInode } from '../mm/flush.ts';
import type { Call } from '../vfs/call.ts';
import { clunk, type Inode } from '../vfs/inode.ts';
import { namei } from '../vfs/namei.ts';
import { checkAccess, checkOwner } from '../vfs/permission.ts';
import { arg, type Calls, type Request, type Result, textData, textsData } from './dispatch.ts';

/** setxattr(2): the attribute must be there. */
const XATTR_REPLACE = 2;
/** HFS's resource fork as an attribute; as NAMED_FORK/rsrc it is a cached file, too. */
const RESOURCE_FORK = 'com.apple.ResourceFork';

export const xattrCalls: Calls = {
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

/** An attribute's value, or with name '' the list of names: 9P reads both through a fid of their own. */
function* getxattr(
  call: Call,
  request: Request,
  what: { path: string; name: string },
): Task<Result> {
  const { inode } = yield* namei(call, what.path, { follow: true });
  const { client } = inode.superblock;
  const fork = yield* resourceFork(call, inode, what);
  if (fork) yield* flushInode(call.kernel, fork);
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
  const { inode } = yield* namei(call, what.path, { follow: true });
  if (what.name === '') fail(EINVAL);
  if (what.name.startsWith('user.')) checkAccess(call, inode, W_OK);
  else checkOwner(call, inode);
  if (inode.superblock.readOnly) fail(EROFS);
  const fork = yield* resourceFork(call, inode, what);
  if (fork === undefined) return yield* sendXattr(inode, what, value);
  yield* fork.lock.acquire();
  try {
    yield* flushInode(call.kernel, fork);
    yield* sendXattr(inode, what, value);
    call.kernel.pages.truncate(fork, 0);
    fork.attr = { ...fork.attr, size: value.length };
    fork.stale = true;
    fork.publish();
  } finally {
    fork.lock.release();
  }
}

/** The file whose bytes are the attribute's value, or in the list of names (name ''). */
function* resourceFork(
  call: Call,
  inode: Inode,
  { path, name }: { path: string; name: string },
): Task<Inode | undefined> {
  const told = name === '' || name === RESOURCE_FORK;
  if (!told || !inode.isCachedFile || !inode.superblock.type.startsWith('hfs')) return undefined;
  return (yield* namei(call, `${path}/${NAMED_FORK}/rsrc`, { follow: true })).inode;
}

function* sendXattr(
  inode: Inode,
  what: { name: string; flags: number },
  value: { address: number; length: number },
): Task<void> {
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
