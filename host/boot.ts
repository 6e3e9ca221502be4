// Powers a machine on from this package's own files: the modules of the roles, the boot archive, the
// golden images.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ConsoleSink } from '../drivers/hw/console.ts';
import { type Machine, powerUp } from '../drivers/hw/machine.ts';
import type { RoleModules } from '../drivers/hw/power.ts';
import type { ControllerName, DiskConfig } from '../kernel/abi/disk/controllers.ts';
import type { Strategy } from '../kernel/ipc/baton/strategy.ts';
import { packageFile, roleModules } from './code.ts';

export interface DiskOptions {
  /** An image file of the host: raw, or packed as .zst. */
  readonly file: string;
  /** `overlay` leaves the file as it is: writes are forgotten with the machine. Default: rw, overlay for .zst. */
  readonly mode?: 'rw' | 'ro' | 'overlay';
  /** What it is plugged into: `ahci` (sdC0 …), `ide` (sdD0 …), `virtio` (sdF0 …). Default: ahci. */
  readonly controller?: ControllerName;
}

export interface BootOptions {
  /** Default: the ext4 image of this package, as an overlay. */
  readonly disks?: readonly DiskOptions[];
  /** Bytes of memory. */
  readonly mem?: number;
  /** Virtual CPUs. Default: the cores of the host. */
  readonly cpus?: number;
  /** A repeatable run: the same seed gives the same run. An integer of up to 53 bits. */
  readonly seed?: number;
  /** A file to be written: a trace of every layer, for Perfetto (docs/performance.md). */
  readonly trace?: string;
  /** How the seed chooses who runs. Default: `random`. */
  readonly strategy?: Strategy;
  /**
   * Of a repeatable run: this program waits for the system only. When nobody in it can go on, it ends
   * with the reason `deadlock` and who waits for what, instead of waiting for this program.
   */
  readonly sealed?: boolean;
  /** The first event of a repeatable run that `machine.record` keeps in full. */
  readonly watchFrom?: number;
  /** Fault rules that hold before the first disk command, a line each (docs/faults.md). */
  readonly faults?: string;
  /** `false`: file systems get no workers of their own, the kernel runs their code itself. */
  readonly daemons?: boolean;
  /** Added to the environment of what `exec` and `spawn` start. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told each line of the kernel log, with the milliseconds since power-on. */
  readonly onLog?: (line: string, atMs: number) => void;
}

/** What only the command gives: a machine with a console. */
export interface ConsoleBoot {
  readonly interactive: boolean;
  readonly console: ConsoleSink;
}

export interface MachineBoot {
  readonly onLog?: BootOptions['onLog'];
  /** Other modules than this package's own. */
  readonly modules?: Partial<RoleModules>;
}

export function startMachine(
  options: BootOptions,
  more: Partial<ConsoleBoot> & MachineBoot = {},
): Machine {
  const { disks, mem, cpus, seed, strategy, sealed, watchFrom, trace, faults, daemons } = options;
  const onLog = more.onLog ?? options.onLog;
  return powerUp({
    // One worker has one copy of each module: other ones are given the rest as single files, too.
    modules: more.modules ? { ...roleModules(false), ...more.modules } : roleModules(true),
    bootArchive: readFileSync(packageFile('dist/boot.cpio')),
    disks: disks?.map(diskConfig) ?? goldenImage(),
    ...(mem === undefined ? {} : { memBytes: mem }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(seed === undefined ? {} : { seed }),
    ...(trace === undefined ? {} : { trace }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(sealed === undefined ? {} : { sealed }),
    ...(watchFrom === undefined ? {} : { watchFrom }),
    ...(faults === undefined ? {} : { faults }),
    ...(daemons === undefined ? {} : { daemons }),
    ...(more.interactive === undefined ? {} : { interactive: more.interactive }),
    ...(more.console === undefined ? {} : { console: more.console }),
    ...(onLog === undefined ? {} : { onLog }),
  });
}

/** With what is not said. */
export const diskConfig = ({ file, mode, controller }: DiskOptions): DiskConfig => ({
  file,
  mode: mode ?? (file.endsWith('.zst') ? 'overlay' : 'rw'),
  ...(controller === undefined ? {} : { controller }),
});

/** The image that a boot waits for. */
const FIRST_IMAGE = 'ext4.img.zst';

/** The image that comes with the package: looked at, written to, and unchanged the next time. */
const goldenImage = (): DiskConfig[] =>
  packageImages((name) => name === FIRST_IMAGE).map((file) => ({ file, mode: 'overlay' }));

/** The package's images of other file systems: plugged in when somebody sits at the console. */
export const moreImages = (): string[] => packageImages((name) => !name.startsWith('ext4'));

function packageImages(wanted: (name: string) => boolean): string[] {
  const folder = packageFile('images/');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.img.zst') && wanted(name))
    .sort()
    .map((name) => fileURLToPath(new URL(name, folder)));
}
