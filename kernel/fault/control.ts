// Faults as the kernel runs them: the one writer of the rules. It follows the log of firings, keeps
// it longer than the shared ring can, kills the servers that a rule names, and writes the plan.

import type { Clock } from '../abi/board.ts';
import { EINVAL, fail } from '../abi/errno.ts';
import { isProblem, parseRule, ruleLines } from '../abi/fault/parse.ts';
import type { Pool } from '../abi/fault/points.ts';
import { printRule } from '../abi/fault/print.ts';
import type { Hit } from '../ipc/fault/firing.ts';
import { FaultGate, type Refuses } from '../ipc/fault/gate.ts';
import { FaultLog, type LoggedFiring } from '../ipc/fault/log.ts';
import { FaultTable } from '../ipc/fault/table.ts';

/** Firings kept for /dev/fault/log and plan. */
const MOST_KEPT = 10_000;
/** Lines of the kernel log that firings may take. */
const MOST_TOLD = 200;
/** Characters of a plan's rule, below what a rule may have. */
const PLAN_LINE = 380;

export interface ControlOptions {
  readonly ram: SharedArrayBuffer;
  readonly seat: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: (line: string) => void;
  /** kill -9 of every server of this name. */
  readonly kill: (service: string) => void;
  /** For whom the kernel works just now. */
  readonly who: () => Pick<Hit, 'pid' | 'pgrp'>;
}

export class FaultControl {
  readonly gate: FaultGate;
  readonly table: FaultTable;
  /** The fault points of pools that are asked in many places. */
  readonly refuses: Readonly<Record<'pipes' | 'files' | 'fids', Refuses>>;
  readonly #options: ControlOptions;
  readonly #log: FaultLog;
  readonly #kept: LoggedFiring[] = [];
  #followed = 0;
  #lost = 0;

  constructor(options: ControlOptions) {
    this.#options = options;
    this.gate = new FaultGate(options);
    this.table = new FaultTable(options.ram);
    this.#log = new FaultLog(options.ram);
    this.refuses = {
      pipes: this.pool('pipes'),
      files: this.pool('files'),
      fids: this.pool('fids'),
    };
  }

  /** The fault point of a pool of the kernel. */
  pool(name: Pool): Refuses {
    return this.gate.allocation(name, this.#options.who);
  }

  /** Takes what has fired since the last look; whether there was anything. For the kernel's loop. */
  follow(): boolean {
    const { count } = this.#log;
    if (count === this.#followed) return false;
    const fresh = this.#log.since(this.#followed + 1);
    this.#lost += count - this.#followed - fresh.length; // too many at once, or their workers died
    this.#followed = count;
    for (const firing of fresh) this.#take(firing);
    this.table.rearm();
    return true;
  }

  /** `on …` and `NAME: on …` add rules; `rm NAME`, `reset`, `seed N`. One command a line. */
  command(text: string): void {
    for (const line of ruleLines(text)) this.#command(line.text.trim());
  }

  /** The rules with their counts, a line each. */
  rules(): string {
    return this.table
      .list()
      .map(
        ({ on, seen, fired, rule }) =>
          `${on ? 'on ' : 'off'} seen=${seen} fired=${fired} ${printRule(rule)}\n`,
      )
      .join('');
  }

  /** `[12.345678] 1 j1: blk.sdC0.write lba=8: torn 512`, a line for each firing. */
  log(): string {
    this.follow();
    return this.#kept.map((firing) => `${told(firing)}\n`).join('');
  }

  /** Rules that do what has fired again, hit by hit. */
  plan(): string {
    this.follow();
    const lines = [`# seed ${this.table.seed}`];
    if (this.#lost > 0) lines.push(`# ${this.#lost} firings are not kept`);
    return `${[...lines, ...merged(this.#kept)].join('\n')}\n`;
  }

  #take(firing: LoggedFiring): void {
    if (this.#kept.length < MOST_KEPT) this.#kept.push(firing);
    else this.#lost++;
    const { number } = firing;
    if (number <= MOST_TOLD) this.#options.log(`fault: ${told(firing).replace(/^\[.*?\] /, '')}`);
    if (number === MOST_TOLD) this.#options.log('fault: more in /dev/fault/log');
    const rule = parseRule(firing.plan);
    if (isProblem(rule)) return;
    for (const action of rule.actions) {
      if (action.do === 'kill') this.#options.kill(action.service);
    }
  }

  #command(line: string): void {
    const [verb, ...args] = line.split(/\s+/);
    const [only = ''] = args;
    if (verb === 'rm' && args.length === 1) this.table.remove(only);
    else if (verb === 'reset' && args.length === 0) this.#reset();
    else if (verb === 'seed' && args.length === 1) this.table.reseed(seedOf(only));
    else {
      try {
        this.table.add(line);
      } catch (error) {
        if (error instanceof Error) this.#options.log(`fault: '${line}': ${error.message}`);
        throw error;
      }
    }
  }

  /** A fresh start: no rules, no memory of firings. */
  #reset(): void {
    this.follow();
    this.table.reset();
    this.#kept.length = 0;
    this.#lost = 0;
  }
}

const seedOf = (text: string): number =>
  /^\d{1,15}$/.test(text) ? Number(text) : fail(EINVAL, `seed ${text}`);

function told({ number, atMs, where, plan }: LoggedFiring): string {
  const [, name = '', actions = ''] = /^([\w-]+): .*? do (.*)$/.exec(plan) ?? [];
  return `[${(atMs / 1000).toFixed(6)}] ${number} ${name}: ${where}: ${actions}`;
}

/** Firings that differ in their hit's number alone become one rule; its name is not needed. */
function merged(firings: readonly LoggedFiring[]): string[] {
  const groups = new Map<string, { line: string; nth: string[] }>();
  const done: { line: string; nth: string[] }[] = [];
  for (const { plan } of firings) {
    const [, before = '', nth = '', after = ''] =
      /^[\w-]+: (.*? nth=)(\d+)( do .*)$/.exec(plan) ?? [];
    // Hits are counted by each rule for itself: another rule at the same place is another count.
    const key = `${plan.slice(0, plan.indexOf(':'))} ${before}${after}`;
    let group = groups.get(key);
    if (group === undefined || before.length + group.nth.join().length + after.length > PLAN_LINE) {
      group = { line: `${before}\0${after}`, nth: [] };
      groups.set(key, group);
      done.push(group);
    }
    group.nth.push(nth);
  }
  return done.map(({ line, nth }) => line.replace('\0', nth.join(',')));
}
