// The yardstick of the ring: 4 KiB messages by postMessage between this thread and a worker.

import { Worker } from 'node:worker_threads';

/** Echoes messages that say so, and tells when the last one is there. */
const PEER = `
const { parentPort } = require('node:worker_threads');
parentPort.on('message', ({ echo }) => { if (echo) parentPort.postMessage(0); });
`;

/** Microseconds of a message in a stream, and of one that is answered before the next. */
export async function postMessages(
  count: number,
): Promise<{ streamUs: number; roundTripUs: number }> {
  const worker = new Worker(PEER, { eval: true });
  await new Promise((resolve) => worker.once('online', resolve));
  const answered = (): Promise<unknown> =>
    new Promise((resolve) => worker.once('message', resolve));
  const bytes = new Uint8Array(4096);
  const measure = async (body: () => Promise<void>): Promise<number> => {
    const from = performance.now();
    await body();
    return ((performance.now() - from) * 1000) / count;
  };
  try {
    const streamUs = await measure(async () => {
      for (let i = 1; i < count; i++) worker.postMessage({ bytes });
      const done = answered();
      worker.postMessage({ bytes, echo: true });
      await done;
    });
    const roundTripUs = await measure(async () => {
      for (let i = 0; i < count; i++) {
        const done = answered();
        worker.postMessage({ echo: true });
        await done;
      }
    });
    return { streamUs, roundTripUs };
  } finally {
    await worker.terminate();
  }
}
