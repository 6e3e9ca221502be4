// The kernel's end of the link to the board: power for workers, console bytes, the machine's end.

import { getLink, putLink, type ToBoard, type ToKernel } from '../abi/board-link.ts';
import type { Executor } from '../ipc/executor.ts';
import type { Ring } from '../ipc/ring.ts';
import { WaitQueue, wakeAll } from '../ipc/task.ts';

export class BoardLink {
  /** All rings between the board's thread and the kernel, for /proc/ipc. */
  readonly rings: { readonly name: string; readonly ring: Ring }[];
  readonly #toBoard: Ring;
  readonly #queue: ToBoard[] = [];
  /** Woken when messages have gone out: for whoever sends much. */
  readonly room = new WaitQueue('board link');
  readonly #whenGone = new Map<number, (() => void)[]>();
  /** Takes what the board says; set by main.ts. */
  onMessage: (message: ToKernel) => void = () => undefined;

  constructor(executor: Executor, rings: { toBoard: Ring; toKernel: Ring }) {
    this.#toBoard = rings.toBoard;
    this.rings = [
      { name: 'to board', ring: rings.toBoard },
      { name: 'from board', ring: rings.toKernel },
    ];
    executor.produce(rings.toBoard);
    executor.poll(() => this.#drain());
    executor.consume(rings.toKernel, (ring) => this.#take(ring));
  }

  /** Sends in order, later if the ring is full just now. */
  send(message: ToBoard): void {
    this.#queue.push(message);
    this.#drain();
  }

  /** Whether whoever sends much should wait. */
  get full(): boolean {
    return this.#queue.length > 8;
  }

  /** Runs `action` once the board says that the worker of a seat has ended. */
  whenGone(seat: number, action: () => void): void {
    this.#whenGone.set(seat, [...(this.#whenGone.get(seat) ?? []), action]);
  }

  #drain(): boolean {
    let done = 0;
    for (;;) {
      const [message] = this.#queue;
      const slot = message && this.#toBoard.reserve();
      if (message === undefined || slot === undefined) break;
      slot.length = putLink(slot.payload, message);
      this.#toBoard.publish();
      this.#queue.shift();
      done++;
    }
    if (done > 0) wakeAll(this.room);
    return done > 0;
  }

  #take(ring: Ring): boolean {
    const slot = ring.peek();
    if (slot === undefined) return false;
    const message = getLink(slot.payload.subarray(0, slot.length));
    ring.release();
    if (message === undefined) return true;
    if (message.type === 'seatGone') {
      for (const action of this.#whenGone.get(message.seat) ?? []) action();
      this.#whenGone.delete(message.seat);
    }
    this.onMessage(message as ToKernel);
    return true;
  }
}
