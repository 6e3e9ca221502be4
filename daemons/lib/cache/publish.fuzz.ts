// The victim of publish.test.ts: a worker that moves amounts between the blocks of a cache, one
// transaction after the other, until it is terminated - at whatever store that may be.

import { parentPort, workerData } from 'node:worker_threads';
import { openBank, runBank } from '../testing/bank.ts';

const { ram, seed } = workerData as { ram: SharedArrayBuffer; seed: number };
const bank = openBank(ram);
parentPort?.postMessage('running');
for (let state = seed >>> 0; ; ) state = runBank(bank, state);
