// For tests only: a volume in one thread - ram, grants, rings, a fake clock, a disk in memory - with
// the kernel's 9P client on the other side of the rings.

import { assert } from '../../../kernel/abi/errno.ts';
import { FRAMES, PAGE_SIZE } from '../../../kernel/abi/memlayout.ts';
import { Executor } from '../../../kernel/ipc/executor.ts';
import { GRANT_READ, GRANT_WRITE, GrantReader, GrantTable } from '../../../kernel/ipc/grant.ts';
import { Ring, ringSize } from '../../../kernel/ipc/ring.ts';
import { type Task, WaitQueue, wakeOne } from '../../../kernel/ipc/task.ts';
import { NinepClient } from '../../../kernel/ninep/client.ts';
import { RingTransport } from '../../../kernel/ninep/transport-ring.ts';
import type { Area } from '../cache/layout.ts';
import type { BlockDevice } from '../device.ts';
import { type LogEntry, MemoryDevice } from '../memory-device.ts';
import type { MountedVolume, MountFormat } from '../mounted.ts';
import { VolumeServer } from '../serve/serve.ts';

const VOLUME_SEAT = 2;
const KERNEL_SEAT = 1;
const RING = { slots: 16, slotSize: 8192 };

export interface MachineOptions {
  readonly image: Uint8Array;
  readonly format: MountFormat;
  /** Takes over the ram of a machine whose volume's worker died. */
  readonly after?: Machine;
  readonly cacheBytes?: number;
  /** For rings and what clients hand over, besides the cache. */
  readonly otherBytes?: number;
  readonly readOnly?: boolean;
  /** The device itself cannot be written. */
  readonly readOnlyDevice?: boolean;
  readonly options?: readonly string[];
  readonly writeLog?: LogEntry[];
  readonly random?: () => number; // u32
  /** Transfers take their time: each waits until nothing else can be done. */
  readonly slow?: boolean;
  /** Called between the turns of the executor. */
  readonly between?: (machine: Machine) => void;
  readonly device?: (device: MemoryDevice) => BlockDevice;
}

/** One power-on. Mount, use, unmount - or just drop it, as a power cut does. */
export class Machine {
  readonly ram: SharedArrayBuffer;
  readonly executor: Executor;
  readonly grants: GrantTable;
  readonly device: MemoryDevice;
  readonly log: string[] = [];
  readonly client: NinepClient;
  readonly #options: MachineOptions;
  readonly #area: Area;
  readonly #rings: { requests: Ring; replies: Ring };
  readonly #latency = new WaitQueue('slow disk');
  #nextFree: number;
  #nowMs = 1_760_000_000_000;
  #volume: MountedVolume | undefined;
  unmounted = false;

  constructor(options: MachineOptions) {
    this.#options = options;
    const { cacheBytes = 4 << 20, otherBytes = 16 << 20 } = options;
    const { after } = options;
    this.ram = after?.ram ?? new SharedArrayBuffer(FRAMES + cacheBytes + otherBytes);
    this.#nextFree = after ? after.#nextFree : FRAMES;
    this.grants = after?.grants ?? new GrantTable(this.ram);
    const clock = {
      monotonicMs: () => this.#nowMs - 1_760_000_000_000,
      wallclock: () => ({
        sec: Math.floor(this.#nowMs / 1000),
        nsec: Math.floor(this.#nowMs % 1000) * 1_000_000,
      }),
    };
    this.executor = new Executor({
      ram: this.ram,
      seat: VOLUME_SEAT,
      clock,
      onBug: (error) => {
        throw error;
      },
    });
    this.#area = after ? after.#area : this.#newArea(cacheBytes);
    this.device = new MemoryDevice({
      image: options.image,
      grants: new GrantReader(this.ram, VOLUME_SEAT),
      readOnly: options.readOnlyDevice ?? false,
      ...(options.writeLog && { log: options.writeLog }),
      ...(options.slow && { latency: this.#latency }),
    });
    this.#rings = { requests: this.#newRing('in'), replies: this.#newRing('out') };
    const { executor, grants } = this;
    this.client = new NinepClient(new RingTransport({ executor, grants, ...this.#rings }));
  }

  get volume(): MountedVolume {
    assert(this.#volume, 'not mounted');
    return this.#volume;
  }

  /** Mounts and begins to serve. */
  mount(): MountedVolume {
    const { format, readOnly = false, options = [], random = () => 7 } = this.#options;
    const unfinished = new Set<number>();
    const log = (line: string) => void this.log.push(line);
    const volume = this.run(
      format({
        ...{ executor: this.executor, ram: this.ram, area: this.#area, readOnly, options, log },
        device: this.#options.device?.(this.device) ?? this.device,
        clock: this.executor.clock,
        random: (into) => into.set(into.map(() => random() & 0xff)),
        hooks: {
          unfinished: (ino) => void unfinished.add(ino),
        },
        resume: this.#options.after !== undefined,
      }),
    );
    new VolumeServer({
      ...{ executor: this.executor, volume, unfinished, log, ...this.#rings },
      grants: new GrantReader(this.ram, VOLUME_SEAT),
      onUnmounted: () => {
        this.unmounted = true;
      },
    });
    this.#volume = volume;
    return volume;
  }

  /** Drives everything until the task is over. */
  run<T>(task: Task<T>): T {
    const results: T[] = [];
    this.runTogether([task], (_, value) => void results.push(value));
    return results[0] as T;
  }

  /** Starts all the tasks before anything else runs, and drives everything until they are over. */
  runTogether<T>(tasks: readonly Task<T>[], onEnd: (index: number, value: T) => void): void {
    let left = tasks.length;
    let failure: { error: unknown } | undefined;
    for (const [index, task] of tasks.entries()) {
      const whole = (function* (): Task<void> {
        try {
          onEnd(index, yield* task);
        } catch (error) {
          failure ??= { error };
        }
        left--;
      })();
      this.executor.start(whole, 'test');
    }
    for (let idle = 0; left > 0; ) {
      idle = this.executor.turn() || this.#transfer() ? 0 : idle + 1;
      if (this.#volume) this.#options.between?.(this);
      assert(idle < 10, 'the machine hangs: nobody is runnable');
    }
    if (failure) throw failure.error;
  }

  /** Lets one waiting transfer of a slow disk happen. */
  #transfer(): boolean {
    if (this.#latency.idle) return false;
    wakeOne(this.#latency);
    return true;
  }

  /** Lets time pass, so that timers fire. */
  advance(ms: number): void {
    this.#nowMs += ms;
    for (let idle = 0; idle < 3; ) {
      idle = this.executor.turn() || this.#transfer() ? 0 : idle + 1;
    }
  }

  /** Memory that the client may grant, page-aligned. */
  memory(length: number): { address: number; bytes: Uint8Array } {
    const address = this.#nextFree;
    this.#nextFree += Math.ceil(length / PAGE_SIZE) * PAGE_SIZE;
    assert(this.#nextFree <= this.ram.byteLength, 'the test machine is out of ram');
    return { address, bytes: new Uint8Array(this.ram, address, length) };
  }

  #newRing(direction: 'in' | 'out'): Ring {
    const { address } = this.memory(ringSize(RING));
    const [producer, consumer] =
      direction === 'in' ? [KERNEL_SEAT, VOLUME_SEAT] : [VOLUME_SEAT, KERNEL_SEAT];
    return Ring.format(this.ram, address, { ...RING, producer, consumer });
  }

  #newArea(length: number): Area {
    const { address } = this.memory(length);
    const grant = this.grants.grant({
      owner: VOLUME_SEAT,
      delegate: -1,
      rights: GRANT_READ | GRANT_WRITE,
      segments: [{ address, length }],
    });
    return { address, length, grant };
  }
}
