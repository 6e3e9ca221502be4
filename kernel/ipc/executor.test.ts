// The executor of tasks: timers, locks, queues, rings, and the order of all that.

import test from 'ava';
import { Executor } from './executor.ts';
import { Ring } from './ring.ts';
import { Lock, runNow, sleep, type Task, WaitQueue, wakeAll, wakeOne } from './task.ts';
import { rig, SEAT_A } from './testing/rig.ts';

/** An executor over a clock that moves by hand, and a way to run it until nothing moves. */
function bench() {
  const machine = rig();
  const time = { ms: 0 };
  const bugs: string[] = [];
  const executor = new Executor({
    ram: machine.ram,
    seat: SEAT_A,
    clock: { monotonicMs: () => time.ms, wallclock: () => ({ sec: 0, nsec: 0 }) },
    onBug: (error, name) => bugs.push(`${name}: ${(error as Error).message}`),
  });
  const settle = (): void => {
    for (let i = 0; i < 10_000 && executor.turn(); i++);
  };
  const at = (ms: number): void => {
    time.ms = ms;
    settle();
  };
  return { ...machine, executor, time, bugs, settle, at };
}

test('timers fire in the order of their times, and of their making when those are equal', (t) => {
  const { executor, at } = bench();
  const fired: string[] = [];
  for (const [name, ms] of [
    ['c', 30],
    ['a', 10],
    ['b1', 20],
    ['b2', 20],
    ['b3', 20],
  ] as const) {
    executor.after(ms, () => fired.push(name));
  }
  at(9);
  t.deepEqual(fired, []);
  at(20);
  t.deepEqual(fired, ['a', 'b1', 'b2', 'b3']);
  at(1000);
  t.is(fired.at(-1), 'c');
});

test('a timer taken back does not fire, even by another one of the same turn', (t) => {
  const { executor, at } = bench();
  const fired: string[] = [];
  executor.after(5, () => {
    fired.push('first');
    cancel();
  });
  const cancel = executor.after(5, () => fired.push('second'));
  at(5);
  at(50);
  t.deepEqual(fired, ['first']);
});

test('an action that sets a timer of 0 ms does not hold the turn', (t) => {
  const { executor } = bench();
  let count = 0;
  const again = (): void => {
    count++;
    executor.after(0, again);
  };
  again();
  for (let i = 0; i < 3; i++) executor.turn();
  t.is(count, 4);
});

test('pause suspends for its time, others run meanwhile', (t) => {
  const { executor, at } = bench();
  const seen: string[] = [];
  function* pauses(name: string, ms: number): Task<void> {
    yield* executor.pause(ms);
    seen.push(name);
    yield* executor.pause(ms);
    seen.push(name);
  }
  executor.start(pauses('slow', 30), 'slow');
  executor.start(pauses('quick', 10), 'quick');
  for (let ms = 0; ms <= 60; ms++) at(ms);
  t.deepEqual(seen, ['quick', 'quick', 'slow', 'slow']);
});

test('a lock is held by one task, and passes on in the order of asking', (t) => {
  const { executor, settle } = bench();
  const lock = new Lock('l');
  const gate = new WaitQueue('gate');
  const order: number[] = [];
  let inside = 0;
  function* enters(id: number): Task<void> {
    yield* lock.acquire();
    t.is(++inside, 1);
    order.push(id);
    yield* sleep(gate);
    inside--;
    lock.release();
    if (id < 5) {
      yield* lock.acquire(); // asks again at once: must stand behind all who wait
      order.push(id + 10);
      lock.release();
    }
  }
  for (let id = 0; id < 10; id++) executor.start(enters(id), `enter ${id}`);
  for (let i = 0; i < 30; i++) {
    settle();
    wakeAll(gate);
  }
  t.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
  t.false(lock.held);
});

test('who comes between a release and the turn of the woken one waits its turn', (t) => {
  const { executor, settle } = bench();
  const lock = new Lock('l');
  const order: string[] = [];
  const take = function* (name: string): Task<void> {
    yield* lock.acquire();
    order.push(name);
    lock.release();
  };
  runNow(lock.acquire());
  executor.start(take('waited'), 'waited');
  settle();
  lock.release();
  executor.startNow(take('barges in'), { name: 'barger', beforeStep: () => undefined });
  settle();
  t.deepEqual(order, ['waited', 'barges in']);
});

test('who shares a lock does so with others; who wants it alone waits for them, and they do not overtake', (t) => {
  const { executor, settle } = bench();
  const lock = new Lock('l');
  const gate = new WaitQueue('gate');
  const inside: string[] = [];
  const seen: string[] = [];
  const enters = function* (name: string, how: 'alone' | 'shared'): Task<void> {
    yield* how === 'alone' ? lock.acquire() : lock.share();
    inside.push(name);
    seen.push(inside.join('+'));
    yield* sleep(gate);
    inside.splice(inside.indexOf(name), 1);
    if (how === 'alone') lock.release();
    else lock.unshare();
  };
  for (const name of ['a', 'b']) executor.start(enters(name, 'shared'), name);
  executor.start(enters('X', 'alone'), 'X');
  for (const name of ['c', 'd']) executor.start(enters(name, 'shared'), name);
  for (let i = 0; i < 5; i++) {
    settle();
    wakeAll(gate);
  }
  t.deepEqual(seen, ['a', 'a+b', 'X', 'c', 'c+d']);
  t.false(lock.held);
});

test('wakeAll wakes those who sleep now, wakeOne the one who slept longest', (t) => {
  const { executor, settle } = bench();
  const queue = new WaitQueue('q');
  const woken: number[] = [];
  function* sleeps(id: number): Task<void> {
    yield* sleep(queue);
    woken.push(id);
    yield* sleep(queue);
    woken.push(id + 10);
  }
  for (let id = 0; id < 4; id++) executor.start(sleeps(id), `sleeper ${id}`);
  settle();
  wakeOne(queue);
  settle();
  t.deepEqual(woken, [0]);
  wakeAll(queue);
  settle();
  t.deepEqual(woken, [0, 1, 2, 3, 10]);
  wakeAll(queue);
  settle();
  t.is(woken.length, 8);
  t.true(queue.idle);
});

test('20,000 tasks that wake each other all end', (t) => {
  const { executor, settle } = bench();
  const count = 20_000;
  const queues = Array.from({ length: count }, (_, i) => new WaitQueue(`q${i}`));
  let ended = 0;
  function* link(i: number): Task<void> {
    const mine = queues[i];
    if (mine) yield* sleep(mine);
    ended++;
    const next = queues[i + 1];
    if (next) wakeAll(next);
  }
  for (let i = 0; i < count; i++) executor.start(link(i), `link ${i}`);
  settle();
  const [first] = queues;
  if (first) wakeAll(first);
  for (let i = 0; i < 10 && ended < count; i++) settle();
  t.is(ended, count);
});

test('a task that throws is reported by its name, and the others go on', (t) => {
  const { executor, settle, bugs } = bench();
  let went = false;
  executor.start(
    (function* (): Task<void> {
      throw new Error('on purpose');
    })(),
    'breaks',
  );
  executor.start(
    (function* (): Task<void> {
      went = true;
    })(),
    'goes on',
  );
  settle();
  t.deepEqual(bugs, ['breaks: on purpose']);
  t.true(went);
});

test('startNow runs the first step at once and tells whether that was all', (t) => {
  const { executor, settle } = bench();
  const queue = new WaitQueue('q');
  let steps = 0;
  const beforeStep = (): void => {
    steps++;
  };
  t.true(executor.startNow((function* (): Task<void> {})(), { name: 'short', beforeStep }));
  t.false(executor.startNow(sleep(queue), { name: 'long', beforeStep }));
  wakeAll(queue);
  settle();
  t.is(steps, 3);
});

test('a ring is drained in turns, left alone when its taker declines, rung once when produced to', (t) => {
  const { executor, ram, ring } = bench();
  const at = ring({ slots: 128, producer: SEAT_A, consumer: SEAT_A });
  const producer = new Ring(ram, at);
  const consumer = new Ring(ram, at);
  let open = false;
  let taken = 0;
  const detach = executor.consume(consumer, (from) => {
    if (!open || from.peek() === undefined) return false;
    from.release();
    taken++;
    return true;
  });
  executor.produce(producer);
  for (let i = 0; i < 100; i++) {
    producer.reserve();
    producer.publish();
  }
  t.false(executor.turn());
  open = true;
  executor.turn();
  t.true(taken > 0 && taken < 100); // the others have their turn in between
  executor.turn();
  t.is(taken, 100);
  detach();
  producer.reserve();
  producer.publish();
  t.false(executor.turn());
});

test('run ends after stop, with its rings flushed', (t) => {
  const { executor, ram, ring } = bench();
  const producer = new Ring(ram, ring({ producer: SEAT_A }));
  executor.produce(producer);
  executor.start(
    (function* (): Task<void> {
      producer.reserve();
      producer.publish();
      executor.stop();
    })(),
    'stops',
  );
  executor.run();
  t.is(producer.queued, 1);
});

test('what must not wait says in which queue it waits', (t) => {
  const queue = new WaitQueue('the disk');
  t.throws(() => runNow(sleep(queue)), { message: /the disk/ });
});

/** A second executor whose turns the first one runs. */
function withGuest() {
  const machine = bench();
  const { executor: host, ram, bugs } = machine;
  const onBug = (error: unknown, name: string): void => {
    bugs.push(`guest, ${name}: ${(error as Error).message}`);
  };
  return { ...machine, guest: new Executor({ ram, seat: SEAT_A, clock: host.clock, host, onBug }) };
}

test("a guest's timers, tasks and pollers have their turns in its host's", (t) => {
  const { guest, executor, at } = withGuest();
  const seen: string[] = [];
  guest.after(10, () => seen.push('timer'));
  const task = function* (): Task<void> {
    yield* guest.pause(20);
    seen.push('task');
  };
  guest.start(task(), 'task');
  t.true(executor.turn());
  t.true(executor.urgent);
  at(10);
  t.deepEqual(seen, ['timer']);
  at(20);
  t.deepEqual(seen, ['timer', 'task']);
  t.false(executor.urgent);
});

test('a guest that was stopped does nothing more, whatever was under way in it', (t) => {
  const { guest, executor, at } = withGuest();
  const seen: string[] = [];
  guest.after(10, () => seen.push('timer'));
  guest.poll(() => {
    seen.push('polled');
    return false;
  });
  executor.turn();
  t.deepEqual(seen, ['polled']);
  guest.stop();
  at(20);
  t.deepEqual(seen, ['polled']);
  t.false(executor.urgent);
});

test('what a guest throws is its own bug, and its host goes on', (t) => {
  const { guest, executor, bugs } = withGuest();
  guest.poll(() => {
    throw new Error('broken');
  });
  let turned = false;
  executor.after(0, () => {
    turned = true;
  });
  executor.turn();
  t.true(turned);
  t.deepEqual(bugs, ['guest, its loop: broken']);
});
