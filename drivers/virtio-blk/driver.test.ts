// The virtio block driver over its model, in one thread: the cases of every disk driver, with and
// without the optional parts of the queue.

import test from 'ava';
import { EIO, PosixError } from '../../kernel/abi/errno.ts';
import { memoryDisk, runTasks } from '../hw/test-rig.ts';
import { blockCases } from '../lib/testing/block-cases.ts';
import { faultCases } from '../lib/testing/fault-cases.ts';
import { hotPlugCases } from '../lib/testing/hot-plug-cases.ts';
import { flush, must, request, rig, type Subject } from '../lib/testing/subject.ts';
import { treeCases } from '../lib/testing/tree-cases.ts';
import * as r from './regs.ts';
import { virtio, virtioSocket } from './testing/subject.ts';

blockCases(virtio());
faultCases(virtio());
treeCases(virtio());
hotPlugCases(virtioSocket);
blockCases(virtio([r.F_INDIRECT_DESC]));
blockCases(virtio([r.F_EVENT_IDX, r.F_MQ]));

/** A device that spoils its first queue's used ring once, before it interrupts. */
const lies = test.macro({
  exec(t, spoil: (used: number, view: DataView) => void) {
    let armed = false;
    const honest = virtio();
    const power: Subject['power'] = (hardware) =>
      honest.power(hardware).map((pci) => ({
        ...pci,
        onInterrupt: (handler) =>
          pci.onInterrupt(() => {
            const registers = must(pci.registers(4));
            registers.write(...r.COMMON.queueSelect, 0);
            const used = registers.read(...r.COMMON.queueDevice);
            if (armed) spoil(used, new DataView(hardware.ram));
            armed = false;
            handler();
          }),
      }));
    const it = rig({ ...honest, power }, [memoryDisk(1000)]);
    const disk = must(it.controller.disks[0]);
    armed = true;
    const results = runTasks(it.pci, [disk.submit(request('read', 5)), disk.submit(flush)]);
    t.deepEqual(results, [undefined, undefined]);
    t.true(
      it.log.some((line) => line.startsWith('sdF0: the used ring')),
      it.log.join(),
    );
  },
  title: (what) => `${what}: the device is reset, and no request is lost`,
});
test('a used index far ahead', lies, (used, view) => view.setUint16(used + r.RING_IDX, 500, true));
test('a used chain that it does not have', lies, (used, view) => {
  for (let i = 0; i < 128; i++) view.setUint32(used + r.RING_ENTRIES + 8 * i, 77, true);
});

test('many disks share the memory for DMA: fewer slots each', (t) => {
  const disks = Array.from({ length: 12 }, () => memoryDisk(1000));
  const it = rig(virtio(), disks);
  t.is(it.controller.disks.length, 12);
  const reads = it.controller.disks.flatMap((disk) =>
    Array.from({ length: 40 }, (_, i) => disk.submit(request('read', i * 20, 8))),
  );
  t.true(runTasks(it.pci, reads).every((result) => result === undefined));
});

test('a device that resets do not help is given up, and all that waits for it fails', (t) => {
  let dead = false;
  const sound = virtio();
  const power: Subject['power'] = (hardware) =>
    sound.power(hardware).map((pci) => ({ ...pci, step: () => (dead ? false : pci.step()) }));
  const it = rig({ ...sound, power }, [memoryDisk(1000)]);
  const disk = must(it.controller.disks[0]);
  const asked = Array.from({ length: 100 }, (_, i) => disk.submit(request('read', 9 * i)));
  dead = true;
  for (const task of asked) task.next();
  it.functions[0]?.configWrite(0x04, 2, 0); // and now its registers are silent, too
  for (let i = 0; i < 60; i++) it.time.pass(1000);
  const results = runTasks(it.pci, asked);
  t.is(results.filter((one) => one instanceof PosixError && one.errno === EIO).length, 100);
});
