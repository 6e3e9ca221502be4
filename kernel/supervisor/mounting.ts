// mount(2) and umount(2): volumes on partitions, tmpfs, and bind mounts.

import { EBUSY, EINVAL, ENOTBLK, ENOTDIR, fail } from '../abi/errno.ts';
import { PAGE_SIZE } from '../abi/memlayout.ts';
import type { Task } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import { flushMany } from '../mm/flush.ts';
import type { Call } from '../vfs/call.ts';
import { Dentry } from '../vfs/dcache.ts';
import type { Superblock } from '../vfs/inode.ts';
import type { Mount, Path } from '../vfs/mount.ts';
import { namei } from '../vfs/namei.ts';
import { volumeName } from './contents.ts';
import { newTmpfs } from './local.ts';

export interface MountRequest {
  readonly source: string;
  readonly target: string;
  readonly type: string; // ext4, tmpfs, bind; '' = find out
  readonly options: string; // comma-separated: ro, bind
}

export function* mount(call: Call, request: MountRequest): Task<void> {
  const { kernel } = call;
  const options = request.options.split(',');
  const found = yield* namei(call, request.target, { follow: true });
  if (!found.inode.isDirectory) fail(ENOTDIR);
  const on = { mount: found.mount, dentry: found.dentry };
  const target = kernel.mounts.name(on) ?? fail(EINVAL);
  if (request.type === 'bind' || options.includes('bind')) {
    const source = yield* namei(call, request.source, { follow: true });
    if (!source.inode.isDirectory) fail(ENOTDIR);
    bind(kernel, { mount: source.mount, dentry: source.dentry }, { on, target });
  } else if (request.type === 'tmpfs') {
    const superblock = yield* newTmpfs(kernel);
    place(kernel, superblock, { on, target, source: request.source || 'tmpfs', options: 'rw' });
  } else yield* mountVolume(call, request, { on, target, readOnly: options.includes('ro') });
}

/** Mounts a dentry that is known already at a second place. */
export function bind(kernel: Kernel, source: Path, at: { on: Path; target: string }): Mount {
  const { superblock } = source.mount;
  return kernel.mounts.add({
    superblock,
    root: source.dentry,
    on: at.on,
    target: at.target,
    source: kernel.mounts.name(source) ?? superblock.source,
    options: `${superblock.readOnly ? 'ro' : 'rw'},bind`,
  });
}

/** Mounts a superblock's root. */
export function place(
  kernel: Kernel,
  superblock: Superblock,
  at: { on: Path | undefined; target: string; source: string; options: string },
): Mount {
  const root = new Dentry('', undefined, superblock.root);
  return kernel.mounts.add({ superblock, root, ...at });
}

function* mountVolume(
  call: Call,
  request: MountRequest,
  at: { on: Path; target: string; readOnly: boolean },
): Task<void> {
  const { kernel } = call;
  const type = request.type === '' || request.type === 'auto' ? 'auto' : request.type;
  const device = yield* namei(call, request.source, { follow: true });
  const source = namesFromRoot(device);
  const disks = kernel.volumes.servers.find((s) => s.superblock === device.mount.superblock);
  if (disks?.superblock.type !== 'sd') fail(ENOTBLK);
  if (device.inode.isDirectory) fail(ENOTBLK);
  const { readOnly, on, target } = at;
  const { readAheadPages, forServer } = splitOptions(request.options);
  const name = volumeName(source);
  const server = yield* kernel.volumes.startVolume(kernel, {
    source,
    name,
    type,
    readOnly,
    options: forServer.join(','),
  });
  const { superblock } = server;
  if (readAheadPages !== undefined) superblock.readAheadPages = readAheadPages;
  const shown = readAheadPages === undefined ? '' : `,readahead=${readAheadPages * PAGE_KIB}`;
  place(kernel, superblock, {
    on,
    target,
    source: `/dev/sd/${source.join('/')}`,
    options: `${superblock.readOnly ? 'ro' : 'rw'}${shown}`,
  });
}

const PAGE_KIB = PAGE_SIZE / 1024;
/** One request to a server moves no more than this. */
const READ_AHEAD_MOST = 4096;

/** The option that is the page cache's, readahead=KIB, and those that are for the server. */
function splitOptions(options: string): { readAheadPages?: number; forServer: string[] } {
  const words = options.split(',');
  const isOurs = (word: string): boolean => word.startsWith('readahead=');
  const forServer = words.filter((word) => !isOurs(word));
  const ours = words.findLast(isOurs);
  if (ours === undefined) return { forServer };
  const kib = Number(ours.slice('readahead='.length) || Number.NaN);
  if (!Number.isInteger(kib) || kib < PAGE_KIB || kib > READ_AHEAD_MOST) fail(EINVAL, ours);
  return { readAheadPages: Math.floor(kib / PAGE_KIB), forServer };
}

/** The names that lead from a server's root to a dentry. */
function namesFromRoot(path: Path): string[] {
  const names: string[] = [];
  for (let at: Dentry | undefined = path.dentry; at?.parent; at = at.parent) names.push(at.name);
  return names.reverse();
}

export function* umount(call: Call, target: string): Task<void> {
  const { mount, dentry } = yield* namei(call, target, { follow: true });
  if (dentry !== mount.root) fail(EINVAL);
  yield* unmount(call.kernel, mount, call.holds(dentry));
}

/** Takes a mount down. `held`: pins on its root that the caller itself has. Throws EBUSY. */
export function* unmount(kernel: Kernel, mount: Mount, held: number): Task<void> {
  const { superblock, root } = mount;
  const others = kernel.mounts.all.filter((m) => m !== mount && m.superblock === superblock);
  if (mount.on === undefined) fail(EBUSY);
  if (kernel.mounts.all.some((m) => m.on?.mount === mount) || isHeld(kernel, mount)) fail(EBUSY);
  if (others.length > 0) {
    takeDown(kernel, mount);
    return;
  }
  if (root.pins > 1 + held) fail(EBUSY);
  if (inUse(superblock)) fail(EBUSY);
  yield* flushSuperblock(kernel, superblock);
  if (superblock.unwritten > 0 && !superblock.gone) fail(EBUSY);
  if (!kernel.dcache.prune(root) || inUse(superblock) || isHeld(kernel, mount)) fail(EBUSY);
  takeDown(kernel, mount);
  superblock.dispose();
  const server = kernel.volumes.servers.find((s) => s.superblock === superblock);
  if (server) yield* kernel.volumes.stopVolume(kernel, server);
}

const inUse = (superblock: Superblock): boolean =>
  [...superblock.inodes.values()].some((inode) => inode.opens > 0);

/** Whether a process has its working directory, or an open file, below this mount. */
const isHeld = (kernel: Kernel, mount: Mount): boolean =>
  kernel.processes.all.some(
    (process) =>
      !process.dead &&
      (process.cwd.mount === mount ||
        process.descriptors.some((descriptor) => descriptor?.file.path?.mount === mount)),
  );

/** Takes a mount away from its place, whoever still has files in it. Throws EBUSY for one under others. */
export function takeDown(kernel: Kernel, mount: Mount): void {
  kernel.mounts.remove(mount);
  if (mount.on) kernel.dcache.unpin(mount.on.dentry);
  kernel.dcache.unpin(mount.root);
}

/** Writes back every file of a superblock. */
export function* flushSuperblock(kernel: Kernel, superblock: Superblock): Task<void> {
  if (!superblock.cached || superblock.gone) return;
  yield* flushMany(kernel, [...superblock.dirtyInodes]);
}
