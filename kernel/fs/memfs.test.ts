// Claims about the file system in memory, and a comparison with the host's by random operations.

import * as host from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { O_RDONLY, O_RDWR, S_IFCHR, S_IFIFO, S_ISGID } from '../abi/constants.ts';
import * as E from '../abi/errno.ts';
import { decodeDirEntries } from '../ninep/codec.ts';
import {
  AT_REMOVEDIR,
  type Attr,
  P9_GETATTR_ALL,
  P9_SETATTR_ATIME,
  P9_SETATTR_ATIME_SET,
  P9_SETATTR_MODE,
  P9_SETATTR_MTIME,
  P9_SETATTR_SIZE,
  QTDIR,
  type TMessage,
} from '../ninep/types.ts';
import { CHUNK_SIZE, type ChunkStore, FileData, heapChunks, Quota } from './mem-data.ts';
import { MemFs } from './memfs.ts';
import { epoch, errnoOf, memFs, session } from './test-session.ts';

const seed = Number(process.env['MEMFS_SEED'] ?? Date.now() % 0x7fff_ffff);
const MIB = 1024 * 1024;
const gid = 7;

type Session = ReturnType<typeof session>;

const attrOf = (t: ExecutionContext, s: Session, fid: number): Attr =>
  s.ok(t, { name: 'Tgetattr', fid, requestMask: P9_GETATTR_ALL }).attr;

const setattr = (fid: number, valid: number, more: object = {}): TMessage => ({
  name: 'Tsetattr',
  fid,
  attr: { valid, mode: 0, uid: 0, gid: 0, size: 0, atime: epoch, mtime: epoch, ...more },
});

/** Counts the chunks that are out; each comes with rubbish in it. */
function countedChunks(limit: number): ChunkStore & { out: number } {
  const store = {
    out: 0,
    take: () => {
      if (store.out >= limit) return undefined;
      store.out++;
      return new Uint8Array(CHUNK_SIZE).fill(0xee);
    },
    give: () => {
      store.out--;
    },
  };
  return store;
}

test('a file is at most 16 MiB: EFBIG beyond, a write across the limit is cut', (t) => {
  const s = session(memFs());
  s.make(t, 1, 'f');
  const write = (offset: number, count: number) =>
    s.ask({ name: 'Twrite', fid: 1, offset, count, data: new Uint8Array(count).fill(1) });
  t.deepEqual(write(16 * MIB - 10, 100), { name: 'Rwrite', count: 10 });
  t.deepEqual(write(16 * MIB, 1), { name: 'Rlerror', ecode: E.EFBIG });
  s.refused(t, setattr(1, P9_SETATTR_SIZE, { size: 16 * MIB + 1 }), E.EFBIG);
  t.like(attrOf(t, s, 1), { size: 16 * MIB, blocks: 128 }); // the rest is a hole
});

test('all files together are at most the limit: ENOSPC beyond, and room again after unlink', (t) => {
  const chunks = countedChunks(1000);
  const fs = new MemFs({ now: () => epoch, chunks, maxTotalBytes: 2 * MIB });
  const s = session(fs);
  const megabyte = new Uint8Array(MIB).fill(1);
  const write = (fid: number, offset: number) =>
    s.ask({ name: 'Twrite', fid, offset, count: MIB, data: megabyte });
  s.make(t, 1, 'a');
  s.make(t, 2, 'b');
  t.is(write(1, 0).name, 'Rwrite');
  t.deepEqual(write(2, MIB / 2), { name: 'Rwrite', count: MIB });
  t.deepEqual(write(2, 5 * MIB), { name: 'Rlerror', ecode: E.ENOSPC });
  t.is(s.ok(t, { name: 'Tstatfs', fid: 0 }).stat.bfree, 0);
  s.ok(t, { name: 'Tunlinkat', dirfd: 0, filename: 'a', flags: 0 });
  t.deepEqual(write(2, 5 * MIB), { name: 'Rlerror', ecode: E.ENOSPC }); // it is open still
  s.clunk(t, 1);
  t.is(write(2, 5 * MIB).name, 'Rwrite');
  s.ok(t, setattr(2, P9_SETATTR_SIZE));
  t.is(chunks.out, 0);
  t.is(fs.usedBytes, 0);
});

test('a write is short when the store runs out of chunks, and ENOSPC when it had none', (t) => {
  const data = new FileData({
    quota: new Quota(100 * MIB),
    chunks: countedChunks(2),
    maxFileBytes: 100 * MIB,
  });
  t.is(data.write(10, new Uint8Array(3 * CHUNK_SIZE)), 2 * CHUNK_SIZE - 10);
  t.like(
    t.throws(() => data.write(2 * CHUNK_SIZE, new Uint8Array(1))),
    { errno: E.ENOSPC },
  );
  t.is(data.size, 2 * CHUNK_SIZE);
});

test('the bytes of a file are those of an array, whatever is written, cut and grown', (t) => {
  t.log(`MEMFS_SEED=${seed}`);
  const random = generator(seed);
  for (let round = 0; round < 40; round++) {
    const chunks = countedChunks(1000);
    const quota = new Quota(100 * MIB);
    const data = new FileData({ quota, chunks, maxFileBytes: 10 * MIB });
    const model = new Uint8Array(600_000);
    let size = 0;
    for (let step = 0; step < 60; step++) {
      const scale = [500, 20_000, 300_000][random(3)] ?? 1;
      if (random(4) > 0) {
        const offset = random(scale);
        const from = new Uint8Array(random(scale)).fill(1 + random(255));
        t.is(data.write(offset, from), from.length);
        model.set(from, offset);
        if (from.length > 0) size = Math.max(size, offset + from.length);
      } else {
        size = random(5) === 0 ? 0 : random(scale);
        data.truncate(size);
        model.fill(0, size);
      }
      const offset = random(size + 10);
      const into = new Uint8Array(random(scale)).fill(0xdd);
      const count = data.read(offset, into);
      t.is(count, Math.max(0, Math.min(into.length, size - offset)));
      t.is(Buffer.compare(into.subarray(0, count), model.subarray(offset, offset + count)), 0);
      t.is(data.size, size);
      t.true(quota.used >= chunks.out * CHUNK_SIZE && quota.used === data.allocated);
    }
    data.truncate(0);
    t.is(quota.used, 0);
  }
});

test('nodes of all kinds are made with the owner of the caller and the group of the request', (t) => {
  const s = session(memFs());
  const made = (filename: string, mode: number) => {
    s.ok(t, { name: 'Tmknod', dfid: 0, filename, mode, major: 259, minor: 300, gid });
    s.walk(t, 1, filename);
    const attr = attrOf(t, s, 1);
    s.clunk(t, 1);
    return attr;
  };
  const rdev = 44 + 259 * 256 + 0x100000; // as makedev(3) packs it
  t.like(made('null', S_IFCHR | 0o666), { mode: S_IFCHR | 0o666, rdev, uid: 1000, gid, nlink: 1 });
  t.like(made('fifo', S_IFIFO | 0o600), { mode: S_IFIFO | 0o600, rdev: 0 });
  s.refused(
    t,
    { name: 'Tmknod', dfid: 0, filename: 'd', mode: 0o40755, major: 0, minor: 0, gid },
    E.EINVAL,
  );
});

test('a directory with the set-group-id bit hands on its group', (t) => {
  const s = session(memFs());
  s.mkdir(t, 'd');
  s.walk(t, 1, 'd');
  s.ok(t, setattr(1, P9_SETATTR_MODE, { mode: 0o2775 }));
  s.ok(t, { name: 'Tmkdir', dfid: 1, filename: 'sub', mode: 0o755, gid: 99 });
  s.walk(t, 2, 'd', 'sub');
  t.like(attrOf(t, s, 2), { gid: 5, mode: 0o40755 | S_ISGID });
});

test('times are the clock’s, or the request’s', (t) => {
  let sec = 100;
  const s = session(new MemFs({ now: () => ({ sec, nsec: 5 }), chunks: heapChunks }));
  s.make(t, 1, 'f', 'x');
  sec = 200;
  s.ok(t, setattr(1, P9_SETATTR_MODE, { mode: 0o600 }));
  const at = (n: number) => ({ sec: n, nsec: 5 });
  t.like(attrOf(t, s, 1), { mtime: at(100), ctime: at(200), btime: at(100), mode: 0o100600 });
  sec = 300;
  const atime = { sec: -5, nsec: 1 };
  const bits = P9_SETATTR_ATIME | P9_SETATTR_ATIME_SET | P9_SETATTR_MTIME;
  s.ok(t, setattr(1, bits, { atime }));
  t.like(attrOf(t, s, 1), { atime, mtime: at(300) });
});

test('a listing sees each name that stays once, while others come and go', (t) => {
  const s = session(memFs());
  const unlink = (filename: string) =>
    s.ok(t, { name: 'Tunlinkat', dirfd: 0, filename, flags: AT_REMOVEDIR });
  for (let i = 0; i < 300; i++) s.mkdir(t, `n${i}`);
  s.walk(t, 1);
  s.ok(t, { name: 'Tlopen', fid: 1, flags: O_RDONLY });
  const seen: string[] = [];
  for (let offset = 0, round = 0; round < 100; round++) {
    const { data } = s.ok(t, { name: 'Treaddir', fid: 1, offset, count: 300 });
    const entries = decodeDirEntries(data);
    if (typeof entries === 'number' || entries.length === 0) break;
    seen.push(...entries.map((e) => e.name));
    offset = entries.at(-1)?.offset ?? 0;
    for (let k = 0; k < 5; k++) unlink(`n${round * 5 + k}`); // odd and even, seen and not
    if (round < 20) s.mkdir(t, `new${round}`);
  }
  t.is(new Set(seen).size, seen.length);
  for (let i = 250; i < 300; i++) t.true(seen.includes(`n${i}`));
});

test('a removed directory takes no more names', (t) => {
  const s = session(memFs());
  s.mkdir(t, 'd');
  s.make(t, 2, 'f');
  s.walk(t, 1, 'd');
  s.ok(t, { name: 'Tunlinkat', dirfd: 0, filename: 'd', flags: AT_REMOVEDIR });
  s.refused(t, { name: 'Tmkdir', dfid: 1, filename: 'x', mode: 0, gid }, E.ENOENT);
  s.refused(t, { name: 'Tlink', dfid: 1, fid: 2, filename: 'x' }, E.ENOENT);
  const rename = { name: 'Trenameat', olddirfid: 0, oldname: 'f' } as const;
  s.refused(t, { ...rename, newdirfid: 1, newname: 'x' }, E.ENOENT);
});

test('a file that lost all its names gets no new one', (t) => {
  const s = session(memFs());
  s.make(t, 1, 'f');
  s.ok(t, { name: 'Tunlinkat', dirfd: 0, filename: 'f', flags: 0 });
  s.refused(t, { name: 'Tlink', dfid: 0, fid: 1, filename: 'g' }, E.ENOENT);
});

test('a qid.path is never used again', (t) => {
  const s = session(memFs());
  const paths = new Set<number>();
  for (let i = 0; i < 100; i++) {
    paths.add(s.ok(t, { name: 'Tmkdir', dfid: 0, filename: 'd', mode: 0, gid }).qid.path);
    s.ok(t, { name: 'Tunlinkat', dirfd: 0, filename: 'd', flags: AT_REMOVEDIR });
  }
  t.is(paths.size, 100);
});

test('files are counted, and limited', (t) => {
  const s = session(new MemFs({ now: () => epoch, chunks: heapChunks, maxFiles: 3 }));
  s.mkdir(t, 'a');
  s.mkdir(t, 'b');
  s.refused(t, { name: 'Tmkdir', dfid: 0, filename: 'c', mode: 0, gid }, E.ENOSPC);
  s.ok(t, { name: 'Tunlinkat', dirfd: 0, filename: 'a', flags: AT_REMOVEDIR });
  s.mkdir(t, 'c');
});

function generator(from: number): (below: number) => number {
  let state = from >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
}

test('3,000 random changes of a tree end as on the host, errno by errno', (t) => {
  t.log(`MEMFS_SEED=${seed}`);
  const random = generator(seed);
  const top = host.mkdtempSync(join(tmpdir(), 'atoll-memfs-'));
  const fs = memFs();
  const s = session(fs);
  const path = () => Array.from({ length: 1 + random(3) }, () => 'abc'[random(3)] ?? 'a').join('/');
  for (let step = 0; step < 3000; step++) {
    const [op, from, to] = [random(8), path(), path()];
    const ours = change(s, { op, from, to, step });
    const theirs = hostChange(top, { op, from, to, step });
    t.is(ours, theirs, `step ${step}: operation ${op} of ${from} ${to}`);
    if (ours !== theirs) break;
  }
  t.deepEqual(tree(t, s), hostTree(top));
  t.is(s.server.fids().size, 1);
  host.rmSync(top, { recursive: true });
});

interface Change {
  op: number;
  from: string;
  to: string;
  step: number;
}

/** The errno's name, or 'ok'. */
function change(s: Session, { op, from, to, step }: Change): string {
  const parent = (path: string) => path.split('/').slice(0, -1);
  const name = (path: string) => path.split('/').at(-1) ?? '';
  const walk = (newfid: number, wname: string[]) => {
    const reply = s.ask({ name: 'Twalk', fid: 0, newfid, wname });
    if (reply.name === 'Rlerror') return E.errnoName(errnoOf(reply));
    if (reply.name !== 'Rwalk' || reply.wqid.length === wname.length) return undefined;
    return reply.wqid.at(-1)?.type === QTDIR ? 'ENOENT' : 'ENOTDIR';
  };
  const walkToParent = (newfid: number, path: string) =>
    walk(newfid, parent(path)) ??
    (s.server.fids().lookup(newfid)?.qid.type === QTDIR ? undefined : 'ENOTDIR');
  const run = (): string => {
    const failed =
      walkToParent(1, from) ?? (op === 3 || op === 4 ? walkToParent(2, to) : undefined);
    if (failed) return failed;
    const dfid = 1;
    const both = { olddirfid: 1, oldname: name(from), newdirfid: 2, newname: name(to) };
    const data = new Uint8Array(step * 13).fill(step);
    let message: TMessage;
    if (op === 0) message = { name: 'Tmkdir', dfid, filename: name(from), mode: 0o755, gid };
    else if (op === 1) message = { name: 'Tunlinkat', dirfd: 1, filename: name(from), flags: 0 };
    else if (op === 2)
      message = { name: 'Tunlinkat', dirfd: 1, filename: name(from), flags: AT_REMOVEDIR };
    else if (op === 3) message = { name: 'Trenameat', ...both };
    else if (op === 4) {
      const missing = walk(3, from.split('/'));
      if (missing) return missing;
      message = { name: 'Tlink', dfid: 2, fid: 3, filename: name(to) };
    } else if (op === 5)
      message = { name: 'Tsymlink', dfid, filename: name(from), symtgt: to, gid };
    else {
      const made = s.ask({
        name: 'Tmknod',
        dfid,
        filename: name(from),
        mode: 0o100644,
        major: 0,
        minor: 0,
        gid,
      });
      if (made.name === 'Rlerror') return E.errnoName(errnoOf(made));
      walk(3, from.split('/'));
      s.ask({ name: 'Tlopen', fid: 3, flags: O_RDWR });
      message = { name: 'Twrite', fid: 3, offset: step, count: data.length, data };
    }
    const reply = s.ask(message);
    return reply.name === 'Rlerror' ? E.errnoName(errnoOf(reply)) : 'ok';
  };
  const result = run();
  for (const fid of [1, 2, 3]) s.ask({ name: 'Tclunk', fid });
  return result;
}

function hostChange(top: string, { op, from, to, step }: Change): string {
  const a = join(top, from);
  const b = join(top, to);
  try {
    for (const path of op === 3 || op === 4 ? [a, b] : [a]) noLinkOnTheWay(top, path);
    if (op === 0) host.mkdirSync(a);
    else if (op === 1) host.unlinkSync(a);
    else if (op === 2) host.rmdirSync(a);
    else if (op === 3) host.renameSync(a, b);
    else if (op === 4) host.linkSync(a, b);
    else if (op === 5) host.symlinkSync(to, a);
    else {
      const fd = host.openSync(a, 'wx');
      const data = new Uint8Array(step * 13).fill(step);
      if (data.length > 0) host.writeSync(fd, data, 0, data.length, step);
      host.closeSync(fd);
    }
    return 'ok';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/** 9P does not follow links: on the way they are not directories. */
function noLinkOnTheWay(top: string, path: string): void {
  const parts = path.slice(top.length + 1).split('/');
  for (let n = 1; n < parts.length; n++) {
    const stat = host.lstatSync(join(top, ...parts.slice(0, n)));
    if (!stat.isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' });
  }
}

/** Each path with what it is. */
function tree(t: ExecutionContext, s: Session, at: string[] = []): string[] {
  s.walk(t, 1, ...at);
  s.ok(t, { name: 'Tlopen', fid: 1, flags: O_RDONLY });
  const { data } = s.ok(t, { name: 'Treaddir', fid: 1, offset: 0, count: 8192 });
  s.clunk(t, 1);
  const entries = decodeDirEntries(data);
  if (typeof entries === 'number') throw new Error('malformed entries');
  const lines: string[] = [];
  for (const { name, type } of entries.sort((x, y) => (x.name < y.name ? -1 : 1))) {
    if (name === '.' || name === '..') continue;
    const path = [...at, name];
    s.walk(t, 1, ...path);
    const { nlink, size } = attrOf(t, s, 1);
    if (type === 4) lines.push(`${path.join('/')} directory ${nlink}`);
    if (type === 8) lines.push(`${path.join('/')} file ${nlink} ${size}`);
    if (type === 10)
      lines.push(`${path.join('/')} -> ${s.ok(t, { name: 'Treadlink', fid: 1 }).target}`);
    s.clunk(t, 1);
    if (type === 4) lines.push(...tree(t, s, path));
  }
  return lines;
}

function hostTree(top: string, at = ''): string[] {
  const lines: string[] = [];
  for (const name of host.readdirSync(join(top, at)).sort()) {
    const path = at ? `${at}/${name}` : name;
    const stat = host.lstatSync(join(top, path));
    if (stat.isSymbolicLink()) lines.push(`${path} -> ${host.readlinkSync(join(top, path))}`);
    else if (stat.isFile()) lines.push(`${path} file ${stat.nlink} ${stat.size}`);
    else {
      const children = host.readdirSync(join(top, path), { withFileTypes: true });
      const nlink = 2 + children.filter((c) => c.isDirectory()).length;
      lines.push(`${path} directory ${nlink}`, ...hostTree(top, path));
    }
  }
  return lines;
}
