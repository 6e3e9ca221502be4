// The driver's side of a split virtqueue: VIRTIO 1.2 §2.7.13 and §2.7.14. What the device writes into
// the used ring is checked: an index or a chain that cannot be is EIO, and the device is reset.

import { EIO, PosixError } from '../../kernel/abi/errno.ts';
import type { RamRange } from '../lib/request.ts';
import type { QueueMemory } from './memory.ts';
import * as r from './regs.ts';

/** A piece of a chain. */
export interface Buffer extends RamRange {
  readonly writable: boolean;
}

export class Virtqueue {
  readonly memory: QueueMemory;
  readonly #ram: DataView;
  readonly #eventIndex: boolean;
  readonly #notify: () => void;
  /** Slots whose chains the device has. */
  readonly #out = new Set<number>();
  #avail = 0;
  #used = 0;

  constructor(options: {
    memory: QueueMemory;
    ram: DataView;
    eventIndex: boolean;
    notify: () => void;
  }) {
    this.memory = options.memory;
    this.#ram = options.ram;
    this.#eventIndex = options.eventIndex;
    this.#notify = options.notify;
    const { desc, device, size } = this.memory;
    new Uint8Array(this.#ram.buffer, desc, device + r.usedSize(size) - desc).fill(0);
  }

  get free(): number {
    return this.memory.slots - this.#out.size;
  }

  /** A slot that is free; there must be one. */
  freeSlot(): number {
    for (let slot = 0; slot < this.memory.slots; slot++) if (!this.#out.has(slot)) return slot;
    throw new Error('no free slot');
  }

  /** Gives the device a chain. */
  put(slot: number, chain: readonly Buffer[]): void {
    const { driver, size, indirect } = this.memory;
    const { at, first } = this.memory.table(slot);
    chain.forEach((buffer, i) => {
      const last = i === chain.length - 1;
      this.#describe(at, first + i, { ...buffer, next: last ? undefined : first + i + 1 });
    });
    let head = first;
    if (indirect) {
      head = slot;
      const table = { address: at, length: chain.length * r.Descriptor.size };
      this.#describe(this.memory.desc, slot, { ...table, writable: false, next: undefined });
      const flagsAt = this.memory.desc + slot * r.Descriptor.size + r.Descriptor.offsets.flags;
      this.#ram.setUint16(flagsAt, r.DESC_INDIRECT, true);
    }
    this.#out.add(slot);
    this.#ram.setUint16(driver + r.RING_ENTRIES + 2 * (this.#avail % size), head, true);
    const before = this.#avail;
    this.#avail = (before + 1) & 0xffff;
    this.#ram.setUint16(driver + r.RING_IDX, this.#avail, true);
    if (this.#wantsNotice(before)) this.#notify();
  }

  /** Slots whose chains came back. Throws EIO for a used ring that cannot be. */
  reap(done: (slot: number, written: number) => void): void {
    const { device, size, slots } = this.memory;
    const index = this.#ram.getUint16(device + r.RING_IDX, true);
    const count = (index - this.#used) & 0xffff;
    if (count > slots) throw new PosixError(EIO, `the used ring claims ${count} chains`);
    for (let i = 0; i < count; i++) {
      const at = device + r.RING_ENTRIES + 8 * (this.#used % size);
      const slot = this.#slotOf(this.#ram.getUint32(at, true));
      this.#used = (this.#used + 1) & 0xffff;
      this.#out.delete(slot);
      done(slot, this.#ram.getUint32(at + 4, true));
    }
    const { driver } = this.memory;
    if (this.#eventIndex) this.#ram.setUint16(driver + r.usedEventAt(size), this.#used, true);
  }

  #slotOf(head: number): number {
    const { indirect, chain } = this.memory;
    const slot = indirect ? head : head / chain;
    if (!this.#out.has(slot)) throw new PosixError(EIO, `the used ring names chain ${head}`);
    return slot;
  }

  #describe(
    table: number,
    index: number,
    buffer: Buffer & { readonly next: number | undefined },
  ): void {
    const { address, length, writable, next } = buffer;
    const descriptor = new r.Descriptor(this.#ram, table + index * r.Descriptor.size);
    descriptor.addr = address;
    descriptor.len = length;
    descriptor.flags = (writable ? r.DESC_WRITE : 0) | (next === undefined ? 0 : r.DESC_NEXT);
    descriptor.next = next ?? 0;
  }

  #wantsNotice(before: number): boolean {
    const { device, size } = this.memory;
    if (!this.#eventIndex)
      return (this.#ram.getUint16(device + r.RING_FLAGS, true) & r.USED_NO_NOTIFY) === 0;
    const event = this.#ram.getUint16(device + r.availEventAt(size), true);
    return r.passes(event, this.#avail, before);
  }
}
