// Errnos have Linux's numbers and words; faults and bugs are told apart.

import { constants } from 'node:os';
import test from 'ava';
import * as errnos from './errno.ts';
import { assert, EIO, ENOENT, errnoName, fail, PosixError, strerror, toErrno } from './errno.ts';

const table = Object.entries(errnos).filter((entry): entry is [string, errnos.Errno] =>
  /^E[A-Z0-9]+$/.test(entry[0]),
);

test('every number is the one that Linux has', (t) => {
  if (process.platform !== 'linux') {
    t.log('not on Linux: the host has other numbers');
    return t.pass();
  }
  const host = constants.errno as Readonly<Record<string, number>>;
  const known = table.filter(([name]) => name in host);
  for (const [name, errno] of known) t.is(errno, host[name] as errnos.Errno, name);
  t.true(known.length > 40, `only ${known.length} are known to the host`);
});

test('no number has two names, and each knows its own and its words', (t) => {
  t.is(new Set(table.map(([, errno]) => errno)).size, table.length);
  for (const [name, errno] of table) {
    t.is(errnoName(errno), name);
    t.regex(strerror(errno), /^[A-Z][A-Za-z/ -]+$/);
    t.is(toErrno(errno), errno);
  }
});

test('a number from outside that is none of ours is EIO', (t) => {
  for (const n of [0, -2, 26, 133, 4096, 1.5, Number.NaN, 0xffff_ffff]) t.is(toErrno(n), EIO);
});

test('a PosixError names its object and carries no stack', (t) => {
  const error = t.throws(() => fail(ENOENT, 'inode 12'), { instanceOf: PosixError });
  t.like(error, { errno: ENOENT, code: 'ENOENT', message: 'inode 12', name: 'PosixError' });
  t.notRegex(error?.stack ?? '', /\n\s+at /);
  t.is(new PosixError(ENOENT).message, 'No such file or directory');
  t.regex(new Error('after it').stack ?? '', /\n\s+at /);
});

test('assert is for bugs: no PosixError', (t) => {
  t.false(t.throws(() => assert(undefined)) instanceof PosixError);
  t.notThrows(() => assert('something'));
});
