// Disks that come and go under a running driver: the cases of every controller whose disks do.

import test from 'ava';
import type { PciBus } from '../../../kernel/abi/board.ts';
import { EIO, PosixError } from '../../../kernel/abi/errno.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import type { Disk } from '../../hw/disk/disk.ts';
import {
  type Device,
  handClock,
  type MemoryDisk,
  memoryDisk,
  runTask,
  runTasks,
  uncounted,
} from '../../hw/test-rig.ts';
import type { BlockController, DriverStart } from '../sd-disk.ts';
import { DATA, flush, must, request } from './subject.ts';

/** A controller of 32 ports. */
export interface Socket {
  readonly name: string;
  /** sdC, sdF */
  readonly prefix: string;
  /** Disks that have memory for DMA when none was there at the start. */
  readonly spare: { readonly least: number; readonly most: number };
  readonly power: (ram: SharedArrayBuffer, disks: readonly Disk[]) => Powered;
  readonly start: (options: DriverStart) => Task<BlockController>;
}

interface Powered {
  readonly pci: PciBus;
  plug(port: number, disk: Disk): void;
  unplug(port: number): void;
}

const PORTS = 32;
const ROUNDS = 1000;

export function hotPlugCases(socket: Socket): void {
  const { name: who, prefix } = socket;

  test(`${who}: a disk that is plugged in is found, one that is pulled out fails what was asked of it`, (t) => {
    const { hardware, device, controller, log, names } = rig(socket, [memoryDisk(1000)]);
    hardware.plug(3, memoryDisk(3000));
    t.deepEqual(names(), [`${prefix}0 1000`, `${prefix}3 3000`]);
    const disk = must(controller.disks[1]);
    runTask(device, disk.submit(request('write', 5)));
    const asked = Array.from({ length: 40 }, (_, i) => disk.submit(request('read', 2 * i)));
    const first = asked.map((task) => task.next());
    t.true(
      first.some(({ done }) => !done),
      'all are under way',
    );
    hardware.unplug(3);
    t.deepEqual(names(), [`${prefix}0 1000`]);
    const results = runTasks(device, asked);
    t.true(results.every((result) => result instanceof PosixError && result.errno === EIO));
    t.throws(() => runTask(device, disk.submit(flush)), { message: /(port|device) is gone/ });
    t.true(log.includes(`${prefix}3: was pulled out`), log.join());
    runTask(device, must(controller.disks[0]).submit(request('read', 7)));
  });

  test(`${who}: another disk in a port is another disk, also when nobody looked in between`, (t) => {
    const second = memoryDisk(2000);
    const { hardware, device, controller, names, ram } = rig(socket, [memoryDisk(1000)]);
    const before = must(controller.disks[0]);
    hardware.unplug(0);
    hardware.plug(0, second);
    t.deepEqual(names(), [`${prefix}0 2000`]);
    t.throws(() => runTask(device, before.submit(request('read', 0))));
    new Uint8Array(ram, DATA, 512).fill(7);
    runTask(device, must(controller.disks[0]).submit(request('write', 1999)));
    runTask(device, must(controller.disks[0]).submit(flush));
    t.is(second.bytes[1999 * 512], 7);
  });

  test(`${who}: disks come and go ${ROUNDS} times, and their memory for DMA with them`, (t) => {
    const { hardware, log, names } = rig(socket, []);
    for (let i = 0; i < ROUNDS; i++) {
      const port = i % PORTS;
      hardware.plug(port, memoryDisk(8 + i));
      t.deepEqual(names(), [`${prefix}${port} ${8 + i}`]);
      hardware.unplug(port);
      t.deepEqual(names(), []);
    }
    for (let port = 0; port < 12; port++) hardware.plug(port, memoryDisk(8));
    const { least, most } = socket.spare;
    t.true(names().length >= least && names().length <= most, 'there is memory for a few');
    t.regex(log.at(-1) ?? '', /no DMA memory is left/);
  });
}

function rig(socket: Socket, disks: readonly MemoryDisk[]) {
  const ram = new SharedArrayBuffer(64 << 20);
  const hardware = socket.power(ram, disks);
  const log: string[] = [];
  const { after } = handClock();
  const { pci } = hardware;
  const device: Device = {
    step: () => pci.functions().reduce((busy, one) => one.step() || busy, false),
  };
  const dma = { address: 0x1000, length: 1 << 20 };
  const board = { ram, pci };
  const say = (line: string): void => void log.push(line);
  const start = socket.start({ board, dma, log: say, after, stats: uncounted });
  const controller = runTask(device, start);
  const names = (): string[] => {
    runTask(device, controller.settled());
    return controller.disks.map(({ name, sectorCount }) => `${name} ${sectorCount}`);
  };
  return { hardware, device, controller, log, names, ram };
}
