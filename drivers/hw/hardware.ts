// What is plugged into the board: the PCI bus with its controller and the disks behind it. Loaded in
// the driver's worker alone; an image that cannot be opened leaves its port empty and a note.

import { statSync } from 'node:fs';
import type { Board, PciBus } from '../../kernel/abi/board.ts';
import { EINVAL, PosixError } from '../../kernel/abi/errno.ts';
import type { DiskConfig } from '../../kernel/abi/seat-config.ts';
import { Recorder } from '../../kernel/ipc/baton/record.ts';
import { FaultGate } from '../../kernel/ipc/fault/gate.ts';
import { createAhciController, diskName } from './ahci/ahci.ts';
import { type Disk, type DiskOptions, openDisk } from './disk/disk.ts';
import { claimImage } from './disk/host-file.ts';
import { type OverlayMemory, overlayMemory } from './disk/overlay-memory.ts';
import { recorded } from './disk/recorded.ts';
import { writeLogMemory } from './disk/write-log.ts';
import { createPciBus } from './pci.ts';

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

/** In the driver's worker. `notes` grows when a medium fails later. */
export function assembleBus(
  board: Board,
  hardware: Hardware,
): { pci: PciBus; notes: readonly string[] } {
  const notes = [...hardware.notes];
  const recorder = Recorder.of(board.ram);
  const disks = hardware.disks.map((config, port) => {
    const options = config && { ...config, overlay: hardware.memory[port]?.overlay };
    const disk = openPort(options, port, notes);
    return disk && recorded(disk, port, recorder);
  });
  const caches = hardware.memory.map(({ cache }) => cache);
  const controller = createAhciController({
    ...{ ram: board.ram, disks, caches, log: (line) => notes.push(line) },
    faults: new FaultGate(board),
  });
  return { pci: createPciBus([controller]), notes };
}

function openPort(
  config: DiskOptions | undefined,
  port: number,
  notes: string[],
): Disk | undefined {
  if (config === undefined) return undefined;
  try {
    const disk = openDisk(config);
    notes.push(...disk.notes.map((note) => `${diskName(port)}: ${note}`));
    return disk;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    notes.push(`${diskName(port)}: ${error.message}`);
    return undefined;
  }
}
