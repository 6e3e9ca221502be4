// The orders that the kernel writes into a seat's page before it stores the boot word, and what the
// board passes to the kernel itself. JSON: read once, at boot.

import type { ControllerName, DiskConfig } from './disk/controllers.ts';
import type { FileTables } from './file-tables.ts';

/** A worker that waits to be a process. */
export interface ProcessConfig {
  readonly requests: number; // address of the ring, process → kernel
  readonly replies: number;
  readonly window: number; // address
  readonly windowSize: number; // bytes
  /** What it may read without asking; the host's process has none. */
  readonly tables?: FileTables;
}

/** A driver's worker: one client session is one pair of rings; the kernel's own is the first. */
export interface DriverConfig {
  /** Which of the board's controllers it drives. */
  readonly controller: ControllerName;
  readonly sessions: readonly SessionConfig[];
  readonly log: number; // ring, driver → kernel, a line of text a message
  readonly dma: { readonly address: number; readonly length: number };
  /** Where it counts what its disks do (kernel/abi/disk/stats.ts). */
  readonly stats: number;
}

export interface SessionConfig {
  readonly name: string;
  readonly requests: number; // address of the ring, client → server
  readonly replies: number;
}

/** A volume's worker. */
export interface VolumeConfig {
  readonly name: string; // sdC0p1
  readonly type: string; // ext4
  readonly source: readonly string[]; // names to walk from the driver's root: ['sdC0', 'part', '1']
  readonly readOnly: boolean;
  readonly options: string;
  readonly kernel: SessionConfig;
  readonly driver: SessionConfig;
  readonly log: number;
  /** The block cache, and the grant under which the driver may fill it. */
  readonly area: { readonly address: number; readonly length: number };
  readonly grant: { readonly index: number; readonly generation: number };
  /** Workers that served the volume before this one and died: the area holds what they knew. */
  readonly lives: number;
  /** The fids that the kernel has of the volume (kernel/abi/fid-table.ts). */
  readonly fids: { readonly address: number; readonly count: number };
}

/** What the board gives the kernel. */
export interface KernelConfig {
  readonly ramBytes: number;
  /** Where the frames end: above lie the boot archive and the rings that the board made. */
  readonly framesEnd: number;
  readonly cpus: number;
  readonly bootArchive: { readonly address: number; readonly length: number };
  readonly board: { readonly toBoard: number; readonly toKernel: number }; // rings
  /** The host's own process (index.ts). */
  readonly host: ProcessConfig;
  readonly disks: readonly DiskConfig[];
  /** Seats that the board powered on already, before the kernel could ask, by role. */
  readonly warm: {
    readonly driver: readonly number[];
    readonly volume: readonly number[];
    readonly process: readonly number[];
  };
  /** Whether volumes have workers of their own. */
  readonly daemons: boolean;
  readonly timeZoneOffsetMinutes: number;
  /** Of a repeatable run: named streams (kernel/ipc/random-stream.ts) begin from it. */
  readonly seed?: number;
  /** A login shell on /dev/console: when it exits, the machine halts. */
  readonly interactive: boolean;
}
