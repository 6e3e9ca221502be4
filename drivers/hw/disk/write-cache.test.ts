// The volatile write cache of a drive.

import test from 'ava';
import { integersFrom } from '../../../kernel/ipc/random.ts';
import { testSeed } from '../../../kernel/ipc/testing/seed.ts';
import { memoryDisk } from '../test-rig.ts';
import { WriteCache } from './write-cache.ts';
import { writeLogMemory } from './write-log.ts';

const filled = (length: number, value: number) => new Uint8Array(length).fill(value);

function read(cache: WriteCache, offset: number, length: number): Uint8Array {
  const into = filled(length, 0xcc);
  cache.readv(offset, [into]);
  return into;
}

test('power loss takes what was not flushed, and nothing else', (t) => {
  const medium = memoryDisk(64);
  const cache = new WriteCache(medium, writeLogMemory(8192));
  cache.writev(0, [filled(1024, 1)]);
  cache.flush();
  cache.writev(512, [filled(512, 2)]);
  t.deepEqual(read(cache, 0, 1024), Uint8Array.from([...filled(512, 1), ...filled(512, 2)]));
  cache.drop();
  t.deepEqual(medium.bytes.slice(0, 1024), filled(1024, 1));
  t.deepEqual(read(cache, 512, 512), filled(512, 1));
});

test('a flush writes neighbours together, newest data only, in order of place', (t) => {
  const medium = memoryDisk(64);
  const cache = new WriteCache(medium, writeLogMemory(16_384));
  cache.writev(4096, [filled(512, 1)]);
  cache.writev(512, [filled(512, 2)]);
  cache.writev(4608, [filled(512, 3)]);
  cache.writev(4096, [filled(512, 4)]);
  cache.flush();
  t.deepEqual(medium.calls, ['write 512+512', 'write 4096+1024', 'flush']);
  t.is(medium.bytes[4096], 4);
});

test('what waits is seen write by write, in order', (t) => {
  const cache = new WriteCache(memoryDisk(64), writeLogMemory(16_384));
  cache.writev(512, [filled(512, 1)]);
  cache.writev(0, [filled(300, 2), filled(212, 3)]);
  t.deepEqual(
    cache.pending.map(({ sequence, offset, data }) => [sequence, offset, data.length, data[511]]),
    [
      [0, 512, 512, 1],
      [1, 0, 512, 3],
    ],
  );
});

test('when the cache is full the oldest goes out first', (t) => {
  const medium = memoryDisk(64);
  const cache = new WriteCache(medium, writeLogMemory(8192));
  for (let i = 0; i < 16; i++) cache.writev(i * 1024, [filled(512, i + 1)]);
  t.deepEqual(medium.calls, []);
  cache.writev(30 * 512, [filled(512, 99)]);
  t.deepEqual(medium.calls, ['write 0+512', 'write 1024+512']);
  t.is(cache.pending[0]?.sequence, 2);
});

test('a write larger than the cache goes through it', (t) => {
  const medium = memoryDisk(256);
  const cache = new WriteCache(medium, writeLogMemory(8192));
  cache.writev(512, [filled(100_000, 7), filled(352, 7)]);
  t.true(read(cache, 512, 100_352).every((byte) => byte === 7));
  cache.flush();
  t.true(medium.bytes.subarray(512, 512 + 100_352).every((byte) => byte === 7));
});

test('trim takes cached data with it', (t) => {
  const medium = memoryDisk(64);
  const cache = new WriteCache(medium, writeLogMemory(8192));
  cache.writev(0, [filled(2048, 5)]);
  cache.trim(512, 1024);
  const expected = Uint8Array.from([...filled(512, 5), ...filled(1024, 0), ...filled(512, 5)]);
  t.deepEqual(read(cache, 0, 2048), expected);
  cache.flush();
  t.deepEqual(medium.bytes.slice(0, 2048), expected);
});

test('a flush that fails keeps the data for the next one', (t) => {
  const medium = memoryDisk(64);
  const cache = new WriteCache(medium, writeLogMemory(8192));
  cache.writev(1024, [filled(512, 6)]);
  medium.bad.add(1024);
  t.throws(() => cache.flush());
  medium.bad.clear();
  cache.flush();
  t.is(medium.bytes[1024], 6);
});

test('random writes, reads, trims, flushes and power cuts agree with a model', (t) => {
  const seed = testSeed();
  t.log(`ATOLL_SEED=${seed}`);
  const random = integersFrom(seed);
  const size = 512 * 512;
  const medium = memoryDisk(512);
  const cache = new WriteCache(medium, writeLogMemory(32_768));
  const now = new Uint8Array(size); // what reads must see
  const durable = new Uint8Array(size); // as of the last flush
  const written = new Uint8Array(size); // bytes changed since then: either version may survive
  for (let i = 0; i < 5000; i++) {
    const length = 512 * (1 + random(random(8) === 0 ? 100 : 8));
    const offset = 512 * random((size - length) / 512);
    const kind = random(100);
    if (kind < 60) {
      const data = filled(length, random(256));
      cache.writev(offset, [data.subarray(0, 200), data.subarray(200)]);
      now.set(data, offset);
      written.fill(1, offset, offset + length);
    } else if (kind < 64) {
      cache.trim(offset, length);
      now.fill(0, offset, offset + length);
      written.fill(1, offset, offset + length);
    } else if (kind < 66) {
      cache.flush();
      t.is(Buffer.compare(medium.bytes, now), 0);
      durable.set(now);
      written.fill(0);
    } else if (kind < 67) {
      cache.drop();
      for (let at = 0; at < size; at++)
        if (written[at] === 0 && medium.bytes[at] !== durable[at]) t.fail(`byte ${at} was lost`);
      now.set(medium.bytes);
      durable.set(medium.bytes);
      written.fill(0);
    } else
      t.is(Buffer.compare(read(cache, offset, length), now.subarray(offset, offset + length)), 0);
  }
});
