// What is plugged into the board: the PCI bus with its controller and the disks behind it. Loaded in
// the driver's worker alone; an image that cannot be opened leaves its port empty and a note.

import { statSync } from 'node:fs';
import type { Board, PciBus } from '../../kernel/abi/board.ts';
import { EINVAL, PosixError } from '../../kernel/abi/errno.ts';
import type { DiskConfig } from '../../kernel/abi/seat-config.ts';
import { Recorder } from '../../kernel/ipc/baton/record.ts';
import { FaultGate } from '../../kernel/ipc/fault/gate.ts';
import { Bell } from '../../kernel/ipc/wait.ts';
import { createAhciController, diskName } from './ahci/ahci.ts';
import { diskOf, type Image, openImage } from './disk/disk.ts';
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

/** What a driver's worker can do before it is needed: opening and unpacking the images. */
export interface PreparedBus {
  readonly hardware: Hardware;
  readonly images: readonly (Image | undefined)[];
  readonly notes: readonly string[];
}

export function prepareBus(hardware: Hardware): PreparedBus {
  const notes = [...hardware.notes];
  const images = hardware.disks.map((config, port) => {
    const overlay = hardware.memory[port]?.overlay;
    return config && noting(port, notes, () => openImage({ ...config, overlay }));
  });
  return { hardware, images, notes };
}

/** The bus with its controller and drives, as the board's memory has them. `notes` grows when a medium fails later. */
export function assembleBus(
  board: Board,
  prepared: PreparedBus,
): { pci: PciBus; notes: readonly string[] } {
  const { ram, seat } = board;
  const notes = [...prepared.notes];
  const recorder = Recorder.of(ram);
  const bell = new Bell(ram, seat);
  const disks = prepared.images.map((image, port) => {
    const disk = image && noting(port, notes, () => diskOf(image));
    notes.push(...(disk?.notes ?? []).map((note) => `${diskName(port)}: ${note}`));
    // While the host writes to its own disk, the worker does not hang.
    const patient = disk && { ...disk, flush: () => bell.away(() => disk.flush()) };
    return patient && recorded(patient, port, recorder);
  });
  const caches = prepared.hardware.memory.map(({ cache }) => cache);
  const controller = createAhciController({
    ...{ ram, disks, caches, log: (line) => notes.push(line) },
    faults: new FaultGate(board),
  });
  return { pci: createPciBus([controller]), notes };
}

/** An image that cannot be used leaves its port empty, and a note. */
function noting<T>(port: number, notes: string[], open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    notes.push(`${diskName(port)}: ${error.message}`);
    return undefined;
  }
}
