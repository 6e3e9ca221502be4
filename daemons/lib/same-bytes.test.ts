// Bytes are compared wherever they lie.

import test from 'ava';
import { sameBytes } from './same-bytes.ts';

const same = test.macro({
  exec(t, at: readonly [number, number], length: number) {
    const content = Uint8Array.from({ length }, (_, i) => i + 1);
    const place = (from: number): Uint8Array => {
      const bytes = new Uint8Array(new ArrayBuffer(64), from, length);
      bytes.set(content);
      return bytes;
    };
    const [a, b] = [place(at[0]), place(at[1])];
    t.true(sameBytes(a, b));
    t.true(sameBytes(a, a));
    for (let i = 0; i < length; i++) {
      b[i] = 0;
      t.false(sameBytes(a, b), `byte ${i}`);
      b[i] = i + 1;
    }
    t.false(sameBytes(a, b.subarray(1)));
  },
  title: (_, at: readonly [number, number], length: number) =>
    `${length} bytes at ${at.join(' and ')} are the same only if each of them is`,
});

test(same, [0, 0], 16);
test(same, [0, 8], 16);
test(same, [0, 1], 16);
test(same, [3, 3], 7);
