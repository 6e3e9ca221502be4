// The driver over the controller's model, in one thread: the cases of every disk driver, and what only
// AHCI has.

import test from 'ava';
import { memoryDisk, runTask, runTasks } from '../hw/test-rig.ts';
import { blockCases } from '../lib/testing/block-cases.ts';
import { faultCases } from '../lib/testing/fault-cases.ts';
import { hotPlugCases } from '../lib/testing/hot-plug-cases.ts';
import { must, request, rig } from '../lib/testing/subject.ts';
import { treeCases } from '../lib/testing/tree-cases.ts';
import { ahci, ahciSocket } from './testing/subject.ts';

blockCases(ahci);
faultCases(ahci);
treeCases(ahci);
hotPlugCases(ahciSocket);

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
