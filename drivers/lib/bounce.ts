// Bounce buffers: DMA memory for requests whose bytes do not lie on sectors.

import { sleep, type Task, WaitQueue, wakeOne } from '../../kernel/ipc/task.ts';
import type { RamRange } from './request.ts';

export class BouncePool {
  readonly #free: RamRange[];
  readonly #returned = new WaitQueue('bounce buffer');

  constructor(buffers: readonly RamRange[]) {
    this.#free = [...buffers];
  }

  /** Waits for a free one. Give it back in a `finally`. */
  *take(): Task<RamRange> {
    for (;;) {
      const buffer = this.#free.pop();
      if (buffer) return buffer;
      yield* sleep(this.#returned);
    }
  }

  give(buffer: RamRange): void {
    this.#free.push(buffer);
    wakeOne(this.#returned);
  }
}
