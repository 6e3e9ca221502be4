// The gate: where a worker asks whether a fault fires at a point. A point that no rule listens at
// costs one load. What a firing does to others (state, power, paused servers) is done here, and what
// ends the worker; what it does to the hit itself is done by whoever asked.

import type { Clock } from '../../abi/board.ts';
import { globPattern, type Pool, pointPattern } from '../../abi/fault/points.ts';
import { printRule } from '../../abi/fault/print.ts';
import type { Action, Match, PointKind, Rule } from '../../abi/fault/rule.ts';
import { FAULT_AREA, SEAT_KERNEL } from '../../abi/memlayout.ts';
import { tracerOf } from '../trace.ts';
import { EVENTS } from '../trace-events.ts';
import { Bell } from '../wait.ts';
import { draw } from './chance.ts';
import { carryOut, isPaused } from './effects.ts';
import { decide, describeHit, Firing, type Hit } from './firing.ts';
import { ARMED_BITS, HEAD, nameHash, RULE, RULES } from './layout.ts';
import { FaultLog } from './log.ts';
import { ruleIn, slotAt } from './table.ts';

/** How often rules that are being written just now are looked at again. */
const TRIES = 10_000;

interface Listener {
  readonly uid: number;
  readonly rule: Rule;
  readonly slot: Int32Array;
  readonly bytes: BigInt64Array;
  readonly point: RegExp;
  readonly path: RegExp;
}

/** Whether an allocation of that many bytes finds nothing, as if its pool were empty. */
export type Refuses = (bytes: number) => boolean;

/** A pool that no fault reaches. */
export const neverRefuses: Refuses = () => false;

const nobody = (): Hit => ({});

/** One worker's view of the rules. */
export class FaultGate {
  readonly head: Int32Array;
  readonly ram: SharedArrayBuffer;
  readonly seat: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Above 0 nothing fires: the kernel works on the faults themselves. */
  quiet = 0;
  readonly #log: FaultLog;
  #listeners: readonly Listener[] = [];
  #generation = -1;

  constructor(options: {
    ram: SharedArrayBuffer;
    seat: number;
    clock: Pick<Clock, 'monotonicMs'>;
  }) {
    this.ram = options.ram;
    this.seat = options.seat;
    this.clock = options.clock;
    this.head = new Int32Array(options.ram, FAULT_AREA, 64);
    this.#log = new FaultLog(options.ram);
  }

  /** A point by its name: made once, asked often. */
  point(kind: PointKind, ...rest: readonly string[]): FaultPoint {
    return new FaultPoint(this, kind, [kind, ...rest].join('.'));
  }

  /** Whether an allocation from this pool is to be refused; asked for `bytes` on behalf of `who`. */
  allocation(pool: Pool, who: () => Hit = nobody): Refuses {
    const point = this.point('alloc', pool);
    return (bytes) => point.armed && point.hit({ ...who(), len: bytes })?.errno !== undefined;
  }

  /** Whether `pause` holds this server. */
  paused(service: string): boolean {
    return isPaused(this.head, service);
  }

  /** Whether some rule listens at points of these kinds. */
  listens(...kinds: readonly PointKind[]): boolean {
    const armed = Atomics.load(this.head, HEAD.armed);
    return kinds.some((kind) => (armed & ARMED_BITS[kind]) !== 0);
  }

  /** Grows whenever rules come or go. */
  get generation(): number {
    this.#refresh();
    return this.#generation;
  }

  listenersAt(name: string): readonly Listener[] {
    return this.#listeners.filter(({ point }) => point.test(name));
  }

  /** Does what concerns more than the hit; may not return. */
  fired(name: string, hit: Hit, fires: readonly { listener: Listener; actions: Action[] }[]): void {
    const trace = tracerOf(this.ram);
    for (const { listener, actions } of fires) {
      const { rule, slot } = listener;
      const nth = [Atomics.load(slot, RULE.seen)];
      const number = this.#log.add({
        atMs: this.clock.monotonicMs(),
        seat: this.seat,
        where: `${name}${describeHit(hit)}`,
        plan: printRule({ ...rule, when: { nth }, actions }),
      });
      Atomics.add(this.head, HEAD.firings, 1);
      trace.instant(EVENTS.fault, trace.label(rule.name), number);
    }
    new Bell(this.ram, SEAT_KERNEL).ring(); // it keeps the log, and kills whom it must
    for (const { listener, actions } of fires) {
      for (const action of actions) carryOut(this, action, { name, slot: listener.slot });
    }
  }

  #refresh(): void {
    for (let i = 0; i < TRIES; i++) {
      const generation = Atomics.load(this.head, HEAD.generation);
      if (generation === this.#generation) return;
      if (generation % 2 !== 0) continue; // being written
      const listeners = this.#read();
      if (Atomics.load(this.head, HEAD.generation) !== generation) continue;
      this.#listeners = listeners;
      this.#generation = generation;
      return;
    }
  }

  #read(): Listener[] {
    const found: Listener[] = [];
    for (let i = 0; i < RULES; i++) {
      const slot = slotAt(this.ram, i);
      const uid = slot[RULE.uid] ?? 0;
      const rule = uid === 0 ? undefined : ruleIn(slot);
      if (rule === undefined) continue;
      const bytes = new BigInt64Array(this.ram, slot.byteOffset + RULE.bytes * 4, 1);
      const path = globPattern(rule.match.find(({ key }) => key === 'path')?.text ?? '*');
      found.push({ uid, rule, slot, bytes, point: pointPattern(rule.point), path });
    }
    return found.sort((a, b) => a.uid - b.uid);
  }
}

/** A named place where a fault may come in. */
export class FaultPoint {
  readonly name: string;
  readonly #gate: FaultGate;
  readonly #bit: number;
  #listeners: readonly Listener[] = [];
  #generation = -1;

  constructor(gate: FaultGate, kind: PointKind, name: string) {
    this.#gate = gate;
    this.#bit = ARMED_BITS[kind];
    this.name = name;
  }

  /** Whether some rule listens at points of this kind: one load. */
  get armed(): boolean {
    return (Atomics.load(this.#gate.head, HEAD.armed) & this.#bit) !== 0;
  }

  /** What happens to this hit; undefined is what nearly always happens. */
  hit(of: Hit = {}): Firing | undefined {
    if (!this.armed || this.#gate.quiet > 0) return undefined;
    const { generation } = this.#gate;
    if (generation !== this.#generation) {
      this.#generation = generation;
      this.#listeners = this.#gate.listenersAt(this.name);
    }
    if (this.#listeners.length === 0) return undefined;
    const fires: { listener: Listener; actions: Action[] }[] = [];
    for (const listener of this.#listeners) {
      if (!this.#fires(listener, of)) continue;
      const random = (below: number): number => draw(listener.slot) % below;
      const actions = listener.rule.actions.map((action) => decide(action, of, random));
      fires.push({ listener, actions });
    }
    const [first] = fires;
    if (first === undefined) return undefined;
    this.#gate.fired(this.name, of, fires);
    return new Firing(
      first.listener.uid,
      fires.flatMap(({ actions }) => actions),
    );
  }

  #fires(listener: Listener, of: Hit): boolean {
    const { rule, slot } = listener;
    if (Atomics.load(slot, RULE.on) !== 1) return false;
    if (!rule.match.every((match) => matches(match, of, listener.path))) return false;
    const seen = Atomics.add(slot, RULE.seen, 1) + 1;
    if (!this.#inSeason(rule)) return false;
    const count = Atomics.add(slot, RULE.hits, 1) + 1;
    const { every, after, nth, times, budget, p, state, t } = rule.when;
    // In a state or a time only the hits there are counted; else all, as a plan counts them.
    const n = state === undefined && t === undefined ? seen : count;
    if (nth && !nth.includes(n)) return false;
    if (every !== undefined && n % every !== 0) return false;
    if (after !== undefined && n <= after) return false;
    if (budget !== undefined) {
      const length = BigInt(of.len ?? 0);
      const before = Atomics.add(listener.bytes, 0, length);
      if (before + length <= BigInt(budget)) return false;
    }
    if (p && draw(slot) % p.outOf >= p.of) return false;
    if (Atomics.add(slot, RULE.fired, 1) < (times ?? Number.POSITIVE_INFINITY)) return true;
    Atomics.sub(slot, RULE.fired, 1);
    return false;
  }

  /** Whether the rule's state and time are now. */
  #inSeason({ when: { state, t } }: Rule): boolean {
    const { head, clock } = this.#gate;
    if (state !== undefined && Atomics.load(head, HEAD.state) !== nameHash(state)) return false;
    if (t === undefined) return true;
    const now = clock.monotonicMs();
    return now >= t.fromMs && now < t.toMs;
  }
}

function matches({ key, low, high, text }: Match, of: Hit, path: RegExp): boolean {
  if (key === 'tag') return of.tagged?.(text) ?? false;
  if (key === 'path') return of.path !== undefined && path.test(of.path);
  const value = of[key];
  if (value === undefined) return false;
  if (key !== 'lba') return value >= low && value <= high;
  return value <= high && value + Math.max(1, (of.len ?? 0) / 512) > low; // any of its sectors
}
