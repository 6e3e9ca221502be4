// Many damaged volumes over a few workers, each with a bound on its memory and a watchdog.

import { Worker } from 'node:worker_threads';
import { type Counts, noCounts, type Says, type Share, type Treatment } from './worker.ts';

export interface Bug {
  readonly number: number;
  readonly problem: string;
}

export interface Result {
  readonly bugs: readonly Bug[];
  readonly counts: Counts;
}

/** So many volumes take less than this, whatever their damage; and no worker needs more memory. */
const SILENCE_MS = 120_000;
const HEAP_MB = 256;
/** So large that what one volume needs is rarely moved. */
const YOUNG_MB = 64;

export interface MutateRequest {
  readonly fs: string;
  readonly seed: number;
  readonly count: number;
  readonly workers: number;
  readonly treatment: Treatment;
  readonly onProgress: (done: number) => void;
}

export async function mutateMany(request: MutateRequest): Promise<Result> {
  const { fs, seed, count, workers, treatment } = request;
  const at = new Map<number, number>();
  const shares = Array.from({ length: workers }, (_, first) => ({
    ...{ fs, seed, first, step: workers, end: count, treatment },
  }));
  const results = await Promise.all(
    shares.map((share) =>
      runShare(share, (number) => {
        at.set(share.first, number);
        request.onProgress(Math.min(...at.values()));
      }),
    ),
  );
  const counts = noCounts();
  for (const result of results)
    for (const key of Object.keys(counts) as (keyof Counts)[]) counts[key] += result.counts[key];
  return { bugs: results.flatMap(({ bugs }) => bugs), counts };
}

function runShare(workerData: Share, onNumber: (number: number) => void): Promise<Result> {
  const resourceLimits = { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: YOUNG_MB };
  const url = new URL('./worker.js', import.meta.url);
  const worker = new Worker(url, { workerData, resourceLimits });
  const bugs: Bug[] = [];
  let number = workerData.first;
  return new Promise((resolve) => {
    const end = (counts: Counts): void => {
      clearTimeout(watchdog);
      void worker.terminate().then(() => resolve({ bugs, counts }));
    };
    const fail = (problem: string): void => {
      bugs.push({ number, problem: `this one or one of the next 20: ${problem}` });
      end(noCounts());
    };
    const watchdog = setTimeout(() => fail('does not end'), SILENCE_MS);
    worker.on('error', (error) => fail(error.message));
    worker.on('message', (says: Says) => {
      watchdog.refresh();
      if (says.kind === 'bug') bugs.push(says);
      else if (says.kind === 'done') end(says.counts);
      else {
        number = says.number;
        onNumber(number);
      }
    });
  });
}
