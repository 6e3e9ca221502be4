// System calls, and the link between the kernel and the board: what is put is what is got.
import test from 'ava';
import fc from 'fast-check';
import { getLink, LINK_BYTES, type LinkMessage, putLink } from './board-link.ts';
import type { Dirent, Stat, StatFs } from './stat.ts';
import {
  getDirents,
  getStat,
  getStatFs,
  joinStrings,
  putDirent,
  putStat,
  putStatFs,
  STAT_SIZE,
  STATFS_SIZE,
  SYS,
} from './syscall.ts';
import { decodeText, encodeText } from './text.ts';

const n = fc.maxSafeNat();
const time = fc.record({ sec: fc.maxSafeInteger(), nsec: fc.nat(999_999_999) });

test('a stat round-trips, times before 1970 and sizes up to 2^53 included', (t) => {
  const stat: fc.Arbitrary<Stat> = fc.record({
    ...{ dev: n, ino: n, mode: n, nlink: n, uid: n, gid: n, rdev: n, size: n, blksize: n },
    ...{ blocks: n, atime: time, mtime: time, ctime: time },
  });
  fc.assert(
    fc.property(stat, (given) => {
      const view = new DataView(new ArrayBuffer(STAT_SIZE));
      t.is(putStat(view, given), STAT_SIZE);
      t.deepEqual(getStat(view), { ...given });
    }),
  );
});

test('a statfs round-trips', (t) => {
  const statfs: fc.Arbitrary<StatFs> = fc.record({
    ...{ type: n, bsize: n, blocks: n, bfree: n, bavail: n, files: n, ffree: n, fsid: n },
    namelen: n,
  });
  fc.assert(
    fc.property(statfs, (given) => {
      const view = new DataView(new ArrayBuffer(STATFS_SIZE));
      t.is(putStatFs(view, given), STATFS_SIZE);
      t.deepEqual(getStatFs(view), { ...given });
    }),
  );
});

test('directory entries fill a buffer until it is too short, and come back', (t) => {
  const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 });
  const entries: fc.Arbitrary<Dirent[]> = fc.array(fc.record({ ino: n, type: fc.nat(14), name }), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(entries, fc.nat(1500), (given, room) => {
      const buffer = new Uint8Array(room);
      let at = 0;
      const fitted: Dirent[] = [];
      for (const entry of given) {
        const size = putDirent(buffer.subarray(at), entry);
        if (size === 0) break;
        at += size;
        fitted.push({ ...entry });
      }
      t.deepEqual(getDirents(buffer.subarray(0, at)), fitted);
      const next = given[fitted.length];
      if (next) t.true(11 + encodeText(next.name).length > room - at);
    }),
  );
});

test('any bytes read as directory entries end', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      t.true(getDirents(bytes).length <= bytes.length / 11);
    }),
  );
});

test('strings travel together, empty ones and bytes that are no UTF-8 too', (t) => {
  const part = fc.string({ unit: 'binary', maxLength: 20 }).map((s) => s.replaceAll('\0', ''));
  fc.assert(
    fc.property(fc.array(part, { minLength: 1 }), (parts) => {
      t.deepEqual(decodeText(joinStrings(...parts)).split('\0'), parts);
    }),
  );
  t.deepEqual(decodeText(joinStrings('a\udcff', '', 'b')).split('\0'), ['a\udcff', '', 'b']);
});

test('no two system calls share a number', (t) => {
  t.is(new Set(Object.values(SYS)).size, Object.keys(SYS).length);
});

const seat = fc.nat(255);
const text = fc.string({ unit: 'binary', maxLength: 200 });
const chunk = fc.uint8Array({ maxLength: 300 });
const messages: fc.Arbitrary<LinkMessage> = fc.oneof(
  fc.record({
    type: fc.constant('powerOn' as const),
    seat,
    role: fc.constantFrom(
      'kernel' as const,
      'driver' as const,
      'volume' as const,
      'process' as const,
    ),
  }),
  fc.record({ type: fc.constant('powerOff' as const), seat }),
  fc.record({ type: fc.constant('console' as const), bytes: chunk }),
  fc.record({ type: fc.constant('log' as const), text }),
  fc.record({ type: fc.constant('booted' as const) }),
  fc.record({ type: fc.constant('halted' as const), text, status: seat }),
  fc.record({ type: fc.constant('seatGone' as const), seat, text }),
  fc.record({ type: fc.constant('winsize' as const), columns: fc.nat(999), rows: fc.nat(999) }),
);

test('every message between board and kernel round-trips', (t) => {
  fc.assert(
    fc.property(messages, (given) => {
      const payload = new Uint8Array(8192 - 32);
      const length = putLink(payload, given);
      t.deepEqual(getLink(payload.subarray(0, length)), { ...given });
    }),
    { numRuns: 1000 },
  );
});

test('a piece longer than a message is cut, not refused', (t) => {
  const payload = new Uint8Array(8192 - 32);
  const length = putLink(payload, { type: 'console', bytes: new Uint8Array(9000).fill(65) });
  const message = getLink(payload.subarray(0, length));
  t.is(message?.type === 'console' && message.bytes.length, LINK_BYTES);
});

test('any bytes are a message or none, never an exception', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      t.notThrows(() => getLink(bytes));
    }),
    { numRuns: 1000 },
  );
});
