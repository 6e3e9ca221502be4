// Mounting a FAT volume: checks it, counts what is free; careful-mount.ts does what FAT shares with exFAT.

import type { Task } from '../../../kernel/ipc/task.ts';
import { Engine } from '../../lib/engine.ts';
import type { MountedVolume, MountRequest } from '../../lib/mounted.ts';
import { readProbe } from '../../lib/probe.ts';
import type { Transaction } from '../../lib/transaction.ts';
import { DirCache } from '../dir/dir-cache.ts';
import { ChainCache } from '../file/chain.ts';
import { FatFs } from '../fs.ts';
import { labelsOf } from '../labels.ts';
import { SLOT } from '../ondisk.ts';
import { envOf } from '../op.ts';
import { parseOptions } from '../options.ts';
import { CarefulMount } from '../write/careful-mount.ts';
import { DirIndex } from './dir/dir-index.ts';
import { FAT } from './format.ts';
import type { FatEnv, GoneName, Op } from './op.ts';
import { freeOf, nextCluster } from './volume/fat.ts';
import { openVolume } from './volume/geometry.ts';
import { FatPlan } from './write/plan.ts';
import { recoverNames } from './write/recover.ts';
import { markClean, noteFree, readTable, wasClean } from './write/state.ts';

export function* mountFat(request: MountRequest): Task<MountedVolume> {
  const options = parseOptions(request.options);
  const volume = openVolume(yield* readProbe(request), request.device.sizeBytes);
  const { blockSize, serial, clusterEnd, sizeBytes } = volume;
  const words = Int32Array.of(serial, clusterEnd, blockSize, sizeBytes / 512);
  const engine = new Engine({ ...request, blockSize, volume: words });
  const chains = new ChainCache({
    clusterEnd,
    next: (tx, cluster) => nextCluster(tx, volume, cluster),
  });
  const env: FatEnv = {
    ...envOf<GoneName>(request, engine, {
      options,
      chains,
      source: freeOf(volume),
      entrySize: SLOT,
    }),
    dirs: new DirCache(() => new DirIndex(volume.bits)),
    grown: new Set(),
  };
  const readOnly = request.readOnly || request.device.readOnly || options.readOnly;
  const op = (tx: Transaction): Op => ({ tx, vol: volume, env });
  const mount = new CarefulMount(request, engine, {
    ...{ format: 'vfat', checker: 'fsck.fat', held: env.held },
    fs: new FatFs({ format: FAT, op, blockSize, readOnly }),
    plan: new FatPlan(volume, env.freed),
    labels: labelsOf(volume),
    wasClean: (tx) => wasClean(tx, volume),
    *load(copies) {
      const mended = yield* readTable(engine, volume, { free: env.free, copies });
      return mended > 0 ? `, ${mended} pieces of its FATs differed` : '';
    },
    *recover(settle) {
      const removed = yield* recoverNames({ engine, op, settle }, volume);
      env.dirs.clear();
      return removed;
    },
    mark(tx, state) {
      markClean(tx, volume, state);
      noteFree(tx, volume, state === 'clean' ? env.free : undefined);
    },
  });
  yield* mount.open();
  return mount;
}
