// Mounting a FAT volume: checks it, counts what is free; careful-mount.ts does what FAT shares with exFAT.

import type { Task } from '../../../kernel/ipc/task.ts';
import { Engine } from '../../lib/engine.ts';
import type { MountedVolume, MountRequest } from '../../lib/mounted.ts';
import { readProbe } from '../../lib/probe.ts';
import { DirCache } from '../dir/dir-cache.ts';
import { ChainCache } from '../file/chain.ts';
import { FatFs } from '../fs.ts';
import { labelsOf } from '../labels.ts';
import { parseOptions } from '../options.ts';
import { FreeMap } from '../volume/free-map.ts';
import { Held } from '../volume/held.ts';
import { type CarefulKind, CarefulMount } from '../write/careful-mount.ts';
import { rootOf } from './dir/dir.ts';
import { DirIndex } from './dir/dir-index.ts';
import { type FatEnv, Freed } from './op.ts';
import { freeOf, nextCluster } from './volume/fat.ts';
import { type FatVolume, openVolume } from './volume/geometry.ts';
import { FatPlan } from './write/plan.ts';
import { recoverNames } from './write/recover.ts';
import { markClean, noteFree, readTable, wasClean } from './write/state.ts';

export function* mountFat(request: MountRequest): Task<MountedVolume> {
  const options = parseOptions(request.options);
  const volume = openVolume(yield* readProbe(request), request.device.sizeBytes);
  const { blockSize, serial, clusterEnd, sizeBytes } = volume;
  const words = Int32Array.of(serial, clusterEnd, blockSize, sizeBytes / 512);
  const engine = new Engine({ ...request, blockSize, volume: words });
  const { hooks } = request;
  const { cache } = engine;
  const env: FatEnv = {
    options,
    free: new FreeMap(freeOf(volume)),
    chains: new ChainCache({ clusterEnd, next: (tx, cluster) => nextCluster(tx, volume, cluster) }),
    dirs: new DirCache(() => new DirIndex()),
    held: new Held({ blockSize, frames: cache.shape.frames }),
    unfinished: (ino) => hooks.unfinished(ino),
    refuses: (pool) => hooks.refuses?.(pool) ?? false,
    freed: { running: new Freed(), committing: new Freed() },
    noteFreed: (cluster, count) => cache.running.freed.add(cluster, count),
  };
  const readOnly = request.readOnly || request.device.readOnly || options.readOnly;
  const fs = new FatFs({ volume, env, readOnly });
  const mount = new CarefulMount(request, engine, kindOf({ volume, env, engine, fs }));
  yield* mount.open();
  return mount;
}

interface Parts {
  readonly volume: FatVolume;
  readonly env: FatEnv;
  readonly engine: Engine;
  readonly fs: FatFs;
}

const kindOf = ({ volume, env, engine, fs }: Parts): CarefulKind => ({
  ...{ format: 'vfat', checker: 'fsck.fat', fs, held: env.held },
  plan: new FatPlan(volume, env.freed),
  labels: labelsOf(volume),
  wasClean: (tx) => wasClean(tx, volume),
  *load(copies) {
    const mended = yield* readTable(engine, volume, { free: env.free, copies });
    return mended > 0 ? `, ${mended} pieces of its FATs differed` : '';
  },
  *recover(settle) {
    const op = (tx: Parameters<CarefulKind['mark']>[0]) => ({ tx, vol: volume, env });
    const removed = yield* recoverNames({ engine, root: rootOf(volume), op, settle });
    env.dirs.clear();
    return removed > 0 ? `, ${removed} files were being moved` : '';
  },
  mark(tx, state) {
    markClean(tx, volume, state);
    noteFree(tx, volume, state === 'clean' ? env.free : undefined);
  },
});
