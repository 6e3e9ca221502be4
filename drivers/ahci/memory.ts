// The DMA memory of one port: command list, received-FIS area, and for each slot a command table
// with 512 bytes of payload (IDENTIFY data, TRIM ranges). AHCI 1.3.1 §4.2.
//
//   +0x000 command list   +0x400 received FIS   +0x500 slot 0: table 0xb00, payload 0x200; slot 1 …

import { ENOMEM, PosixError } from '../../kernel/abi/errno.ts';
import type { RamRange } from '../lib/request.ts';
import { COMMAND_LIST_SIZE, MAX_SLOTS, RECEIVED_FIS_SIZE, TABLE_SIZE } from './regs.ts';

const PAYLOAD_SIZE = 0x200;
const SLOT_SIZE = TABLE_SIZE + PAYLOAD_SIZE;
const SLOTS_AT = COMMAND_LIST_SIZE + RECEIVED_FIS_SIZE;
const BOUNCE_SIZE = 0x1_0000;

/** What the driver asks for: all slots of each disk, and four bounce buffers. */
export const ahciDmaSize = (disks: number): number =>
  disks * align(SLOTS_AT + MAX_SLOTS * SLOT_SIZE) + 4 * BOUNCE_SIZE;

export interface PortMemory {
  readonly commandList: number;
  readonly receivedFis: number;
  readonly slots: number;
  table(slot: number): number;
  payload(slot: number): RamRange;
}

/** Memory for disks that are plugged in later, where there is plenty. */
const SPARE_PORTS = 7;

/**
 * Shares the DMA area out: the ports first, with fewer slots if it is small; then ports for disks that
 * come later; the rest bounces.
 */
export function layOut(
  dma: RamRange,
  present: number,
  slots: number,
): { ports: PortMemory[]; bounce: RamRange[] } {
  const start = align(dma.address);
  const size = dma.address + dma.length - start;
  const full = align(SLOTS_AT + slots * SLOT_SIZE);
  const plenty = Math.floor((size - 4 * BOUNCE_SIZE) / full) - present;
  const ports = present + Math.max(present === 0 ? 1 : 0, Math.min(SPARE_PORTS, plenty));
  const room = Math.floor((size - BOUNCE_SIZE) / Math.max(ports, 1) / COMMAND_LIST_SIZE);
  const fitting = Math.floor((room * COMMAND_LIST_SIZE - SLOTS_AT) / SLOT_SIZE);
  const used = Math.min(slots, fitting);
  if (used < 1)
    throw new PosixError(ENOMEM, `ahci: ${dma.length} bytes of DMA memory for ${ports} disks`);
  const portSize = align(SLOTS_AT + used * SLOT_SIZE);
  const memory = Array.from({ length: ports }, (_, i) => portMemory(start + i * portSize, used));
  const bounce: RamRange[] = [];
  const end = start + size;
  for (let at = start + ports * portSize; at + BOUNCE_SIZE <= end; at += BOUNCE_SIZE)
    bounce.push({ address: at, length: BOUNCE_SIZE });
  return { ports: memory, bounce };
}

function portMemory(base: number, slots: number): PortMemory {
  const slotAt = (slot: number) => base + SLOTS_AT + slot * SLOT_SIZE;
  return {
    commandList: base,
    receivedFis: base + COMMAND_LIST_SIZE,
    slots,
    table: slotAt,
    payload: (slot) => ({ address: slotAt(slot) + TABLE_SIZE, length: PAYLOAD_SIZE }),
  };
}

function align(address: number): number {
  return Math.ceil(address / COMMAND_LIST_SIZE) * COMMAND_LIST_SIZE;
}
