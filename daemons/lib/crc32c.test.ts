// The check values of RFC 3720 §B.4, and memory shared between threads.

import test from 'ava';
import { crc32c } from './crc32c.ts';

const whole = (data: Uint8Array): number => ~crc32c(0xffff_ffff, data) >>> 0;

test('the check values of RFC 3720', (t) => {
  t.is(whole(new TextEncoder().encode('123456789')), 0xe306_9283);
  t.is(whole(new Uint8Array(32)), 0x8a91_36aa);
  t.is(whole(new Uint8Array(32).fill(0xff)), 0x62a8_ab43);
  t.is(whole(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd_794e);
});

test('a checksum goes on where another ended, over shared memory too', (t) => {
  const shared = new Uint8Array(new SharedArrayBuffer(4096 + 64), 64).map((_, i) => i * 7);
  const view = new Uint8Array(new SharedArrayBuffer(8192), 100, 4096);
  view.set(shared);
  const split = crc32c(crc32c(0xffff_ffff, view.subarray(0, 1001)), view.subarray(1001));
  t.is(split, crc32c(0xffff_ffff, view));
  t.is(split, crc32c(0xffff_ffff, view.slice()));
  t.is(crc32c(5, new Uint8Array(0)), 5);
});
