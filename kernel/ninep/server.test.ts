// Claims about the server side: the protocol's rules, over a file system in memory.

import test from 'ava';
import {
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
} from '../abi/constants.ts';
import * as E from '../abi/errno.ts';
import { decodeText, encodeText } from '../abi/text.ts';
import type { MemFs } from '../fs/memfs.ts';
import { epoch, memFs, session } from '../fs/test-session.ts';
import { decodeDirEntries } from './codec.ts';
import { P9_SETATTR_SIZE, type TMessage } from './types.ts';

test('Tversion agrees on 9P2000.L and the smaller msize, and on nothing else', (t) => {
  const s = session(memFs(), { msize: 8192 });
  t.deepEqual(s.ask({ name: 'Tversion', msize: 1 << 20, version: '9P2000.L' }), {
    name: 'Rversion',
    msize: 8192,
    version: '9P2000.L',
  });
  t.deepEqual(s.ask({ name: 'Tversion', msize: 4096, version: '9P2000.u' }), {
    name: 'Rversion',
    msize: 4096,
    version: 'unknown',
  });
  s.refused(t, { name: 'Tclunk', fid: 0 }, E.EBADF); // the old session's fids are gone
});

test('Tauth is not supported, Tflush always answered', (t) => {
  const s = session(memFs());
  s.refused(t, { name: 'Tauth', afid: 1, uname: '', aname: '', nUname: 0 }, E.EOPNOTSUPP);
  s.ok(t, { name: 'Tflush', oldtag: 9 });
});

test('a walk of no names clones, of sixteen arrives', (t) => {
  const s = session(memFs());
  s.walk(t, 1);
  const names = Array.from({ length: 16 }, (_, i) => `d${i}`);
  for (const name of names) {
    s.mkdir(t, name, 1);
    s.ok(t, { name: 'Twalk', fid: 1, newfid: 1, wname: [name] });
  }
  s.walk(t, 2, ...names);
  t.deepEqual(s.server.fids().lookup(2)?.qid, s.server.fids().lookup(1)?.qid);
  s.ok(t, { name: 'Twalk', fid: 2, newfid: 3, wname: ['..', 'd15', '.'] });
  t.is(s.server.fids().lookup(3)?.qid.path, s.server.fids().lookup(1)?.qid.path);
});

test('a walk that fails at its first name is an error, later a short Rwalk without a fid', (t) => {
  const s = session(memFs());
  s.mkdir(t, 'd');
  s.make(t, 1, 'f');
  s.refused(t, { name: 'Twalk', fid: 0, newfid: 2, wname: ['x', 'y'] }, E.ENOENT);
  s.refused(t, { name: 'Twalk', fid: 0, newfid: 2, wname: ['a/b'] }, E.EINVAL);
  s.refused(t, { name: 'Twalk', fid: 1, newfid: 2, wname: ['x'] }, E.ENOTDIR);
  t.is(s.ok(t, { name: 'Twalk', fid: 0, newfid: 2, wname: ['d', 'x', 'y'] }).wqid.length, 1);
  t.is(s.ok(t, { name: 'Twalk', fid: 0, newfid: 2, wname: ['f', 'x'] }).wqid.length, 1);
  t.is(s.server.fids().lookup(2), undefined);
});

test('a walk to a fid in use is EBADF, from one that is not is EBADF, onto itself moves it', (t) => {
  const s = session(memFs());
  s.mkdir(t, 'd');
  s.walk(t, 1);
  s.refused(t, { name: 'Twalk', fid: 0, newfid: 1, wname: ['d'] }, E.EBADF);
  s.refused(t, { name: 'Twalk', fid: 9, newfid: 2, wname: [] }, E.EBADF);
  t.is(s.ok(t, { name: 'Twalk', fid: 1, newfid: 1, wname: ['d', 'x'] }).wqid.length, 1);
  t.is(s.server.fids().lookup(1)?.qid.path, 1); // a walk cut short moves nothing
  s.ok(t, { name: 'Twalk', fid: 1, newfid: 1, wname: ['d'] });
  t.not(s.server.fids().lookup(1)?.qid.path, 1);
});

test('an open fid does not move', (t) => {
  const s = session(memFs());
  s.mkdir(t, 'd');
  s.walk(t, 1);
  s.ok(t, { name: 'Tlopen', fid: 1, flags: O_RDONLY });
  s.refused(t, { name: 'Twalk', fid: 1, newfid: 1, wname: ['d'] }, E.EBADF);
});

test('the fid table is bounded', (t) => {
  const s = session(memFs(), { maxFids: 3 });
  s.walk(t, 1);
  s.walk(t, 2);
  s.refused(t, { name: 'Twalk', fid: 0, newfid: 3, wname: [] }, E.ENFILE);
  s.clunk(t, 2);
  s.walk(t, 3);
});

const badName = test.macro({
  exec(t, filename: string, errno: E.Errno) {
    const s = session(memFs());
    s.make(t, 1, 'f');
    const gid = 0;
    const mode = 0o644;
    s.walk(t, 2);
    const asks: TMessage[] = [
      { name: 'Tlcreate', fid: 2, filename, flags: O_RDWR, mode, gid },
      { name: 'Tmkdir', dfid: 0, filename, mode, gid },
      { name: 'Tsymlink', dfid: 0, filename, symtgt: 'x', gid },
      { name: 'Tmknod', dfid: 0, filename, mode, major: 0, minor: 0, gid },
      { name: 'Tlink', dfid: 0, fid: 1, filename },
      { name: 'Tunlinkat', dirfd: 0, filename, flags: 0 },
      { name: 'Trenameat', olddirfid: 0, oldname: 'f', newdirfid: 0, newname: filename },
      { name: 'Trenameat', olddirfid: 0, oldname: filename, newdirfid: 0, newname: 'g' },
      { name: 'Trename', fid: 1, dfid: 0, filename },
    ];
    for (const message of asks) s.refused(t, message, errno);
  },
  title: (what) => `no request makes, moves or removes ${what}`,
});
test("the name ''", badName, '', E.EINVAL);
test("the name '.'", badName, '.', E.EINVAL);
test("the name '..'", badName, '..', E.EINVAL);
test("a name with '/'", badName, 'a/b', E.EINVAL);
test('a name with NUL', badName, 'a\0b', E.EINVAL);
test('a name of 256 bytes', badName, 'x'.repeat(256), E.ENAMETOOLONG);
test('a name of 256 bytes in 128 characters', badName, 'ä'.repeat(128), E.ENAMETOOLONG);

test('a name of 255 bytes is made and found', (t) => {
  const s = session(memFs());
  const filename = `${'ä'.repeat(127)}\udcff`; // one byte is not UTF-8
  s.mkdir(t, filename);
  s.walk(t, 1, filename);
});

test('operations on a directory refuse a file, and operations on a file a directory', (t) => {
  const s = session(memFs());
  s.make(t, 1, 'f');
  s.mkdir(t, 'd');
  s.walk(t, 2, 'd');
  s.walk(t, 3, 'f');
  const gid = 0;
  s.refused(t, { name: 'Tmkdir', dfid: 3, filename: 'x', mode: 0, gid }, E.ENOTDIR);
  s.refused(t, { name: 'Tunlinkat', dirfd: 3, filename: 'x', flags: 0 }, E.ENOTDIR);
  s.refused(t, { name: 'Tlcreate', fid: 3, filename: 'x', flags: 0, mode: 0, gid }, E.ENOTDIR);
  s.refused(t, { name: 'Tlopen', fid: 3, flags: O_DIRECTORY }, E.ENOTDIR);
  s.refused(t, { name: 'Tlopen', fid: 2, flags: O_WRONLY }, E.EISDIR);
  s.refused(t, { name: 'Treaddir', fid: 1, offset: 0, count: 100 }, E.ENOTDIR);
  s.refused(t, { name: 'Tlink', dfid: 0, fid: 2, filename: 'x' }, E.EPERM);
  s.refused(t, { name: 'Treadlink', fid: 3 }, E.EINVAL);
  s.ok(t, { name: 'Tlopen', fid: 2, flags: O_RDONLY });
  s.refused(t, { name: 'Tread', fid: 2, offset: 0, count: 1 }, E.EISDIR);
  const attr = { mode: 0, uid: 0, gid, size: 0, atime: epoch, mtime: epoch };
  s.refused(t, { name: 'Tsetattr', fid: 2, attr: { ...attr, valid: P9_SETATTR_SIZE } }, E.EISDIR);
});

test('reading and writing need a fid opened for it', (t) => {
  const s = session(memFs());
  s.make(t, 1, 'f', 'hello');
  const write = { name: 'Twrite', offset: 0, count: 1, data: encodeText('x') } as const;
  s.walk(t, 2, 'f');
  s.refused(t, { name: 'Tread', fid: 2, offset: 0, count: 1 }, E.EBADF);
  s.refused(t, { ...write, fid: 2 }, E.EBADF);
  s.ok(t, { name: 'Tlopen', fid: 2, flags: O_RDONLY });
  s.refused(t, { name: 'Tlopen', fid: 2, flags: O_RDONLY }, E.EINVAL);
  s.refused(t, { ...write, fid: 2 }, E.EBADF);
  t.is(s.text(t, 2), 'hello');
  s.walk(t, 3, 'f');
  s.ok(t, { name: 'Tlopen', fid: 3, flags: O_WRONLY });
  s.refused(t, { name: 'Tread', fid: 3, offset: 0, count: 1 }, E.EBADF);
  s.walk(t, 4);
  s.refused(t, { name: 'Treaddir', fid: 4, offset: 0, count: 100 }, E.EBADF);
});

test('Tlcreate opens what is there, truncates it when asked, and refuses with O_EXCL', (t) => {
  const s = session(memFs());
  s.make(t, 1, 'f', 'hello');
  const create = { name: 'Tlcreate', filename: 'f', mode: 0o600, gid: 0 } as const;
  s.walk(t, 2);
  s.refused(t, { ...create, fid: 2, flags: O_RDWR | O_CREAT | O_EXCL }, E.EEXIST);
  s.ok(t, { ...create, fid: 2, flags: O_RDWR });
  t.is(s.text(t, 2), 'hello');
  s.walk(t, 3);
  s.ok(t, { ...create, fid: 3, flags: O_RDWR | O_TRUNC });
  t.is(s.text(t, 3), '');
});

test('payload travels by grant, over several segments', (t) => {
  const s = session(memFs());
  s.make(t, 1, 'f');
  const parts = ['hel', 'lo ', 'world'].map(encodeText);
  const data = new Uint8Array(0);
  t.is(s.ok(t, { name: 'Twrite', fid: 1, offset: 0, count: 9, data }, parts).count, 9);
  t.is(s.text(t, 1), 'hello wor');
  const into = [new Uint8Array(4), new Uint8Array(100)];
  const reply = s.ok(t, { name: 'Tread', fid: 1, offset: 1, count: 1000 }, into);
  t.deepEqual(reply, { name: 'Rread', count: 8, data });
  t.is(decodeText(into[0] ?? data) + decodeText(into[1]?.subarray(0, 4) ?? data), 'ello wor');
});

test('inline data is cut to the msize', (t) => {
  const s = session(memFs(), { msize: 1024 });
  s.make(t, 1, 'f', 'x'.repeat(5000));
  t.is(s.ok(t, { name: 'Tread', fid: 1, offset: 0, count: 0xffff_ffff }).count, 1013);
});

const listing = test.macro({
  exec(t, count: number, payload: (() => Uint8Array[]) | undefined) {
    const s = session(memFs());
    const names = Array.from({ length: 100 }, (_, i) => `file-${i}`);
    for (const name of names) s.mkdir(t, name);
    s.walk(t, 1);
    s.ok(t, { name: 'Tlopen', fid: 1, flags: O_RDONLY });
    const seen: string[] = [];
    for (let offset = 0, rounds = 0; rounds < 200; rounds++) {
      const into = payload?.();
      const reply = s.ok(t, { name: 'Treaddir', fid: 1, offset, count }, into);
      const bytes = into ? join(into).subarray(0, reply.count) : reply.data;
      const entries = decodeDirEntries(bytes);
      if (typeof entries === 'number') return t.fail();
      if (entries.length === 0) break;
      offset = entries.at(-1)?.offset ?? t.fail();
      seen.push(...entries.map((e) => e.name));
    }
    t.deepEqual(seen, ['.', '..', ...names]);
  },
  title: (what) => `a directory of 100 is listed ${what}`,
});
test('inline', listing, 500, undefined);
test('by grant', listing, 500, () => [new Uint8Array(500)]);
test('by scattered grant', listing, 4096, () => [1, 99, 37].map((n) => new Uint8Array(n)));

function join(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

test('a directory is not listed into no room', (t) => {
  const s = session(memFs());
  s.walk(t, 1);
  s.ok(t, { name: 'Tlopen', fid: 1, flags: O_RDONLY });
  s.refused(t, { name: 'Treaddir', fid: 1, offset: 0, count: 10 }, E.EINVAL);
});

test('an unlinked file lives until its last fid is clunked', (t) => {
  const fs = memFs();
  const s = session(fs);
  s.make(t, 1, 'f', 'x'.repeat(100_000));
  s.walk(t, 2, 'f');
  t.true(fs.usedBytes >= 100_000);
  s.ok(t, { name: 'Tunlinkat', dirfd: 0, filename: 'f', flags: 0 });
  t.is(s.text(t, 1), 'x'.repeat(1000));
  s.clunk(t, 1);
  s.ok(t, { name: 'Tlopen', fid: 2, flags: O_RDONLY });
  t.is(s.text(t, 2), 'x'.repeat(1000));
  s.clunk(t, 2);
  t.is(fs.usedBytes, 0);
});

test('a file without fids goes with its last name', (t) => {
  const fs = memFs();
  const s = session(fs);
  for (const name of ['a', 'b', 'c']) {
    s.make(t, 1, name, 'content');
    s.clunk(t, 1);
  }
  s.ok(t, { name: 'Tunlinkat', dirfd: 0, filename: 'a', flags: 0 });
  s.ok(t, { name: 'Trenameat', olddirfid: 0, oldname: 'b', newdirfid: 0, newname: 'c' });
  t.is(fs.usedBytes, 256); // one of the three is left
  s.walk(t, 1, 'c');
  s.ok(t, { name: 'Tremove', fid: 1 });
  t.is(fs.usedBytes, 0);
  s.refused(t, { name: 'Tclunk', fid: 1 }, E.EBADF);
});

test('Tremove gives the fid up even when the file stays', (t) => {
  const s = session(memFs());
  s.mkdir(t, 'd');
  s.walk(t, 1, 'd');
  s.mkdir(t, 'e', 1);
  s.refused(t, { name: 'Tremove', fid: 1 }, E.ENOTEMPTY);
  s.refused(t, { name: 'Tclunk', fid: 1 }, E.EBADF);
  s.refused(t, { name: 'Tremove', fid: 0 }, E.EINVAL); // the root has no name
});

test('Trename follows the fid from name to name, and no further than its file', (t) => {
  const s = session(memFs());
  s.mkdir(t, 'd');
  s.walk(t, 1, 'd');
  s.make(t, 2, 'a', 'A');
  s.clunk(t, 2);
  s.walk(t, 2, 'a');
  s.ok(t, { name: 'Trename', fid: 2, dfid: 1, filename: 'b' });
  s.walk(t, 3, 'd', 'b');
  s.ok(t, { name: 'Trename', fid: 2, dfid: 0, filename: 'c' });
  s.make(t, 4, 'other');
  s.ok(t, { name: 'Trenameat', olddirfid: 0, oldname: 'other', newdirfid: 0, newname: 'c' });
  s.refused(t, { name: 'Trename', fid: 2, dfid: 0, filename: 'z' }, E.ENOENT);
});

test('a read-only server answers every change with EROFS', (t) => {
  const fs = memFs();
  const writable = session(fs);
  writable.make(t, 1, 'f', 'x');
  writable.mkdir(t, 'd');
  const s = session(new Proxy(fs, readOnly));
  s.walk(t, 1, 'f');
  s.walk(t, 2);
  const gid = 0;
  const attr = { valid: 1, mode: 0, uid: 0, gid, size: 0, atime: epoch, mtime: epoch };
  const asks: TMessage[] = [
    { name: 'Tlopen', fid: 1, flags: O_WRONLY },
    { name: 'Tlopen', fid: 1, flags: O_TRUNC },
    { name: 'Tlcreate', fid: 2, filename: 'x', flags: O_RDWR, mode: 0, gid },
    { name: 'Tmkdir', dfid: 0, filename: 'x', mode: 0, gid },
    { name: 'Tsymlink', dfid: 0, filename: 'x', symtgt: 'y', gid },
    { name: 'Tmknod', dfid: 0, filename: 'x', mode: 0, major: 0, minor: 0, gid },
    { name: 'Tlink', dfid: 0, fid: 1, filename: 'x' },
    { name: 'Tunlinkat', dirfd: 0, filename: 'f', flags: 0 },
    { name: 'Trenameat', olddirfid: 0, oldname: 'f', newdirfid: 0, newname: 'x' },
    { name: 'Trename', fid: 1, dfid: 0, filename: 'x' },
    { name: 'Tsetattr', fid: 1, attr },
    { name: 'Txattrcreate', fid: 1, attrName: 'user.x', attrSize: 1, flags: 0 },
    { name: 'Tremove', fid: 1 },
  ];
  for (const message of asks) s.refused(t, message, E.EROFS);
});

const readOnly: ProxyHandler<MemFs> = {
  get(target, key) {
    if (key === 'readOnly') return true;
    const value: unknown = Reflect.get(target, key, target);
    return typeof value === 'function' ? value.bind(target) : value;
  },
};

test('an attribute is written through a fid of its own, and set at its clunk', (t) => {
  const s = session(memFs());
  s.make(t, 1, 'f');
  const set = (value: string, flags: number, name = 'user.x') => {
    s.walk(t, 2, 'f');
    const attrSize = value.length;
    s.ok(t, { name: 'Txattrcreate', fid: 2, attrName: name, attrSize, flags });
    const data = encodeText(value);
    if (value) s.ok(t, { name: 'Twrite', fid: 2, offset: 0, count: data.length, data });
    return s.ask({ name: 'Tclunk', fid: 2 });
  };
  const get = (attrName: string) => {
    const { size } = s.ok(t, { name: 'Txattrwalk', fid: 1, newfid: 3, attrName });
    const text = s.text(t, 3);
    t.is(text.length, size);
    s.clunk(t, 3);
    return text;
  };
  const missing = { name: 'Txattrwalk', fid: 1, newfid: 3, attrName: 'user.x' } as const;
  s.refused(t, missing, E.ENODATA);
  t.deepEqual(set('one', 2), { name: 'Rlerror', ecode: E.ENODATA }); // XATTR_REPLACE
  t.is(set('one', 1).name, 'Rclunk');
  t.deepEqual(set('two', 1), { name: 'Rlerror', ecode: E.EEXIST }); // XATTR_CREATE
  t.is(get('user.x'), 'one');
  t.is(set('', 0, 'user.empty').name, 'Rclunk');
  t.is(get('user.empty'), '');
  t.is(get(''), 'user.x\0user.empty\0');
  t.is(set('', 2).name, 'Rclunk'); // replaced by nothing: removed
  s.refused(t, missing, E.ENODATA);
});

test('an attribute that was not written in full is not set', (t) => {
  const s = session(memFs());
  s.make(t, 1, 'f');
  s.walk(t, 2, 'f');
  s.ok(t, { name: 'Txattrcreate', fid: 2, attrName: 'user.x', attrSize: 4, flags: 0 });
  const data = encodeText('abc');
  s.ok(t, { name: 'Twrite', fid: 2, offset: 0, count: 3, data });
  s.refused(t, { name: 'Twrite', fid: 2, offset: 3, count: 3, data }, E.ENOSPC);
  s.refused(t, { name: 'Tclunk', fid: 2 }, E.EINVAL);
  s.refused(t, { name: 'Tclunk', fid: 2 }, E.EBADF); // yet the fid is gone
  s.refused(t, { name: 'Txattrwalk', fid: 1, newfid: 2, attrName: 'user.x' }, E.ENODATA);
  s.walk(t, 2, 'f');
  s.refused(
    t,
    { name: 'Txattrcreate', fid: 2, attrName: 'user.x', attrSize: 65537, flags: 0 },
    E.E2BIG,
  );
});

test('locks of two owners conflict, of one they replace, split and go with their fid', (t) => {
  const s = session(memFs());
  s.make(t, 1, 'f');
  s.walk(t, 2, 'f');
  const lock = (fid: number, type: number, start: number, length: number) => {
    const owner = { procId: fid, clientId: 'c' };
    return s.ok(t, { name: 'Tlock', fid, type, flags: 0, start, length, ...owner }).status;
  };
  const test1 = (start: number, length: number) => {
    const ask = { name: 'Tgetlock', fid: 2, type: 1, procId: 2, clientId: 'c' } as const;
    const { type, start: at, length: size, procId } = s.ok(t, { ...ask, start, length });
    return [type, at, size, procId];
  };
  t.is(lock(1, 1, 100, 100), 0); // write lock 100..200
  t.is(lock(2, 0, 150, 10), 1);
  t.is(lock(2, 0, 200, 0), 0); // 200 to the end, for reading
  t.is(lock(1, 1, 250, 1), 1);
  t.is(lock(1, 0, 250, 1), 0);
  t.is(lock(1, 2, 140, 20), 0); // a hole in the first lock
  t.deepEqual(test1(145, 10), [2, 145, 10, 2]);
  t.deepEqual(test1(0, 0), [1, 100, 40, 1]);
  t.deepEqual(test1(160, 1), [1, 160, 40, 1]);
  t.is(lock(1, 1, 0, 0), 1); // the other still reads
  s.clunk(t, 2);
  t.is(lock(1, 1, 0, 0), 0);
  s.walk(t, 2, 'f');
  t.deepEqual(test1(7, 1), [1, 0, 0, 1]);
  s.refused(
    t,
    { name: 'Tlock', fid: 1, type: 3, flags: 0, start: 0, length: 0, procId: 1, clientId: '' },
    E.EINVAL,
  );
});
