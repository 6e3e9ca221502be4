// The hardware itself, in the driver's worker: the PCI bus with its controller and the disks behind
// it. An image that cannot be opened leaves its port empty, and a note.

import type { Board, PciBus } from '../../kernel/abi/board.ts';
import { PosixError } from '../../kernel/abi/errno.ts';
import { Recorder } from '../../kernel/ipc/baton/record.ts';
import { FaultGate } from '../../kernel/ipc/fault/gate.ts';
import { Bell } from '../../kernel/ipc/wait.ts';
import { createAhciController } from './ahci/ahci.ts';
import { diskOf, type Image, openImage } from './disk/disk.ts';
import { recorded } from './disk/recorded.ts';
import { diskName, type Hardware } from './hardware.ts';
import { createPciBus } from './pci.ts';

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
