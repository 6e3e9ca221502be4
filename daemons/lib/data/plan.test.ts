// How transfers are divided: against a byte-for-byte model, for any mixture of extents and segments.

import test from 'ava';
import fc from 'fast-check';
import type { GrantRef } from '../../../kernel/ipc/grant.ts';
import type { Extent } from '../volume.ts';
import { Memory } from './memory.ts';
import { planTransfer } from './plan.ts';

const BLOCK = 1024;

/** Extents in order, without gaps from block 0, some of them holes. */
const extentsOf = (parts: readonly { blocks: number; hole: boolean; jump: number }[]): Extent[] => {
  const out: Extent[] = [];
  let offset = 0;
  let disk = 10;
  for (const { blocks, hole, jump } of parts) {
    const length = blocks * BLOCK;
    out.push({ offset, length, block: hole ? undefined : disk + jump });
    offset += length;
    if (!hole) disk += jump + blocks;
  }
  return out;
};

/** Where byte `at` of the file lies on the device; undefined in a hole. */
function diskAt(extents: readonly Extent[], at: number): number | undefined {
  const extent = extents.find((e) => at >= e.offset && at < e.offset + e.length);
  return extent?.block === undefined ? undefined : extent.block * BLOCK + (at - extent.offset);
}

const transfers = fc.record({
  parts: fc.array(
    fc.record({
      blocks: fc.integer({ min: 1, max: 5 }),
      hole: fc.boolean(),
      jump: fc.constantFrom(0, 0, 3),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  from: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.double({ min: 0, max: 1, noNaN: true }),
  align: fc.constantFrom(1, 512, BLOCK),
  granule: fc.constantFrom(512, BLOCK),
  inline: fc.boolean(),
  overrun: fc.boolean(),
});

test('each byte is transferred once, to its place, and the device is asked for whole granules', (t) => {
  fc.assert(
    fc.property(transfers, ({ parts, from, length, align, granule, inline, overrun }) => {
      const extents = extentsOf(parts);
      const size = extents.reduce((sum, e) => sum + e.length, 0);
      const start = Math.floor((from * size) / align) * align;
      const end = Math.min(size, start + Math.max(1, Math.floor(length * (size - start))));
      const bytes = new Uint8Array(Math.ceil((end - start) / 512) * 512 + 512);
      const ref: GrantRef = { index: 0, generation: 1, offset: 100, length: bytes.length };
      const memory = inline ? Memory.inline(bytes) : new Memory([bytes], ref);
      const request = { extents, blockSize: BLOCK, from: start, to: end, memory, granule, overrun };
      const plan = planTransfer(request);
      const seen: (number | undefined)[] = new Array(end - start).fill(-1);
      for (const { at, length: count } of plan.zeroes) seen.fill(undefined, at, at + count);
      for (const piece of plan.pieces) {
        if (piece.offset % granule !== 0 || piece.ref.length % granule !== 0) return false;
        for (let i = 0; i < piece.ref.length; i++) {
          const at = piece.ref.offset - 100 + i;
          if (at < end - start) seen[at] = piece.offset + i;
          else if (!overrun) return false;
        }
      }
      for (const odd of plan.odd) {
        if (odd.disk % BLOCK !== 0 || odd.to > BLOCK) return false;
        for (let i = odd.from; i < odd.to; i++) seen[odd.memoryAt + i - odd.from] = odd.disk + i;
      }
      return seen.every((disk, i) => disk === diskAt(extents, start + i));
    }),
    { numRuns: 3000 },
  );
  t.pass();
});

test('what lies together on the disk and in memory is one piece', (t) => {
  const bytes = new Uint8Array(8 * BLOCK);
  const memory = new Memory([bytes], { index: 0, generation: 1, offset: 0, length: bytes.length });
  const extents = [
    { offset: 0, length: 2 * BLOCK, block: 50 },
    { offset: 2 * BLOCK, length: 3 * BLOCK, block: 52 },
    { offset: 5 * BLOCK, length: 3 * BLOCK, block: 70 },
  ];
  const request = { extents, blockSize: BLOCK, from: 0, to: 8 * BLOCK, memory };
  const { pieces, odd } = planTransfer({ ...request, granule: 512, overrun: false });
  t.deepEqual(
    pieces.map(({ offset, ref }) => [offset, ref.offset, ref.length]),
    [
      [50 * BLOCK, 0, 5 * BLOCK],
      [70 * BLOCK, 5 * BLOCK, 3 * BLOCK],
    ],
  );
  t.deepEqual(odd, []);
});
