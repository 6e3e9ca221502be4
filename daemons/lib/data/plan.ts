// How a transfer is divided: pieces that the device and the client's memory exchange directly, and
// single blocks that go through scratch because the device cannot address them so finely.

import type { Piece } from '../device.ts';
import type { Extent } from '../volume.ts';
import type { Memory } from './memory.ts';

/** A part of a block, for the way through scratch. */
export interface OddBlock {
  readonly disk: number; // bytes, where the block begins on the device
  readonly from: number; // bytes into the block
  readonly to: number;
  readonly memoryAt: number; // where the part lies in the client's memory
  readonly fileAt: number; // where the part lies in the file
  readonly fresh: boolean;
}

export interface Plan {
  readonly pieces: Piece[];
  readonly odd: OddBlock[];
  /** Parts of the memory that read as zeroes. */
  readonly zeroes: { at: number; length: number }[];
}

export interface PlanRequest {
  readonly extents: readonly Extent[];
  readonly blockSize: number;
  readonly from: number; // bytes of the file, the memory's first
  readonly to: number;
  readonly memory: Memory;
  /** What the device can address: a sector when reading, a block when writing. */
  readonly granule: number;
  /** May a last part be transferred beyond `to`, as far as the memory goes? */
  readonly overrun: boolean;
}

export function planTransfer(request: PlanRequest): Plan {
  const plan: Plan = { pieces: [], odd: [], zeroes: [] };
  for (const extent of request.extents) {
    const from = Math.max(extent.offset, request.from);
    const to = Math.min(extent.offset + extent.length, request.to);
    if (from >= to) continue;
    const written = extent.block === undefined ? 0 : (extent.valid ?? extent.length);
    const middle = Math.min(to, Math.max(from, extent.offset + written));
    if (middle > from) planMapped(plan, request, { extent, from, to: middle });
    if (to > middle) plan.zeroes.push({ at: middle - request.from, length: to - middle });
  }
  return plan;
}

interface Mapped {
  readonly extent: Extent;
  readonly from: number;
  readonly to: number;
}

function planMapped(plan: Plan, request: PlanRequest, { extent, from, to }: Mapped): void {
  const { granule, memory } = request;
  const up = Math.ceil(from / granule) * granule;
  let down = Math.floor(to / granule) * granule;
  if (request.overrun && to === request.to && down !== to) {
    const beyond = down + granule;
    if (beyond - request.from <= memory.length) down = beyond;
  }
  if (!memory.reachable || up >= down) {
    planOdd(plan, request, { extent, from, to });
    return;
  }
  if (from < up) planOdd(plan, request, { extent, from, to: up });
  addPiece(plan, request, { extent, from: up, to: down });
  if (down < to) planOdd(plan, request, { extent, from: down, to });
}

function planOdd(plan: Plan, request: PlanRequest, { extent, from, to }: Mapped): void {
  const { blockSize } = request;
  for (let at = from; at < to; ) {
    const start = Math.floor(at / blockSize) * blockSize;
    const end = Math.min(to, start + blockSize);
    plan.odd.push({
      disk: diskAt(request, extent, start),
      from: at - start,
      to: end - start,
      memoryAt: at - request.from,
      fileAt: at,
      fresh: extent.fresh ?? false,
    });
    at = end;
  }
}

function addPiece(plan: Plan, request: PlanRequest, { extent, from, to }: Mapped): void {
  const offset = diskAt(request, extent, from);
  const ref = request.memory.ref(from - request.from, to - from);
  if (ref === undefined) return;
  const last = plan.pieces.at(-1);
  const joins =
    last !== undefined &&
    last.offset + last.ref.length === offset &&
    last.ref.offset + last.ref.length === ref.offset;
  if (!joins) plan.pieces.push({ offset, ref });
  else {
    const joined = { ...last.ref, length: last.ref.length + ref.length };
    plan.pieces.splice(-1, 1, { offset: last.offset, ref: joined });
  }
}

const diskAt = ({ blockSize }: PlanRequest, extent: Extent, at: number): number =>
  (extent.block ?? 0) * blockSize + (at - extent.offset);
