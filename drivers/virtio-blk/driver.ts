// The virtio block driver: finds the functions on the PCI bus and offers a disk for each,
// while they come and go.
// VIRTIO 1.2 §4.1.2, §5.2.

import type { PciBus, PciFunction } from '../../kernel/abi/board.ts';
import { EIO, PosixError } from '../../kernel/abi/errno.ts';
import { decodeText } from '../../kernel/abi/text.ts';
import { Lock, sleep, type Task, WaitQueue, wakeAll } from '../../kernel/ipc/task.ts';
import { BouncePool } from '../lib/bounce.ts';
import { queuedDisk } from '../lib/queued-disk.ts';
import type { RamRange } from '../lib/request.ts';
import type { BlockController, DriverStart, SdDisk } from '../lib/sd-disk.ts';
import type { DiskStats } from '../lib/stats.ts';
import { requestFor, VirtioDisk, type VirtioRequest } from './disk.ts';
import { DmaArea } from './memory.ts';
import * as r from './regs.ts';

/** Brings up every virtio block device. A disk that does not answer is logged and left out. */
export function* startVirtioBlk(options: DriverStart): Task<BlockController> {
  const controller = new VirtioController(options);
  yield* controller.settled();
  return controller;
}

const blockDevices = (pci: PciBus): PciFunction[] =>
  pci
    .functions()
    .filter((one) => one.configRead(0, 2) === r.PCI_VENDOR_VIRTIO)
    .filter((one) => one.configRead(2, 2) === r.PCI_DEVICE_BLOCK);

interface Slot {
  readonly disk: SdDisk;
  readonly device: VirtioDisk;
  readonly memory: RamRange;
}

/** A disk for each function, as they come and go: hot plug is the bus's (VIRTIO 1.2 §4.1). */
class VirtioController implements BlockController {
  readonly bounce: BouncePool;
  readonly #options: DriverStart;
  readonly #area: DmaArea;
  readonly #slots = new Map<PciFunction, Slot>();
  readonly #settling = new Lock('virtio: disks come up');

  constructor(options: DriverStart) {
    this.#options = options;
    this.#area = new DmaArea(options.dma, blockDevices(options.board.pci).length);
    this.bounce = new BouncePool(this.#area.bounce);
  }

  get disks(): SdDisk[] {
    const slots = [...this.#slots].sort(([a], [b]) => a.device - b.device);
    return slots.map(([, { disk }]) => disk);
  }

  *settled(): Task<void> {
    yield* this.#settling.acquire();
    try {
      const { pci } = this.#options.board;
      pci.look();
      const found = blockDevices(pci);
      for (const [one, slot] of this.#slots) if (!found.includes(one)) this.#drop(one, slot);
      for (const one of found) if (!this.#slots.has(one)) yield* this.#connect(one);
    } finally {
      this.#settling.release();
    }
  }

  reset(): void {
    for (const { device } of this.#slots.values()) device.restart();
  }

  *shutdown(): Task<void> {
    for (const disk of this.disks)
      yield* disk.submit({ op: 'flush', lba: 0, count: 0, segments: [] });
  }

  *#connect(pci: PciFunction): Task<void> {
    const { board, log, after, stats } = this.#options;
    const name = `sdF${pci.device}`;
    const memoryAndBusMaster = 0x6;
    let memory: RamRange | undefined;
    try {
      memory = this.#area.take();
      pci.configWrite(0x04, 2, pci.configRead(0x04, 2) | memoryAndBusMaster);
      const ram = new DataView(board.ram);
      const device = new VirtioDisk({ pci, name, ram, memory, log, after });
      pci.onInterrupt(() => device.interrupt());
      device.start();
      const serial = yield* readSerial(device, this.bounce, board.ram);
      const disk = makeDisk(device, serial, { ram: board.ram, stats: stats(pci.device) });
      this.#slots.set(pci, { disk, device, memory });
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      log(`${name}: ${error.message}`);
      if (memory) this.#area.give(memory);
    }
  }

  #drop(pci: PciFunction, { device, memory }: Slot): void {
    this.#slots.delete(pci);
    this.#area.give(memory);
    device.pulled();
  }
}

/** §5.2.6.1 GET_ID: up to 20 bytes, ended by a NUL when shorter. */
function* readSerial(device: VirtioDisk, bounce: BouncePool, ram: SharedArrayBuffer): Task<string> {
  const buffer = yield* bounce.take();
  try {
    const into = { address: buffer.address, length: r.ID_BYTES, writable: true };
    yield* perform(device, { name: 'GET_ID', type: r.T_GET_ID, sector: 0, data: [into] });
    const bytes = new Uint8Array(ram, buffer.address, r.ID_BYTES).slice();
    const end = bytes.indexOf(0);
    return decodeText(end < 0 ? bytes : bytes.subarray(0, end)).replace(/[^ -~]/g, '');
  } finally {
    bounce.give(buffer);
  }
}

/** Runs one request outside the queue. */
function* perform(device: VirtioDisk, request: VirtioRequest): Task<void> {
  const over = new WaitQueue(`${device.name} ${request.name}`);
  let done = false;
  let fault: PosixError | undefined;
  device.issue(request, (result) => {
    done = true;
    fault = result;
    wakeAll(over);
  });
  while (!done) yield* sleep(over);
  if (fault) throw fault;
}

function makeDisk(
  device: VirtioDisk,
  serial: string,
  around: { readonly ram: SharedArrayBuffer; readonly stats: DiskStats },
): SdDisk {
  const { config } = device;
  const sectorCount = config.capacity;
  if (sectorCount === 0 || sectorCount > 2 ** 44)
    throw new PosixError(EIO, `the disk claims ${sectorCount} sectors`);
  if (device.has(r.F_BLK_SIZE) && config.blk_size !== r.SECTOR_SIZE)
    throw new PosixError(EIO, `the disk has sectors of ${config.blk_size} bytes`);
  const flushes = device.has(r.F_FLUSH);
  const identity = {
    ...{ model: 'VIRTIO BLOCK DEVICE', serial, firmware: '1.2', sectorCount },
    readOnly: device.has(r.F_RO),
    writeCache: flushes && (!device.has(r.F_CONFIG_WCE) || config.writeback === 1),
    trim: device.has(r.F_DISCARD),
  };
  return queuedDisk(identity, {
    ...{ name: device.name, ...around, limits: device.limits },
    freeSlots: () => device.freeSlots,
    issue: (request, finish) => {
      // Without F_FLUSH the device has no cache: all is on the medium when it is answered (§5.2.6.2).
      if (request.op === 'flush' && !flushes) finish(undefined);
      else device.issue(requestFor(request), finish);
    },
  });
}
