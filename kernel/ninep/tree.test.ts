// Claims about synthetic trees: texts are whole, lists that change have cookies that last, and a
// file keeps its qid.path over a restart.

import test from 'ava';
import {
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  S_IFCHR,
  S_IFDIR,
  S_IFLNK,
  S_IFREG,
} from '../abi/constants.ts';
import * as E from '../abi/errno.ts';
import { decodeText, encodeText } from '../abi/text.ts';
import type { Caller } from '../fs/caller.ts';
import { epoch, session } from '../fs/test-session.ts';
import { sleep, WaitQueue, wakeAll } from '../ipc/task.ts';
import { decodeDirEntries } from './codec.ts';
import { NinepServer } from './server.ts';
import { type TreeNode, TreeServer } from './tree.ts';
import { P9_GETATTR_BASIC, P9_SETATTR_MODE, P9_SETATTR_SIZE } from './types.ts';

type Node = TreeNode<Caller>;

const text = (name: string, content: () => string): Node => ({ name, mode: 0o444, text: content });
const root = (children: NonNullable<Node['children']>) =>
  session(new TreeServer<Caller>({ name: '', mode: 0o555, children }));

test('a text is taken when it is opened, so that its parts fit together', (t) => {
  let count = 0;
  const s = root([text('count', () => `opened ${++count} times`)]);
  for (const fid of [1, 2]) {
    s.walk(t, fid, 'count');
    s.ok(t, { name: 'Tlopen', fid, flags: O_RDONLY });
  }
  const part = (fid: number, offset: number) =>
    decodeText(s.ok(t, { name: 'Tread', fid, offset, count: 8 }).data);
  t.is(part(1, 0) + part(2, 0), 'opened 1opened 2');
  t.is(part(1, 8) + part(1, 16) + part(1, 99), ' times');
  t.is(count, 2);
});

test('what a node has tells its type', (t) => {
  const s = root([
    { name: 'd', mode: 0o555, children: [] },
    { name: 'l', mode: 0o777, link: () => 'größe' },
    { name: 'f', mode: 0o600, uid: 3, gid: 4, size: () => 99, read: () => 0 },
    {
      name: 'null',
      mode: S_IFCHR | 0o666,
      rdev: 259,
      read: () => 0,
      write: (_c, _o, b) => b.length,
    },
  ]);
  const attr = (name: string) => {
    s.walk(t, 1, name);
    const reply = s.ok(t, { name: 'Tgetattr', fid: 1, requestMask: P9_GETATTR_BASIC });
    s.clunk(t, 1);
    return reply.attr;
  };
  t.like(attr('d'), { mode: S_IFDIR | 0o555, nlink: 2 });
  t.like(attr('l'), { mode: S_IFLNK | 0o777, size: 7 });
  t.like(attr('f'), { mode: S_IFREG | 0o600, size: 99, uid: 3, gid: 4 });
  t.like(attr('null'), { mode: S_IFCHR | 0o666, rdev: 259 });
  s.walk(t, 1, 'l');
  t.is(s.ok(t, { name: 'Treadlink', fid: 1 }).target, 'größe');
});

test('reads and writes reach the node with their offsets', (t) => {
  const disk = new Uint8Array(100);
  const s = root([
    {
      name: 'raw',
      mode: 0o600,
      read: (_caller, offset, into) => {
        const part = disk.subarray(offset, offset + into.length);
        into.set(part);
        return part.length;
      },
      write: (_caller, offset, from) => {
        disk.set(from, offset);
        return from.length;
      },
    },
  ]);
  s.walk(t, 1, 'raw');
  s.ok(t, { name: 'Tlopen', fid: 1, flags: O_RDWR });
  const data = encodeText('hello');
  s.ok(t, { name: 'Twrite', fid: 1, offset: 90, count: 5, data });
  t.is(decodeText(s.ok(t, { name: 'Tread', fid: 1, offset: 92, count: 3 }).data), 'llo');
  t.is(s.ok(t, { name: 'Tread', fid: 1, offset: 90, count: 50 }).count, 10);
});

test('a read may wait', (t) => {
  const queue = new WaitQueue('data');
  let ready = false;
  const tree = new TreeServer<Caller>({
    name: '',
    mode: 0o555,
    children: [
      {
        name: 'slow',
        mode: 0o444,
        *read(_caller, _offset, into) {
          while (!ready) yield* sleep(queue);
          into[0] = 7;
          return 1;
        },
      },
    ],
  });
  const server = new NinepServer(tree);
  const caller = { pid: 1, uid: 0, gid: 0 };
  const file = tree.walk(caller, tree.attach(), 'slow') ?? t.fail();
  server.restore(1, { node: file, qid: tree.qid(caller, file), flags: O_RDONLY });
  const task = server.dispatch(caller, { name: 'Tread', fid: 1, offset: 0, count: 4 });
  t.is(task.next().value, queue as never);
  ready = true;
  wakeAll(queue);
  t.like(task.next(), { done: true, value: { name: 'Rread', count: 1 } });
});

test('a list that changes is listed without doubles or gaps', (t) => {
  const pids = new Set(Array.from({ length: 200 }, (_, i) => i + 1));
  const s = root(() => [...pids].map((pid) => text(String(pid), () => `${pid}`)));
  s.walk(t, 1);
  s.ok(t, { name: 'Tlopen', fid: 1, flags: O_RDONLY });
  const seen: string[] = [];
  for (let offset = 0, round = 0; round < 100; round++) {
    const { data } = s.ok(t, { name: 'Treaddir', fid: 1, offset, count: 400 });
    const entries = decodeDirEntries(data);
    if (typeof entries === 'number' || entries.length === 0) break;
    seen.push(...entries.map((e) => e.name));
    offset = entries.at(-1)?.offset ?? 0;
    pids.delete(round + 1); // processes end, others begin
    pids.add(1000 + round);
  }
  t.is(new Set(seen).size, seen.length);
  for (let pid = 50; pid <= 200; pid++) t.true(seen.includes(String(pid)), `${pid}`);
});

test('a file has the same qid.path over a restart, and another one in a new incarnation', (t) => {
  const path = (incarnation: number) => {
    const node: Node = {
      name: '12',
      mode: 0o555,
      incarnation,
      children: [text('status', () => '')],
    };
    const s = root(() => [node]);
    return s.ok(t, { name: 'Twalk', fid: 0, newfid: 1, wname: ['12', 'status'] }).wqid[1]?.path;
  };
  t.is(path(1), path(1));
  t.not(path(1), path(2));
});

test('the paths of 100,000 files differ', (t) => {
  const paths = new Set<number>();
  const tree = new TreeServer<null>({
    name: '',
    mode: 0o555,
    lookup: (_, name) => ({
      name,
      mode: 0o555,
      lookup: (__, inner) => ({ name: inner, mode: 0o444, text: () => '' }),
    }),
  });
  for (let d = 0; d < 100; d++) {
    const dir = tree.walk(null, tree.attach(), `d${d}`) ?? t.fail();
    for (let f = 0; f < 1000; f++) {
      const file = tree.walk(null, dir, `f${f}`) ?? t.fail();
      t.true(Number.isSafeInteger(file.path));
      paths.add(file.path);
    }
  }
  t.is(paths.size, 100_000);
});

test('what is not written is not opened for it, and a tree keeps its modes', (t) => {
  const s = root([text('status', () => 'x')]);
  s.walk(t, 1, 'status');
  s.refused(t, { name: 'Tlopen', fid: 1, flags: O_WRONLY }, E.EACCES);
  const attr = { mode: 0, uid: 0, gid: 0, size: 0, atime: epoch, mtime: epoch };
  s.refused(t, { name: 'Tsetattr', fid: 1, attr: { ...attr, valid: P9_SETATTR_MODE } }, E.EPERM);
  s.ok(t, { name: 'Tsetattr', fid: 1, attr: { ...attr, valid: P9_SETATTR_SIZE } });
  s.refused(t, { name: 'Tmkdir', dfid: 0, filename: 'x', mode: 0, gid: 0 }, E.EPERM);
  s.refused(t, { name: 'Tmkdir', dfid: 0, filename: 'status', mode: 0, gid: 0 }, E.EEXIST);
  s.refused(t, { name: 'Tunlinkat', dirfd: 0, filename: 'status', flags: 0 }, E.EPERM);
  s.refused(t, { name: 'Tunlinkat', dirfd: 0, filename: 'x', flags: 0 }, E.ENOENT);
});
