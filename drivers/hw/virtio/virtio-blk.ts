// A virtio block device as a PCI function: VIRTIO 1.2 §4.1 transport, §3.1 initialization, §5.2 device.
// What a driver posts is worked on in `step`, one request of each queue, and the interrupt follows.

import type { PciFunction, Registers } from '../../../kernel/abi/board.ts';
import type { FaultGate } from '../../../kernel/ipc/fault/gate.ts';
import { COUNTERS, EVENTS } from '../../../kernel/ipc/trace-events.ts';
import * as r from '../../virtio-blk/regs.ts';
import { Dma, DmaFault } from '../device/dma.ts';
import { Drive } from '../device/drive.ts';
import { DriveFaults } from '../device/drive-faults.ts';
import { InterruptLine } from '../device/interrupt-line.ts';
import type { Disk } from '../disk/disk.ts';
import { COMMAND, ConfigSpace } from '../pci.ts';
import { CLASS_STORAGE, capabilities, Layout, NOTIFY_MULTIPLIER, REGISTERS_BAR } from './layout.ts';
import { RequestQueue } from './request-queue.ts';
import { RANGE_SECTORS, RANGES } from './requests.ts';
import { BadChain } from './virtqueue.ts';

export interface VirtioBlkOptions {
  readonly ram: SharedArrayBuffer;
  readonly disk: Disk;
  /** As the system names the disk: sdF0. Faults are named after it. */
  readonly name: string;
  /** The drive's write cache: memory of the board, which outlives this model. */
  readonly cache?: SharedArrayBuffer | undefined;
  readonly device?: number;
  readonly faults?: FaultGate | undefined;
  readonly log?: (line: string) => void;
  /** Features that it does not offer, of those it knows. */
  readonly without?: readonly number[];
}

export interface VirtioBlk extends PciFunction {
  readonly drive: Drive;
  /** Takes it from the bus: what its cache held is lost, and every read of it gives all ones. */
  unplug(): void;
  powerOff(): void;
}

const QUEUES = 2;
const SEGMENTS = 126;
const OFFERED = [
  ...[r.F_SEG_MAX, r.F_BLK_SIZE, r.F_FLUSH, r.F_CONFIG_WCE, r.F_MQ, r.F_DISCARD],
  ...[r.F_WRITE_ZEROES, r.F_INDIRECT_DESC, r.F_EVENT_IDX, r.F_VERSION_1],
];

export function createVirtioBlk(options: VirtioBlkOptions): VirtioBlk {
  const { ram, disk, cache, name, device = 0, faults: gate } = options;
  const faults = gate && new DriveFaults(gate, name);
  const drive = new Drive({ disk, cache, faults });
  const function_ = new BlockFunction(drive, { ...options, dma: new Dma(ram) });
  const config = new ConfigSpace({
    ...{ vendor: r.PCI_VENDOR_VIRTIO, device: r.PCI_DEVICE_BLOCK, class: CLASS_STORAGE },
    revision: 1,
    bars: [{ index: REGISTERS_BAR, sizeBytes: Layout.size }],
    capabilities: capabilities(),
  });
  const registers = config.gateRegisters(function_, 'memory');
  const line = new InterruptLine(gate, 'virtio');
  let gone = false;
  return {
    ...{ bus: 0, device, function: 0, drive },
    configRead: (offset, width) => (gone ? 2 ** (8 * width) - 1 : config.read(offset, width)),
    configWrite: (offset, width, value) => {
      if (!gone) config.write(offset, width, value);
    },
    bar: () => undefined,
    registers: (index) => (index === REGISTERS_BAR ? registers : undefined),
    onInterrupt: (handler) => {
      line.handler = handler;
    },
    step: () => {
      if (config.busMasterEnabled) function_.run();
      if (config.interruptsEnabled && function_.takeInterrupt()) line.raise();
      line.step();
      return config.busMasterEnabled && function_.hasWork;
    },
    dueAtMs: () => {
      const times = [function_.dueAtMs, line.dueAtMs].filter((at) => at !== undefined);
      return times.length === 0 ? undefined : Math.min(...times);
    },
    unplug: () => {
      config.write(COMMAND, 2, 0);
      gone = true;
      drive.powerOff();
    },
    powerOff: () => drive.powerOff(),
  };
}

class BlockFunction implements Registers {
  readonly size = Layout.size;
  readonly #options: VirtioBlkOptions & { readonly dma: Dma };
  readonly #drive: Drive;
  readonly #queues: readonly RequestQueue[];
  readonly #config = new DataView(new ArrayBuffer(r.BlockConfig.size));
  #status = 0;
  #isr = 0;
  #raised = false;
  #deviceSelect = 0;
  #driverSelect = 0;
  #queueSelect = 0;
  #accepted: [number, number] = [0, 0];

  constructor(drive: Drive, options: VirtioBlkOptions & { readonly dma: Dma }) {
    this.#options = options;
    this.#drive = drive;
    const { dma, log = () => {}, name } = options;
    const server = { drive, serial: `ATOLL-${name}`, log };
    this.#queues = Array.from({ length: QUEUES }, () => new RequestQueue(dma, server));
    this.#describe();
  }

  get hasWork(): boolean {
    return this.#running && (this.#raised || this.#queues.some((queue) => queue.hasWork));
  }

  get dueAtMs(): number | undefined {
    const due = this.#queues.map((queue) => queue.dueAtMs).filter((at) => at !== undefined);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  get #running(): boolean {
    const wanted = r.STATUS_DRIVER_OK;
    return (this.#status & (wanted | r.STATUS_NEEDS_RESET)) === wanted;
  }

  /** One request of each queue. */
  run(): void {
    if (!this.#running) return;
    const eventIndex = this.#has(r.F_EVENT_IDX);
    const { trace } = this.#options.dma;
    for (const queue of this.#queues) {
      try {
        const done = queue.step(eventIndex, (request) => {
          trace.begin(EVENTS.dma, request.lba, request.count * r.SECTOR_SIZE);
        });
        if (done === undefined) continue;
        trace.end(EVENTS.dma, done.bytes);
        if (done.bytes > 0) trace.count(COUNTERS.dmas);
        trace.count(COUNTERS.dmaBytes, done.bytes);
        if (done.interrupt) this.#interrupt(r.ISR_QUEUE);
      } catch (error) {
        if (!(error instanceof BadChain || error instanceof DmaFault)) throw error;
        this.#options.log?.(`${this.#options.name}: virtqueue: ${error.message}`);
        this.#status |= r.STATUS_NEEDS_RESET; // §2.1.2
        this.#interrupt(r.ISR_CONFIG);
      }
    }
  }

  takeInterrupt(): boolean {
    const raised = this.#raised;
    this.#raised = false;
    return raised;
  }

  read(offset: number, width: 1 | 2 | 4): number {
    const [area, at] = Layout.area(offset);
    if (area === 'common') return this.#readCommon(at, width);
    if (area === 'device') return this.#readConfig(at, width);
    if (area !== 'isr') return 0;
    const isr = this.#isr;
    this.#isr = 0;
    return isr;
  }

  write(offset: number, width: 1 | 2 | 4, value: number): void {
    const [area, at] = Layout.area(offset);
    if (area === 'common') this.#writeCommon(at, width, value);
    else if (area === 'notify') this.#queues[at / NOTIFY_MULTIPLIER]?.notify();
    else if (area === 'device' && at === r.BlockConfig.offsets.writeback && width === 1)
      this.#setWriteback(value);
  }

  #readConfig(at: number, width: 1 | 2 | 4): number {
    if (at + width > this.#config.byteLength) return 0;
    if (width === 1) return this.#config.getUint8(at);
    return width === 2 ? this.#config.getUint16(at, true) : this.#config.getUint32(at, true);
  }

  /** §5.2.5: with CONFIG_WCE the driver chooses; what is cached is written before it is off. */
  #setWriteback(value: number): void {
    if (!this.#has(r.F_CONFIG_WCE)) return;
    this.#drive.writeCacheOn = (value & 1) === 1;
    if (!this.#drive.writeCacheOn) this.#drive.cache.flush();
    new r.BlockConfig(this.#config, 0).writeback = value & 1;
  }

  #readCommon(at: number, width: number): number {
    const queue = this.#queues[this.#queueSelect];
    const field = Layout.common(at, width);
    switch (field) {
      case 'deviceFeatureSelect':
        return this.#deviceSelect;
      case 'deviceFeature':
        return this.#offered(this.#deviceSelect);
      case 'driverFeatureSelect':
        return this.#driverSelect;
      case 'driverFeature':
        return this.#accepted[this.#driverSelect] ?? 0;
      case 'configVector':
      case 'queueVector':
        return r.NO_VECTOR; // no MSI-X: INTx and the ISR status
      case 'numQueues':
        return this.#queues.length;
      case 'deviceStatus':
        return this.#status;
      case 'queueSelect':
        return this.#queueSelect;
      case 'queueNotifyOff':
        return this.#queueSelect;
      case undefined:
        return 0;
      default:
        return queue?.readField(field) ?? 0;
    }
  }

  #writeCommon(at: number, width: number, value: number): void {
    const field = Layout.common(at, width);
    if (field === 'deviceFeatureSelect') this.#deviceSelect = value;
    else if (field === 'driverFeatureSelect') this.#driverSelect = value;
    else if (field === 'queueSelect') this.#queueSelect = value;
    else if (field === 'deviceStatus') this.#setStatus(value);
    else if (field === 'driverFeature') {
      const fixed = (this.#status & r.STATUS_FEATURES_OK) !== 0;
      if (!fixed && this.#driverSelect < 2) this.#accepted[this.#driverSelect] = value >>> 0;
    } else if (field !== undefined) this.#queues[this.#queueSelect]?.writeField(field, value);
  }

  /** §3.1.1: bits are only added; zero resets. Features that were not offered are not accepted. */
  #setStatus(value: number): void {
    if (value === 0) {
      this.#reset();
      return;
    }
    let next = value | this.#status;
    const asks = (value & ~this.#status & r.STATUS_FEATURES_OK) !== 0;
    if (asks && !this.#acceptable()) next &= ~r.STATUS_FEATURES_OK;
    this.#status = next;
  }

  #acceptable(): boolean {
    const strange = [0, 1].some((word) => (this.#accepted[word] ?? 0) & ~this.#offered(word));
    return !strange && this.#has(r.F_VERSION_1);
  }

  #reset(): void {
    this.#status = 0;
    this.#isr = 0;
    this.#raised = false;
    this.#accepted = [0, 0];
    this.#drive.writeCacheOn = true;
    new r.BlockConfig(this.#config, 0).writeback = 1;
    for (const queue of this.#queues) queue.reset();
  }

  #offered(word: number): number {
    const { without = [] } = this.#options;
    const bits = OFFERED.filter((bit) => !without.includes(bit));
    if (this.#drive.disk.readOnly) bits.push(r.F_RO);
    let mask = 0;
    for (const bit of bits) if (Math.floor(bit / 32) === word) mask |= 1 << (bit % 32);
    return mask >>> 0;
  }

  #has(feature: number): boolean {
    return (((this.#accepted[Math.floor(feature / 32)] ?? 0) >>> (feature % 32)) & 1) === 1;
  }

  #interrupt(cause: number): void {
    this.#isr |= cause;
    this.#raised = true;
  }

  #describe(): void {
    const config = new r.BlockConfig(this.#config, 0);
    config.capacity = this.#drive.disk.sectorCount;
    config.seg_max = SEGMENTS;
    config.blk_size = r.SECTOR_SIZE;
    config.writeback = 1;
    config.num_queues = QUEUES;
    config.max_discard_sectors = RANGE_SECTORS;
    config.max_discard_seg = RANGES;
    config.discard_sector_alignment = 1;
    config.max_write_zeroes_sectors = RANGE_SECTORS;
    config.max_write_zeroes_seg = RANGES;
  }
}
