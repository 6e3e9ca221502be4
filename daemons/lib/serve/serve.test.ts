// The serve loop with many requests in flight, over a slow disk and a cache that forgets at random.

import test, { type ExecutionContext } from 'ava';
import { O_EXCL, O_RDWR } from '../../../kernel/abi/constants.ts';
import { EBADF, EIO, EROFS, EUCLEAN, PosixError } from '../../../kernel/abi/errno.ts';
import { GRANT_READ, GRANT_WRITE, GrantReader } from '../../../kernel/ipc/grant.ts';
import { Ring, ringSize } from '../../../kernel/ipc/ring.ts';
import { sleep, type Task, WaitQueue, wakeAll } from '../../../kernel/ipc/task.ts';
import { encodeMessage } from '../../../kernel/ninep/codec.ts';
import { Cursor } from '../../../kernel/ninep/cursor.ts';
import {
  NOFID,
  NONUNAME,
  P9_GETATTR_ALL,
  P9_VERSION,
  type TMessage,
} from '../../../kernel/ninep/types.ts';
import { fsck, haveE2fsprogs, mke2fs } from '../../../scripts/testing/e2fsprogs.ts';
import { without } from '../../../scripts/testing/skip.ts';
import { mountExt4 } from '../../ext4fs/mount.ts';
import { seeded } from '../../ext4fs/testing.ts';
import { bootVolume } from '../testing/boot.ts';
import { TestClient } from '../testing/client.ts';
import { Machine } from '../testing/machine.ts';
import { VolumeServer } from './serve.ts';

const SEED = Number(process.env['ATOLL_SEED'] ?? 815);
const ROOT = 1000; // fids chosen here: the client's own begin at 1

const missing = without('e2fsprogs', haveE2fsprogs);

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

function* attach({ client }: Machine): Task<void> {
  yield* client.rpc<'Tversion'>({ name: 'Tversion', msize: 8160, version: P9_VERSION });
  const who = { afid: NOFID, uname: '', aname: '', nUname: NONUNAME };
  yield* client.rpc<'Tattach'>({ name: 'Tattach', fid: ROOT, ...who });
}

/** Runs all tasks at once. */
function* together(machine: Machine, tasks: readonly Task<void>[]): Task<void> {
  const done = new WaitQueue('all');
  let left = tasks.length;
  for (const task of tasks) {
    machine.executor.start(
      (function* () {
        yield* task;
        left--;
        wakeAll(done);
      })(),
      'one of many',
    );
  }
  while (left > 0) yield* sleep(done);
}

/** One life of a file: made in one hop of three messages, written in parts, read back, kept. */
function* fileLife(t: ExecutionContext, machine: Machine, index: number): Task<void> {
  const { client } = machine;
  const random = seeded(SEED + index);
  const data = new Uint8Array(20_000 + (random() % 60_000)).map(() => random());
  const memory = machine.memory(data.length);
  const newfid = client.takeFid();
  const filename = `file-${index}`;
  const flags = index % 2 === 0 ? O_RDWR : O_RDWR | O_EXCL;
  const [walked, created, attr] = yield* client.all([
    { message: { name: 'Twalk', fid: ROOT, newfid, wname: [] } },
    { message: { name: 'Tlcreate', fid: newfid, filename, flags, mode: 0o600, gid: 0 } },
    { message: { name: 'Tgetattr', fid: newfid, requestMask: P9_GETATTR_ALL } },
  ]);
  client.expect('Twalk', walked);
  client.expect('Tlcreate', created);
  t.is(client.expect('Tgetattr', attr).attr.size, 0);
  memory.bytes.set(data);
  const parts = [0, 0.3, 0.31, 0.7, 1].map((part) => Math.floor(part * data.length));
  const writes = parts.slice(1).map((end, i) => {
    const offset = parts[i] ?? 0;
    const count = end - offset;
    const segments = [{ address: memory.address + offset, length: count }];
    const body = { fid: newfid, offset, count, data: new Uint8Array(0) };
    return {
      message: { name: 'Twrite', ...body } as const,
      memory: { segments, rights: GRANT_READ },
    };
  });
  const replies = yield* client.all(writes);
  for (const reply of replies) client.expect('Twrite', reply);
  if (index % 3 === 0) yield* client.rpc<'Tfsync'>({ name: 'Tfsync', fid: newfid, datasync: 0 });
  memory.bytes.fill(0xaa);
  const [read] = yield* client.all([
    {
      message: { name: 'Tread', fid: newfid, offset: 0, count: data.length },
      memory: {
        segments: [{ address: memory.address, length: data.length }],
        rights: GRANT_READ | GRANT_WRITE,
      },
    },
  ]);
  t.is(client.expect('Tread', read).count, data.length);
  t.true(same(memory.bytes, data), filename);
  yield* client.rpc<'Tclunk'>({ name: 'Tclunk', fid: newfid });
}

const serves = test.macro({
  exec(t, args: string[], cacheBytes: number) {
    if (missing(t)) return;
    t.log(`seed ${SEED} (ATOLL_SEED)`);
    const random = seeded(SEED);
    const image = mke2fs(32 << 20, args);
    const machine = new Machine({
      ...{ image, cacheBytes, slow: true, format: mountExt4 },
      between: ({ volume: { engine } }) => {
        if (random() % 3 > 0) return;
        for (let i = 0; i < 20; i++) engine.cache.drop(random() % 4000);
      },
    });
    machine.mount();
    machine.run(attach(machine));
    const lives = Array.from({ length: 60 }, (_, i) => fileLife(t, machine, i));
    machine.run(together(machine, lives));
    t.true(machine.volume.engine.misses > 50);
    machine.run(machine.client.rpc<'Tclunk'>({ name: 'Tclunk', fid: ROOT }));
    t.true(machine.unmounted);
    const { status, output } = fsck(image);
    t.is(status, 0, output);
    t.deepEqual(machine.log, []);
    t.is(machine.grants.inUse, 1, 'all grants but the area are given back');
  },
  title: (_, args: string[]) => `60 files live at once on a slow disk: ${args.join(' ')}`,
});
test(serves, ['-t', 'ext4', '-b', '4096'], 4 << 20);
test(serves, ['-t', 'ext4', '-b', '1024'], 1 << 20);
test(serves, ['-t', 'ext2', '-b', '1024'], 2 << 20);

test('a deleted file lives until its last fid is gone, then its blocks are free again', (t) => {
  if (missing(t)) return;
  const image = mke2fs(16 << 20, ['-t', 'ext4', '-b', '1024']);
  const { machine, fs } = bootVolume({ image, format: mountExt4 });
  const free = () =>
    machine.run(
      machine.volume.engine.run((tx) => machine.volume.fs.statfs(tx, 2), { changes: false }),
    );
  const before = free();
  const data = new Uint8Array(3_000_000).fill(5);
  const fid = fs.create('gone');
  fs.write(fid, 0, data);
  fs.unlink('gone');
  t.true(same(fs.read(fid), data));
  fs.clunk(fid);
  t.deepEqual(free(), before);
  fs.detach();
  t.is(fsck(image).status, 0, fsck(image).output);
});

test('a file that grows over a cut shows zeroes there', (t) => {
  if (missing(t)) return;
  for (const type of ['ext4', 'ext2']) {
    const image = mke2fs(16 << 20, ['-t', type, '-b', '4096']);
    const machine = new Machine({ image, format: mountExt4 });
    machine.mount();
    const fs = new TestClient(machine);
    fs.attach();
    const fid = fs.create('f');
    fs.write(fid, 0, new Uint8Array(9000).fill(1));
    fs.truncate(fid, 5000);
    fs.truncate(fid, 12_000);
    const wanted = new Uint8Array(12_000).fill(1, 0, 5000);
    t.true(same(fs.read(fid), wanted), type);
    fs.truncate(fid, 100);
    fs.write(fid, 4000, new Uint8Array(10).fill(2));
    const again = new Uint8Array(4010).fill(1, 0, 100).fill(2, 4000);
    t.true(same(fs.read(fid), again), type);
    fs.detach();
    t.is(fsck(image).status, 0);
  }
});

test('a disk that fails: EIO for the sync, then the volume is read-only, and nothing hangs', (t) => {
  if (missing(t)) return;
  const image = mke2fs(16 << 20, ['-t', 'ext4', '-b', '1024']);
  const { machine, fs } = bootVolume({ image, format: mountExt4 });
  const fid = fs.create('f');
  machine.device.broken = 'the disk is gone';
  t.like(
    t.throws(() => fs.fsync(fid), { instanceOf: PosixError }),
    { errno: EIO },
  );
  t.like(
    t.throws(() => fs.create('g'), { instanceOf: PosixError }),
    { errno: EROFS },
  );
  t.like(
    t.throws(() => fs.fsync(fid), { instanceOf: PosixError }),
    { errno: EIO },
  );
  t.deepEqual(fs.list('/'), ['f', 'lost+found']);
  t.regex(machine.log.join('\n'), /journal aborted/);
});

test('a read-only mount refuses changes and writes nothing', (t) => {
  if (missing(t)) return;
  const image = mke2fs(16 << 20, ['-t', 'ext4', '-b', '1024']);
  const before = image.slice();
  const { fs } = bootVolume({ image, format: mountExt4, readOnlyDevice: true });
  t.like(
    t.throws(() => fs.create('g'), { instanceOf: PosixError }),
    { errno: EROFS },
  );
  const fid = fs.walk('lost+found');
  t.like(
    t.throws(() => fs.write(fid, 0, new Uint8Array(1)), { instanceOf: PosixError }),
    {
      errno: EBADF,
    },
  );
  fs.detach();
  t.true(same(image, before));
});

test('of one fid replies come in the order of the requests, though the ring for them is full', (t) => {
  if (missing(t)) return;
  const machine = new Machine({ image: mke2fs(8 << 20, []), format: mountExt4 });
  const volume = machine.mount();
  const { executor, ram } = machine;
  const ring = (slots: number): Ring => {
    const shape = { slots, slotSize: 8192, producer: 1, consumer: 2 };
    return Ring.format(ram, machine.memory(ringSize(shape)).address, shape);
  };
  const [requests, replies] = [ring(64), ring(2)];
  new VolumeServer({
    ...{ executor, volume, requests, replies, unfinished: new Set<number>(), log: () => {} },
    ...{ grants: new GrantReader(ram, 2), onUnmounted: () => {} },
  });
  let tag = 0;
  const send = (message: TMessage): void => {
    const slot = requests.reserve();
    if (slot === undefined) throw new Error('the ring of requests is too small');
    slot.length = encodeMessage(new Cursor(slot.payload, { granted: false }), tag++, message);
    requests.publish();
  };
  const answered: number[] = [];
  const take = (): void => {
    for (let slot = replies.peek(); slot; slot = replies.peek()) {
      answered.push(slot.view.getUint16(5, true));
      replies.release();
    }
  };
  const FILES = 20;
  send({ name: 'Tattach', fid: ROOT, afid: NOFID, uname: '', aname: '', nUname: NONUNAME });
  for (let fid = 0; fid < FILES; fid++) send({ name: 'Twalk', fid: ROOT, newfid: fid, wname: [] });
  machine.advance(0); // two are answered, the other answers wait for room
  const body = { flags: O_RDWR, mode: 0o600, gid: 0 };
  for (let fid = 0; fid < FILES; fid++)
    send({ name: 'Tlcreate', fid, filename: `f${fid}`, ...body });
  for (let turn = 0; answered.length < tag && turn < 1000; turn++) {
    take(); // there is room, and who waits for it has not run yet
    machine.advance(0);
  }
  for (let fid = 0; fid < FILES; fid++) {
    const [walked, created] = [1 + fid, 1 + FILES + fid];
    t.deepEqual(
      answered.filter((one) => one === walked || one === created),
      [walked, created],
    );
  }
});

test('a deletion that comes to no end is given up and told, and the volume serves on', (t) => {
  if (missing(t)) return;
  const { fs, machine } = bootVolume({
    format: mountExt4,
    image: mke2fs(1 << 20, ['-t', 'ext4', '-O', '^has_journal']),
  });
  let steps = 0;
  Object.assign(machine.volume, {
    continueWork: () => {
      steps++;
      return true;
    },
  });
  const fid = fs.create('fragmented');
  for (let block = 0; block < 100; block += 2) fs.write(fid, block * 1024, new Uint8Array(1024));
  fs.clunk(fid);
  t.is(t.throws<PosixError>(() => fs.unlink('fragmented'))?.errno, EUCLEAN);
  t.is(steps, 2048); // one for each sector
  t.regex(machine.log.join('\n'), /inode 12 came to no end in 2048 steps/);
  t.deepEqual(fs.list(''), ['lost+found']);
});
