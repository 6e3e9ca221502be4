// What programs and file systems reach of a disk, its /dev/sd tree over the driver over the model: the same
// cases for each controller. Any byte, any length, many at a time, resets among them; and no way out of a
// partition.

import test from 'ava';
import { EINVAL, EIO, ENOSPC, EROFS } from '../../../kernel/abi/errno.ts';
import { integersFrom } from '../../../kernel/ipc/random.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import { testSeed } from '../../../kernel/ipc/testing/seed.ts';
import { type MemoryDisk, memoryDisk, runTask, runTasks } from '../../hw/test-rig.ts';
import { createSdServer, type SdFile } from '../sd-server.ts';
import { DATA, must, rig, type Subject } from './subject.ts';

/** A disk of 1000 sectors whose partition 1 is the sectors 100 to 299. */
function partitioned(readOnly = false): MemoryDisk {
  const disk = memoryDisk(1000, readOnly);
  const view = new DataView(disk.bytes.buffer);
  view.setUint16(510, 0xaa55, true);
  view.setUint8(446 + 4, 0x83);
  view.setUint32(446 + 8, 100, true);
  view.setUint32(446 + 12, 200, true);
  return disk;
}

function tree(subject: Subject, disk: MemoryDisk) {
  const { ram, pci, controller, bytes } = rig(subject, [disk]);
  const run = <T>(task: Task<T>): T => runTask(pci, task);
  const server = run(createSdServer({ ram, controller, log: () => {} }));
  const { fs } = server;
  const file = (path: string): SdFile => {
    const root = fs.attach(undefined, { uname: '', aname: '', nUname: 0 });
    return [`${subject.prefix}0`, ...path.split('/')].reduce(
      (at, name) => must(fs.walk(undefined, at, name)),
      root,
    );
  };
  const now = <T>(result: T | Task<T>): T =>
    typeof result === 'object' && result !== null && 'next' in result ? run(result) : (result as T);
  const read = (path: string, offset: number, length: number): Uint8Array => {
    const into = new Uint8Array(length);
    return into.subarray(0, now(fs.read(undefined, file(path), offset, into)));
  };
  const write = (path: string, offset: number, from: Uint8Array): number =>
    now(fs.write?.(undefined, file(path), offset, from) ?? 0);
  const command = (text: string) => write('ctl', 0, new TextEncoder().encode(text));
  return { pci, controller, server, bytes, file, read, write, command, run };
}

export function treeCases(subject: Subject): void {
  bounds(subject);
  anyByte(subject);
}

function bounds(subject: Subject): void {
  test(`${subject.name}: no transfer leaves its partition`, (t) => {
    const disk = partitioned();
    const { read, write, command, run, server, file } = tree(subject, disk);
    const size = 200 * 512;
    disk.bytes.fill(9, 300 * 512);
    t.is(read('part/1', size - 100, 5000).length, 100);
    t.is(read('part/1', size, 10).length, 0);
    t.is(read('part/1', size + 10_000, 10).length, 0);
    t.is(write('part/1', size - 100, new Uint8Array(5000).fill(1)), 100);
    t.like(
      t.throws(() => write('part/1', size, Uint8Array.of(1))),
      { errno: ENOSPC },
    );
    const segments = [{ address: DATA, length: 4096 }];
    t.is(run(server.transfer(file('part/1'), { op: 'write', offset: size - 512, segments })), 512);
    t.is(run(server.transfer(file('part/1'), { op: 'read', offset: size, segments })), 0);
    command('flush\n');
    t.true(disk.bytes.subarray(300 * 512).every((byte) => byte === 9));
  });

  test(`${subject.name}: ctl flushes, trims and resets, and refuses what is none of these`, (t) => {
    const disk = partitioned();
    const { write, read, command } = tree(subject, disk);
    write('raw', 700, Uint8Array.of(7));
    command('reset\nflush\n');
    t.is(disk.bytes[700], 7);
    if (subject.trims) command('trim 400 20\n');
    t.is(disk.calls.includes(`trim ${400 * 512}+${20 * 512}`), subject.trims);
    for (const wrong of ['format', 'trim 999 2', 'trim 5 0'])
      t.like(
        t.throws(() => command(wrong)),
        { errno: EINVAL },
      );
    t.is(read('raw', 510, 1)[0], 0x55);
  });

  test(`${subject.name}: a bad spot is EIO for those who read it; a protected disk is EROFS`, (t) => {
    const disk = partitioned();
    disk.bad.add(700 * 512);
    const { read } = tree(subject, disk);
    t.like(
      t.throws(() => read('raw', 699 * 512, 1024)),
      { errno: EIO },
    );
    t.is(read('raw', 698 * 512, 1024).length, 1024);
    const { write } = tree(subject, partitioned(true));
    t.like(
      t.throws(() => write('raw', 0, Uint8Array.of(1))),
      { errno: EROFS },
    );
  });
}

const SECTORS = 6000;
const SLOT = 0x28_0000;

function anyByte(subject: Subject): void {
  test(`${subject.name}: transfers of 1 byte to 1 MiB, many at once and resets among them, agree with an array of bytes`, (t) => {
    const seed = testSeed();
    t.log(`ATOLL_SEED=${seed}`);
    const random = integersFrom(seed);
    const disk = memoryDisk(SECTORS);
    const { pci, controller, server, file, bytes } = tree(subject, disk);
    const data = file('raw');
    const model = new Uint8Array(disk.bytes.length);
    for (let round = 0; round < 100; round++) {
      const tasks: Task<number>[] = [];
      const lengths: number[] = [];
      const checks: (() => void)[] = [];
      const taken = new Uint8Array(model.length); // disjoint bytes, often of one sector
      for (let i = 0; i < 12; i++) {
        const { offset, length } = someRange(random, model.length);
        if (taken.subarray(offset, offset + length).includes(1)) continue;
        taken.fill(1, offset, offset + length);
        const address = DATA + i * SLOT + random(4);
        const cut = random(length + 1);
        const segments = [
          { address, length: cut },
          { address: address + cut + 0x1000, length: length - cut },
        ].filter((segment) => segment.length > 0);
        const memory = () => segments.map((segment) => bytes(segment.address, segment.length));
        const op = random(2) ? 'write' : 'read';
        if (op === 'write') {
          let to = offset;
          for (const view of memory()) {
            view.fill(random(256));
            model.set(view, to);
            to += view.length;
          }
        } else {
          const expected = model.slice(offset, offset + length);
          checks.push(() => t.is(Buffer.compare(Buffer.concat(memory()), expected), 0));
        }
        lengths.push(length);
        tasks.push(server.transfer(data, { op, offset, segments }));
      }
      if (random(4) === 0) {
        lengths.push(0);
        tasks.push(reset(controller));
      }
      t.deepEqual(runTasks(pci, tasks), lengths);
      for (const check of checks) check();
    }
  });
}

function someRange(random: (below: number) => number, size: number) {
  const kind = random(8);
  const aligned = kind < 3;
  const most = kind === 0 ? 2048 : 20;
  const length = aligned
    ? 512 * (1 + random(most))
    : 1 + random(kind === 7 ? 1 << 20 : kind < 5 ? 300 : 20_000);
  const at = random(size - length);
  return { offset: aligned ? at - (at % 512) : at, length };
}

function* reset(controller: { reset(): void }): Task<number> {
  controller.reset();
  return 0;
}
