// Tasks: straight-line code that may wait, as a kernel thread may (DESIGN law 6). A Task is a
// generator driven by an Executor (executor.ts). It suspends in a WaitQueue only: `sleep`, `Lock`,
// and what is built on them. What was read before a `yield*` may be stale after it.

/** A piece of work that may suspend. Drive it with `yield*`, or give it to `Executor.start`. */
export type Task<T> = Generator<WaitQueue, T, void>;

/** Where tasks wait, first come first served. Belongs to one worker. */
export class WaitQueue {
  readonly name: string;
  readonly waiting: Parked[] = [];
  /** The task that those who wait here wait for, if one is known: a lock's holder. */
  heldBy = '';

  constructor(name: string) {
    this.name = name;
  }

  get idle(): boolean {
    return this.waiting.length === 0;
  }
}

/** A suspended task: what its executor needs to go on with it. */
export interface Parked {
  resume(): void;
}

/** The task that runs in this worker just now, for those who tell who waits for whom. */
export const running = { task: '' };

/** Suspends until somebody wakes the queue. Wake-ups may be spurious: test the condition again. */
export function* sleep(queue: WaitQueue): Task<void> {
  yield queue;
}

/** Makes every task in the queue runnable. */
export function wakeAll(queue: WaitQueue): void {
  for (const parked of queue.waiting.splice(0)) parked.resume();
}

/** Makes the task that waited longest runnable. */
export function wakeOne(queue: WaitQueue): void {
  queue.waiting.shift()?.resume();
}

/**
 * A sleep lock, first come first served: a release hands it to who waited longest, and nobody who
 * comes later gets in between. Hold it as `yield* lock.acquire(); try { … } finally { lock.release(); }`,
 * or with `share` and `unshare` beside others who share it.
 */
export class Lock {
  readonly #queue: WaitQueue;
  /** How those in the queue want it. */
  readonly #wanted: ('alone' | 'shared')[] = [];
  #held = false;
  #sharers = 0;

  constructor(name: string) {
    this.#queue = new WaitQueue(name);
  }

  get held(): boolean {
    return this.#held || this.#sharers > 0;
  }

  *acquire(): Task<void> {
    if (this.held) yield* this.#wait('alone');
    else this.#held = true;
    this.#queue.heldBy = running.task;
  }

  release(): void {
    this.#held = false;
    this.#grant();
  }

  *share(): Task<void> {
    if (this.#held || !this.#queue.idle) yield* this.#wait('shared');
    else this.#sharers++;
    this.#queue.heldBy = running.task;
  }

  unshare(): void {
    this.#sharers--;
    this.#grant();
  }

  /** Woken by `#grant` alone, which has given it the lock. */
  *#wait(how: 'alone' | 'shared'): Task<void> {
    this.#wanted.push(how);
    yield* sleep(this.#queue);
  }

  #grant(): void {
    while (!this.#held && this.#wanted.length > 0) {
      if (this.#wanted[0] === 'shared') this.#sharers++;
      else if (this.#sharers > 0) return;
      else this.#held = true;
      this.#wanted.shift();
      wakeOne(this.#queue);
    }
  }
}

/** Runs a task that must not wait (a synchronous file server behind a generator interface). */
export function runNow<T>(task: Task<T>): T {
  const step = task.next();
  if (!step.done) throw new Error(`must not wait here, yet waits in ${step.value.name}`);
  return step.value;
}
