// What every disk driver does with requests: the same cases for each controller, driver over model in
// one thread.

import test from 'ava';
import { EINVAL, EIO, EROFS, PosixError } from '../../../kernel/abi/errno.ts';
import { integersFrom } from '../../../kernel/ipc/random.ts';
import { testSeed } from '../../../kernel/ipc/testing/seed.ts';
import { memoryDisk, runTask, runTasks } from '../../hw/test-rig.ts';
import { DATA, flush, must, request, rig, type Subject } from './subject.ts';

export function blockCases(subject: Subject): void {
  findsDisks(subject);
  movesData(subject);
  keepsOrder(subject);
}

function findsDisks(subject: Subject): void {
  test(`${subject.name}: finds the disks, and what they tell of themselves`, (t) => {
    const { controller, log } = rig(subject, [memoryDisk(1000), memoryDisk(2000, true)]);
    t.deepEqual(
      controller.disks.map(({ name, sectorCount, readOnly }) => ({ name, sectorCount, readOnly })),
      [
        { name: `${subject.prefix}0`, sectorCount: 1000, readOnly: false },
        { name: `${subject.prefix}1`, sectorCount: 2000, readOnly: true },
      ],
    );
    t.like(controller.disks[0], { ...subject.identity, writeCache: true });
    t.deepEqual(log, []);
  });
}

function movesData(subject: Subject): void {
  test(`${subject.name}: what is written is read back, and reaches the medium with a flush`, (t) => {
    const medium = memoryDisk(1000);
    const { pci, controller, bytes } = rig(subject, [medium]);
    const disk = must(controller.disks[0]);
    bytes(DATA, 4096).fill(0x5a);
    runTask(pci, disk.submit(request('write', 100, 8)));
    t.is(medium.bytes[100 * 512], 0, 'in the volatile cache only');
    runTask(pci, disk.submit(request('read', 100, 8, DATA + 8192)));
    t.deepEqual(bytes(DATA + 8192, 4096), bytes(DATA, 4096));
    runTask(pci, disk.submit(flush));
    t.deepEqual(medium.bytes.slice(100 * 512, 108 * 512), new Uint8Array(4096).fill(0x5a));
  });

  test(`${subject.name}: a sector may lie in pieces of any even length`, (t) => {
    const medium = memoryDisk(16);
    const { pci, controller, bytes } = rig(subject, [medium]);
    bytes(DATA, 1024).forEach((_, i, all) => {
      all[i] = i & 0xff;
    });
    const segments = [
      { address: DATA, length: 100 },
      { address: DATA + 100, length: 2 },
      { address: DATA + 102, length: 922 },
    ];
    const disk = must(controller.disks[0]);
    runTask(pci, disk.submit({ op: 'write', lba: 3, count: 2, segments }));
    runTask(pci, disk.submit(flush));
    t.deepEqual(medium.bytes.slice(1536, 2560), bytes(DATA, 1024).slice());
  });

  test(`${subject.name}: a request beyond the limits of a command becomes several`, (t) => {
    const medium = memoryDisk(80_000);
    const { pci, controller, bytes } = rig(subject, [medium]);
    const disk = must(controller.disks[0]);
    bytes(DATA, 35 << 20).fill(0x77); // more than 65,536 sectors, segments of more than 4 MiB
    runTask(pci, disk.submit(request('write', 1, 70_000)));
    const scattered = Array.from({ length: 1000 }, (_, i) => ({
      address: DATA + i * 6000,
      length: 512,
    }));
    runTask(pci, disk.submit({ op: 'read', lba: 10, count: 1000, segments: scattered }));
    runTask(pci, disk.submit(flush));
    t.true(medium.bytes.subarray(512, 512 + 70_000 * 512).every((byte) => byte === 0x77));
    t.is(bytes(DATA + 999 * 6000, 1)[0], 0x77);
  });

  test(`${subject.name}: a bad spot fails its own request with EIO and its reason; the others are done`, (t) => {
    const medium = memoryDisk(1000);
    medium.bad.add(55 * 512);
    const { pci, controller, log } = rig(subject, [medium]);
    const disk = must(controller.disks[0]);
    const lbas = [10, 40, 48, 54, 60, 300]; // 40..63 are neighbours and are merged
    const results = runTasks(
      pci,
      lbas.map((lba, i) =>
        disk.submit(request('read', lba, i === 3 ? 6 : i === 2 ? 6 : 8, DATA + i * 4096)),
      ),
    );
    t.deepEqual(
      results.map((result) => (result instanceof PosixError ? result.errno : 0)),
      [0, 0, 0, EIO, 0, 0],
    );
    t.regex(String(results[3]), subject.words.badRead);
    t.true(log.some((line) => /bad spot/.test(line)));
  });

  if (subject.trims)
    test(`${subject.name}: a DMA address outside memory is a bus error of that request alone`, (t) => {
      const { pci, controller } = rig(subject, [memoryDisk(1000)]);
      const disk = must(controller.disks[0]);
      const [bad, good] = runTasks(pci, [
        disk.submit(request('read', 0, 8, 0x7fff_f000)),
        disk.submit(request('read', 0, 8)),
      ]);
      t.regex(String(bad), subject.words.badAddress);
      t.is(good, undefined);
    });

  test(`${subject.name}: requests outside the disk and writes to a protected one are refused`, (t) => {
    const { pci, controller } = rig(subject, [memoryDisk(1000, true)]);
    const disk = must(controller.disks[0]);
    t.like(
      t.throws(() => runTask(pci, disk.submit(request('read', 996, 8)))),
      { errno: EINVAL },
    );
    t.like(
      t.throws(() => runTask(pci, disk.submit(request('write', 0, 8)))),
      { errno: EROFS },
    );
  });
}

function keepsOrder(subject: Subject): void {
  test(`${subject.name}: neighbouring requests that wait are merged into one command`, (t) => {
    const medium = memoryDisk(1000);
    const { pci, controller } = rig(subject, [medium]);
    const disk = must(controller.disks[0]);
    medium.calls.length = 0;
    const reads = Array.from({ length: 10 }, (_, i) =>
      disk.submit(request('read', i * 8, 8, DATA + i * 4096)),
    );
    runTasks(pci, reads);
    t.deepEqual(medium.calls, ['read 0+4096', 'read 4096+36864']);
  });

  test(`${subject.name}: a flush waits for the writes before it, and what comes behind waits for the flush`, (t) => {
    const medium = memoryDisk(1000);
    const { pci, controller } = rig(subject, [medium]);
    const disk = must(controller.disks[0]);
    medium.calls.length = 0;
    runTasks(pci, [
      disk.submit(request('write', 0, 8)),
      disk.submit(request('write', 100, 8)),
      disk.submit(flush),
      disk.submit(request('write', 200, 8)),
    ]);
    t.deepEqual(medium.calls, ['write 0+4096', 'write 51200+4096', 'flush']);
  });

  if (subject.trims)
    test(`${subject.name}: trim of a range longer than one command names reaches the medium`, (t) => {
      const medium = memoryDisk(70_000);
      medium.bytes.fill(1);
      const { pci, controller } = rig(subject, [medium]);
      const disk = must(controller.disks[0]);
      runTask(pci, disk.submit({ op: 'trim', lba: 10, count: 69_000, segments: [] }));
      t.is(medium.bytes.indexOf(0), 10 * 512);
      t.is(medium.bytes.lastIndexOf(0), 69_010 * 512 - 1);
    });

  test(`${subject.name}: a reset in the middle of many requests loses none`, (t) => {
    const medium = memoryDisk(1000);
    const { pci, controller, bytes } = rig(subject, [medium]);
    const disk = must(controller.disks[0]);
    bytes(DATA, 64 * 512).fill(9);
    function* resetLater() {
      controller.reset();
      yield* disk.submit(flush);
    }
    const writes = Array.from({ length: 30 }, (_, i) => disk.submit(request('write', i * 10, 2)));
    t.true(runTasks(pci, [...writes, resetLater()]).every((result) => result === undefined));
    for (let i = 0; i < 30; i++) t.is(medium.bytes[i * 5120], 9);
  });

  test(`${subject.name}: shutdown flushes`, (t) => {
    const medium = memoryDisk(1000);
    const { pci, controller, bytes } = rig(subject, [medium]);
    bytes(DATA, 512).fill(3);
    runTask(pci, must(controller.disks[0]).submit(request('write', 5, 1)));
    runTask(pci, controller.shutdown());
    t.is(medium.bytes[5 * 512], 3);
  });

  test(`${subject.name}: random requests agree with an array of bytes`, (t) => {
    const seed = testSeed();
    t.log(`ATOLL_SEED=${seed}`);
    const random = integersFrom(seed);
    const medium = memoryDisk(4096);
    const { pci, controller, bytes } = rig(subject, [medium]);
    const disk = must(controller.disks[0]);
    const model = new Uint8Array(4096 * 512);
    for (let round = 0; round < 300; round++) {
      const tasks = [];
      const checks: (() => void)[] = [];
      const taken = new Uint8Array(4096); // one request a sector in a round
      for (let i = 0; i < 24; i++) {
        const count = 1 + random(64);
        const lba = random(4096 - count);
        if (taken.subarray(lba, lba + count).includes(1)) continue;
        taken.fill(1, lba, lba + count);
        const memory = bytes(DATA + i * 65_536, count * 512);
        const kind = random(3);
        if (kind === 0) {
          memory.fill(random(256));
          memory[random(memory.length)] = random(256);
          model.set(memory, lba * 512);
        } else {
          memory.fill(0xee);
          const expected = model.slice(lba * 512, (lba + count) * 512);
          checks.push(() => t.deepEqual(Buffer.compare(memory, expected), 0));
        }
        tasks.push(
          disk.submit(request(kind === 0 ? 'write' : 'read', lba, count, DATA + i * 65_536)),
        );
        if (random(20) === 0) tasks.push(disk.submit(flush));
      }
      t.true(runTasks(pci, tasks).every((result) => result === undefined));
      for (const check of checks) check();
    }
    runTask(pci, disk.submit(flush));
    t.is(Buffer.compare(medium.bytes, model), 0);
  });
}
