// The driver over the controller's model, in one thread: the cases of every disk driver, and what only
// AHCI has.

import test from 'ava';
import { EIO, PosixError } from '../../kernel/abi/errno.ts';
import { createAhciController } from '../hw/ahci/ahci.ts';
import { createPciBus } from '../hw/pci.ts';
import {
  handClock,
  type MemoryDisk,
  memoryDisk,
  runTask,
  runTasks,
  uncounted,
} from '../hw/test-rig.ts';
import { blockCases } from '../lib/testing/block-cases.ts';
import { faultCases } from '../lib/testing/fault-cases.ts';
import { DATA, flush, must, request, rig } from '../lib/testing/subject.ts';
import { treeCases } from '../lib/testing/tree-cases.ts';
import { startAhci } from './driver.ts';
import { ahci } from './testing/subject.ts';

blockCases(ahci);
faultCases(ahci);
treeCases(ahci);

test('little DMA memory means fewer slots, too little is refused', (t) => {
  const small = rig(ahci, [memoryDisk(1000)], {
    dma: { address: 0x1000, length: 0x1_0000 + 0x3000 },
  });
  const reads = Array.from({ length: 40 }, (_, i) =>
    must(small.controller.disks[0]).submit(request('read', i * 20, 8)),
  );
  t.true(runTasks(small.pci, reads).every((result) => result === undefined));
  t.throws(() => rig(ahci, [memoryDisk(1000)], { dma: { address: 0x1000, length: 0x1_0000 } }), {
    message: /DMA memory/,
  });
});

test('a trim is cut where the counts of its ranges end', (t) => {
  const medium = memoryDisk(70_000);
  const { pci, controller } = rig(ahci, [medium]);
  runTask(
    pci,
    must(controller.disks[0]).submit({ op: 'trim', lba: 10, count: 69_000, segments: [] }),
  );
  t.deepEqual(
    medium.calls.filter((call) => call.startsWith('trim')),
    [`trim ${10 * 512}+${65_535 * 512}`, `trim ${65_545 * 512}+${3465 * 512}`],
  );
});

/** A controller of 32 ports whose disks come and go. */
function hotRig(disks: readonly MemoryDisk[]) {
  const ram = new SharedArrayBuffer(64 << 20);
  const hba = createAhciController({ ram, disks: disks.length ? disks : [undefined], ports: 32 });
  const log: string[] = [];
  const { after } = handClock();
  const board = { ram, pci: createPciBus([hba]) };
  const dma = { address: 0x1000, length: 1 << 20 };
  const start = startAhci({ board, dma, log: (line) => log.push(line), after, stats: uncounted });
  const controller = runTask(hba, start);
  const names = () => {
    runTask(hba, controller.settled());
    return controller.disks.map(({ name, sectorCount }) => `${name} ${sectorCount}`);
  };
  return { hba, controller, log, names, ram };
}

test('a disk that is plugged in is found by the phy, one that is pulled out fails what was asked of it', (t) => {
  const { hba, controller, log, names } = hotRig([memoryDisk(1000)]);
  hba.plug(3, memoryDisk(3000));
  t.deepEqual(names(), ['sdC0 1000', 'sdC3 3000']);
  const disk = must(controller.disks[1]);
  runTask(hba, disk.submit(request('write', 5)));
  const asked = Array.from({ length: 40 }, (_, i) => disk.submit(request('read', i)));
  const first = asked.map((task) => task.next());
  t.true(
    first.some(({ done }) => !done),
    'all are under way',
  );
  hba.unplug(3);
  const results = runTasks(hba, asked);
  t.true(results.every((result) => result instanceof PosixError && result.errno === EIO));
  t.deepEqual(names(), ['sdC0 1000']);
  t.throws(() => runTask(hba, disk.submit(flush)), { message: /port is gone/ });
  t.deepEqual(log, ['sdC3: was pulled out']);
  runTask(hba, must(controller.disks[0]).submit(request('read', 7)));
});

test('another disk in a port is another disk, also when nobody looked in between', (t) => {
  const second = memoryDisk(2000);
  const { hba, controller, names, ram } = hotRig([memoryDisk(1000)]);
  const before = must(controller.disks[0]);
  hba.unplug(0);
  hba.plug(0, second);
  t.deepEqual(names(), ['sdC0 2000']);
  t.throws(() => runTask(hba, before.submit(request('read', 0))));
  new Uint8Array(ram, DATA, 512).fill(7);
  runTask(hba, must(controller.disks[0]).submit(request('write', 1999)));
  runTask(hba, must(controller.disks[0]).submit(flush));
  t.is(second.bytes[1999 * 512], 7);
});

test('disks come and go a thousand times, and the memory of their ports with them', (t) => {
  const { hba, log, names } = hotRig([]);
  for (let i = 0; i < 1000; i++) {
    const port = i % 32;
    hba.plug(port, memoryDisk(8 + i));
    t.deepEqual(names(), [`sdC${port} ${8 + i}`]);
    hba.unplug(port);
    t.deepEqual(names(), []);
  }
  for (let port = 0; port < 12; port++) hba.plug(port, memoryDisk(8));
  t.true(names().length >= 1 && names().length < 12, 'there is memory for a few');
  t.regex(log.at(-1) ?? '', /no DMA memory is left/);
});
