// The device's side of a split virtqueue: VIRTIO 1.2 §2.7. What the driver wrote is not trusted: a
// chain that breaks a rule is a BadChain, and the device asks for a reset.

import * as r from '../../virtio-blk/regs.ts';
import { type Dma, DmaFault } from '../device/dma.ts';
import type { Segments } from '../disk/segments.ts';

/** The driver broke a rule of the queue (§2.7.5). */
export class BadChain extends Error {}

/** A chain of descriptors: what the device may read, then what it may write. */
export interface Chain {
  readonly head: number;
  readonly readable: Segments;
  readonly writable: Segments;
  /** Why its data cannot be reached; header and status can. */
  readonly broken: string | undefined;
}

/** A piece of the host's memory, not touched yet. */
interface Piece {
  readonly address: number;
  readonly length: number;
  readonly writable: boolean;
  readonly next: number | undefined;
}

export class DeviceQueue {
  size = r.MAX_QUEUE_SIZE;
  enabled = false;
  /** Physical addresses: descriptors, avail ring, used ring. */
  desc = 0;
  driver = 0;
  device = 0;
  readonly #dma: Dma;
  #lastAvail = 0;
  #used = 0;

  constructor(dma: Dma) {
    this.#dma = dma;
  }

  reset(): void {
    this.size = r.MAX_QUEUE_SIZE;
    this.enabled = false;
    this.desc = 0;
    this.driver = 0;
    this.device = 0;
    this.#lastAvail = 0;
    this.#used = 0;
  }

  /** The next chain that the driver made available, if there is one. */
  take(): Chain | undefined {
    const avail = this.#dma.view(this.driver, r.availSize(this.size));
    const pending = (avail.getUint16(this.driver + r.RING_IDX, true) - this.#lastAvail) & 0xffff;
    if (pending === 0) return undefined;
    if (pending > this.size) throw new BadChain(`${pending} chains in a queue of ${this.size}`);
    const slot = this.#lastAvail % this.size;
    const head = avail.getUint16(this.driver + r.RING_ENTRIES + 2 * slot, true);
    this.#lastAvail = (this.#lastAvail + 1) & 0xffff;
    return this.#chain(head);
  }

  /** Tells the driver when it is to notify the next time: at the next chain (§2.7.10). */
  askNotify(eventIndex: boolean): void {
    const at = this.device + (eventIndex ? r.availEventAt(this.size) : r.RING_FLAGS);
    this.#dma
      .view(this.device, r.usedSize(this.size))
      .setUint16(at, eventIndex ? this.#lastAvail : 0, true);
  }

  /** Gives a chain back; returns whether the driver wants to be interrupted for it. */
  give({ head }: Chain, written: number, eventIndex: boolean): boolean {
    const view = this.#dma.view(this.device, r.usedSize(this.size));
    const at = this.device + r.RING_ENTRIES + 8 * (this.#used % this.size);
    view.setUint32(at, head, true);
    view.setUint32(at + 4, written, true);
    const before = this.#used;
    this.#used = (before + 1) & 0xffff;
    view.setUint16(this.device + r.RING_IDX, this.#used, true);
    const avail = this.#dma.view(this.driver, r.availSize(this.size));
    if (!eventIndex) {
      return (avail.getUint16(this.driver + r.RING_FLAGS, true) & r.AVAIL_NO_INTERRUPT) === 0;
    }
    const event = avail.getUint16(this.driver + r.usedEventAt(this.size), true);
    return r.passes(event, this.#used, before);
  }

  #chain(head: number): Chain {
    const pieces = this.#pieces(head);
    const readable: Uint8Array[] = [];
    const writable: Uint8Array[] = [];
    let broken: string | undefined;
    pieces.forEach(({ address, length, writable: toWrite }, i) => {
      if (!toWrite && writable.length > 0) throw new BadChain('read behind written (§2.7.4.2)');
      try {
        (toWrite ? writable : readable).push(this.#dma.bytes(address, length));
      } catch (error) {
        const data = i > 0 && i < pieces.length - 1;
        if (!(error instanceof DmaFault && data)) throw error;
        broken = error.message;
      }
    });
    return { head, readable, writable, broken };
  }

  #pieces(head: number): Piece[] {
    if (head >= this.size) throw new BadChain(`descriptor ${head} of ${this.size}`);
    const first = this.#descriptor(this.desc, head);
    if ((first.flags & r.DESC_INDIRECT) === 0) return this.#walk(this.desc, this.size, head);
    const { addr, len, flags } = first;
    if (flags & (r.DESC_NEXT | r.DESC_WRITE)) throw new BadChain('an indirect table in a chain');
    if (len === 0 || len % r.Descriptor.size !== 0 || len / r.Descriptor.size > this.size)
      throw new BadChain(`an indirect table of ${len} bytes`);
    return this.#walk(addr, len / r.Descriptor.size, 0);
  }

  /** A chain in one table; more descriptors than the table has are a circle. */
  #walk(table: number, entries: number, start: number): Piece[] {
    const pieces: Piece[] = [];
    for (let index: number | undefined = start; index !== undefined; ) {
      if (index >= entries) throw new BadChain(`descriptor ${index} of ${entries}`);
      if (pieces.length === entries) throw new BadChain('the chain is a circle');
      const { addr, len, flags, next } = this.#descriptor(table, index);
      if (flags & r.DESC_INDIRECT) throw new BadChain('an indirect descriptor inside a chain');
      index = flags & r.DESC_NEXT ? next : undefined;
      const writable = (flags & r.DESC_WRITE) !== 0;
      pieces.push({ address: addr, length: len, writable, next: index });
    }
    return pieces;
  }

  /** Two words make the address: le64 would refuse what a bad driver may write. */
  #descriptor(
    table: number,
    index: number,
  ): { addr: number; len: number; flags: number; next: number } {
    const at = table + index * r.Descriptor.size;
    const view = this.#dma.view(at, r.Descriptor.size);
    return {
      addr: view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32,
      len: view.getUint32(at + 8, true),
      flags: view.getUint16(at + 12, true),
      next: view.getUint16(at + 14, true),
    };
  }
}
