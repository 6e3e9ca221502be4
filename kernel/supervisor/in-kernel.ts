// A volume without a worker of its own: the kernel's worker runs the same file-system code, as a guest
// of its own loop. Both ends of the session's rings lie in one worker; all else is as with a daemon.

import type { Board } from '../abi/board.ts';
import { EIO, PosixError } from '../abi/errno.ts';
import type { VolumeConfig } from '../abi/seat-config.ts';
import { Executor } from '../ipc/executor.ts';
import type { Kernel } from '../kernel.ts';

/** What the module of the daemons exports. The kernel imports none: the board hands it over. */
export interface Daemons {
  /** Starts the tasks of a volume on an executor. */
  serve(volume: { board: Board; executor: Executor; config: VolumeConfig }): void;
}

export interface InKernel {
  /** Whether volumes have workers of their own, as long as those come up. */
  readonly workers: boolean;
  /** Loads the module; throws what is wrong with it. */
  readonly load: () => Daemons;
}

/** Loaded when it is needed: a machine whose daemons come up never does. */
export function loadDaemons(kernel: Kernel, inKernel: InKernel | undefined): Daemons {
  if (inKernel === undefined) throw new PosixError(EIO, 'no daemon');
  try {
    return inKernel.load();
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    kernel.log(`the code of the file systems cannot be loaded: ${what}`);
    throw new PosixError(EIO, 'no daemon');
  }
}

/** Serves a volume here until the executor is stopped. After `onBug` nobody serves it any more. */
export function serveHere(
  kernel: Kernel,
  volume: { daemons: Daemons; config: VolumeConfig; onBug: (what: string) => void },
): Executor {
  const { ram, seat, clock, random, executor: host } = kernel;
  const onBug = (error: unknown, name: string): void => {
    executor.stop();
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    volume.onBug(`${name}: ${what}`);
  };
  const executor = new Executor({ ram, seat, clock, host, onBug });
  volume.daemons.serve({ board: { ram, seat, clock, random }, executor, config: volume.config });
  return executor;
}
