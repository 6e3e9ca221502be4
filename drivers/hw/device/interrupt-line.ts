// The interrupt line of a controller, and the faults at it: an interrupt that is lost, comes twice
// or comes late (`irq.ahci`).

import type { FaultGate, FaultPoint } from '../../../kernel/ipc/fault/gate.ts';

export class InterruptLine {
  handler: () => void = () => undefined;
  readonly #gate: FaultGate | undefined;
  readonly #point: FaultPoint | undefined;
  #dueAtMs: number | undefined;

  constructor(gate: FaultGate | undefined, driver: string) {
    this.#gate = gate;
    this.#point = gate?.point('irq', driver);
  }

  /** When an interrupt that is held up comes. */
  get dueAtMs(): number | undefined {
    return this.#dueAtMs;
  }

  raise(): void {
    const firing = this.#point?.hit();
    if (firing?.has('drop')) return;
    if (firing && firing.delayMs > 0) {
      this.#dueAtMs = this.#now() + firing.delayMs;
      return;
    }
    this.handler();
    if (firing?.has('dup')) this.handler();
  }

  /** Raises what was held up, if its time has come. */
  step(): void {
    if (this.#dueAtMs === undefined || this.#now() < this.#dueAtMs) return;
    this.#dueAtMs = undefined;
    this.handler();
  }

  #now(): number {
    return this.#gate?.clock.monotonicMs() ?? 0;
  }
}
