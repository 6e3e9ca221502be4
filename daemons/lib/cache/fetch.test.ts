// Fetching: tasks that want the same blocks share a transfer, and each gets on.

import test from 'ava';
import { EIO, EUCLEAN, PosixError } from '../../../kernel/abi/errno.ts';
import { FRAMES } from '../../../kernel/abi/memlayout.ts';
import { GrantReader, GrantTable } from '../../../kernel/ipc/grant.ts';
import { type Task, WaitQueue, wakeOne } from '../../../kernel/ipc/task.ts';
import { MemoryDevice } from '../memory-device.ts';
import { BlockCache } from './block-cache.ts';
import { Fetcher } from './fetch.ts';
import { Scratch } from './scratch.ts';

const BLOCK = 1024;
const AREA = 3 << 20;

function rig() {
  const ram = new SharedArrayBuffer(FRAMES + AREA);
  const segments = [{ address: FRAMES, length: AREA }];
  const grant = new GrantTable(ram).grant({ owner: 2, delegate: -1, rights: 3, segments });
  const area = { address: FRAMES, length: AREA, grant };
  const volume = new Int32Array(4);
  const cache = new BlockCache({ ram, area, blockSize: BLOCK, volume, resume: false });
  const image = new Uint8Array(4000 * BLOCK).map((_, i) => (i / BLOCK) & 0xff);
  const latency = new WaitQueue('disk');
  const device = new MemoryDevice({ image, grants: new GrantReader(ram, 2), latency });
  const fetcher = new Fetcher(cache, device, new Scratch(ram, area, cache.shape));
  return { cache, device, fetcher, latency, image };
}

/** Steps the tasks in turn, letting one transfer happen between two rounds; how each ended. */
function drive(tasks: readonly Task<void>[], latency: WaitQueue): unknown[] {
  const ended: unknown[] = tasks.map(() => undefined);
  const ready = new Set(tasks.keys());
  for (let round = 0; round < 100 && ended.includes(undefined); round++) {
    for (const i of [...ready]) {
      ready.delete(i);
      try {
        const step = tasks[i]?.next();
        if (step?.done) ended[i] = 'done';
        else step?.value.waiting.push({ resume: () => void ready.add(i) });
      } catch (error) {
        ended[i] = error;
      }
    }
    wakeOne(latency);
  }
  return ended;
}

test('tasks that miss the same blocks share the transfer, and none sleeps for ever', (t) => {
  const { cache, device, fetcher, latency, image } = rig();
  const wanted = [[100], [100, 900], [900, 100, 101], [101, 2000, 2001, 2002], [2001]];
  const ended = drive(
    wanted.map((blocks) => fetcher.fetch(blocks)),
    latency,
  );
  t.deepEqual(ended, ['done', 'done', 'done', 'done', 'done']);
  for (const no of wanted.flat()) t.is(cache.find(no)?.bytes[7], image[no * BLOCK]);
  t.true(device.reads <= 5, `${device.reads} transfers`);
});

test('a lone block brings its neighbours along', (t) => {
  const { cache, device, fetcher, latency } = rig();
  t.deepEqual(drive([fetcher.fetch([402])], latency), ['done']);
  t.is(device.reads, 1);
  for (let no = 402; no < 408; no++) t.true(cache.has(no));
  t.false(cache.has(408));
});

test('a failing transfer is EIO, a block behind the end EUCLEAN, and both can be asked for again', (t) => {
  const { cache, device, fetcher, latency } = rig();
  device.broken = 'dust';
  const [failure] = drive([fetcher.fetch([10, 11])], latency);
  t.like(failure as PosixError, { errno: EIO });
  device.broken = undefined;
  t.deepEqual(drive([fetcher.fetch([10, 11])], latency), ['done']);
  t.true(cache.has(10) && cache.has(11));
  const [beyond] = drive([fetcher.fetch([4000])], latency);
  t.true(beyond instanceof PosixError);
  t.like(beyond as PosixError, { errno: EUCLEAN });
});

test('a block that a journal holds is read from there', (t) => {
  const { cache, fetcher, latency } = rig();
  fetcher.redirects.set(50, { block: 77, firstWord: 0xc03b3998 });
  t.deepEqual(drive([fetcher.fetch([49, 50, 51])], latency), ['done']);
  t.is(cache.find(49)?.bytes[7], 49);
  t.is(cache.find(50)?.bytes[7], 77);
  t.is(cache.find(50)?.view.getUint32(0), 0xc03b3998);
  t.is(cache.find(51)?.bytes[7], 51);
});

test('blocks come and go in a cache that is smaller than what is read', (t) => {
  const { cache, fetcher, latency, image } = rig();
  for (let no = 0; no < 4000; no += 3) {
    cache.run++;
    t.deepEqual(drive([fetcher.fetch([no])], latency), ['done']);
    t.is(cache.find(no)?.bytes[1], image[no * BLOCK]);
  }
});
