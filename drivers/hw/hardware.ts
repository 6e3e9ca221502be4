// What is plugged into the board: which images, and the memory of their drives. On the main thread,
// which knows all machines of this process; bus.ts makes hardware of it in the driver's worker.

import { statSync } from 'node:fs';
import { EINVAL, PosixError } from '../../kernel/abi/errno.ts';
import type { DiskConfig } from '../../kernel/abi/seat-config.ts';
import { claimImage } from './disk/host-file.ts';
import { type OverlayMemory, overlayMemory } from './disk/overlay-memory.ts';
import { writeLogMemory } from './disk/write-log.ts';

/** Ports of an AHCI controller (AHCI 1.3.1 §3.1.1, CAP.NP). */
const MAX_DISKS = 32;
/** Bytes that the overlay of a packed image takes at most. */
const PACKED_LIMIT = 4 * 2 ** 30;

export interface Hardware {
  /** One for each port of the controller; undefined = the board refused it, see `notes`. */
  readonly disks: readonly (DiskConfig | undefined)[];
  /** What the drives hold without power: they stay as they are when the driver's worker ends. */
  readonly memory: readonly DriveMemory[];
  readonly notes: readonly string[];
}

/** The memory of one drive, owned by the board. */
interface DriveMemory {
  /** The volatile write cache. */
  readonly cache: SharedArrayBuffer;
  readonly overlay: OverlayMemory | undefined;
}

/**
 * On the main thread, which knows all machines of this process: claims the images that will be
 * written, and refuses those that another machine writes. `release` gives the claims back.
 */
export function claimDisks(disks: readonly DiskConfig[]): {
  hardware: Hardware;
  release: () => void;
} {
  if (disks.length > MAX_DISKS) {
    throw new PosixError(EINVAL, `${disks.length} disks: the controller has ${MAX_DISKS} ports`);
  }
  const notes: string[] = [];
  const releases: (() => void)[] = [];
  const claimed = disks.map((config, port) => {
    if (config.mode !== 'rw' || !claimable(config.file)) return config;
    try {
      releases.push(claimImage(config.file));
      return config;
    } catch (error) {
      notes.push(`${diskName(port)}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  });
  return {
    hardware: { disks: claimed, memory: disks.map(driveMemory), notes },
    release: () => {
      for (const release of releases.splice(0)) release();
    },
  };
}

const driveMemory = ({ file, mode }: DiskConfig): DriveMemory => ({
  cache: writeLogMemory(),
  overlay: mode === 'overlay' ? overlayMemory(imageBytes(file)) : undefined,
});

/** Bytes that an overlay may come to hold; of a packed image nobody knows before it is unpacked. */
function imageBytes(file: string): number {
  const packed = file.endsWith('.zst');
  return packed || !claimable(file) ? PACKED_LIMIT : statSync(file).size;
}

/** What is not there, or is no file, is refused when it is opened, with the better reason. */
function claimable(file: string): boolean {
  try {
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** The name under which the driver exports the disk of a port. */
export const diskName = (port: number): string => `sdC${port}`;
