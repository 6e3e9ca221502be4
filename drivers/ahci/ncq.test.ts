// Native command queuing, driver over model: 32 tags at once, and the recovery when one of them fails
// (AHCI 1.3.1 §5.3.13, §6.2.2.2).

import test from 'ava';
import { EIO, PosixError } from '../../kernel/abi/errno.ts';
import { integersFrom } from '../../kernel/ipc/random.ts';
import { testSeed } from '../../kernel/ipc/testing/seed.ts';
import type { Disk } from '../hw/disk/disk.ts';
import { memoryDisk, runTask, runTasks } from '../hw/test-rig.ts';
import { LOG_NCQ_ERROR, LOG_NOT_QUEUED } from '../lib/ata-regs.ts';
import { DATA, flush, must, request, rig } from '../lib/testing/subject.ts';
import * as r from './regs.ts';
import { ahci } from './testing/subject.ts';

/** A medium of which some sectors cannot be read. */
function badDisk(bad: ReadonlySet<number>, sectors = 10_000): Disk {
  const disk = memoryDisk(sectors);
  return {
    ...disk,
    readv(offset, segments) {
      const end = offset + segments.reduce((sum, one) => sum + one.length, 0);
      for (const lba of bad) {
        if (lba * 512 >= offset && lba * 512 < end) throw new PosixError(EIO, `sector ${lba}`);
      }
      disk.readv(offset, segments);
    },
  };
}

/** Requests that are never neighbours, so that each is a command of its own. */
const apart = (i: number) => request('read', i * 10, 1, DATA + i * 512);

test('32 commands are in the queue at once, each with its slot as its tag', (t) => {
  const { pci, controller, functions } = rig(ahci, [memoryDisk(10_000)]);
  const abar = must(must(functions[0]).bar(5));
  const disk = must(controller.disks[0]);
  let most = 0;
  const watching = {
    step: () => {
      const active = abar.read32(r.portBase(0) + r.PORT_SACT);
      let tags = 0;
      for (let left = active; left !== 0; left >>>= 1) tags += left & 1;
      most = Math.max(most, tags);
      return pci.step();
    },
  };
  const reads = Array.from({ length: 100 }, (_, i) => disk.submit(apart(i)));
  t.true(runTasks(watching, reads).every((result) => result === undefined));
  t.is(most, 32);
  t.is(abar.read32(r.portBase(0) + r.PORT_SACT), 0);
});

test('of a full queue the commands that fail are told by the log, all others are done', (t) => {
  const bad = new Set([50, 170, 310]);
  const { pci, controller, log, bytes } = rig(ahci, [badDisk(bad)]);
  const disk = must(controller.disks[0]);
  bytes(DATA, 40 * 512).fill(0xee);
  const results = runTasks(
    pci,
    Array.from({ length: 40 }, (_, i) => disk.submit(apart(i))),
  );
  const failed = results.flatMap((result, i) => (result instanceof PosixError ? [i * 10] : []));
  t.deepEqual(failed, [...bad]);
  const said = log.filter((line) => line.startsWith('sdC0'));
  t.deepEqual(
    said,
    [...bad].map((lba) => `sdC0: READ FPDMA QUEUED lba ${lba} count 1: uncorrectable data`),
  );
  results.forEach((result, i) => {
    if (result === undefined) t.is(bytes(DATA + i * 512, 1)[0], 0, `sector ${i * 10} was read`);
  });
  runTask(pci, disk.submit(flush));
});

test('random queues with bad sectors: every request has the answer that its sectors have', (t) => {
  const seed = testSeed();
  t.log(`ATOLL_SEED=${seed}`);
  const random = integersFrom(seed);
  for (let round = 0; round < 30; round++) {
    const bad = new Set(Array.from({ length: random(6) }, () => random(1000)));
    const { pci, controller } = rig(ahci, [badDisk(bad, 1000)]);
    const disk = must(controller.disks[0]);
    const asked = Array.from({ length: 60 }, (_, i) => {
      const [op, lba, count] = [random(9), random(990), 1 + random(8)];
      if (op === 0) return { work: disk.submit(flush), wanted: false };
      if (op === 1) {
        const trim = { op: 'trim', lba: lba + 1, count: 1, segments: [] } as const;
        return { work: disk.submit(trim), wanted: false };
      }
      const wanted = [...bad].some((sector) => sector >= lba && sector < lba + count);
      return { work: disk.submit(request('read', lba, count, DATA + i * 4096)), wanted };
    });
    const results = runTasks(
      pci,
      asked.map(({ work }) => work),
    );
    t.deepEqual(
      results.map((result) => result instanceof PosixError),
      asked.map(({ wanted }) => wanted),
    );
  }
});

/** The model alone, over registers: one port, started. */
function model(disk: Disk) {
  const { ram, functions, pci } = rig(ahci, [disk], { dma: { address: 0x1000, length: 1 << 20 } });
  const abar = must(must(functions[0]).bar(5));
  const view = new DataView(ram);
  const port = (offset: number) => abar.read32(r.portBase(0) + offset);
  const poke = (offset: number, value: number) => abar.write32(r.portBase(0) + offset, value);
  poke(r.PORT_IE, 0); // the driver sleeps
  const list = port(r.PORT_CLB);
  const put = (
    slot: number,
    command: Partial<Record<'command' | 'count' | 'features' | 'lba0', number>>,
  ) => {
    const header = new r.CommandHeader(view, list + slot * r.CommandHeader.size);
    const table = header.ctba || 0x40_0000 + slot * 0x1000;
    header.flags = 5;
    header.prdtl = 1;
    header.ctba = table;
    const fis = new r.RegisterH2D(view, table);
    new Uint8Array(ram, table, r.RegisterH2D.size).fill(0);
    Object.assign(fis, { type: r.FIS_H2D, flags: r.H2D_COMMAND, device: 0x40, ...command });
    const prd = new r.Prd(view, table + r.TABLE_PRDT);
    prd.dba = DATA + slot * 512;
    prd.dbc = 511;
  };
  const run = () => {
    while (pci.step());
  };
  return { port, poke, put, run, view, ram };
}

test('the model: a tag ends by a Set Device Bits FIS, an error stops the queue until its log is read', (t) => {
  const { port, poke, put, run, view, ram } = model(badDisk(new Set([20])));
  const read = (tag: number, lba: number) =>
    put(tag, { command: 0x60, features: 1, count: tag << r.TAG_SHIFT, lba0: lba });
  read(4, 10);
  poke(r.PORT_IS, 0xffff_ffff);
  poke(r.PORT_SACT, 1 << 4);
  poke(r.PORT_CI, 1 << 4);
  run();
  t.deepEqual([port(r.PORT_SACT), port(r.PORT_CI), port(r.PORT_IS)], [0, 0, r.IS_SDBS]);
  const bits = new r.SetDeviceBits(view, port(r.PORT_FB) + r.RFIS_SET_DEVICE_BITS);
  t.deepEqual([bits.type, bits.active, bits.error], [r.FIS_SET_DEVICE_BITS, 1 << 4, 0]);

  read(7, 20);
  read(9, 30);
  poke(r.PORT_SACT, (1 << 7) | (1 << 9));
  poke(r.PORT_CI, (1 << 7) | (1 << 9));
  run();
  t.not(port(r.PORT_IS) & r.IS_TFES, 0);
  t.is(port(r.PORT_SACT), (1 << 7) | (1 << 9), 'neither is done');
  poke(r.PORT_CMD, port(r.PORT_CMD) & ~r.CMD_ST);
  poke(r.PORT_CMD, port(r.PORT_CMD) | r.CMD_ST);
  t.is(port(r.PORT_SACT), 0, 'ST clears them');
  const log = () => {
    poke(r.PORT_IS, 0xffff_ffff);
    put(0, { command: 0x2f, lba0: LOG_NCQ_ERROR, count: 1 });
    poke(r.PORT_CI, 1);
    run();
    return [...new Uint8Array(ram, DATA, 5)];
  };
  t.deepEqual(log(), [7, 0, 0x51, 0x40, 20]);
  t.is(log()[0], LOG_NOT_QUEUED, 'it is told once');
});

test('the model: other commands beside a queue, and tags that are not in PxSACT, are aborted', (t) => {
  const { port, poke, put, run } = model(memoryDisk(1000));
  put(3, { command: 0x60, features: 1, count: 3 << r.TAG_SHIFT });
  poke(r.PORT_CI, 1 << 3);
  run();
  t.not(port(r.PORT_TFD) & r.TFD_ERR, 0);
});
