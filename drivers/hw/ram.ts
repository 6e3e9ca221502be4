// The board's memory and what the board itself puts there before the kernel runs: the header, and at
// the top end the rings to the kernel, the host process's rings and window, and the boot archive.
//
//   0 … FRAMES                header, seats, grants (kernel/abi/memlayout.ts)
//   FRAMES … framesEnd        the kernel's
//   framesEnd … ram.byteLength   board rings, host rings, host window, record, boot archive

import { EINVAL, ENOMEM, PosixError } from '../../kernel/abi/errno.ts';
import {
  FRAMES,
  HEADER_CORES,
  MIN_RAM,
  PAGE_SIZE,
  SEAT_BOARD,
  SEAT_KERNEL,
} from '../../kernel/abi/memlayout.ts';
import type { KernelConfig } from '../../kernel/abi/seat-config.ts';
import { SYSCALL_SLOT_SIZE, SYSCALL_SLOTS } from '../../kernel/abi/syscall.ts';
import { RECORD_SIZE, Recorder } from '../../kernel/ipc/baton/record.ts';
import { Ring, ringSize } from '../../kernel/ipc/ring.ts';

export const DEFAULT_RAM = 256 * 1024 * 1024;
/** Addresses are 32 bits wide. */
const MAX_RAM = 0xffff_f000;

/** Console pieces of LINK_BYTES and their heads fit a slot. */
const LINK_SHAPE = { slots: 32, slotSize: 4160 };
const SYSCALL_SHAPE = { slots: SYSCALL_SLOTS, slotSize: SYSCALL_SLOT_SIZE };

export type RamLayout = Pick<
  KernelConfig,
  'ramBytes' | 'framesEnd' | 'bootArchive' | 'board' | 'host'
>;

/** Memory of whole pages, all zero; a clear error when the host has none. */
export function allocateRam(bytes: number): SharedArrayBuffer {
  const size = Math.floor(bytes / PAGE_SIZE) * PAGE_SIZE;
  if (!(size >= MIN_RAM && size <= MAX_RAM)) {
    const limits = `${mib(MIN_RAM)} to ${mib(MAX_RAM)} MiB`;
    throw new PosixError(EINVAL, `memory of ${mib(bytes)} MiB: the board takes ${limits}`);
  }
  try {
    return new SharedArrayBuffer(size);
  } catch {
    throw new PosixError(ENOMEM, `memory of ${mib(size)} MiB: the host has not as much`);
  }
}

const mib = (bytes: number): number => Math.round(bytes / 1024 / 1024);

export interface LayoutOptions {
  readonly cores: number;
  readonly archive: Uint8Array;
  /** A repeatable run is recorded, with all events from this one on. */
  readonly watchFrom?: number | undefined;
}

/** Writes header, rings and boot archive; returns where they lie. */
export function layOut(
  ram: SharedArrayBuffer,
  { cores, archive, watchFrom }: LayoutOptions,
): RamLayout {
  new Int32Array(ram)[HEADER_CORES] = cores;
  let top = ram.byteLength;
  const take = (bytes: number): number => {
    top = Math.floor((top - bytes) / PAGE_SIZE) * PAGE_SIZE;
    return top;
  };
  const bootArchive = { address: take(archive.length), length: archive.length };
  if (watchFrom !== undefined) Recorder.start(ram, { area: take(RECORD_SIZE), from: watchFrom });
  const windowSize = hostWindowSize(ram.byteLength);
  const window = take(windowSize);
  const requests = take(ringSize(SYSCALL_SHAPE));
  const replies = take(ringSize(SYSCALL_SHAPE));
  const toBoard = take(ringSize(LINK_SHAPE));
  const toKernel = take(ringSize(LINK_SHAPE));
  if (top < FRAMES + MIN_RAM / 2) {
    throw new PosixError(
      ENOMEM,
      `memory of ${mib(ram.byteLength)} MiB: no room beside the archive`,
    );
  }
  new Uint8Array(ram, bootArchive.address, archive.length).set(archive);
  const up = { producer: SEAT_BOARD, consumer: SEAT_KERNEL };
  const down = { producer: SEAT_KERNEL, consumer: SEAT_BOARD };
  Ring.format(ram, requests, { ...SYSCALL_SHAPE, ...up });
  Ring.format(ram, replies, { ...SYSCALL_SHAPE, ...down });
  Ring.format(ram, toKernel, { ...LINK_SHAPE, ...up });
  Ring.format(ram, toBoard, { ...LINK_SHAPE, ...down });
  return {
    ...{ ramBytes: ram.byteLength, framesEnd: top, bootArchive },
    board: { toBoard, toKernel },
    host: { requests, replies, window, windowSize },
  };
}

/** A 64th of memory, from 1 to 4 MiB: many calls of the host under way at once. */
const hostWindowSize = (ramBytes: number): number =>
  Math.min(4, Math.max(1, Math.floor(ramBytes / 64 / 1024 / 1024))) * 1024 * 1024;
