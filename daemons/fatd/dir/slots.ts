// Slots of directories by where they lie: their places, in slots from the volume's start.

import { SLOT, SLOT_END } from '../ondisk.ts';
import { clusterByte, type Op } from '../op.ts';

/** The block and offset of a slot. */
export function slotAt({ vol }: Op, place: number): { block: number; at: number } {
  const byte = place * SLOT;
  return { block: Math.floor(byte / vol.blockSize), at: byte % vol.blockSize };
}

/** Blocks asked for at once when a directory is read. */
const AHEAD = 32;

export interface SlotRange {
  /** Where it begins. */
  readonly slot: number;
  /** Bytes of the directory that lie in a row. */
  readonly unitBytes: number;
  /** Undefined behind the directory's end. */
  readonly placeOf: (slot: number) => number | undefined;
}

/** A directory's blocks from a slot on, until `visit` returns true or there are no more. */
export function visitBlocks(
  op: Op,
  { slot: from, unitBytes, placeOf }: SlotRange,
  visit: (view: DataView, first: { slot: number; place: number }) => boolean,
): void {
  const { vol, tx } = op;
  const each = vol.blockSize / SLOT;
  const unit = unitBytes / vol.blockSize;
  for (let slot = from - (from % each); ; slot += each) {
    const place = placeOf(slot);
    if (place === undefined) return;
    const { block } = slotAt(op, place);
    const left = Math.ceil(unit - ((slot / each) % unit));
    tx.need(Array.from({ length: Math.min(AHEAD, left) }, (_, i) => block + i));
    if (visit(tx.read(block).view, { slot, place })) return;
  }
}

export function putSlot(op: Op, place: number, content: Uint8Array): void {
  const { block, at } = slotAt(op, place);
  op.tx.edit(block).bytes.set(content, at);
}

/** Behind the last entry there must be the mark of the end, whatever was there. */
export function endAt(op: Op, place: number | undefined): void {
  if (place === undefined) return;
  const { block, at } = slotAt(op, place);
  if (op.tx.read(block).bytes[at] !== SLOT_END) op.tx.edit(block).bytes.fill(0, at, at + SLOT);
}

/** A cluster of a directory: zeroes, as metadata, whatever data lay there. */
export function clearCluster(op: Op, cluster: number): void {
  const first = clusterByte(op.vol, cluster) / op.vol.blockSize;
  for (let i = 0; i < op.vol.clusterSize / op.vol.blockSize; i++) op.tx.create(first + i);
}
