// A campaign: many workloads over a few workers, with a watchdog, since a mount that does not end is
// a violation too.

import { Worker } from 'node:worker_threads';
import type { Explored, Violation } from './explore.ts';
import type { Job, WorkerData, WorkerSays } from './worker.ts';

export interface CampaignRequest extends WorkerData {
  readonly jobs: readonly Job[];
  readonly workers: number;
  readonly keepGoing: boolean;
  readonly onProgress: (totals: Totals) => void;
}

export interface Totals {
  workloads: number;
  images: number;
  choices: number;
  secondCuts: number;
  realChecks: number;
  /** Images mounted so far, those of workloads under way included. */
  mounted: number;
  readonly violations: Violation[];
}

/** A worker that mounts nothing for so long hangs. */
const SILENCE_MS = 120_000;

export async function campaign(request: CampaignRequest): Promise<Totals> {
  const totals: Totals = {
    ...{ workloads: 0, images: 0, choices: 0, secondCuts: 0, realChecks: 0, mounted: 0 },
    violations: [],
  };
  const queue = [...request.jobs].reverse();
  const count = Math.min(request.workers, queue.length);
  await Promise.all(Array.from({ length: count }, () => runWorker(request, queue, totals)));
  return totals;
}

function runWorker(request: CampaignRequest, queue: Job[], totals: Totals): Promise<void> {
  const { fs, seed, realEvery, distort, keepGoing, onProgress } = request;
  const workerData: WorkerData = { fs, seed, realEvery, distort };
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData });
  let job: Job | undefined;
  return new Promise((resolve, reject) => {
    const violate = (problem: string): void => {
      const cut = { window: 0, choice: '' };
      totals.violations.push({ workload: job?.workload ?? 'none', cut, problem });
    };
    const end = (): void => {
      clearTimeout(watchdog);
      void worker.terminate().then(() => resolve());
    };
    const watchdog = setTimeout(() => {
      violate('a mount did not end');
      end();
    }, SILENCE_MS);
    const next = (): void => {
      job = totals.violations.length > 0 && !keepGoing ? undefined : queue.pop();
      if (job === undefined) end();
      else worker.postMessage(job);
    };
    worker.on('error', reject);
    worker.on('message', (says: WorkerSays) => {
      watchdog.refresh();
      if (says.kind === 'progress') totals.mounted += says.images;
      else {
        if (says.kind === 'failed') violate(says.problem);
        else add(totals, says.explored);
        next();
      }
      onProgress(totals);
    });
    next();
  });
}

function add(totals: Totals, explored: Explored): void {
  totals.workloads++;
  for (const key of ['images', 'choices', 'secondCuts', 'realChecks'] as const) {
    totals[key] += explored[key];
  }
  totals.violations.push(...explored.violations);
}
