// One request queue of a virtio block device: chains that were taken and wait, the faults that hold
// them up, and their way back (VIRTIO 1.2 §2.7).

import * as r from '../../virtio-blk/regs.ts';
import { CommandFaults } from '../device/command-faults.ts';
import type { Dma } from '../device/dma.ts';
import type { DriveCommand } from '../device/drive-faults.ts';
import { type BlockRequest, type DriveServer, execute, parseRequest } from './requests.ts';
import { DeviceQueue } from './virtqueue.ts';

/** Requests that are taken from the ring and not done: what a fault may hold up or put behind others. */
const TAKEN_MOST = 32;

export class RequestQueue {
  readonly #ring: DeviceQueue;
  readonly #server: DriveServer;
  readonly #faults: CommandFaults;
  readonly #taken: (BlockRequest | undefined)[] = new Array(TAKEN_MOST).fill(undefined);
  #last = TAKEN_MOST - 1; // the slot that ran last
  #notified = false;
  #hung = false;

  constructor(dma: Dma, server: DriveServer) {
    this.#ring = new DeviceQueue(dma);
    this.#server = server;
    this.#faults = new CommandFaults(() => server.drive.faults?.gate.clock.monotonicMs() ?? 0);
  }

  reset(): void {
    this.#ring.reset();
    this.#faults.reset();
    this.#taken.fill(undefined);
    this.#last = TAKEN_MOST - 1;
    this.#notified = false;
    this.#hung = false;
  }

  notify(): void {
    this.#notified = this.#ring.enabled;
  }

  get hasWork(): boolean {
    if (this.#hung) return false;
    const room = this.#taken.includes(undefined);
    return (this.#notified && room) || this.#faults.open(this.#issued) !== 0;
  }

  get dueAtMs(): number | undefined {
    return this.#faults.dueAtMs;
  }

  /** Runs one request, if one may run; throws BadChain or DmaFault. */
  step(
    eventIndex: boolean,
    onBegin: (command: DriveCommand) => void,
  ): { interrupt: boolean; bytes: number } | undefined {
    if (this.#notified) this.#takeAll(eventIndex);
    const slot = this.#nextSlot();
    const request = slot === undefined ? undefined : this.#taken[slot];
    if (slot === undefined || request === undefined) return undefined;
    this.#last = slot;
    const { drive } = this.#server;
    const { command } = request;
    const ask = () => command && drive.meet(command);
    const { verdict, firing } = this.#faults.take(slot, this.#issued, ask);
    if (verdict === 'hang') this.#hung = true;
    if (firing && verdict !== 'run') {
      if (command && (firing.has('hang') || firing.has('drop'))) drive.lose(command, firing);
      return undefined;
    }
    onBegin(command ?? { operation: 'read', lba: 0, count: 0 });
    const written = execute(this.#server, request, firing);
    this.#taken[slot] = undefined;
    const interrupt = this.#ring.give(request.chain, written, eventIndex);
    const bytes = command?.operation === 'write' ? command.count * r.SECTOR_SIZE : written - 1;
    return { interrupt, bytes };
  }

  readField(field: r.CommonField): number {
    const ring = this.#ring;
    switch (field) {
      case 'queueSize':
        return ring.size;
      case 'queueEnable':
        return ring.enabled ? 1 : 0;
      case 'queueDesc':
        return ring.desc >>> 0;
      case 'queueDriver':
        return ring.driver >>> 0;
      case 'queueDevice':
        return ring.device >>> 0;
      default:
        return 0;
    }
  }

  /** §4.1.4.3.2: addresses and size are set before the queue is enabled. */
  writeField(field: r.CommonField, value: number): void {
    const ring = this.#ring;
    if (field === 'queueEnable') ring.enabled ||= value === 1;
    if (ring.enabled) return;
    const whole = value > 0 && value <= r.MAX_QUEUE_SIZE && (value & (value - 1)) === 0;
    if (field === 'queueSize' && whole) ring.size = value;
    else if (field === 'queueDesc') ring.desc = low(ring.desc, value);
    else if (field === 'queueDescHigh') ring.desc = high(ring.desc, value);
    else if (field === 'queueDriver') ring.driver = low(ring.driver, value);
    else if (field === 'queueDriverHigh') ring.driver = high(ring.driver, value);
    else if (field === 'queueDevice') ring.device = low(ring.device, value);
    else if (field === 'queueDeviceHigh') ring.device = high(ring.device, value);
  }

  get #issued(): number {
    let issued = 0;
    this.#taken.forEach((request, slot) => {
      if (request) issued |= 1 << slot;
    });
    return issued;
  }

  /** Chains that have come, into free slots; what finds none stays in the ring. */
  #takeAll(eventIndex: boolean): void {
    for (;;) {
      const slot = this.#taken.indexOf(undefined);
      if (slot < 0) return; // still notified: looked at again when a slot is free
      const chain = this.#ring.take();
      if (chain === undefined) break;
      this.#taken[slot] = parseRequest(chain);
    }
    this.#notified = false;
    this.#ring.askNotify(eventIndex);
  }

  #nextSlot(): number | undefined {
    if (this.#hung) return undefined;
    const open = this.#faults.open(this.#issued);
    for (let i = 1; i <= TAKEN_MOST; i++) {
      const slot = (this.#last + i) % TAKEN_MOST;
      if (open & (1 << slot)) return slot;
    }
    return undefined;
  }
}

const low = (address: number, value: number): number =>
  Math.floor(address / 2 ** 32) * 2 ** 32 + (value >>> 0);
const high = (address: number, value: number): number => (value >>> 0) * 2 ** 32 + (address >>> 0);
