// A worker of a campaign: takes workloads from the main thread, one after the other, and explores
// each. What it was doing when it went silent is known there.

import { parentPort, workerData } from 'node:worker_threads';
import { Rig } from '../../daemons/lib/memory/rig.ts';
import { distortion } from './bugs/distort.ts';
import { type Explored, explore } from './explore.ts';
import { formatNamed } from './formats.ts';
import { prepare } from './prepare.ts';

export interface WorkerData {
  readonly fs: string;
  readonly seed: number;
  readonly realEvery: number;
  /** A planted bug of the disk below: what it was told is not what happened. */
  readonly distort: string | undefined;
}

export interface Job {
  readonly workload: string;
  readonly images: number;
}

export type WorkerSays =
  | { readonly kind: 'progress'; readonly images: number }
  | { readonly kind: 'done'; readonly explored: Explored }
  | { readonly kind: 'failed'; readonly problem: string };

const PROGRESS_EVERY = 10;

if (parentPort !== null) serve(parentPort, workerData as WorkerData);

function serve(port: NonNullable<typeof parentPort>, data: WorkerData): void {
  const say = (what: WorkerSays): void => port.postMessage(what);
  const format = formatNamed(data.fs);
  if (format === undefined) throw new Error(`no format ${data.fs}`);
  const prepared = prepare(format);
  const rig = new Rig();
  let images = 0;
  const onImage = (): void => {
    images++;
    if (images % PROGRESS_EVERY === 0) say({ kind: 'progress', images: PROGRESS_EVERY });
  };
  const { seed, realEvery } = data;
  const distort = distortion(data.distort);
  port.on('message', ({ workload, images: enough }: Job) => {
    try {
      const request = {
        prepared,
        rig,
        workload,
        seed,
        images: enough,
        realEvery,
        onImage,
        distort,
      };
      say({ kind: 'done', explored: explore(request) });
    } catch (error) {
      const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
      say({ kind: 'failed', problem });
    }
  });
}
