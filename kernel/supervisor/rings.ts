// What the kernel lays out in `ram` for a server: the rings of its sessions and of its log, a
// volume's block cache, the fids that its next worker is to know.

import { ENOMEM, fail } from '../abi/errno.ts';
import { FID_ENTRY_SIZE, putFids } from '../abi/fid-table.ts';
import { PAGE_SIZE } from '../abi/memlayout.ts';
import type { SessionConfig, VolumeConfig } from '../abi/seat-config.ts';
import { decodeText } from '../abi/text.ts';
import { GRANT_READ, GRANT_WRITE, type GrantRef } from '../ipc/grant.ts';
import { Ring, ringSize } from '../ipc/ring.ts';
import type { Kernel } from '../kernel.ts';
import { files, type LiveFid } from '../ninep/ledger.ts';

const LOG = { slots: 16, slotSize: 1024 };

export interface SessionShape {
  readonly slots: number;
  readonly slotSize: number;
  readonly from: number; // seat of the client
  readonly to: number;
  readonly name: string;
}

function newRing(
  kernel: Kernel,
  shape: { slots: number; slotSize: number; producer: number; consumer: number },
): number {
  const at = kernel.frames.mustTake(framesOf(shape), 'a ring');
  Ring.format(kernel.ram, at, shape);
  return at;
}

const framesOf = (shape: { slots: number; slotSize: number }): number =>
  Math.ceil(ringSize(shape) / PAGE_SIZE);

export function newSession(kernel: Kernel, shape: SessionShape): SessionConfig {
  const { slots, slotSize, from, to, name } = shape;
  return {
    name,
    requests: newRing(kernel, { slots, slotSize, producer: from, consumer: to }),
    replies: newRing(kernel, { slots, slotSize, producer: to, consumer: from }),
  };
}

export function freeSession(kernel: Kernel, session: SessionConfig): void {
  for (const at of [session.requests, session.replies]) {
    kernel.frames.give(at, framesOf(new Ring(kernel.ram, at)));
  }
}

export const ringsOf = (kernel: Kernel, { requests, replies }: SessionConfig): Ring[] => [
  new Ring(kernel.ram, requests),
  new Ring(kernel.ram, replies),
];

/** Lines that a server writes go to the kernel log; they name their subject themselves. */
export function newLogRing(kernel: Kernel, seat: number): { at: number; release: () => void } {
  const at = newRing(kernel, { ...LOG, producer: seat, consumer: kernel.seat });
  const detach = kernel.executor.consume(new Ring(kernel.ram, at), (from) => {
    const slot = from.peek();
    if (slot) kernel.log(decodeText(slot.payload.slice(0, slot.length)));
    from.release();
    return slot !== undefined;
  });
  const release = (): void => {
    detach();
    kernel.frames.give(at, framesOf(LOG));
  };
  return { at, release };
}

/**
 * The volume's block cache, and the grant under which it is filled: a sixteenth of the memory, or an eighth
 * of what is left of it, so that many volumes leave the files' pages and the processes some.
 */
export function newArea(
  kernel: Kernel,
  seats: { seat: number; delegate: number },
): { address: number; length: number; grant: GrantRef } {
  const { frames, grants, pages } = kernel;
  const most = 8192; // frames: 32 MiB
  const available = frames.free + pages.count - pages.dirtyPages;
  const share = Math.min(frames.total / 16, available / 8);
  let count = Math.max(512, Math.min(most, Math.floor(share)));
  if (frames.free < count * 2) pages.reclaim(count);
  let address = frames.take(count);
  while (address === undefined && count > 256) {
    count = Math.floor(count / 2);
    address = frames.take(count);
  }
  if (address === undefined) fail(ENOMEM, 'no memory for a block cache');
  const length = count * PAGE_SIZE;
  new Uint8Array(kernel.ram, address, PAGE_SIZE).fill(0); // nobody's cache, whoever had the memory before
  const grant = grants.grant({
    owner: seats.seat,
    delegate: seats.delegate,
    rights: GRANT_READ | GRANT_WRITE,
    segments: [{ address, length }],
  });
  return { address, length, grant };
}

/** Writes down the fids that a volume's next worker is to know; `release` when it has read them. */
export function newFidTable(
  kernel: Kernel,
  live: readonly LiveFid[],
): { fids: VolumeConfig['fids']; release: () => void } {
  const known = files(live);
  const count = Math.max(1, Math.ceil((known.length * FID_ENTRY_SIZE) / PAGE_SIZE));
  if (kernel.frames.free < count) kernel.pages.reclaim(count);
  const address = kernel.frames.mustTake(count, 'the fids of a volume');
  const entries = known.map((one) => ({ ...one, attached: one.attach !== undefined }));
  putFids(new DataView(kernel.ram), address, entries);
  const release = (): void => kernel.frames.give(address, count);
  return { fids: { address, count: known.length }, release };
}
