// A volume's worker without the worker: one thread, one piece of ram that all mounts share, and the
// format's code called directly, over an image in memory. The crash tester, and spares that rehearse.

import { assert } from '../../../kernel/abi/errno.ts';
import { FRAMES } from '../../../kernel/abi/memlayout.ts';
import type { Timespec } from '../../../kernel/abi/stat.ts';
import { Executor } from '../../../kernel/ipc/executor.ts';
import { GRANT_READ, GRANT_WRITE, GrantReader, GrantTable } from '../../../kernel/ipc/grant.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import type { Area } from '../cache/layout.ts';
import { type LogEntry, MemoryDevice } from '../memory-device.ts';
import type { MountedVolume, MountFormat } from '../mounted.ts';
import { finishWork } from '../serve/long-work.ts';
import type { Transaction } from '../transaction.ts';

const SEAT = 2;
/** Small, so that a mount costs little: some hundreds of frames. */
const CACHE_BYTES = 640 << 10;
const NOW: Timespec = { sec: 1_790_000_000, nsec: 0 };
/** Turns of the loop, and requests, in which one step of ours must be done: a bound, so that nothing hangs. */
const TURNS_MAX = 1_000_000;
const REQUESTS_MAX = 20_000;

/** The medium of a rig. */
export interface RigImage {
  readonly bytes: Uint8Array;
  /** Told before a part is overwritten. */
  saving?(offset: number, length: number): void;
}

interface MountOptions {
  /** Every write and flush is appended here. */
  readonly log?: LogEntry[] | undefined;
  /** Takes over what the volume that was mounted here last has left in ram. */
  readonly resume?: boolean;
}

export class Rig {
  readonly #ram = new SharedArrayBuffer(FRAMES + CACHE_BYTES);
  readonly #area: Area;
  readonly #grants: GrantReader;

  constructor() {
    const grant = new GrantTable(this.#ram).grant({
      owner: SEAT,
      delegate: -1,
      rights: GRANT_READ | GRANT_WRITE,
      segments: [{ address: FRAMES, length: CACHE_BYTES }],
    });
    this.#area = { address: FRAMES, length: CACHE_BYTES, grant };
    this.#grants = new GrantReader(this.#ram, SEAT);
  }

  /** Power on: mounts what is on the image. Throws what the mount throws. */
  mount(format: MountFormat, image: RigImage, { log, resume = false }: MountOptions = {}): Mounted {
    const budget = new Budget();
    const executor = new Executor({
      ram: this.#ram,
      seat: SEAT,
      clock: { monotonicMs: () => 0, wallclock: () => budget.take() },
      onBug: (error) => {
        throw error;
      },
    });
    const device = new MemoryDevice({
      image: image.bytes,
      grants: this.#grants,
      beforeWrite: (offset, length) => image.saving?.(offset, length),
      ...(log && { log }),
    });
    const unfinished = new Set<number>();
    const said: string[] = [];
    const mounting = format({
      ...{ executor, ram: this.#ram, area: this.#area, device, readOnly: false, options: [] },
      clock: executor.clock,
      random: (into) => into.fill(7),
      hooks: { unfinished: (ino) => void unfinished.add(ino) },
      resume,
      log: (line) => void said.push(line),
    });
    const driver = new Driver(executor, budget);
    return new Mounted({ driver, unfinished, said, volume: driver.drive(mounting) });
  }
}

/** A mounted volume; drop it as a power cut does, or `unmount` it. */
export class Mounted {
  readonly volume: MountedVolume;
  /** What the daemon would have put into the kernel's log. */
  readonly said: readonly string[];
  readonly #driver: Driver;
  readonly #unfinished: Set<number>;

  constructor(parts: {
    driver: Driver;
    unfinished: Set<number>;
    said: string[];
    volume: MountedVolume;
  }) {
    this.#driver = parts.driver;
    this.#unfinished = parts.unfinished;
    this.said = parts.said;
    this.volume = parts.volume;
  }

  run<T>(task: Task<T>): T {
    return this.#driver.drive(task);
  }

  read<T>(body: (tx: Transaction) => T): T {
    return this.run(this.volume.engine.run(body, { changes: false }));
  }

  /** A request that changes something, and the long work that it may leave. */
  change<T>(body: (tx: Transaction) => T): T {
    const result = this.run(this.volume.engine.run(body, { changes: true }));
    for (const ino of [...this.#unfinished]) {
      this.#unfinished.delete(ino);
      this.run(finishWork(this.volume, { ino, inUse: () => false }));
    }
    return result;
  }

  unmount(): void {
    this.run(this.volume.unmount());
  }
}

/** Each request asks for the time, once: so those of one task are counted. */
class Budget {
  left = REQUESTS_MAX;

  take(): Timespec {
    assert(this.left-- > 0, `the volume makes no end: ${REQUESTS_MAX} requests`);
    return NOW;
  }
}

/** Runs tasks of a volume to their end. */
class Driver {
  readonly #executor: Executor;
  readonly #budget: Budget;

  constructor(executor: Executor, budget: Budget) {
    this.#executor = executor;
    this.#budget = budget;
  }

  drive<T>(task: Task<T>): T {
    this.#budget.left = REQUESTS_MAX;
    let outcome: { value: T } | { error: unknown } | undefined;
    const whole = (function* (): Task<void> {
      try {
        outcome = { value: yield* task };
      } catch (error) {
        outcome = { error };
      }
    })();
    this.#executor.startNow(whole, { name: 'rig', beforeStep: nothing });
    for (let turns = 0, idle = 0; outcome === undefined; turns++) {
      idle = this.#executor.turn() ? 0 : idle + 1;
      assert(idle < 10, 'the volume hangs: nobody is runnable');
      assert(turns < TURNS_MAX, 'the volume makes no end');
    }
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }
}

const nothing = (): void => undefined;
