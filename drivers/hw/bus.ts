// The hardware itself, in the driver's worker: the PCI bus with one of the board's controllers and the
// disks behind it. An image that cannot be opened leaves its port empty, and a note.

import { parentPort, receiveMessageOnPort } from 'node:worker_threads';
import type { Board, PciBus, PciFunction } from '../../kernel/abi/board.ts';
import { CONTROLLERS, type ControllerName, diskName } from '../../kernel/abi/disk/controllers.ts';
import { PosixError } from '../../kernel/abi/errno.ts';
import { Recorder } from '../../kernel/ipc/baton/record.ts';
import { FaultGate } from '../../kernel/ipc/fault/gate.ts';
import { Bell } from '../../kernel/ipc/wait.ts';
import { createAhciController } from './ahci/ahci.ts';
import { type Disk, diskOf, type Image, openImage, SECTOR_SIZE } from './disk/disk.ts';
import { recorded } from './disk/recorded.ts';
import { gather, scatter } from './disk/segments.ts';
import { writeLogMemory } from './disk/write-log.ts';
import type { Bay, Hardware } from './hardware.ts';
import { createIdeController } from './ide/ide.ts';
import { createPciBus } from './pci.ts';
import { createVirtioBlk, type VirtioBlk } from './virtio/virtio-blk.ts';

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

/** Tells one disk of a bay from the next. */
const plugged = ({ name, plugs }: Bay): string => `${name} ${plugs}`;

function openBay({ images, tried, notes }: OpeningBus, bay: Bay): void {
  const { name, disk, memory } = bay;
  if (disk === undefined || tried.has(plugged(bay))) return;
  tried.add(plugged(bay));
  const { overlay } = memory;
  const image = noting(name, notes, () => openImage({ ...disk, overlay }));
  if (image) images.set(plugged(bay), image);
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
  const word = new Int32Array(prepared.hardware.changes);
  let seen = Atomics.load(word, 0); // before what it tells of is taken
  const hardware = newest(prepared.hardware);
  const { notes: refused } = hardware;
  let bays = hardware.bays.filter((bay) => bay.controller === controller);
  const opening: OpeningBus = {
    hardware,
    images: new Map(prepared.images),
    tried: new Set(prepared.tried),
    notes: [...prepared.notes],
  };
  const current = new Set(bays.map(plugged));
  for (const [key, image] of prepared.images) if (!current.has(key)) image.close();
  const { notes } = opening;
  for (const { controller: whose, text } of refused) if (whose === controller) notes.push(text);
  const insert = (bay: Bay): Disk | undefined => {
    openBay(opening, bay);
    return plug(board, bay, opening);
  };
  const drives = bays.map((bay) => ({ bay, disk: insert(bay) }));
  const log = (line: string) => void notes.push(line);
  const parts = { ram: board.ram, drives, log, faults: new FaultGate(board) };
  const { functions, change } = assemblers[controller](parts);
  const look = (): boolean => {
    if (word[0] === seen) return false;
    seen = Atomics.load(word, 0);
    const now = newest(hardware).bays.filter((bay) => bay.controller === controller);
    for (const bay of now) {
      const before = bays.find(({ name }) => name === bay.name);
      const same = before?.plugs === bay.plugs;
      if (before?.disk && !(same && bay.disk)) change(before, undefined);
      if (bay.disk && !(same && before?.disk)) change(bay, insert(bay));
    }
    bays = now;
    return true;
  };
  return { pci: createPciBus(functions, look), notes };
}

const REHEARSAL_BYTES = 4 << 20;
const REHEARSAL_CACHE = 1 << 20;

/** A bus with one controller and a disk in memory, for a driver that has nothing to do yet. */
export function rehearsalBus(
  board: Board,
  controller: ControllerName,
): { pci: PciBus; notes: readonly string[] } {
  const bytes = new Uint8Array(REHEARSAL_BYTES);
  const disk: Disk = {
    ...{ file: 'rehearsal', notes: [], sectorCount: bytes.length / SECTOR_SIZE, readOnly: false },
    readv: (offset, segments) => scatter(segments, 0, bytes.subarray(offset)),
    writev: (offset, segments) => gather(segments, 0, bytes.subarray(offset)),
    ...{ flush: () => {}, trim: () => {}, close: () => {} },
  };
  const memory = { cache: writeLogMemory(REHEARSAL_CACHE), overlay: undefined };
  const name = diskName(controller, 0);
  const bay: Bay = { controller, port: 0, name, disk: undefined, plugs: 1, memory };
  const parts = { ram: board.ram, drives: [{ bay, disk }], log: () => {} };
  const { functions } = assemblers[controller]({ ...parts, faults: new FaultGate(board) });
  return { pci: createPciBus(functions, () => false), notes: [] };
}

/** The hardware as the board told it last. */
function newest(known: Hardware): Hardware {
  let hardware = known;
  while (parentPort) {
    const told = receiveMessageOnPort(parentPort);
    if (told === undefined) break;
    hardware = told.message as Hardware;
  }
  return hardware;
}

interface Parts {
  readonly ram: SharedArrayBuffer;
  readonly drives: readonly { readonly bay: Bay; readonly disk: Disk | undefined }[];
  readonly log: (line: string) => void;
  readonly faults: FaultGate;
}

interface Assembled {
  readonly functions: readonly PciFunction[];
  /** A bay's disk is another one now, or none. */
  readonly change: (bay: Bay, disk: Disk | undefined) => void;
}

/** By port; bays that were given up leave holes. */
const byPort = <T>(drives: Parts['drives'], value: (one: Parts['drives'][number]) => T): T[] => {
  const out: T[] = [];
  for (const one of drives) out[one.bay.port] = value(one);
  return out;
};

const AHCI_PORTS = 32;

const assemblers: Readonly<Record<ControllerName, (parts: Parts) => Assembled>> = {
  ahci: ({ drives, ...rest }) => {
    const controller = createAhciController({
      ...rest,
      ports: AHCI_PORTS,
      disks: byPort(drives, ({ disk }) => disk),
      caches: byPort(drives, ({ bay }) => bay.memory.cache),
    });
    const change = ({ port, memory }: Bay, disk: Disk | undefined): void => {
      if (disk) controller.plug(port, disk, memory.cache);
      else controller.unplug(port);
    };
    return { functions: [controller], change };
  },
  ide: ({ drives, ...rest }) => {
    const controller = createIdeController({
      ...rest,
      disks: drives.map(({ disk }) => disk),
      caches: drives.map(({ bay }) => bay.memory.cache),
    });
    return { functions: [controller], change: () => undefined };
  },
  virtio: ({ drives, ...rest }) => {
    const functions: VirtioBlk[] = [];
    const change = ({ name, port: device, memory }: Bay, disk: Disk | undefined): void => {
      const at = functions.findIndex((one) => one.device === device);
      if (at >= 0) functions.splice(at, 1)[0]?.unplug();
      if (!disk) return;
      functions.push(createVirtioBlk({ ...rest, disk, name, device, cache: memory.cache }));
    };
    for (const { bay, disk } of drives) change(bay, disk);
    return { functions, change };
  },
};

/** The disk of a bay, as a repeatable run and a patient worker want it. */
function plug(board: Board, bay: Bay, { images, notes }: OpeningBus): Disk | undefined {
  const { name, port, controller } = bay;
  const image = images.get(plugged(bay));
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
