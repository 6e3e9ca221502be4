// Faults at messages: what becomes of a 9P message in its receiver's ring (`ipc.SERVICE.MESSAGE`).
// A message that is held up stays in the ring, and those behind it wait as they would for a server
// that is slow.

import type { Executor } from '../ipc/executor.ts';
import type { Firing } from '../ipc/fault/firing.ts';
import type { FaultGate, FaultPoint } from '../ipc/fault/gate.ts';
import type { Slot } from '../ipc/ring.ts';
import { T, type TMessage } from './types.ts';

/** How often a paused server looks whether it may go on. */
const PAUSE_MS = 10;

const names: (string | undefined)[] = [];
for (const [name, type] of Object.entries(T)) names[type] = name;

/** Of one ring. */
export class MessageFaults {
  readonly #gate: FaultGate;
  readonly #service: string;
  readonly #executor: Executor;
  readonly #points: (FaultPoint | undefined)[] = [];
  readonly #any: FaultPoint;
  /** What fired at the message that is the next in the ring, and when it may be taken. */
  #held: { firing: Firing; dueMs: number } | undefined;

  constructor(options: { gate: FaultGate; service: string; executor: Executor }) {
    this.#gate = options.gate;
    this.#service = options.service;
    this.#executor = options.executor;
    this.#any = options.gate.point('ipc', options.service, 'any');
  }

  /** What fires at the message in the slot, once; 'wait' leaves it in the ring for now. */
  meet(slot: Slot): Firing | 'wait' | undefined {
    if (this.#held) return this.#release(this.#held);
    if (!this.#any.armed) return undefined;
    if (this.#gate.paused(this.#service)) return this.#wait(PAUSE_MS);
    const firing = this.#pointOf(slot)?.hit({ len: lengthOf(slot) });
    if (firing === undefined || firing.delayMs === 0) return firing;
    this.#held = { firing, dueMs: this.#executor.clock.monotonicMs() + firing.delayMs };
    return this.#wait(firing.delayMs);
  }

  #release({ firing, dueMs }: { firing: Firing; dueMs: number }): Firing | 'wait' {
    if (this.#executor.clock.monotonicMs() < dueMs) return 'wait';
    this.#held = undefined;
    return firing;
  }

  #wait(ms: number): 'wait' {
    this.#executor.after(ms, () => undefined); // the loop turns then, and looks at the ring again
    return 'wait';
  }

  #pointOf(slot: Slot): FaultPoint | undefined {
    const type = slot.payload[4] ?? 0;
    const name = names[type];
    if (name === undefined) return undefined;
    this.#points[type] ??= this.#gate.point('ipc', this.#service, name);
    return this.#points[type];
  }
}

/** Where size[4] type[1] tag[2] fid[4] offset[8] count[4] has its count. */
const COUNT_AT = 19;

/** What a message moves: the count of a Tread or Twrite, else its own bytes. */
function lengthOf({ payload, view, length }: Slot): number {
  const type = payload[4];
  const moves = type === T.Tread || type === T.Twrite;
  return moves && length >= COUNT_AT + 4 ? view.getUint32(COUNT_AT, true) : length;
}

/** A Tread or Twrite of fewer bytes than it asks for, one at least. */
export function shortened(message: TMessage, firing: Firing | undefined): TMessage {
  const bytes = firing?.find('short')?.bytes;
  if (bytes === undefined || (message.name !== 'Tread' && message.name !== 'Twrite')) {
    return message;
  }
  const count = Math.min(message.count, Math.max(1, bytes));
  return message.name === 'Tread'
    ? { ...message, count }
    : { ...message, count, data: message.data.subarray(0, count) };
}
