// Watches the servers' workers while somebody waits for one: a server that is awake and whose loop does not turn
// hangs; one whose loop turns, yet which for seconds neither answers nor asks, is stuck. Either way
// its worker is ended and replaced.

import { SEAT_KERNEL } from '../abi/memlayout.ts';
import { Bell } from '../ipc/wait.ts';
import type { Kernel } from '../kernel.ts';
import type { Server } from './server.ts';

const BEAT_MS = 100;
const BEATS_MISSED = 3;
/** With more workers awake than cores a server may wait that long for one. */
const BEATS_MISSED_CROWDED = 10;
/** A tick that comes so late says that the host is busy, and nothing of the server. */
const LATE_MS = 50;
/** The longest that a server may be silent with a request in its hands, or take to come up. */
export const SILENT_MS = 5000;

interface Seen {
  pulse: number | undefined;
  missed: number;
  /** Messages that it took and sent, and when that number grew last. */
  moves: number;
  movedMs: number;
  /** How often it was stuck without an answer in between. */
  stuck: number;
}

export class Watch {
  readonly #kernel: Kernel;
  readonly #fail: (server: Server, why: string) => void;
  readonly #seen = new WeakMap<Server, Seen>();
  #ticking = false;

  constructor(kernel: Kernel, fail: (server: Server, why: string) => void) {
    this.#kernel = kernel;
    this.#fail = fail;
    kernel.executor.poll(() => this.#start());
  }

  /** The timer runs only while somebody waits: an idle machine sleeps. */
  #start(): boolean {
    if (!this.#ticking && this.#waited) this.#schedule();
    return false;
  }

  get #waited(): boolean {
    return this.#workers.some(({ transport }) => transport.inFlight > 0);
  }

  /** Not those that the kernel runs itself: it would be watching itself. */
  get #workers(): Server[] {
    return this.#kernel.volumes.servers.filter(({ runHere }) => runHere === undefined);
  }

  #schedule(): void {
    const { executor, clock } = this.#kernel;
    const dueMs = clock.monotonicMs() + BEAT_MS;
    this.#ticking = true;
    executor.after(BEAT_MS, () => {
      this.#ticking = false;
      const now = clock.monotonicMs();
      if (now - dueMs < LATE_MS) {
        for (const server of this.#workers) this.#look(server, now);
      }
      if (this.#waited) this.#schedule();
    });
  }

  #look(server: Server, now: number): void {
    const seen = this.#update(server, now);
    const crowded = new Bell(this.#kernel.ram, SEAT_KERNEL).crowded;
    const limit = crowded ? BEATS_MISSED_CROWDED : BEATS_MISSED;
    if (seen.missed >= limit) {
      seen.missed = 0;
      this.#fail(server, `hangs: no heartbeat for ${limit * BEAT_MS} ms`);
    } else if (this.#silent(server, now) && this.#waitedFor(server)) {
      const driver = this.#kernel.volumes.driverOf(server.superblock.source);
      // A new worker asks its driver anew; only when that does not help it is the driver's turn.
      const driverToo = seen.stuck % 2 === 1 && driver && this.#silent(driver, now);
      const culprit = driverToo ? driver : server;
      seen.stuck++;
      for (const one of [server, culprit]) this.#state(one, now).movedMs = now;
      this.#fail(culprit, `stuck: a request makes no progress for ${SILENT_MS} ms`);
    }
  }

  #update(server: Server, now: number): Seen {
    const { pulse } = new Bell(this.#kernel.ram, server.seat);
    const moves = movesOf(server);
    const seen = this.#state(server, now);
    const excused = server.ending !== undefined;
    const idle = server.role === 'volume' && !this.#waitedFor(server);
    if (moves !== seen.moves || excused || idle) seen.movedMs = now;
    if (idle) seen.stuck = 0;
    seen.moves = moves;
    const runs = server.state === 'running' || server.state === 'stopped';
    const turns = pulse === undefined || pulse !== seen.pulse;
    seen.missed = turns || excused || !runs ? 0 : seen.missed + 1;
    seen.pulse = pulse;
    return seen;
  }

  #state(server: Server, now: number): Seen {
    const known = this.#seen.get(server);
    if (known) return known;
    const fresh = { pulse: undefined, missed: 0, moves: movesOf(server), movedMs: now, stuck: 0 };
    this.#seen.set(server, fresh);
    return fresh;
  }

  #silent(server: Server, now: number): boolean {
    return now - this.#state(server, now).movedMs > SILENT_MS;
  }

  #waitedFor({ transport, state }: Server): boolean {
    return transport.inFlight > 0 || state === 'starting' || state === 'restarting';
  }
}

/** Grows whenever the server takes or sends a message, to whichever side. */
function movesOf({ served, used }: Server): number {
  let moves = 0;
  for (const ring of served) moves += ring.total + ring.taken;
  for (const ring of used) moves += ring.total + ring.taken;
  return moves;
}
