// Mounting an exFAT volume: checks it, reads its bitmap and its up-case table; ../write/careful-mount.ts does
// what it shares with FAT.

import { EOPNOTSUPP, fail } from '../../../kernel/abi/errno.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import { BlockSet } from '../../lib/cache/block-set.ts';
import { Engine } from '../../lib/engine.ts';
import type { MountedVolume, MountRequest } from '../../lib/mounted.ts';
import { readProbe } from '../../lib/probe.ts';
import type { Transaction } from '../../lib/transaction.ts';
import { DirCache } from '../dir/dir-cache.ts';
import { ChainCache, clusterAt } from '../file/chain.ts';
import { parseOptions } from '../options.ts';
import { FreeMap } from '../volume/free-map.ts';
import { Held } from '../volume/held.ts';
import { type CarefulKind, CarefulMount } from '../write/careful-mount.ts';
import { DirIndex } from './dir/dir-index.ts';
import { Tree } from './dir/tree.ts';
import { ExFatFs } from './fs.ts';
import { FileEntry, SLOT, StreamEntry } from './ondisk.ts';
import { type ExFatEnv, Freed, type Op } from './op.ts';
import { nextCluster } from './volume/fat.ts';
import { type ExFatVolume, openExFat } from './volume/geometry.ts';
import { countFree, markVolume, readSystem, wasClean } from './volume/system.ts';
import { ExFatPlan } from './write/plan.ts';
import { recoverNames, tidyMoves } from './write/recover.ts';

/** A new directory is a cluster of zeroes, which one request writes: larger ones are read alone. */
const WRITABLE_CLUSTER = 1 << 20;

export function* mountExFat(request: MountRequest): Task<MountedVolume> {
  const options = parseOptions(request.options);
  const volume = openExFat(yield* readProbe(request), request.device.sizeBytes);
  const { blockSize, serial, clusterEnd, sizeBytes, clusterSize } = volume;
  const words = Int32Array.of(serial, clusterEnd, blockSize, sizeBytes / volume.sectorSize);
  const engine = new Engine({ ...request, blockSize, volume: words });
  const chains = new ChainCache({
    clusterEnd,
    next: (tx, cluster) => nextCluster(tx, volume, cluster),
  });
  const chainOf = (tx: Transaction) => ({ tx, env: { chains } });
  const { bitmap, upcase } = yield* readSystem(engine, volume, chainOf);
  const { hooks } = request;
  const { cache } = engine;
  const readOnly = request.readOnly || request.device.readOnly || options.readOnly;
  if (!readOnly && clusterSize > WRITABLE_CLUSTER)
    fail(EOPNOTSUPP, `clusters of ${clusterSize} bytes can only be read: mount -o ro`);
  const env: ExFatEnv = {
    ...{ options, upcase, bitmap, chains },
    free: new FreeMap(bitmap),
    dirs: new DirCache(() => new DirIndex(upcase)),
    tree: new Tree(),
    held: new Held({ blockSize, frames: cache.shape.frames, entrySize: HEAD }),
    rootClusters: new BlockSet(),
    linked: new Map(),
    moved: new Set(),
    unfinished: (ino) => hooks.unfinished(ino),
    refuses: (pool) => hooks.refuses?.(pool) ?? false,
    freed: { running: new Freed(), committing: new Freed() },
    noteFreed: (cluster, count) => cache.running.freed.add(cluster, count),
  };
  yield* engine.run((tx) => noteRoot({ tx, vol: volume, env }), { changes: false });
  const fs = new ExFatFs({ volume, env, readOnly });
  const mount = new CarefulMount(request, engine, kindOf({ volume, env, engine, fs }));
  yield* mount.open();
  return mount;
}

const HEAD = FileEntry.size + StreamEntry.size;

function noteRoot(op: Op): void {
  const most = (256 * 2 ** 20) / op.vol.clusterSize;
  for (let index = 0; index <= most; ) {
    const run = clusterAt(op, op.vol.rootCluster, index);
    if (run === undefined) return;
    op.env.rootClusters.add(run.cluster, run.count);
    index += run.count;
  }
}

interface Parts {
  readonly volume: ExFatVolume;
  readonly env: ExFatEnv;
  readonly engine: Engine;
  readonly fs: ExFatFs;
}

const kindOf = ({ volume, env, engine, fs }: Parts): CarefulKind => ({
  ...{ format: 'exfat', checker: 'fsck.exfat', fs, held: env.held },
  plan: new ExFatPlan(volume, env),
  labels: [
    { tag: 'super', start: 0, count: volume.fatStart / SECTOR_SIZE },
    {
      tag: 'meta',
      start: volume.fatStart / SECTOR_SIZE,
      count: (volume.dataStart - volume.fatStart) / SECTOR_SIZE,
    },
  ],
  wasClean: (tx) => wasClean(tx),
  *load() {
    yield* countFree(engine, env.bitmap, env.free);
    return '';
  },
  *recover(settle) {
    const op = (tx: Transaction): Op => ({ tx, vol: volume, env });
    const removed = yield* recoverNames({ engine, op, settle });
    env.dirs.clear();
    return removed > 0 ? `, ${removed} files were being moved` : '';
  },
  mark: (tx, state) => markVolume(tx, { vol: volume, free: env.free }, state),
  tidy: (tx) => tidyMoves({ tx, vol: volume, env }),
});

const SECTOR_SIZE = 16 * SLOT;
