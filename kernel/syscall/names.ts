// System calls on names: mkdir, link, unlink, rename, readlink, chdir and the like.

import { X_OK } from '../abi/constants.ts';
import { EINVAL, ENOENT, ENOTDIR, ERANGE, fail } from '../abi/errno.ts';
import { SYS } from '../abi/syscall.ts';
import { encodeText } from '../abi/text.ts';
import type { Call } from '../vfs/call.ts';
import type { Path } from '../vfs/mount.ts';
import { namei } from '../vfs/namei.ts';
import { link, mkdir, mknod, remove, rename, symlink } from '../vfs/names.ts';
import { checkAccess } from '../vfs/permission.ts';
import { arg, type Calls, fdArg, putText, type Request, textData, textsData } from './dispatch.ts';

/** Two strings, exactly. */
const pair = (request: Request): [string, string] => {
  const [a, b, ...more] = textsData(request);
  if (a === undefined || b === undefined || more.length > 0) fail(EINVAL);
  return [a, b];
};

export const nameCalls: Calls = {
  *[SYS.mkdir](call, request) {
    yield* mkdir(call, textData(request), arg(request, 0));
    return {};
  },
  *[SYS.rmdir](call, request) {
    yield* remove(call, textData(request), 'directory');
    return {};
  },
  *[SYS.unlink](call, request) {
    yield* remove(call, textData(request), 'file');
    return {};
  },
  *[SYS.link](call, request) {
    yield* link(call, ...pair(request));
    return {};
  },
  *[SYS.symlink](call, request) {
    yield* symlink(call, ...pair(request));
    return {};
  },
  *[SYS.rename](call, request) {
    yield* rename(call, ...pair(request));
    return {};
  },
  *[SYS.mknod](call, request) {
    yield* mknod(call, textData(request), { mode: arg(request, 0), rdev: arg(request, 1) });
    return {};
  },
  *[SYS.readlink](call, request) {
    const { inode } = yield* namei(call, textData(request), { follow: false });
    if (!inode.isSymlink) fail(EINVAL);
    const { client } = inode.superblock;
    const { target } = yield* client.rpc({ name: 'Treadlink', fid: inode.fid });
    return putText(request, encodeText(target));
  },
  *[SYS.chdir](call, request) {
    const { mount, dentry, inode } = yield* namei(call, textData(request), { follow: true });
    if (!inode.isDirectory) fail(ENOTDIR);
    checkAccess(call, inode, X_OK);
    enterDirectory(call, { mount, dentry });
    return {};
  },
  *[SYS.fchdir](call, request) {
    const { path, inode } = call.file(fdArg(request));
    if (path === undefined || !inode?.isDirectory) fail(ENOTDIR);
    checkAccess(call, inode, X_OK);
    enterDirectory(call, path);
    return {};
  },
  *[SYS.getcwd](call, request) {
    const name = call.kernel.mounts.name(call.process.cwd);
    if (name === undefined) fail(ENOENT);
    const bytes = encodeText(name);
    return bytes.length < 65_536 ? putText(request, bytes) : fail(ERANGE);
  },
};

function enterDirectory(call: Call, to: Path): void {
  if (call.process.dead) return; // its end let go of the old one
  const { dcache } = call.kernel;
  dcache.pin(to.dentry);
  dcache.unpin(call.process.cwd.dentry);
  call.process.cwd = to;
}
