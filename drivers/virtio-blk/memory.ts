// The DMA memory of one virtqueue: its three parts, and for each slot a request header, a range, a
// status byte and, with indirect descriptors, the table of its chain. VIRTIO 1.2 §2.7, §5.2.6.
//
//   descriptors | avail ring | used ring | slot 0: header 16, range 16, status 1 .. 64, table 0x800 | …

import { ENOMEM, PosixError } from '../../kernel/abi/errno.ts';
import type { RamRange } from '../lib/request.ts';
import * as r from './regs.ts';

const BOUNCE_SIZE = 0x1_0000;
const BOUNCES = 4;
const SLOT_SIZE = 64;
const RANGE_AT = 16;
const STATUS_AT = 32;
const DIRECT_CHAIN = 16; // descriptors of a slot in the queue's own table
const HEADER_AND_STATUS = 2;
const SIZE_WANTED = { indirect: 128, direct: 256 };
const SLOTS_WANTED = 32;
const SLOTS_LEAST = 2;

export interface QueueShape {
  readonly size: number; // descriptors
  readonly slots: number;
  readonly indirect: boolean;
  /** Descriptors of one slot; never more than the queue's size (§2.7.5.3.1). */
  readonly chain: number;
}

/** A queue of at most `most` descriptors, and as many slots as they carry. */
export function shapeOf(most: number, indirect: boolean): QueueShape {
  const wanted = indirect ? SIZE_WANTED.indirect : SIZE_WANTED.direct;
  const size = Math.min(wanted, 2 ** Math.floor(Math.log2(Math.max(1, most))));
  const chain = indirect ? size : DIRECT_CHAIN;
  const slots = Math.min(SLOTS_WANTED, indirect ? size : Math.floor(size / DIRECT_CHAIN));
  return { size, slots, indirect, chain };
}

/** Data segments that a request may have. */
export const segmentsOf = ({ chain }: QueueShape): number => chain - HEADER_AND_STATUS - 1;

export const halved = (shape: QueueShape): QueueShape | undefined =>
  shape.slots / 2 < SLOTS_LEAST ? undefined : { ...shape, slots: Math.floor(shape.slots / 2) };

export function queueBytes({ size, slots, indirect, chain }: QueueShape): number {
  const table = indirect ? chain * r.Descriptor.size : 0;
  return ringBytes(size) + slots * (SLOT_SIZE + table);
}

const align = (bytes: number): number => Math.ceil(bytes / 16) * 16;
const alignDown = (bytes: number): number => Math.floor(bytes / 16) * 16;

/** The share of each of `queues` in the memory of a disk. */
export const queueShare = (memory: RamRange, queues: number): number =>
  alignDown(memory.length / queues);

const ringBytes = (size: number): number =>
  size * r.Descriptor.size + align(r.availSize(size)) + align(r.usedSize(size));

export interface QueueMemory extends QueueShape {
  readonly desc: number;
  readonly driver: number;
  readonly device: number;
  header(slot: number): number;
  range(slot: number): number;
  status(slot: number): number;
  /** Where the slot's descriptors are, and the index of the first within its table. */
  table(slot: number): { at: number; first: number };
}

export function queueMemory(at: number, shape: QueueShape): QueueMemory {
  const { size, slots, indirect, chain } = shape;
  const driver = at + size * r.Descriptor.size;
  const slotsAt = at + ringBytes(size);
  const slotAt = (slot: number) => slotsAt + slot * SLOT_SIZE;
  const tablesAt = slotsAt + slots * SLOT_SIZE;
  const tableSize = chain * r.Descriptor.size;
  return {
    ...shape,
    desc: at,
    driver,
    device: driver + align(r.availSize(size)),
    header: slotAt,
    range: (slot) => slotAt(slot) + RANGE_AT,
    status: (slot) => slotAt(slot) + STATUS_AT,
    table: (slot) =>
      indirect ? { at: tablesAt + slot * tableSize, first: 0 } : { at, first: slot * chain },
  };
}

/** Memory for disks that are plugged in later. */
const SPARE_DISKS = 7;

/** Shares the DMA area out: a part for each disk and for some that come later; the end of it bounces. */
export class DmaArea {
  readonly #parts: RamRange[] = [];
  readonly #bounce: RamRange[] = [];

  constructor({ address, length }: RamRange, disks: number) {
    const bounces = Math.max(1, Math.min(BOUNCES, Math.floor(length / 4 / BOUNCE_SIZE)));
    const bounceAt = (address + length - bounces * BOUNCE_SIZE) & ~1;
    for (let i = bounces - 1; i >= 0; i--)
      this.#bounce.push({ address: bounceAt + i * BOUNCE_SIZE, length: BOUNCE_SIZE });
    const start = align(address);
    const parts = disks + SPARE_DISKS;
    const size = alignDown(Math.floor((bounceAt - start) / parts));
    for (let i = parts - 1; i >= 0; i--)
      this.#parts.push({ address: start + i * size, length: size });
  }

  /** The memory of one disk; throws ENOMEM when there are more disks than parts. */
  take(): RamRange {
    const part = this.#parts.pop();
    if (part === undefined) throw new PosixError(ENOMEM, 'no DMA memory is left for one more disk');
    return part;
  }

  give(part: RamRange): void {
    this.#parts.push(part);
  }

  get bounce(): readonly RamRange[] {
    return this.#bounce;
  }
}
