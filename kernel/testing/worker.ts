// A worker of the test machine: finds its orders in its seat, says that it is ready, and takes what it
// is to start with. What its program does then, a test does (program.ts).

import { SEAT_BOOT, SEAT_CONFIG, seatPage } from '../abi/memlayout.ts';
import type { ProcessConfig } from '../abi/seat-config.ts';
import { type Start, SYS } from '../abi/syscall.ts';
import { decodeText } from '../abi/text.ts';
import { Ring } from '../ipc/ring.ts';

export class Worker {
  readonly #ram: SharedArrayBuffer;
  readonly #seat: number;
  #config: ProcessConfig | undefined;
  start: Start | undefined;

  constructor(ram: SharedArrayBuffer, seat: number) {
    this.#ram = ram;
    this.#seat = seat;
  }

  /** Does what it can; returns whether it did anything. */
  step(): boolean {
    if (this.#config === undefined) return this.#boot();
    if (this.start !== undefined) return false;
    const replies = new Ring(this.#ram, this.#config.replies);
    const slot = replies.peek();
    if (slot === undefined) return false;
    const length = slot.view.getUint32(8, true);
    replies.release();
    const bytes = new Uint8Array(this.#ram, this.#config.window, length).slice();
    this.start = JSON.parse(decodeText(bytes)) as Start;
    return true;
  }

  #boot(): boolean {
    const page = seatPage(this.#seat);
    const length = new Int32Array(this.#ram, page + SEAT_BOOT, 1)[0] ?? 0;
    if (length === 0) return false;
    const json = decodeText(new Uint8Array(this.#ram, page + SEAT_CONFIG, length).slice());
    this.#config = JSON.parse(json) as ProcessConfig;
    const requests = new Ring(this.#ram, this.#config.requests);
    const slot = requests.reserve();
    for (const [i, word] of [SYS.ready, 1, 0, 0].entries()) slot?.view.setUint32(i * 4, word, true);
    requests.publish();
    return true;
  }
}
