// Who kills: a shell in the machine that is told whom and how, and the log that tells when the server
// is back.

import { setTimeout as delay } from 'node:timers/promises';
import type { Atoll } from '../../index.ts';
import type { ControllerName } from '../../kernel/abi/disk/controllers.ts';
import { integersFrom } from '../../kernel/ipc/random.ts';

/** Longest that a server may take to come back before the storm is given up. */
const PATIENCE_MS = 60_000;

interface KillerOptions {
  /** The file system's name in `ps`, and what is killed besides it: the driver of this controller. */
  readonly server: string;
  readonly controller: ControllerName;
  readonly seed: number;
  /** Milliseconds from one recovery to the next kill, at most. */
  readonly withinMs: number;
  readonly hangsPercent: number;
}

export class KillerShell {
  readonly counts = { kills: 0, hangs: 0, pauses: [] as number[], hangPauses: [] as number[] };
  readonly #os: Atoll;
  readonly #pids: ReadonlyMap<string, string>;
  readonly #victims: readonly string[];
  readonly #random: (limit: number) => number;
  readonly #hangsPercent: number;
  readonly #withinMs: number;
  readonly #orders: string[] = [];
  #wake: () => void = () => {};
  #ended = false;
  #exit: Promise<unknown> = Promise.resolve();
  #read = 0; // lines of the log

  static async start(os: Atoll, options: KillerOptions): Promise<KillerShell> {
    const { stdout } = await os.exec('ps');
    const pids = [options.server, options.controller].map((name): [string, string] => {
      const pid = new RegExp(`^ *(\\d+) .* ${name}$`, 'm').exec(stdout)?.[1];
      if (pid === undefined) throw new Error(`${name} does not run:\n${stdout}`);
      return [name, pid];
    });
    const killer = new KillerShell(os, new Map(pids), options);
    const shell = await os.spawn('/bin/sh', [], { stdin: killer.#commands() });
    killer.#exit = shell.exit;
    return killer;
  }

  private constructor(os: Atoll, pids: ReadonlyMap<string, string>, options: KillerOptions) {
    this.#os = os;
    this.#pids = pids;
    this.#victims = [...pids.keys()];
    this.#random = integersFrom(options.seed);
    this.#hangsPercent = options.hangsPercent;
    this.#withinMs = options.withinMs;
  }

  /** Kills one, or both, and waits until they are back; what went wrong, if anything. */
  async strike(): Promise<string | undefined> {
    await delay(this.#random(this.#withinMs));
    const both = this.#random(10) === 0;
    const victims = both ? this.#victims : this.#victims.slice(this.#random(2)).slice(0, 1);
    const hang = !both && this.#random(100) < this.#hangsPercent;
    this.#read = this.#os.log.length;
    for (const victim of victims) {
      this.#order(`kill -${hang ? 'STOP' : '9'} ${this.#pids.get(victim)}`);
      this.counts[hang ? 'hangs' : 'kills']++;
    }
    for (const victim of victims) {
      const pause = await this.#back(victim, hang);
      if (pause === undefined)
        return `${victim} did not come back after strike ${this.counts.kills}`;
      if (pause >= 0) this.counts[hang ? 'hangPauses' : 'pauses'].push(pause);
    }
    return undefined;
  }

  async end(): Promise<void> {
    this.#ended = true;
    this.#wake();
    await this.#exit;
  }

  /** The pause; -1 when a stopped server was not missed and went on; undefined when it stays away. */
  async #back(victim: string, hang: boolean): Promise<number | undefined> {
    const back = new RegExp(`\\b${victim}\\b.*runs again after ([\\d.]+) ms`);
    for (let waited = 0; waited < PATIENCE_MS; waited++) {
      const line = this.#os.log.slice(this.#read).find((one) => back.test(one));
      if (line !== undefined) return Number(back.exec(line)?.[1]);
      if (hang && waited === 3000) this.#order(`kill -CONT ${this.#pids.get(victim)}`);
      if (hang && waited === 4000) return -1;
      await delay(1);
    }
    return undefined;
  }

  #order(command: string): void {
    this.#orders.push(`${command}\n`);
    this.#wake();
  }

  async *#commands(): AsyncGenerator<string> {
    while (!this.#ended) {
      yield* this.#orders.splice(0);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (this.#orders.length > 0 || this.#ended) resolve();
      });
    }
  }
}
