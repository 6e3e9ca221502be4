// Claims about the codec: every message survives the way there and back, and no bytes of a stranger
// do more than make an errno.

import test from 'ava';
import fc from 'fast-check';
import { EOVERFLOW, EPROTO } from '../abi/errno.ts';
import {
  decodeDirEntries,
  decodeMessage,
  encodeMessage,
  isRequest,
  messageBytes,
  putDirEntry,
} from './codec.ts';
import { Cursor } from './cursor.ts';
import { anyDirEntry, anyMessage, anyMessageNamed, anyTag, messageNames } from './messages.fuzz.ts';
import type { Message } from './types.ts';

const seed = Number(process.env['NINEP_SEED'] ?? Date.now() % 0x7fff_ffff);

const roundTrips = test.macro({
  exec(t, name: Message['name']) {
    t.log(`NINEP_SEED=${seed}`);
    fc.assert(
      fc.property(anyTag, anyMessageNamed(name), (tag, message) => {
        t.deepEqual(decodeMessage(messageBytes(tag, message)), { tag, message });
      }),
      { seed, numRuns: 200 },
    );
    t.pass();
  },
  title: (_, name: Message['name']) => `${name} decodes to what was encoded`,
});
for (const name of messageNames) test(roundTrips, name);

test('messages lie in shared memory as well as anywhere', (t) => {
  t.log(`NINEP_SEED=${seed}`);
  const slot = new Uint8Array(new SharedArrayBuffer(16384), 100, 8192);
  fc.assert(
    fc.property(anyTag, anyMessage, (tag, message) => {
      const size = encodeMessage(new Cursor(slot), tag, message);
      t.deepEqual(decodeMessage(slot.subarray(0, size)), { tag, message });
    }),
    { seed, numRuns: 1000 },
  );
  t.pass();
});

const granted = test.macro({
  exec(t, message: Message) {
    const bytes = messageBytes(5, message, { granted: true });
    t.deepEqual(decodeMessage(bytes, { granted: true }), { tag: 5, message });
    t.is(decodeMessage(bytes), EPROTO); // inline, the data is missing
  },
  title: (_, message: Message) => `a granted ${message.name} has a count and no data`,
});
const none = new Uint8Array(0);
test(granted, { name: 'Rread', count: 4096, data: none });
test(granted, { name: 'Rreaddir', count: 4096, data: none });
test(granted, { name: 'Twrite', fid: 1, offset: 2 ** 40, count: 1 << 20, data: none });

test('100,000 mutated messages decode to a message or an errno', (t) => {
  t.log(`NINEP_SEED=${seed}`);
  const random = generator(seed);
  const samples = fc
    .sample(fc.tuple(anyTag, anyMessage), { seed, numRuns: 2000 })
    .map(([tag, message]) => messageBytes(tag, message));
  let messages = 0;
  for (let i = 0; i < 100_000; i++) {
    const bytes = mutate(samples[random(samples.length)] ?? none, random);
    const decoded = decodeMessage(bytes, { granted: random(8) === 0 });
    if (typeof decoded === 'number') t.is(decoded, EPROTO);
    else {
      messages++;
      t.true(
        messageBytes(decoded.tag, { ...decoded.message }, options(decoded.message)).length > 0,
      );
    }
    decodeDirEntries(bytes);
  }
  t.log(`${messages} of them were messages`);
  t.true(messages > 1000);
});

/** What came in as granted goes out as granted. */
const options = (message: Message): { granted: boolean; msize: number } => ({
  granted: 'data' in message && message.data.length !== message.count,
  msize: 1 << 17,
});

function generator(from: number): (below: number) => number {
  let state = from >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
}

/** Flips, cuts, extends, or sets a few bytes to extremes; mends the size in half of the cases. */
function mutate(original: Uint8Array, random: (below: number) => number): Uint8Array {
  let bytes = original.slice();
  for (let n = random(4); n >= 0; n--) {
    const at = random(Math.max(bytes.length, 1));
    const kind = random(5);
    if (kind === 0) bytes = bytes.slice(0, at);
    else if (kind === 1) bytes = new Uint8Array([...bytes, ...original.subarray(0, random(20))]);
    else if (kind === 2) bytes[at] = 0xff;
    else if (kind === 3) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    else bytes.fill(random(2) * 0xff, at, at + 1 + random(8));
  }
  if (random(2) === 0 && bytes.length >= 4) {
    new DataView(bytes.buffer).setUint32(0, bytes.length, true);
  }
  return bytes;
}

test('directory entries decode to what was put, and one that does not fit is left out', (t) => {
  t.log(`NINEP_SEED=${seed}`);
  fc.assert(
    fc.property(fc.array(anyDirEntry), fc.nat(2000), (entries, room) => {
      const cursor = new Cursor(new Uint8Array(room));
      let taken = 0;
      while (taken < entries.length && putDirEntry(cursor, entries[taken] ?? t.fail())) taken++;
      t.deepEqual(decodeDirEntries(cursor.bytes.subarray(0, cursor.at)), entries.slice(0, taken));
    }),
    { seed },
  );
  t.pass();
});

test('a message that does not fit is EOVERFLOW and leaves the cursor where it was', (t) => {
  const cursor = new Cursor(new Uint8Array(30));
  cursor.putU32(7);
  const long = { name: 'Rreadlink', target: 'x'.repeat(40) } as const;
  t.like(
    t.throws(() => encodeMessage(cursor, 1, long)),
    { errno: EOVERFLOW },
  );
  t.is(cursor.at, 4);
  t.is(encodeMessage(cursor, 1, { name: 'Tclunk', fid: 3 }), 11);
});

test('a name of 65,536 bytes fits no message', (t) => {
  const message = { name: 'Rreadlink', target: 'x'.repeat(65536) } as const;
  t.like(
    t.throws(() => messageBytes(1, message, { msize: 1 << 20 })),
    { errno: EOVERFLOW },
  );
});

test('requests have even numbers', (t) => {
  t.true(isRequest({ name: 'Tclunk', fid: 1 }));
  t.false(isRequest({ name: 'Rclunk' }));
});
