// Lines for the kernel's log, a message each. A full ring keeps nobody waiting: lines queue up here.

import { encodeText } from '../../kernel/abi/text.ts';
import type { Executor } from '../../kernel/ipc/executor.ts';
import type { Ring } from '../../kernel/ipc/ring.ts';

const QUEUE_MAX = 1000; // lines; later ones are counted only

export class LogRing {
  readonly #ring: Ring;
  readonly #queue: string[] = [];
  #dropped = 0;

  constructor(executor: Executor, ring: Ring) {
    this.#ring = ring;
    executor.produce(ring);
    executor.poll(() => this.#drain());
  }

  write(line: string): void {
    if (this.#queue.length < QUEUE_MAX) this.#queue.push(line);
    else this.#dropped++;
    this.#drain();
  }

  #drain(): boolean {
    let sent = false;
    while (this.#queue.length > 0) {
      const slot = this.#ring.reserve();
      if (slot === undefined) return sent;
      const bytes = encodeText(this.#queue.shift() ?? '').subarray(0, slot.payload.length);
      slot.payload.set(bytes);
      slot.length = bytes.length;
      this.#ring.publish();
      sent = true;
      if (this.#queue.length > 0 || this.#dropped === 0) continue;
      this.#queue.push(`${this.#dropped} lines of log were lost`);
      this.#dropped = 0;
    }
    return sent;
  }
}
