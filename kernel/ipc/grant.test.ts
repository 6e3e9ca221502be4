// Grants: what they resolve to, and what they refuse.

import test from 'ava';
import { EACCES, EFAULT, ENOMEM, type Errno, PosixError } from '../abi/errno.ts';
import { FRAMES, GRANTS } from '../abi/memlayout.ts';
import {
  GRANT_READ,
  GRANT_SEGMENTS,
  GRANT_WRITE,
  GrantReader,
  type GrantRef,
  GrantTable,
  subgrant,
} from './grant.ts';
import { rig, SEAT_A, SEAT_B } from './testing/rig.ts';

const SCATTERED = [
  { address: FRAMES + 8192, length: 4096 },
  { address: FRAMES, length: 100 },
  { address: FRAMES + 20480, length: 4096 },
];

function granted(given: { rights?: number; delegate?: number } = {}) {
  const { ram } = rig();
  const table = new GrantTable(ram);
  const request = { owner: SEAT_A, delegate: -1, rights: GRANT_READ, segments: SCATTERED };
  const ref = table.grant({ ...request, ...given });
  return { ram, table, ref, owner: new GrantReader(ram, SEAT_A) };
}

function errnoOf(action: () => unknown): Errno | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof PosixError) return error.errno;
    throw error;
  }
  return undefined;
}

test('a grant resolves to its segments, in order', (t) => {
  const { owner, ref } = granted();
  t.is(ref.length, 8292);
  t.deepEqual(owner.resolve(ref, GRANT_READ), SCATTERED);
});

test('views are the memory itself', (t) => {
  const { ram, owner, ref } = granted({ rights: GRANT_READ | GRANT_WRITE });
  owner.views(ref, GRANT_WRITE).forEach((view, i) => {
    view.fill(i + 1);
  });
  const bytes = new Uint8Array(ram);
  t.is(bytes[FRAMES + 8192 + 4095], 1);
  t.is(bytes[FRAMES + 99], 2);
  t.is(bytes[FRAMES + 100], 0);
  t.is(bytes[FRAMES + 20480], 3);
});

/** Offset, length, and the segments they make: offset behind FRAMES, length. */
type Clip = readonly [number, number, readonly (readonly [number, number])[]];

const clips = test.macro({
  exec(t, [offset, length, expected]: Clip) {
    const { owner, ref } = granted();
    const segments = owner.resolve(subgrant(ref, offset, length), GRANT_READ);
    t.deepEqual(
      segments.map((s) => [s.address - FRAMES, s.length] as const),
      [...expected],
    );
  },
  title: (_, [offset, length]: Clip) => `${length} bytes at ${offset} of a scattered grant`,
});
test(clips, [0, 4096, [[8192, 4096]]]);
test(clips, [
  4095,
  2,
  [
    [12287, 1],
    [0, 1],
  ],
]);
test(clips, [4096, 100, [[0, 100]]]);
test(clips, [
  4000,
  300,
  [
    [12192, 96],
    [0, 100],
    [20480, 104],
  ],
]);
test(clips, [8291, 1, [[24575, 1]]]);
test(clips, [8292, 0, []]);

test('a part of a part counts from the part', (t) => {
  const { ref } = granted();
  t.like(subgrant(subgrant(ref, 100, 50), 10, 5), { offset: 110, length: 5 });
});

test('beyond the end is EFAULT, also where offset and length overflow 32 bits', (t) => {
  const { owner, ref } = granted();
  for (const [offset, length] of [
    [8292, 1],
    [0, 8293],
    [0xffff_ffff, 0xffff_ffff],
    [0xffff_ffff, 1],
  ] as const) {
    t.is(
      errnoOf(() => owner.resolve(subgrant(ref, offset, length), GRANT_READ)),
      EFAULT,
    );
  }
});

test('an index outside the table is EFAULT', (t) => {
  const { owner, ref } = granted();
  for (const index of [-1, GRANTS, 0x7fff_ffff]) {
    t.is(
      errnoOf(() => owner.resolve({ ...ref, index }, GRANT_READ)),
      EFAULT,
    );
  }
});

test('a right that was not granted is EACCES', (t) => {
  const { owner, ref } = granted({ rights: GRANT_READ });
  t.is(
    errnoOf(() => owner.resolve(ref, GRANT_READ)),
    undefined,
  );
  t.is(
    errnoOf(() => owner.resolve(ref, GRANT_WRITE)),
    EACCES,
  );
  t.is(
    errnoOf(() => owner.resolve(ref, GRANT_READ | GRANT_WRITE)),
    EACCES,
  );
});

test('the delegate may use it, no other seat', (t) => {
  const { ram, ref } = granted({ delegate: SEAT_B });
  t.is(
    errnoOf(() => new GrantReader(ram, SEAT_B).resolve(ref, GRANT_READ)),
    undefined,
  );
  t.is(
    errnoOf(() => new GrantReader(ram, 9).resolve(ref, GRANT_READ)),
    EACCES,
  );
});

test('a revoked grant resolves for nobody, and its entry serves another one', (t) => {
  const { table, owner, ref } = granted();
  table.revoke(ref);
  t.is(
    errnoOf(() => owner.resolve(ref, GRANT_READ)),
    EACCES,
  );
  const next = table.grant({ owner: SEAT_A, delegate: -1, rights: 1, segments: SCATTERED });
  t.is(next.index, ref.index);
  t.not(next.generation, ref.generation);
  t.is(
    errnoOf(() => owner.resolve(ref, GRANT_READ)),
    EACCES,
  );
  t.is(
    errnoOf(() => owner.resolve(next, GRANT_READ)),
    undefined,
  );
});

test('revoking twice, or what was never granted, frees nothing', (t) => {
  const { table, ref } = granted();
  table.revoke(ref);
  table.revoke(ref);
  table.revoke({ index: ref.index, generation: 0, offset: 0, length: 0 });
  t.is(table.inUse, 0);
  const request = { owner: SEAT_A, delegate: -1, rights: 1, segments: SCATTERED };
  t.not(table.grant(request).index, table.grant(request).index);
});

test('a full table is ENOMEM until one is revoked; too many segments are EFAULT', (t) => {
  const table = new GrantTable(rig().ram);
  const request = { owner: SEAT_A, delegate: -1, rights: 1, segments: SCATTERED };
  const refs: GrantRef[] = [];
  for (let i = 0; i < GRANTS; i++) refs.push(table.grant(request));
  t.is(table.inUse, GRANTS);
  t.is(
    errnoOf(() => table.grant(request)),
    ENOMEM,
  );
  const [first] = refs;
  if (first) table.revoke(first);
  const segments = Array.from({ length: GRANT_SEGMENTS + 1 }, () => ({ address: 0, length: 1 }));
  t.is(
    errnoOf(() => table.grant({ ...request, segments })),
    EFAULT,
  );
  t.is(table.grant({ ...request, segments: segments.slice(1) }).length, GRANT_SEGMENTS);
});
