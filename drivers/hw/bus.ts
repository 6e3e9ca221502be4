// The hardware itself, in the driver's worker: the PCI bus with one of the board's controllers and the
// disks behind it. An image that cannot be opened leaves its port empty, and a note.

import type { Board, PciBus, PciFunction } from '../../kernel/abi/board.ts';
import { CONTROLLERS, type ControllerName } from '../../kernel/abi/disk/controllers.ts';
import { PosixError } from '../../kernel/abi/errno.ts';
import { Recorder } from '../../kernel/ipc/baton/record.ts';
import { FaultGate } from '../../kernel/ipc/fault/gate.ts';
import { Bell } from '../../kernel/ipc/wait.ts';
import { createAhciController } from './ahci/ahci.ts';
import { type Disk, diskOf, type Image, openImage } from './disk/disk.ts';
import { recorded } from './disk/recorded.ts';
import type { Bay, Hardware } from './hardware.ts';
import { createIdeController } from './ide/ide.ts';
import { createPciBus } from './pci.ts';
import { createVirtioBlk } from './virtio/virtio-blk.ts';

/** What a driver's worker can do before it is needed: opening and unpacking the images. */
export interface PreparedBus {
  readonly hardware: Hardware;
  /** By the names of their bays; one that is missing could not be opened, or was not tried. */
  readonly images: ReadonlyMap<string, Image>;
  readonly tried: ReadonlySet<string>;
  readonly notes: readonly string[];
}

/** Where there are several controllers nobody knows yet whose images this worker will need. */
export function prepareBus(hardware: Hardware): PreparedBus {
  const prepared: OpeningBus = { hardware, images: new Map(), tried: new Set(), notes: [] };
  const controllers = new Set(hardware.bays.map(({ controller }) => controller));
  if (controllers.size === 1) for (const bay of hardware.bays) openBay(prepared, bay);
  return prepared;
}

interface OpeningBus extends PreparedBus {
  readonly images: Map<string, Image>;
  readonly tried: Set<string>;
  readonly notes: string[];
}

function openBay({ images, tried, notes }: OpeningBus, { name, disk, memory }: Bay): void {
  if (tried.has(name)) return;
  tried.add(name);
  const { overlay } = memory;
  const image = disk && noting(name, notes, () => openImage({ ...disk, overlay }));
  if (image) images.set(name, image);
}

/**
 * The bus with its controller and drives, as the board's memory has them. `notes` grows when a medium
 * fails later.
 */
export function assembleBus(
  board: Board,
  prepared: PreparedBus,
  controller: ControllerName,
): { pci: PciBus; notes: readonly string[] } {
  const { bays, notes: refused } = prepared.hardware;
  const mine = bays.filter((bay) => bay.controller === controller);
  const opening: OpeningBus = {
    hardware: prepared.hardware,
    images: new Map(prepared.images),
    tried: new Set(prepared.tried),
    notes: [...prepared.notes],
  };
  for (const bay of mine) openBay(opening, bay);
  const { notes } = opening;
  for (const { controller: whose, text } of refused) if (whose === controller) notes.push(text);
  const drives = mine.map((bay) => ({ bay, disk: plug(board, bay, opening) }));
  const log = (line: string) => void notes.push(line);
  const parts = { ram: board.ram, drives, log, faults: new FaultGate(board) };
  return { pci: createPciBus(assemblers[controller](parts)), notes };
}

interface Parts {
  readonly ram: SharedArrayBuffer;
  readonly drives: readonly { readonly bay: Bay; readonly disk: Disk | undefined }[];
  readonly log: (line: string) => void;
  readonly faults: FaultGate;
}

const assemblers: Readonly<Record<ControllerName, (parts: Parts) => PciFunction[]>> = {
  ahci: ({ drives, ...rest }) => [
    createAhciController({
      ...rest,
      disks: drives.map(({ disk }) => disk),
      caches: drives.map(({ bay }) => bay.memory.cache),
    }),
  ],
  ide: ({ drives, ...rest }) => [
    createIdeController({
      ...rest,
      disks: drives.map(({ disk }) => disk),
      caches: drives.map(({ bay }) => bay.memory.cache),
    }),
  ],
  virtio: ({ drives, ...rest }) =>
    drives.flatMap(({ bay, disk }) => {
      const { name, port: device, memory } = bay;
      return disk ? [createVirtioBlk({ ...rest, disk, name, device, cache: memory.cache })] : [];
    }),
};

/** The disk of a bay, as a repeatable run and a patient worker want it. */
function plug(board: Board, bay: Bay, { images, notes }: OpeningBus): Disk | undefined {
  const { name, port, controller } = bay;
  const image = images.get(name);
  const disk = image && noting(name, notes, () => diskOf(image));
  notes.push(...(disk?.notes ?? []).map((note) => `${name}: ${note}`));
  const bell = new Bell(board.ram, board.seat);
  // While the host writes to its own disk, the worker does not hang.
  const patient = disk && { ...disk, flush: () => bell.away(() => disk.flush()) };
  const unit = CONTROLLERS.indexOf(controller) * UNITS + port;
  return patient && recorded(patient, unit, Recorder.of(board.ram));
}

/** Places that a record of a repeatable run has for each controller's disks. */
const UNITS = 32;

/** An image that cannot be used leaves its port empty, and a note. */
function noting<T>(name: string, notes: string[], open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    notes.push(`${name}: ${error.message}`);
    return undefined;
  }
}
