// The map of `ram`, the board's physical memory. All offsets in bytes; one writer for each word.
//
//   0x000000  board header        BoardHeader, written by the board at power-on
//   0x001000  seat table          SEATS pages: bell, boot word, configuration, counters of each worker
//   0x101000  grant table         GRANTS entries of GRANT_SIZE (kernel/ipc/grant.ts), by the kernel
//   0x181000  fault area          rules, counters, log of faults (kernel/ipc/fault/layout.ts)
//   0x1a1000  frames              everything else: rings, windows, page cache, block caches, DMA

export const PAGE_SIZE = 4096;

export const HEADER = 0;
/** Words of the board header, as indices into an Int32Array over `ram`. */
export const HEADER_CORES = HEADER / 4 + 0; // cores of the host, for the spin rule of wait.ts
export const HEADER_AWAKE = HEADER / 4 + 1; // workers that are not asleep just now

export const SEATS = 256;
export const SEAT_TABLE = 0x1000;
/** The page of a seat: its bell lies at the start, its boot word and configuration behind. */
export const seatPage = (seat: number): number => SEAT_TABLE + seat * PAGE_SIZE;
export const SEAT_BOOT = 64; // u32: 0 = wait, else the length of the JSON configuration
export const SEAT_CONFIG = 128; // UTF-8 JSON, at most SEAT_CONFIG_SIZE bytes
export const SEAT_COUNTERS = PAGE_SIZE - 256; // f64, written by the seat's worker (kernel/ipc/trace.ts)
export const SEAT_CONFIG_SIZE = SEAT_COUNTERS - SEAT_CONFIG;

/** The board itself (the main thread) and the kernel have fixed seats. */
export const SEAT_BOARD = 0;
export const SEAT_KERNEL = 1;

export const GRANTS = 1024;
export const GRANT_SIZE = 512;
export const GRANT_TABLE = SEAT_TABLE + SEATS * PAGE_SIZE;

export const FAULT_AREA = GRANT_TABLE + GRANTS * GRANT_SIZE;
export const FAULT_AREA_SIZE = 32 * PAGE_SIZE;

export const FRAMES = FAULT_AREA + FAULT_AREA_SIZE;
export const MIN_RAM = 16 * 1024 * 1024;
