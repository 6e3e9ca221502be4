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
import { FatFs } from '../fs.ts';
import { labelsOf } from '../labels.ts';
import { envOf } from '../op.ts';
import { parseOptions } from '../options.ts';
import { CarefulMount } from '../write/careful-mount.ts';
import { DirIndex } from './dir/dir-index.ts';
import { Tree } from './dir/tree.ts';
import { EXFAT } from './format.ts';
import { FileEntry, StreamEntry } from './ondisk.ts';
import type { ExFatEnv, GoneName, Op } from './op.ts';
import { nextCluster } from './volume/fat.ts';
import { openExFat } from './volume/geometry.ts';
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
  const readOnly = request.readOnly || request.device.readOnly || options.readOnly;
  if (!readOnly && clusterSize > WRITABLE_CLUSTER)
    fail(EOPNOTSUPP, `clusters of ${clusterSize} bytes can only be read: mount -o ro`);
  const env: ExFatEnv = {
    ...envOf<GoneName>(request, engine, { options, chains, source: bitmap, entrySize: HEAD }),
    ...{ upcase, bitmap },
    dirs: new DirCache(() => new DirIndex(upcase)),
    tree: new Tree(),
    rootClusters: new BlockSet(),
    linked: new Map(),
    moved: new Set(),
  };
  const op = (tx: Transaction): Op => ({ tx, vol: volume, env });
  yield* engine.run((tx) => noteRoot(op(tx)), { changes: false });
  const mount = new CarefulMount(request, engine, {
    ...{ format: 'exfat', checker: 'fsck.exfat', held: env.held },
    fs: new FatFs({ format: EXFAT, op, blockSize, readOnly }),
    plan: new ExFatPlan(volume, env),
    labels: labelsOf(volume),
    wasClean: (tx) => wasClean(tx),
    *load() {
      yield* countFree(engine, env.bitmap, env.free);
      return '';
    },
    *recover(settle) {
      const removed = yield* recoverNames({ engine, op, settle });
      env.dirs.clear();
      return removed;
    },
    mark: (tx, state) => markVolume(tx, { vol: volume, free: env.free }, state),
    tidy: (tx) => tidyMoves(op(tx)),
  });
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
