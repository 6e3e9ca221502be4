// Faults as a program of the host arms them: rules by text (docs/faults.md), what they did, and the
// sweep over every hit of a point.

import type { Machine } from '../drivers/hw/machine.ts';
import { EINVAL, PosixError } from '../kernel/abi/errno.ts';
import { isProblem, parseRule, problemText } from '../kernel/abi/fault/parse.ts';
import { printRule } from '../kernel/abi/fault/print.ts';
import { FaultLog, type LoggedFiring } from '../kernel/ipc/fault/log.ts';
import { FaultTable } from '../kernel/ipc/fault/table.ts';
import type { FileSystem } from './fs.ts';

const CTL = '/dev/fault/ctl';
/** Hits that a sweep fails at most, unless told otherwise. */
const SWEEP_LIMIT = 10_000;

/** A rule that is armed, until `off` or the end of an `await using`. */
export class FaultRule {
  readonly name: string;
  /** As the system understood it. */
  readonly text: string;
  readonly #faults: Faults;
  readonly #table: FaultTable;
  #last = { seen: 0, fired: 0 };
  #gone = false;

  /** Use `os.faults.on`. */
  constructor(faults: Faults, table: FaultTable, rule: { name: string; text: string }) {
    this.#faults = faults;
    this.#table = table;
    this.name = rule.name;
    this.text = rule.text;
  }

  /** How often it fired: up to now, or up to when it went. */
  get fired(): number {
    return this.#counts().fired;
  }

  /** How many hits it matched. */
  get seen(): number {
    return this.#counts().seen;
  }

  /** Forgets the rule; sectors that it made bad are well again. May be called twice. */
  async off(): Promise<void> {
    if (this.#gone) return;
    this.#counts();
    this.#gone = true;
    await this.#faults.command(`rm ${this.name}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.off();
  }

  #counts(): { seen: number; fired: number } {
    const found = this.#table.list().find(({ rule }) => rule.name === this.name);
    if (found && !this.#gone) this.#last = { seen: found.seen, fired: found.fired };
    return this.#last;
  }
}

export interface SweepOptions<T> {
  /** `blk.sdC0.write tag=journal`: a point, and conditions. */
  readonly point: string;
  /** `err EIO`: one or more actions. */
  readonly action: string;
  /** What is run once for each hit; a rejection is an outcome like any. */
  readonly run: (nth: number) => Promise<T>;
  /** Before each run, without the fault. */
  readonly before?: (nth: number) => Promise<void>;
  readonly limit?: number;
}

/** What became of the run in which the nth hit failed. */
export interface SweepRun<T> {
  readonly nth: number;
  /** `blk.sdC0.write lba=8 len=512`. */
  readonly where: string;
  readonly outcome: { readonly value: T } | { readonly error: unknown };
}

export class Faults {
  readonly #machine: Machine;
  readonly #fs: FileSystem;
  readonly #table: FaultTable;
  readonly #log: FaultLog;
  #next = 1;

  constructor(machine: Machine, fs: FileSystem) {
    this.#machine = machine;
    this.#fs = fs;
    this.#table = new FaultTable(machine.ram);
    this.#log = new FaultLog(machine.ram);
  }

  /** Arms a rule. Rejects with EINVAL and the column for a wrong one, EEXIST for a name in use. */
  async on(text: string): Promise<FaultRule> {
    const rule = parseRule(text);
    if (isProblem(rule)) throw new PosixError(EINVAL, `${problemText(rule)}: ${text}`);
    const name = rule.name || this.#freeName();
    const full = printRule({ ...rule, name });
    await this.command(full);
    return new FaultRule(this, this.#table, { name, text: full });
  }

  /** The last firings, oldest first; also when the machine is gone. */
  log(): LoggedFiring[] {
    return this.#log.since(1);
  }

  /** Rules that do all that has fired again, hit by hit. */
  plan(): Promise<string> {
    return this.#fs.readFile('/dev/fault/plan', 'utf8');
  }

  /** Forgets all rules and firings. */
  reset(): Promise<void> {
    return this.command('reset');
  }

  /** Runs `run` once for each hit of the point, with that hit failed, until one in which none is. */
  async sweep<T>(options: SweepOptions<T>): Promise<SweepRun<T>[]> {
    const { point, action, run, before, limit = SWEEP_LIMIT } = options;
    const runs: SweepRun<T>[] = [];
    for (let nth = 1; nth <= limit; nth++) {
      await before?.(nth);
      const rule = await this.on(`on ${point} nth=${nth} do ${action}`);
      const outcome = await run(nth).then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      const { fired } = rule;
      if (!(await this.#ended())) await rule.off();
      const mark = `${rule.name}: `;
      const where = this.log().findLast(({ plan }) => plan.startsWith(mark))?.where ?? '';
      if (fired === 0) break;
      runs.push({ nth, where, outcome });
    }
    return runs;
  }

  /** A command of /dev/fault/ctl. */
  async command(text: string): Promise<void> {
    await this.#fs.writeFile(CTL, text);
  }

  /** Whether the machine is gone already: a fault may have cut its power. */
  #ended(): Promise<boolean> {
    return Promise.race([this.#machine.ended.then(() => true), Promise.resolve(false)]);
  }

  #freeName(): string {
    const taken = new Set(this.#table.list().map(({ rule }) => rule.name));
    while (taken.has(`h${this.#next}`)) this.#next++;
    return `h${this.#next++}`;
  }
}
