// Claims about dividing the host's window.

import test from 'ava';
import fc from 'fast-check';
import { type WindowPart, WindowParts } from './window.ts';

const seed = Number(process.env['WINDOW_SEED'] ?? Date.now() % 0x7fff_ffff);
const SIZE = 64 * 4096;

test('parts never overlap, lie in the window, and all room comes back', (t) => {
  t.log(`WINDOW_SEED=${seed}`);
  const step = fc.record({ bytes: fc.nat(80_000), waits: fc.boolean(), give: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const parts = new WindowParts(SIZE);
      const held: WindowPart[] = [];
      for (const { bytes, waits, give } of steps) {
        const part = parts.take(bytes, waits);
        if (part === undefined) held.splice(give, 1).forEach((one) => void parts.give(one));
        else if (part.size > 0) {
          if (part.size < bytes || part.at + part.size > SIZE) return false;
          const apart = (one: WindowPart): boolean =>
            one.at + one.size <= part.at || part.at + part.size <= one.at;
          if (!held.every(apart)) return false;
          held.push(part);
        }
      }
      for (const part of held) parts.give(part);
      return parts.crowded === 0 && parts.take(SIZE, false)?.at === 0;
    }),
    { seed },
  );
  t.pass();
});

test('calls that wait leave a quarter to the others', (t) => {
  const parts = new WindowParts(SIZE);
  while (parts.take(8192, true) !== undefined);
  t.is(parts.crowded, 1);
  t.truthy(parts.take(SIZE / 4, false));
  t.is(parts.take(4096, false), undefined);
});

test('no room is no part, but nothing always fits', (t) => {
  const parts = new WindowParts(SIZE);
  t.truthy(parts.take(SIZE, false));
  t.is(parts.take(1, false), undefined);
  t.truthy(parts.take(0, true));
});
