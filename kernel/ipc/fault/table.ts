// The table of fault rules in `ram`, for its one writer: the board before the kernel runs, then the
// kernel. Readers take the rules again when the generation has changed.

import { EEXIST, EINVAL, ENOENT, ENOSPC, fail } from '../../abi/errno.ts';
import { isProblem, parseRule, problemText } from '../../abi/fault/parse.ts';
import { segmentsOf } from '../../abi/fault/points.ts';
import { printRule } from '../../abi/fault/print.ts';
import { FIRST_STATE, type PointKind, RULE_BYTES, type Rule } from '../../abi/fault/rule.ts';
import { FAULT_AREA } from '../../abi/memlayout.ts';
import { decodeText, encodeText } from '../../abi/text.ts';
import { streamStart } from './chance.ts';
import {
  ARMED_BITS,
  BAD_SIZE,
  BADS,
  BADS_AT,
  HEAD,
  nameHash,
  PAUSED,
  RULE,
  RULE_SIZE,
  RULE_TEXT,
  RULES,
  RULES_AT,
} from './layout.ts';

/** A rule as it stands, with its counts. */
export interface RuleStatus {
  readonly uid: number;
  readonly on: boolean;
  readonly seen: number;
  readonly fired: number;
  readonly rule: Rule;
}

export class FaultTable {
  readonly #ram: SharedArrayBuffer;
  readonly #head: Int32Array;

  constructor(ram: SharedArrayBuffer) {
    this.#ram = ram;
    this.#head = new Int32Array(ram, FAULT_AREA, 64);
  }

  /** At power-on: an empty table and the seed of chance. */
  format(seed: number): void {
    Atomics.store(this.#head, HEAD.seed, seed | 0);
    Atomics.store(this.#head, HEAD.nextUid, 1);
    Atomics.store(this.#head, HEAD.state, nameHash(FIRST_STATE));
  }

  get seed(): number {
    return Atomics.load(this.#head, HEAD.seed) >>> 0;
  }

  /** Adds a rule and returns its name. EINVAL says what is wrong where; EEXIST, ENOSPC. */
  add(text: string): string {
    const parsed = parseRule(text);
    if (isProblem(parsed)) return fail(EINVAL, problemText(parsed));
    const present = this.list();
    const uid = Atomics.load(this.#head, HEAD.nextUid);
    const name = parsed.name || freeName(present, uid);
    if (present.some(({ rule }) => rule.name === name)) return fail(EEXIST, `rule ${name}`);
    const slot = this.#slots().find((words) => words[RULE.uid] === 0);
    if (slot === undefined) return fail(ENOSPC, `there are ${RULES} rules already`);
    const bytes = encodeText(printRule({ ...parsed, name }));
    if (bytes.length > RULE_BYTES + 40) return fail(EINVAL, 'the rule is too long');
    this.#change(() => {
      slot.fill(0);
      new Uint8Array(this.#ram, slot.byteOffset + RULE_TEXT, bytes.length).set(bytes);
      slot[RULE.length] = bytes.length;
      slot[RULE.random] = streamStart(this.seed, decodeText(bytes));
      slot[RULE.on] = 1;
      slot[RULE.uid] = uid;
      this.#head[HEAD.nextUid] = uid + 1;
    });
    return name;
  }

  /** Forgets a rule, and heals the sectors that it made bad. ENOENT. */
  remove(name: string): void {
    const found = this.list().find(({ rule }) => rule.name === name);
    if (found === undefined) fail(ENOENT, `no rule ${name}`);
    this.#drop(found.uid);
  }

  /** Forgets all rules, goes to the first state, lets paused servers go on. */
  reset(): void {
    for (const { uid } of this.list()) this.#drop(uid);
    Atomics.store(this.#head, HEAD.state, nameHash(FIRST_STATE));
    for (let i = 0; i < PAUSED; i++) Atomics.store(this.#head, HEAD.paused + i, 0);
  }

  /** A new seed; rules that are added from now on draw from it. */
  reseed(seed: number): void {
    Atomics.store(this.#head, HEAD.seed, seed | 0);
  }

  list(): RuleStatus[] {
    const found: RuleStatus[] = [];
    for (const words of this.#slots()) {
      const uid = words[RULE.uid] ?? 0;
      const rule = uid === 0 ? undefined : ruleIn(words);
      if (rule === undefined) continue;
      found.push({
        ...{ uid, rule },
        on: Atomics.load(words, RULE.on) === 1,
        seen: Atomics.load(words, RULE.seen) >>> 0,
        fired: Atomics.load(words, RULE.fired) >>> 0,
      });
    }
    return found.sort((a, b) => a.uid - b.uid);
  }

  /** Takes the bits of rules that were switched off out of `armed`. */
  rearm(): void {
    let armed = 0;
    for (const { on, rule } of this.list()) if (on) armed |= ARMED_BITS[kindOf(rule)];
    for (let i = 0; i < PAUSED; i++) {
      if (Atomics.load(this.#head, HEAD.paused + i) !== 0) armed |= ARMED_BITS.ipc;
    }
    for (let i = 0; i < BADS; i++) {
      const bad = new Int32Array(this.#ram, BADS_AT + i * BAD_SIZE, 1);
      if (Atomics.load(bad, 0) !== 0) armed |= ARMED_BITS.blk;
    }
    Atomics.store(this.#head, HEAD.armed, armed);
  }

  #drop(uid: number): void {
    const slot = this.#slots().find((words) => words[RULE.uid] === uid);
    for (let i = 0; i < BADS; i++) {
      const bad = new Int32Array(this.#ram, BADS_AT + i * BAD_SIZE, 1);
      Atomics.compareExchange(bad, 0, uid, 0);
    }
    this.#change(() => slot?.fill(0));
  }

  #change(change: () => void): void {
    Atomics.add(this.#head, HEAD.generation, 1);
    change();
    Atomics.add(this.#head, HEAD.generation, 1);
    this.rearm();
  }

  #slots(): Int32Array[] {
    return Array.from({ length: RULES }, (_, i) => slotAt(this.#ram, i));
  }
}

export const slotAt = (ram: SharedArrayBuffer, index: number): Int32Array =>
  new Int32Array(ram, RULES_AT + index * RULE_SIZE, RULE_TEXT / 4);

/** The rule in a slot; undefined when it is being written just now. */
export function ruleIn(slot: Int32Array): Rule | undefined {
  const length = Math.min(slot[RULE.length] ?? 0, RULE_SIZE - RULE_TEXT);
  const bytes = new Uint8Array(slot.buffer, slot.byteOffset + RULE_TEXT, length).slice();
  const parsed = parseRule(decodeText(bytes));
  return isProblem(parsed) ? undefined : parsed;
}

const kindOf = (rule: Rule): PointKind => segmentsOf(rule.point)[0] as PointKind;

/** `r7`, or the next one that nobody has taken. */
function freeName(present: readonly RuleStatus[], uid: number): string {
  let n = uid;
  while (present.some(({ rule }) => rule.name === `r${n}`)) n++;
  return `r${n}`;
}
