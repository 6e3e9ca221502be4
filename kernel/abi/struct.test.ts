// struct(): what the table says is what the bytes hold.

import test from 'ava';
import fc from 'fast-check';
import { EUCLEAN, PosixError } from './errno.ts';
import {
  be16,
  be32,
  be64,
  bytes,
  join64,
  le16,
  le32,
  le32s,
  le64,
  le64bits,
  overlay,
  struct,
  u8,
} from './struct.ts';

const All = struct('all', 64, {
  a_u8: u8(0),
  a_le16: le16(2),
  a_le32: le32(4),
  a_le32s: le32s(8),
  a_be16: be16(12),
  a_be32: be32(14),
  a_le64: le64(22),
  a_be64: be64(30),
  a_bits: le64bits(38),
  a_bytes: bytes(46, 10),
  a_low: overlay(le16(46)),
});

const fresh = (at = 0): InstanceType<typeof All> => new All(new DataView(new ArrayBuffer(200)), at);

test('every kind of field gives back what was assigned, and touches no byte outside itself', (t) => {
  const values = fc.record({
    a_u8: fc.nat(0xff),
    a_le16: fc.nat(0xffff),
    a_le32: fc.nat(0xffff_ffff),
    a_le32s: fc.integer(),
    a_be16: fc.nat(0xffff),
    a_be32: fc.nat(0xffff_ffff),
    a_le64: fc.maxSafeNat(),
    a_be64: fc.maxSafeNat(),
    a_bits: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
  });
  fc.assert(
    fc.property(values, fc.nat(100), (given, at) => {
      const s = fresh(at);
      Object.assign(s, given);
      for (const [key, value] of Object.entries(given)) {
        t.is(s[key as keyof typeof given], value as never);
      }
      const written = new Uint8Array(s.view.buffer);
      t.true(written.subarray(0, at).every((b) => b === 0));
      t.true(written.subarray(at + 46).every((b) => b === 0));
    }),
  );
});

test('bytes lie where the table says, in the order it says', (t) => {
  const s = fresh(8);
  s.a_le16 = 0x0102;
  s.a_be32 = 0x0102_0304;
  s.a_le64 = 0x1_0203_0405;
  const raw = [...new Uint8Array(s.view.buffer)];
  t.deepEqual(raw.slice(10, 12), [2, 1]);
  t.deepEqual(raw.slice(22, 26), [1, 2, 3, 4]);
  t.deepEqual(raw.slice(30, 38), [5, 4, 3, 2, 1, 0, 0, 0]);
});

test('a view within a larger buffer sees its own part alone', (t) => {
  const buffer = new ArrayBuffer(256);
  const s = new All(new DataView(buffer, 128), 16);
  s.a_bytes = Uint8Array.of(1, 2, 3);
  t.deepEqual([...new Uint8Array(buffer, 128 + 16 + 46, 4)], [1, 2, 3, 0]);
});

test('assigning bytes copies, cuts what is too long and clears what is left', (t) => {
  const s = fresh();
  s.a_bytes = new Uint8Array(20).fill(9);
  t.is(new Uint8Array(s.view.buffer)[56], 0);
  s.a_bytes = Uint8Array.of(1, 2);
  t.deepEqual([...s.a_bytes], [1, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
  t.is(s.a_low, 0x0201); // the union member
  s.a_bytes[0] = 7; // reading gives a view, not a copy
  t.is(s.a_low, 0x0207);
});

test('the class tells its size, its name and its offsets', (t) => {
  t.is(All.size, 64);
  t.is(All.structName, 'all');
  t.is(All.offsets.a_be64, 30);
});

test('a table that contradicts itself does not load', (t) => {
  t.throws(() => struct('x', 8, { a: le32(0), b: le32(2) }), { message: /x\.b overlaps/ });
  t.throws(() => struct('x', 8, { a: le32(4), b: le32(0) }), { message: /x\.b overlaps/ });
  t.throws(() => struct('x', 8, { a: le32(0), b: le64(4) }), { message: /beyond its size of 8/ });
  t.throws(() => struct('x', 4, { a: overlay(le32(2)) }), { message: /beyond its size/ });
  t.notThrows(() => struct('x', 8, { a: le32(0), b: overlay(le16(0)), c: le32(4) }));
});

const huge = test.macro({
  exec(t, high: number) {
    const s = fresh();
    s.view.setUint32(22 + 4, high, true);
    s.view.setUint32(30, high);
    for (const read of [() => s.a_le64, () => s.a_be64, () => join64(high, 0)]) {
      t.is(t.throws(read, { instanceOf: PosixError })?.errno, EUCLEAN);
    }
  },
  title: (_, high: number) => `a 64-bit field of 0x${high.toString(16)}00000000 is corruption`,
});
test(huge, 0x20_0000);
test(huge, 0x8000_0000);
test(huge, 0xffff_ffff);

test('the largest 64-bit number is 2^53 - 1', (t) => {
  t.is(join64(0x1f_ffff, 0xffff_ffff), Number.MAX_SAFE_INTEGER);
});
