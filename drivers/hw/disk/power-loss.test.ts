// Power loss: what each choice leaves of a cache's writes on the medium.

import test from 'ava';
import { integersFrom } from '../../../kernel/ipc/random.ts';
import { testSeed } from '../../../kernel/ipc/testing/seed.ts';
import { memoryDisk } from '../test-rig.ts';
import { losePower } from './power-loss.ts';
import { WriteCache } from './write-cache.ts';
import { writeLogMemory } from './write-log.ts';

/** A cache with writes 1, 2, 3 … of two sectors each, none of them flushed. */
function loaded(count: number) {
  const medium = memoryDisk(100);
  const memory = writeLogMemory();
  const cache = new WriteCache(medium, memory);
  for (let i = 0; i < count; i++) cache.writev(i * 1024, [new Uint8Array(1024).fill(i + 1)]);
  const sectors = () => Array.from({ length: count * 2 }, (_, i) => medium.bytes[i * 512] ?? -1);
  return { medium, memory, cache, sectors };
}

test('none and all: nothing, or every write in its order', (t) => {
  const lost = loaded(3);
  losePower(lost.medium, lost.memory, { keep: 'none', below: () => 0 });
  t.deepEqual(lost.sectors(), [0, 0, 0, 0, 0, 0]);
  const kept = loaded(3);
  kept.cache.writev(0, [new Uint8Array(512).fill(9)]);
  losePower(kept.medium, kept.memory, { keep: 'all', below: () => 0 });
  t.deepEqual(kept.sectors(), [9, 1, 2, 2, 3, 3]);
  t.is(new WriteCache(kept.medium, kept.memory).pending.length, 0);
});

test('prefix, torn and subset keep whole sectors, the first two in the order of the writes', (t) => {
  const below = integersFrom(testSeed());
  for (let i = 0; i < 200; i++) {
    const prefix = loaded(4);
    losePower(prefix.medium, prefix.memory, { keep: 'prefix', below });
    t.regex(prefix.sectors().join(''), /^(11(22(33(44)?)?)?)?0*$/);
    const torn = loaded(4);
    losePower(torn.medium, torn.memory, { keep: 'torn', below });
    t.regex(torn.sectors().join(''), /^1{0,2}(?<=^11|^1|^)(2{0,2}3{0,2}4{0,2})0*$/);
    const subset = loaded(4);
    losePower(subset.medium, subset.memory, { keep: 'subset', below });
    t.regex(subset.sectors().join(''), /^(11|00)(22|00)(33|00)(44|00)$/);
  }
});

test('what was written through the cache later is not put back by an older write', (t) => {
  const it = loaded(2);
  it.cache.writeThrough(512, [new Uint8Array(1024).fill(8)]);
  losePower(it.medium, it.memory, { keep: 'all', below: () => 0 });
  t.deepEqual(it.sectors(), [1, 8, 8, 2]);
});
