// One virtio block device as the driver runs it: initialization (VIRTIO 1.2 §3.1), requests (§5.2.6),
// and its reset when it is silent, asks for one, or breaks a rule of the queue.

import type { PciFunction } from '../../kernel/abi/board.ts';
import { EIO, PosixError } from '../../kernel/abi/errno.ts';
import {
  type BlockRequest,
  type RamRange,
  type RequestLimits,
  SECTOR_SIZE,
} from '../lib/request.ts';
import { type After, Watchdog, type Watched } from '../lib/watchdog.ts';
import {
  halved,
  type QueueShape,
  queueBytes,
  queueMemory,
  queueShare,
  segmentsOf,
  shapeOf,
} from './memory.ts';
import { type Buffer, Virtqueue } from './queue.ts';
import * as r from './regs.ts';
import { Transport } from './transport.ts';

export type Finish = (fault: PosixError | undefined) => void;

export interface VirtioDiskOptions {
  readonly pci: PciFunction;
  readonly name: string;
  readonly ram: DataView;
  /** For its queues. */
  readonly memory: RamRange;
  readonly log: (line: string) => void;
  readonly after: After;
}

export interface VirtioRequest {
  readonly type: number;
  readonly sector: number;
  readonly name: string;
  readonly data: readonly Buffer[];
  /** A range of sectors that goes along, for DISCARD. */
  readonly range?: { readonly sector: number; readonly count: number };
}

interface Running extends Watched {
  readonly request: VirtioRequest;
  readonly finish: Finish;
  queue: number;
  slot: number;
}

/** Reads have the first queue; what writes has the last: neither waits behind the other. */
const QUEUES_MOST = 2;
const RESETS_IN_A_ROW = 10;
const DISCARD_MOST = 1 << 22;
const WANTED = [
  ...[r.F_SEG_MAX, r.F_RO, r.F_BLK_SIZE, r.F_FLUSH, r.F_CONFIG_WCE, r.F_MQ, r.F_DISCARD],
  ...[r.F_INDIRECT_DESC, r.F_EVENT_IDX, r.F_VERSION_1],
];

export class VirtioDisk {
  readonly name: string;
  readonly #options: VirtioDiskOptions;
  readonly #transport: Transport;
  readonly #running: Running[] = [];
  readonly #watchdog: Watchdog;
  #queues: Virtqueue[] = [];
  #features = new Set<number>();
  #config: InstanceType<typeof r.BlockConfig>;
  #failures = 0; // resets since a request was answered
  #dead = false;
  #pulled = false;

  constructor(options: VirtioDiskOptions) {
    this.name = options.name;
    this.#options = options;
    this.#transport = new Transport(options.pci, options.name);
    this.#config = this.#transport.config();
    this.#watchdog = new Watchdog({
      after: options.after,
      commands: () => this.#running,
      recheck: () => this.#recheck(),
      reset: (givenUp) => {
        this.#reset('no answer for 3 s', givenUp);
      },
    });
  }

  get config(): InstanceType<typeof r.BlockConfig> {
    return this.#config;
  }

  has(feature: number): boolean {
    return this.#features.has(feature);
  }

  /** A device that is gone takes any request, to refuse it. */
  get freeSlots(): number {
    if (this.#dead) return 1;
    return Math.min(...this.#queues.map((queue) => queue.free));
  }

  get limits(): RequestLimits {
    const most = Math.min(...this.#queues.map(({ memory }) => segmentsOf(memory)));
    const told = this.has(r.F_SEG_MAX) ? Math.max(1, this.#config.seg_max) : 1;
    return {
      maxSectors: 65_536,
      maxSegments: Math.min(most, told),
      maxSegmentBytes: 0x40_0000,
      maxTrimSectors: Math.min(this.#config.max_discard_sectors || 1, DISCARD_MOST),
    };
  }

  /** §3.1.1. Throws EIO when the device does not come up. */
  start(): void {
    const t = this.#transport;
    t.reset();
    t.addStatus(r.STATUS_ACKNOWLEDGE);
    t.addStatus(r.STATUS_DRIVER);
    this.#negotiate();
    t.addStatus(r.STATUS_FEATURES_OK);
    if ((t.read('deviceStatus') & r.STATUS_FEATURES_OK) === 0) {
      t.addStatus(r.STATUS_FAILED);
      throw new PosixError(EIO, `${this.name}: the device refuses its own features`);
    }
    this.#config = t.config();
    this.#makeQueues();
    t.addStatus(r.STATUS_DRIVER_OK);
  }

  /** Starts a request; there must be a free slot. */
  issue(request: VirtioRequest, finish: Finish): void {
    if (this.#dead) {
      finish(new PosixError(EIO, `${this.name}: the device is gone`));
      return;
    }
    const running = { request, finish, queue: 0, slot: 0, looks: 0, resets: 0 };
    this.#running.push(running);
    this.#put(running);
    this.#watchdog.watch();
  }

  /** The device's interrupt: §4.1.5.4. */
  interrupt(): void {
    if (this.#absent) return;
    const isr = this.#transport.isr();
    if (isr & r.ISR_QUEUE) this.#reap();
    if (isr & r.ISR_CONFIG) this.#lookAtStatus();
  }

  /** Resets the device and issues again what was not answered; doing a request twice does no harm. */
  restart(): void {
    if (this.#pulled) return;
    this.#dead = false;
    this.#failures = 0;
    this.#reset('reset', new Set());
  }

  /** Nobody answers at its place on the bus: all ones are no vendor (PCI 3.0 §6.1). */
  get #absent(): boolean {
    return this.#options.pci.configRead(0, 2) === 0xffff;
  }

  /** The disk is no longer there: what it was asked for fails, as will what it is asked for. */
  pulled(): void {
    if (this.#pulled) return;
    this.#pulled = true;
    this.#options.log(`${this.name}: was pulled out`);
    this.#giveUp(this.#running.splice(0), 'the disk was pulled out');
  }

  #negotiate(): void {
    const words = [this.#transport.offered(0), this.#transport.offered(1)];
    const offers = (bit: number) => ((words[Math.floor(bit / 32)] ?? 0) >>> (bit % 32)) & 1;
    if (!offers(r.F_VERSION_1))
      throw new PosixError(EIO, `${this.name}: a legacy device, before VIRTIO 1.0`);
    this.#features = new Set(WANTED.filter(offers));
    for (const word of [0, 1] as const) {
      let mask = 0;
      for (const bit of this.#features) if (Math.floor(bit / 32) === word) mask |= 1 << (bit % 32);
      this.#transport.accept(word, mask);
    }
  }

  #makeQueues(): void {
    const t = this.#transport;
    const told = this.has(r.F_MQ) ? this.#config.num_queues : 1;
    const count = Math.max(1, Math.min(QUEUES_MOST, told, t.read('numQueues')));
    const eventIndex = this.has(r.F_EVENT_IDX);
    const { ram, memory: mine } = this.#options;
    const share = queueShare(mine, count);
    this.#queues = Array.from({ length: count }, (_, index) => {
      t.write('queueSelect', index);
      const shape = this.#shape(t.read('queueSize'), share);
      const memory = queueMemory(mine.address + index * share, shape);
      t.write('queueSize', memory.size);
      t.writeAddress('queueDesc', memory.desc);
      t.writeAddress('queueDriver', memory.driver);
      t.writeAddress('queueDevice', memory.device);
      const notifyOffset = t.read('queueNotifyOff');
      const notify = () => t.notify(index, notifyOffset);
      const queue = new Virtqueue({ memory, ram, eventIndex, notify });
      t.write('queueEnable', 1);
      return queue;
    });
  }

  /** As large as the device and its share of the memory allow. */
  #shape(most: number, share: number): QueueShape {
    let shape: QueueShape | undefined = shapeOf(most, this.has(r.F_INDIRECT_DESC));
    while (shape && queueBytes(shape) > share) shape = halved(shape);
    if (shape && shape.slots > 0 && segmentsOf(shape) > 0) return shape;
    throw new PosixError(EIO, `${this.name}: a queue of ${most} descriptors is too small`);
  }

  #put(running: Running): void {
    const { request } = running;
    const { ram } = this.#options;
    running.queue = request.type === r.T_IN ? 0 : this.#queues.length - 1;
    const queue = this.#queues[running.queue];
    if (queue === undefined) throw new Error('no queue');
    running.slot = queue.freeSlot();
    const { memory } = queue;
    const header = new r.RequestHeader(ram, memory.header(running.slot));
    header.type = request.type;
    header.reserved = 0;
    header.sector = request.sector;
    const statusAt = memory.status(running.slot);
    ram.setUint8(statusAt, 0xff); // no status that a device gives
    const chain: Buffer[] = [{ address: header.at, length: r.RequestHeader.size, writable: false }];
    if (request.range) {
      const range = new r.Range(ram, memory.range(running.slot));
      range.sector = request.range.sector;
      range.num_sectors = request.range.count;
      range.flags = 0;
      chain.push({ address: range.at, length: r.Range.size, writable: false });
    }
    chain.push(...request.data, { address: statusAt, length: 1, writable: true });
    queue.put(running.slot, chain);
  }

  #reap(): void {
    try {
      this.#queues.forEach((queue, index) => {
        queue.reap((slot, written) => this.#finish(index, slot, written));
      });
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      this.#reset(error.message, new Set());
    }
  }

  #finish(queue: number, slot: number, written: number): void {
    const at = this.#running.findIndex((one) => one.queue === queue && one.slot === slot);
    const [running] = at < 0 ? [] : this.#running.splice(at, 1);
    const memory = this.#queues[queue]?.memory;
    if (running === undefined || memory === undefined) return;
    this.#failures = 0;
    const { request, finish } = running;
    const wanted = request.data.reduce((sum, one) => sum + (one.writable ? one.length : 0), 0);
    const status = this.#options.ram.getUint8(memory.status(slot));
    const short = status === r.S_OK && written !== wanted + 1;
    const why = short ? `moved ${written - 1} of ${wanted} bytes` : reason(status);
    if (why === undefined) finish(undefined);
    else this.#fail(request, finish, why);
  }

  #fail(request: VirtioRequest, finish: Finish, why: string): void {
    const bytes = request.data.reduce((sum, one) => sum + one.length, 0);
    const where = bytes === 0 ? '' : ` lba ${request.sector} count ${bytes / SECTOR_SIZE}`;
    const fault = new PosixError(EIO, `${this.name}: ${request.name}${where}: ${why}`);
    this.#options.log(fault.message); // whoever asked learns only EIO
    finish(fault);
  }

  /** One interrupt may have been lost. */
  #recheck(): void {
    const before = this.#running.length;
    this.interrupt();
    this.#reap();
    if (this.#running.length < before) this.#options.log(`${this.name}: an interrupt was lost`);
  }

  #lookAtStatus(): void {
    if (this.#transport.read('deviceStatus') & r.STATUS_NEEDS_RESET)
      this.#reset('the device asks for a reset', new Set());
  }

  #reset(why: string, givenUp: ReadonlySet<Watched>): void {
    if (this.#absent) {
      this.pulled();
      return;
    }
    this.#options.log(`${this.name}: ${why}${why === 'reset' ? '' : ': reset'}`);
    const failed = this.#running.filter((one) => givenUp.has(one));
    const left = this.#running.filter((one) => !givenUp.has(one));
    this.#running.length = 0;
    try {
      if (++this.#failures > RESETS_IN_A_ROW)
        throw new PosixError(EIO, `${this.name}: ${RESETS_IN_A_ROW} resets did not help`);
      this.start();
      for (const running of left) {
        this.#running.push(running);
        this.#put(running);
      }
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      this.#options.log(`${error.message}: the device is given up`);
      this.#running.length = 0;
      this.#giveUp(left, 'the device is gone');
    }
    for (const { request, finish } of failed) this.#fail(request, finish, 'the drive is silent');
  }

  #giveUp(left: readonly Running[], why: string): void {
    this.#dead = true;
    for (const { request, finish } of left) this.#fail(request, finish, why);
  }
}

function reason(status: number): string | undefined {
  if (status === r.S_OK) return undefined;
  if (status === r.S_IOERR) return 'the device failed';
  if (status === r.S_UNSUPP) return 'the device does not know the request';
  return `status ${status}`;
}

/** The request for a block request. */
export function requestFor({ op, lba, count, segments }: BlockRequest): VirtioRequest {
  const data = (writable: boolean) => segments.map((one) => ({ ...one, writable }));
  switch (op) {
    case 'read':
      return { name: 'IN', type: r.T_IN, sector: lba, data: data(true) };
    case 'write':
      return { name: 'OUT', type: r.T_OUT, sector: lba, data: data(false) };
    case 'flush':
      return { name: 'FLUSH', type: r.T_FLUSH, sector: 0, data: [] };
    case 'trim':
      return {
        ...{ name: 'DISCARD', type: r.T_DISCARD, sector: 0, data: [] },
        range: { sector: lba, count },
      };
  }
}
