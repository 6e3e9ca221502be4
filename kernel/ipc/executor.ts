// The executor: one worker's loop. It takes messages from rings, runs tasks until all of them wait,
// then sleeps on the worker's bell until a peer rings or the next timer is due. The kernel, every
// server and the board's main thread run on it.

import type { Clock } from '../abi/board.ts';
import { Baton } from './baton/baton.ts';
import type { Ring } from './ring.ts';
import { running, sleep, type Task, WaitQueue, wakeAll } from './task.ts';
import { type Tracer, tracerOf } from './trace.ts';
import { EVENTS } from './trace-events.ts';
import { Bell, type Woken } from './wait.ts';

/** Looks for work and does a bounded piece of it; returns whether there was any. */
export type Poller = () => boolean;

interface Timer {
  readonly atMs: number;
  readonly action: () => void;
  readonly urgency: Urgency;
  cancelled: boolean;
}

/** `idle` = somebody only looks around: in a repeatable run that alone moves no virtual clock. */
export type Urgency = 'urgent' | 'idle';

export interface ExecutorOptions {
  readonly ram: SharedArrayBuffer;
  readonly seat: number;
  readonly clock: Clock;
  /** A task threw: a bug of ours. Throw to end the worker. */
  readonly onBug: (error: unknown, name: string) => void;
  /** The worker's own executor, whose turns run this one's: until `stop`, which ends all it does. */
  readonly host?: Executor;
}

/** Messages taken from one ring before the others have their turn. */
const DRAIN_LIMIT = 64;
/** Steps of tasks between two looks at the rings. */
const STEP_LIMIT = 1000;

export class Executor {
  readonly clock: Clock;
  readonly trace: Tracer;
  readonly #bell: Bell;
  readonly #onBug: (error: unknown, name: string) => void;
  readonly #pollers: Poller[] = [];
  readonly #outgoing: Ring[] = [];
  readonly #timers: Timer[] = []; // sorted, the next one last
  readonly #host: Executor | undefined;
  readonly #guests: Executor[] = [];
  #runnable: Activity[] = [];
  #stopped = false;
  /** In a repeatable run: the tasks that have not ended, to tell of when all wait for ever. */
  readonly #live: Set<Activity> | undefined;

  constructor(options: ExecutorOptions) {
    this.clock = options.clock;
    this.trace = tracerOf(options.ram);
    this.#bell = new Bell(options.ram, options.seat);
    this.#onBug = options.onBug;
    this.#host = options.host;
    if (this.#host) this.#host.#guests.push(this);
    const baton = Baton.of(options.ram);
    if (baton === undefined) return;
    const live = new Set<Activity>();
    this.#live = live;
    if (this.#host === undefined) baton.describe = () => describe(this.#activities);
  }

  /** Starts a task beside the others; it runs in this or the next turn. */
  start(task: Task<void>, name: string): void {
    this.#runnable.push(new Activity(task, { name, executor: this, beforeStep: nothing }));
  }

  /**
   * Starts a task and runs its first step at once; `beforeStep` runs before this and every later
   * step. Returns whether the task has ended already.
   */
  startNow(
    task: Task<void>,
    options: { name: string; beforeStep: () => void; subject?: Subject },
  ): boolean {
    return new Activity(task, { ...options, executor: this }).step();
  }

  /** Adds a source of work, looked at in each turn. */
  poll(poller: Poller): () => void {
    this.#pollers.push(poller);
    return () => remove(this.#pollers, poller);
  }

  /** Adds a ring to take messages from. `take` returns false to leave the message for later. */
  consume(ring: Ring, take: (ring: Ring) => boolean): () => void {
    return this.poll(() => {
      let taken = 0;
      while (taken < DRAIN_LIMIT && ring.queued > 0 && take(ring)) taken++;
      return taken > 0;
    });
  }

  /** Adds a ring to put messages into: its bell rings once at the end of a turn. */
  produce(ring: Ring): () => void {
    this.#outgoing.push(ring);
    return () => remove(this.#outgoing, ring);
  }

  /** Runs `action` after `ms`; returns how to take it back. */
  after(ms: number, action: () => void, urgency: Urgency = 'urgent'): () => void {
    const timer = { atMs: this.clock.monotonicMs() + ms, action, urgency, cancelled: false };
    let i = this.#timers.length;
    while (i > 0 && (this.#timers[i - 1]?.atMs ?? 0) <= timer.atMs) i--;
    this.#timers.splice(i, 0, timer);
    return () => {
      timer.cancelled = true;
    };
  }

  /** Suspends the task for `ms`. */
  *pause(ms: number, urgency: Urgency = 'urgent'): Task<void> {
    const queue = new WaitQueue('timer');
    let due = false;
    const wake = (): void => {
      due = true;
      wakeAll(queue);
    };
    this.after(ms, wake, urgency);
    while (!due) yield* sleep(queue);
  }

  /** Runs `work` on every item, up to `limit` at a time; ends when all have ended. */
  *each<T>(items: readonly T[], limit: number, work: (item: T) => Task<void>): Task<void> {
    const done = new WaitQueue('each');
    let next = 0;
    let running = 0;
    const lane = function* (): Task<void> {
      try {
        for (let item = items[next++]; item !== undefined; item = items[next++]) yield* work(item);
      } finally {
        running--;
        wakeAll(done);
      }
    };
    for (; running < Math.min(limit, items.length); running++) this.start(lane(), 'each');
    while (running > 0) yield* sleep(done);
  }

  /** Runs until `stop`. For workers. */
  run(): void {
    this.#bell.setRunning(true);
    while (!this.#stopped) {
      this.#bell.beat();
      const seen = this.#bell.read();
      if (this.turn()) continue;
      if (this.#bell.inTurns && !this.urgent) this.#bell.waitIdly(seen, this.#idleMs());
      else this.#bell.wait(seen, this.#idleMs());
    }
    this.flush();
  }

  /** For the main thread: sleeps until there may be work; `seen` was read before the last turn. */
  sleepAsync(seen: number): Promise<Woken> {
    return this.#bell.waitAsync(seen, this.#idleMs());
  }

  /** The count of the bell, for `sleepAsync`. */
  readBell(): number {
    return this.#bell.read();
  }

  /** One turn: timers, rings, tasks. Returns whether more may be done at once. */
  turn(): boolean {
    this.trace.flow = 0;
    this.#fireTimers();
    let busy = false;
    for (const poller of [...this.#pollers]) {
      busy = poller() || busy;
      this.trace.flow = 0;
    }
    for (const guest of [...this.#guests]) busy = guest.#guestTurn() || busy;
    busy = this.#runTasks() || busy;
    this.flush();
    return busy;
  }

  /** Rings the bells of all rings that were put into. */
  flush(): void {
    for (const ring of this.#outgoing) ring.flush();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#host) remove(this.#host.#guests, this);
  }

  /** Whether something is to happen at a time, not only to be looked for. */
  get urgent(): boolean {
    const urgent = this.#timers.some((timer) => timer.urgency === 'urgent' && !timer.cancelled);
    return urgent || this.#guests.some((guest) => guest.urgent);
  }

  /** Makes the executor's loop turn again (the main thread's own events came in). */
  nudge(): void {
    this.#bell.ring();
  }

  /** These three are called by Activity alone. */
  began(activity: Activity): void {
    this.#live?.add(activity);
  }

  ended(activity: Activity): void {
    this.#live?.delete(activity);
  }

  ready(activity: Activity): void {
    this.#runnable.push(activity);
  }

  bug(error: unknown, name: string): void {
    this.#onBug(error, name);
  }

  /** What would end a worker of its own must not end its host's. */
  #guestTurn(): boolean {
    try {
      return !this.#stopped && this.turn();
    } catch (error) {
      this.#onBug(error, 'its loop');
      return true;
    }
  }

  get #activities(): Activity[] {
    return [...(this.#live ?? []), ...this.#guests.flatMap((guest) => guest.#activities)];
  }

  #runTasks(): boolean {
    let steps = 0;
    while (this.#runnable.length > 0 && steps < STEP_LIMIT) {
      const batch = this.#runnable;
      this.#runnable = [];
      for (const activity of batch) activity.step();
      steps += batch.length;
    }
    return steps > 0;
  }

  #fireTimers(): void {
    let next = this.#timers.at(-1);
    if (next === undefined) return;
    const now = this.clock.monotonicMs();
    const due: Timer[] = []; // first, so that an action which sets a timer of 0 ms ends the turn
    while (next !== undefined && (next.cancelled || next.atMs <= now)) {
      this.#timers.pop();
      due.push(next);
      next = this.#timers.at(-1);
    }
    for (const timer of due) if (!timer.cancelled) timer.action();
  }

  #idleMs(): number {
    if (this.#runnable.length > 0) return 0;
    const next = this.#timers.at(-1);
    const ownMs = next
      ? Math.max(0, next.atMs - this.clock.monotonicMs())
      : Number.POSITIVE_INFINITY;
    return this.#guests.reduce((least, guest) => Math.min(least, guest.#idleMs()), ownMs);
  }
}

/** Whom a task works for: a process. */
export interface Subject {
  readonly name: string;
  readonly pid: number;
}

/** A started task and where it stands. */
class Activity {
  readonly #task: Task<void>;
  readonly #name: string;
  readonly #executor: Executor;
  readonly #beforeStep: () => void;
  readonly #flow: number; // what it was started for
  readonly #subject: Subject | undefined;
  #waitsIn: WaitQueue | undefined;

  constructor(
    task: Task<void>,
    options: { name: string; executor: Executor; beforeStep: () => void; subject?: Subject },
  ) {
    this.#task = task;
    this.#name = options.name;
    this.#executor = options.executor;
    this.#beforeStep = options.beforeStep;
    this.#flow = options.executor.trace.flow;
    this.#subject = options.subject;
    this.#executor.began(this);
  }

  /** Runs to the next wait; returns whether the task has ended. */
  step(): boolean {
    const { trace } = this.#executor;
    trace.flow = this.#flow;
    if (trace.on) trace.begin(EVENTS.step, trace.label(this.#name));
    running.task = this.#name;
    try {
      this.#beforeStep();
      const step = this.#task.next();
      if (step.done) this.#executor.ended(this);
      else {
        this.#waitsIn = step.value;
        step.value.waiting.push(this);
      }
      return step.done === true;
    } catch (error) {
      this.#executor.ended(this);
      this.#executor.bug(error, this.#name);
      return true;
    } finally {
      trace.end(EVENTS.step);
    }
  }

  /** `call read of cat[12] waits in 'pipe'`; nothing of one that only waits for a time. */
  describe(): string | undefined {
    const queue = this.#waitsIn;
    if (queue === undefined || queue.name === 'timer') return undefined;
    const subject = this.#subject;
    const whose = subject === undefined ? '' : ` of ${subject.name}[${subject.pid}]`;
    const held = queue.heldBy === '' ? '' : `, held by ${queue.heldBy}`;
    return `${this.#name}${whose} waits in '${queue.name}'${held}`;
  }

  resume(): void {
    this.#executor.ready(this);
  }
}

const describe = (activities: Iterable<Activity>): string =>
  [...activities].flatMap((activity) => activity.describe() ?? []).join('\n');

const nothing = (): void => undefined;

function remove<T>(list: T[], item: T): void {
  const at = list.indexOf(item);
  if (at >= 0) list.splice(at, 1);
}
