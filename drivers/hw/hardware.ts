// What is plugged into the board: which images, and the memory of their drives. On the main thread,
// which knows all machines of this process; bus.ts makes hardware of it in the driver's worker. Disks may
// come and go while the machine runs: the workers of drivers are sent the whole of it anew each time.

import { statSync } from 'node:fs';
import {
  type ControllerName,
  controllerOfDisk,
  type DiskConfig,
  diskName,
  HOT_PLUG,
} from '../../kernel/abi/disk/controllers.ts';
import { EBUSY, EINVAL, ENXIO, EOPNOTSUPP, PosixError } from '../../kernel/abi/errno.ts';
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
  /** A word that grows with each change: a worker looks for the new hardware when it differs. */
  readonly changes: SharedArrayBuffer;
}

/** The place of one disk at its controller. */
export interface Bay {
  readonly controller: ControllerName;
  readonly port: number;
  /** As the driver exports it: sdC0. */
  readonly name: string;
  /** undefined = nothing is plugged in: it was pulled out, or the board refused it, see `notes`. */
  readonly disk: DiskConfig | undefined;
  /** How often something was plugged in: a worker that sees another number sees another disk. */
  readonly plugs: number;
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
 * The places for disks. Claims the images that will be written, and refuses those that another machine
 * of this process writes.
 */
export class Backplane {
  readonly #bays = new Map<string, Bay>();
  readonly #notes: HardwareNote[] = [];
  readonly #changes = new SharedArrayBuffer(4);
  /** What belongs into each bay, plugged in or not. */
  readonly #configs = new Map<string, DiskConfig>();
  readonly #claims = new Map<string, () => void>();

  constructor(disks: readonly DiskConfig[]) {
    for (const disk of disks) {
      const name = this.#place(disk);
      try {
        this.#fill(name);
      } catch (error) {
        const text = `${name}: ${error instanceof Error ? error.message : String(error)}`;
        this.#notes.push({ controller: controllerOfDisk(disk), text });
      }
    }
  }

  get hardware(): Hardware {
    return { bays: [...this.#bays.values()], notes: this.#notes, changes: this.#changes };
  }

  /** A bay for one more disk, which `plug` will find there; its name. */
  reserve(disk: DiskConfig): string {
    const controller = controllerOfDisk(disk);
    if (!HOT_PLUG[controller]) refuse(controller);
    return this.#place(disk);
  }

  /** What was reserved and not plugged in is no longer wanted. */
  forget(name: string): void {
    if (this.#bays.get(name)?.disk) return;
    this.#bays.delete(name);
    this.#configs.delete(name);
  }

  /** Plugs in what belongs into the bay: EBUSY when it is there already, or another machine writes it. */
  plug(name: string): void {
    const { disk, controller } = this.#bay(name);
    if (disk) throw new PosixError(EBUSY, `${name}: is plugged in`);
    if (!HOT_PLUG[controller]) refuse(controller);
    this.#fill(name);
  }

  unplug(name: string): void {
    const bay = this.#bay(name);
    if (!HOT_PLUG[bay.controller]) refuse(bay.controller);
    if (bay.disk === undefined) throw new PosixError(ENXIO, `${name}: nothing is plugged in`);
    this.#bays.set(name, { ...bay, disk: undefined });
    this.#giveBack(name);
  }

  /** Once the workers have been sent what changed: whoever looks sooner would take the old for the new. */
  announce(): void {
    Atomics.add(new Int32Array(this.#changes), 0, 1);
  }

  /** Gives all claims back. */
  release(): void {
    for (const name of [...this.#claims.keys()]) this.#giveBack(name);
  }

  /** The disks of each controller take its ports in the order in which they are given. */
  #place(disk: DiskConfig): string {
    const controller = controllerOfDisk(disk);
    const taken = [...this.#bays.values()].filter((bay) => bay.controller === controller);
    const ports = Array.from({ length: PORTS[controller] }, (_, port) => port);
    const port = ports.find((one) => taken.every((bay) => bay.port !== one));
    if (port === undefined) {
      const most = `${controller} takes ${PORTS[controller]} disks`;
      throw new PosixError(EINVAL, `${disk.file}: ${most}`);
    }
    const name = diskName(controller, port);
    const memory = driveMemory(disk);
    this.#bays.set(name, { controller, port, name, disk: undefined, plugs: 0, memory });
    this.#configs.set(name, disk);
    return name;
  }

  /** A disk that was without power has forgotten what its cache held; an overlay is its medium. */
  #fill(name: string): void {
    const bay = this.#bay(name);
    const disk = this.#configs.get(name);
    if (disk?.mode === 'rw' && claimable(disk.file)) {
      this.#claims.set(name, claimImage(disk.file));
    }
    const memory = bay.plugs === 0 ? bay.memory : { ...bay.memory, cache: writeLogMemory() };
    this.#bays.set(name, { ...bay, disk, plugs: bay.plugs + 1, memory });
  }

  #bay(name: string): Bay {
    const bay = this.#bays.get(name);
    if (bay === undefined) throw new PosixError(ENXIO, `${name}: no such disk`);
    return bay;
  }

  #giveBack(name: string): void {
    this.#claims.get(name)?.();
    this.#claims.delete(name);
  }
}

/** What is said of disks that stay where they are. */
function refuse(controller: ControllerName): never {
  const why = `${controller}: disks are not plugged in or pulled out while the machine runs`;
  throw new PosixError(EOPNOTSUPP, why);
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
