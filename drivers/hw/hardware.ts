// What is plugged into the board: which images, and the memory of their drives. On the main thread,
// which knows all machines of this process; bus.ts makes hardware of it in the driver's worker.

import { statSync } from 'node:fs';
import {
  type ControllerName,
  controllerOfDisk,
  type DiskConfig,
  diskName,
} from '../../kernel/abi/disk/controllers.ts';
import { EINVAL, PosixError } from '../../kernel/abi/errno.ts';
import { claimImage } from './disk/host-file.ts';
import { type OverlayMemory, overlayMemory } from './disk/overlay-memory.ts';
import { writeLogMemory } from './disk/write-log.ts';

/** Ports of an AHCI controller (AHCI 1.3.1 §3.1.1, CAP.NP); IDE: two channels of two; PCI slots. */
const PORTS: Readonly<Record<ControllerName, number>> = { ahci: 32, ide: 4, virtio: 32 };
/** Bytes that the overlay of a packed image takes at most. */
const PACKED_LIMIT = 4 * 2 ** 30;

export interface Hardware {
  readonly bays: readonly Bay[];
  readonly notes: readonly HardwareNote[];
}

/** The place of one disk at its controller. */
export interface Bay {
  readonly controller: ControllerName;
  readonly port: number;
  /** As the driver exports it: sdC0. */
  readonly name: string;
  /** undefined = the board refused it, see `notes`. */
  readonly disk: DiskConfig | undefined;
  /** What the drive holds without power: it stays as it is when the driver's worker ends. */
  readonly memory: DriveMemory;
}

export interface HardwareNote {
  readonly controller: ControllerName;
  readonly text: string;
}

/** The memory of one drive, owned by the board. */
export interface DriveMemory {
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
  const notes: HardwareNote[] = [];
  const releases: (() => void)[] = [];
  const bays = inBays(disks).map((bay) => {
    const { disk, controller, name } = bay;
    if (disk?.mode !== 'rw' || !claimable(disk.file)) return bay;
    try {
      releases.push(claimImage(disk.file));
      return bay;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      notes.push({ controller, text: `${name}: ${why}` });
      return { ...bay, disk: undefined };
    }
  });
  return {
    hardware: { bays, notes },
    release: () => {
      for (const release of releases.splice(0)) release();
    },
  };
}

/** The disks of each controller take its ports in the order in which they are given. */
function inBays(disks: readonly DiskConfig[]): Bay[] {
  const next = new Map<ControllerName, number>();
  return disks.map((disk) => {
    const controller = controllerOfDisk(disk);
    const port = next.get(controller) ?? 0;
    next.set(controller, port + 1);
    if (port >= PORTS[controller]) {
      const most = `${controller} takes ${PORTS[controller]} disks`;
      throw new PosixError(EINVAL, `${disk.file}: ${most}`);
    }
    return { controller, port, name: diskName(controller, port), disk, memory: driveMemory(disk) };
  });
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
