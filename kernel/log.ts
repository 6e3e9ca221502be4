// The kernel log: the last lines with the time since power-on, for /proc/kmsg, `dmesg` and the boot.

import type { Clock } from './abi/board.ts';

const MOST = 2000;

export class KernelLog {
  readonly #clock: Clock;
  readonly #lines: string[] = [];
  /** Called with each line, to show it while booting. */
  onLine: (line: string) => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds a line; several lines in one text (a stack) stay together. */
  add(text: string): void {
    const seconds = (this.#clock.monotonicMs() / 1000).toFixed(6).padStart(12);
    const line = `[${seconds}] ${text}`;
    this.#lines.push(line);
    if (this.#lines.length > MOST) this.#lines.splice(0, MOST / 4);
    this.onLine(line);
  }

  text(): string {
    return this.#lines.map((line) => `${line}\n`).join('');
  }
}
