// Servers inside the kernel: how one becomes a superblock. ramfs at '/', tmpfs, the boot archive,
// /proc and /dev are reached by direct calls.

import { PAGE_SIZE } from '../abi/memlayout.ts';
import type { Caller } from '../fs/caller.ts';
import type { MemNode } from '../fs/mem-node.ts';
import { MemFs } from '../fs/memfs.ts';
import type { Task } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import { NinepClient } from '../ninep/client.ts';
import type { FileServer } from '../ninep/file-server.ts';
import { NinepServer } from '../ninep/server.ts';
import { DirectTransport } from '../ninep/transport-direct.ts';
import { attach, iget, Superblock } from '../vfs/inode.ts';

let lastDevice = 0;

/** Makes a superblock of a server in the kernel. */
export function* localServer<N>(
  kernel: Kernel,
  fs: FileServer<N, Caller>,
  as: { type: string; source: string; volatile: boolean },
): Task<Superblock> {
  const server = new NinepServer(fs);
  const context = (): Caller => kernel.caller;
  const client = new NinepClient(new DirectTransport({ ram: kernel.ram, server, context }));
  client.refuses = kernel.faults.refuses.fids;
  const superblock = new Superblock({
    dev: ++lastDevice,
    ...as,
    client,
    cached: false,
    readOnly: fs.readOnly,
  });
  superblock.root = iget(kernel, superblock, yield* attach(client, { aname: '' }));
  superblock.root.refs++;
  return superblock;
}

const MIB = 1024 * 1024;
/** Frames that files in memory leave to processes, pipes and directories: 4 MiB. */
const RESERVE_FRAMES = 1024;
const CHUNK_FRAMES = 16; // memfs takes memory by 64 KiB

/** A file system in memory: 16 MiB a file and 64 MiB in all. */
export function* newMemFs(
  kernel: Kernel,
  as: { type: 'ramfs' | 'tmpfs'; source: string },
): Task<Superblock> {
  const { frames, pages, ram, clock } = kernel;
  const reserve = Math.min(RESERVE_FRAMES, Math.floor(frames.total / 8));
  const addresses = new WeakMap<Uint8Array, number>();
  const chunks = {
    take: (): Uint8Array | undefined => {
      if (frames.free < reserve) pages.reclaim(reserve);
      if (frames.free < reserve) return undefined;
      const address = frames.takeReclaiming(CHUNK_FRAMES);
      if (address === undefined) return undefined;
      const chunk = new Uint8Array(ram, address, CHUNK_FRAMES * PAGE_SIZE).fill(0);
      addresses.set(chunk, address);
      return chunk;
    },
    give: (chunk: Uint8Array): void => {
      const address = addresses.get(chunk);
      if (address !== undefined) frames.give(address, CHUNK_FRAMES);
    },
  };
  const limits = { maxFileBytes: 16 * MIB, maxTotalBytes: 64 * MIB };
  const rootMode = as.type === 'tmpfs' ? 0o1777 : 0o755; // everybody's, but each file its owner's
  const fs = new MemFs({ now: () => clock.wallclock(), chunks, rootMode, ...limits });
  const superblock = yield* localServer(kernel, fs, { ...as, volatile: false });
  superblock.dispose = () => freeAll(fs.root);
  return superblock;
}

/** The memory of every file below a directory. */
function freeAll(dir: MemNode): void {
  for (const { node } of dir.dir?.after(0) ?? []) {
    node.data?.truncate(0);
    freeAll(node);
  }
}

export const newTmpfs = (kernel: Kernel): Task<Superblock> =>
  newMemFs(kernel, { type: 'tmpfs', source: 'tmpfs' });
