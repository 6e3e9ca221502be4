// Records a machine's trace: gives each worker its event ring, looks into all of them every few
// milliseconds, and writes what is there to the file. Memory is bounded: what finds no room in its
// ring is counted as lost.

import type { Role } from '../../../kernel/abi/board-link.ts';
import { PosixError } from '../../../kernel/abi/errno.ts';
import { groupNames, isLabel, WorkerTrack } from './chrome.ts';
import { EventRing } from './event-ring.ts';
import { TraceFile } from './trace-file.ts';

const LOOK_MS = 5;

interface Seat {
  readonly ring: EventRing;
  readonly track: WorkerTrack;
}

export class TraceRecorder {
  readonly #file: TraceFile;
  readonly #seats = new Map<number, Seat>();
  readonly #timer: NodeJS.Timeout;
  #lines: string[] = groupNames();
  #fault: PosixError | undefined;

  /** Throws a PosixError when the file cannot be made. */
  constructor(file: string) {
    this.#file = new TraceFile(file);
    this.#timer = setInterval(() => this.drain(), LOOK_MS).unref();
  }

  /** What is wrong with the trace, in words; undefined when it is whole. */
  get complaint(): string | undefined {
    if (this.#fault) return `trace: ${this.#fault.message}`;
    const lost = this.#lost;
    return lost === 0 ? undefined : `trace: ${lost} events were lost: the host was too busy`;
  }

  get #lost(): number {
    return [...this.#seats.values()].reduce((sum, { ring }) => sum + ring.lost, 0);
  }

  /** The event ring of a seat that is about to be powered on. */
  ringFor(seat: number, role: Role | 'board'): SharedArrayBuffer {
    let place = this.#seats.get(seat);
    if (place === undefined) {
      const track = new WorkerTrack(seat, (line) => this.#lines.push(line));
      place = { ring: new EventRing(), track };
      this.#seats.set(seat, place);
    }
    place.track.name(role === 'process' ? `process worker ${seat}` : role);
    return place.ring.memory;
  }

  /** The worker of a seat is gone. */
  gone(seat: number): void {
    this.#take(seat);
    this.#seats.get(seat)?.track.ended();
  }

  drain(): void {
    for (const seat of this.#seats.keys()) this.#take(seat);
    const lines = this.#lines;
    this.#lines = [];
    if (lines.length === 0 || this.#fault) return;
    try {
      this.#file.append(lines, this.#lost);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      this.#fault = error; // the machine goes on without
    }
  }

  /** The end: all workers are gone. */
  close(): void {
    clearInterval(this.#timer);
    for (const seat of this.#seats.keys()) this.gone(seat);
    this.drain();
    this.#file.close();
  }

  #take(seat: number): void {
    const place = this.#seats.get(seat);
    place?.ring.drain(isLabel, (record) => place.track.add(record));
  }
}
