// Messages that tell by themselves whether they are whole: number u32, checksum u32, body.

import type { Slot } from '../ring.ts';

const HEAD = 8;

/** Fills the slot with message `number`; byte by byte, so that a terminated worker leaves it half done. */
export function putNumbered(slot: Slot, number: number): void {
  const length = HEAD + bodyLength(slot, number);
  slot.view.setUint32(0, number, true);
  let sum = number >>> 0;
  for (let i = HEAD; i < length; i++) {
    const byte = (number * 31 + i * 7) & 0xff;
    slot.payload[i] = byte;
    sum = mix(sum, byte);
  }
  slot.view.setUint32(4, sum, true);
  slot.length = length;
}

/** Whether the slot holds message `number`, whole. */
export function holdsNumbered(slot: Slot, number: number): boolean {
  if (slot.length !== HEAD + bodyLength(slot, number)) return false;
  let sum = number >>> 0;
  for (let i = HEAD; i < slot.length; i++) sum = mix(sum, slot.payload[i] ?? 0);
  return slot.view.getUint32(0, true) === number && slot.view.getUint32(4, true) === sum;
}

const bodyLength = (slot: Slot, number: number): number =>
  (Math.imul(number, 0x9e3779b1) >>> 8) % (slot.payload.length - HEAD + 1);

const mix = (sum: number, byte: number): number => Math.imul(sum ^ byte, 0x0100_0193) >>> 0;
