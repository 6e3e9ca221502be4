// The disk controllers of the board, and how their disks are named, after sd(3) of Plan 9: a letter for
// the controller, a number for its port.

export type ControllerName = 'ahci' | 'ide' | 'virtio';

const LETTERS: Readonly<Record<ControllerName, string>> = { ahci: 'C', ide: 'D', virtio: 'F' };

export const CONTROLLERS = Object.keys(LETTERS) as readonly ControllerName[];

/** Controllers whose disks come and go under power: of an IDE cable nothing tells the host (ATA-6). */
export const HOT_PLUG: Readonly<Record<ControllerName, boolean>> = {
  ahci: true,
  ide: false,
  virtio: true,
};

/** What is plugged into the board. */
export interface DiskConfig {
  readonly file: string;
  readonly mode: 'rw' | 'ro' | 'overlay';
  /** Default: ahci. */
  readonly controller?: ControllerName | undefined;
}

export const controllerOfDisk = ({ controller = 'ahci' }: DiskConfig): ControllerName => controller;

/** The controllers that have disks, each once, in one order on every machine. */
export const controllersOf = (disks: readonly DiskConfig[]): ControllerName[] =>
  CONTROLLERS.filter((name) => disks.some((disk) => controllerOfDisk(disk) === name));

export const diskName = (controller: ControllerName, port: number): string =>
  `sd${LETTERS[controller]}${port}`;

/** The controller of a disk, a partition or a volume: sdC0, sdF0p1. */
export const controllerNamed = (disk: string): ControllerName | undefined =>
  CONTROLLERS.find((name) => disk.startsWith(`sd${LETTERS[name]}`));

/** Major numbers as Linux has them: IDE's first, SCSI's, the first that is free for virtio. */
const MAJORS: Readonly<Record<ControllerName, number>> = { ahci: 8, ide: 3, virtio: 252 };
const MINORS = 256; // of a disk: partitions

/** Major and minor of a disk, or of a partition on it. */
export function deviceNumber(disk: string, partition = 0): { major: number; minor: number } {
  const port = Number(disk.replace(/^\D+/, '').replace(/p.*/, ''));
  const major = MAJORS[controllerNamed(disk) ?? 'ahci'];
  return { major, minor: port * MINORS + (partition % MINORS) };
}
