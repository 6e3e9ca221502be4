// All images of one workload: for each window between two flushes what a power cut there may leave,
// each different one examined once; and of some the images that a second cut leaves, in the middle
// of the recovery.

import { seeded } from '../../daemons/ext4fs/testing.ts';
import type { Rig } from '../../daemons/lib/memory/rig.ts';
import type { LogEntry } from '../../daemons/lib/memory-device.ts';
import type { Distortion } from './bugs/distort.ts';
import { choicesOf, type WindowSize, windowSize } from './disk/choices.ts';
import {
  applyChoice,
  type Choice,
  choiceText,
  isWhole,
  legal,
  NOTHING,
  readChoice,
  type Window,
  type Write,
  whole,
  windowsOf,
} from './disk/history.ts';
import { CrashImage } from './disk/image.ts';
import { Examiner, type Outcome, sampled } from './examine.ts';
import type { Judge } from './format.ts';
import { type Prepared, tell } from './prepare.ts';
import { WorkloadError } from './workload/language.ts';
import type { Story } from './workload/record.ts';

export interface ExploreRequest {
  readonly prepared: Prepared;
  readonly rig: Rig;
  readonly workload: string;
  readonly seed: number;
  /** Different images that are enough. */
  readonly images: number;
  /** Changes what the disk was told: how planted bugs of the device come in. */
  readonly distort?: Distortion | undefined;
  readonly realEvery: number;
  /** Told of every image: the campaign's progress. */
  readonly onImage?: () => void;
}

/** A cut, and perhaps a second one in the recovery from it. */
export interface Cut {
  readonly window: number;
  readonly choice: string;
  readonly second?: { readonly window: number; readonly choice: string };
}

export interface Violation {
  readonly workload: string;
  readonly cut: Cut;
  readonly problem: string;
}

export interface Explored {
  /** Different images that were mounted, and choices that led to them. */
  readonly images: number;
  readonly choices: number;
  readonly secondCuts: number;
  readonly realChecks: number;
  readonly violations: readonly Violation[];
}

/** Of so many images one gets a second cut, in each of its recovery's windows. */
const SECOND_EVERY = 6;
const SECOND_CHOICES = 8;
/** Choices that are tried for one new image before a window counts as exhausted. */
const TRIES = 16;
/** Writes of a window that a failure is shrunk by. */
const SHRINK_TRIES = 64;

export function explore(request: ExploreRequest): Explored {
  return new Exploration(request).run();
}

export class Exploration {
  readonly #request: ExploreRequest;
  readonly #story: Story;
  readonly #windows: readonly Window[];
  readonly #image: CrashImage;
  readonly #examiner: Examiner;
  readonly #judge: Judge;
  readonly #outcomes = new Map<string, Outcome>();
  readonly #violations: Violation[] = [];
  #choices = 0;
  #secondCuts = 0;

  constructor(request: ExploreRequest) {
    const { prepared, rig, realEvery } = request;
    this.#request = request;
    const story = tell(prepared, request.workload);
    this.#story = request.distort?.(story, prepared) ?? story;
    this.#windows = windowsOf(this.#story.history);
    this.#image = new CrashImage(this.#story.base.slice());
    this.#examiner = new Examiner({ prepared, rig, image: this.#image, realEvery });
    this.#judge = prepared.format.judge(this.#story);
  }

  run(): Explored {
    const { blockSize } = this.#request.prepared.format;
    const sizes = this.#windows.map((window) => windowSize(window, blockSize));
    const shares = divide(this.#request.images, sizes);
    for (const [index, window] of this.#windows.entries()) {
      this.#exploreWindow(index, window, shares[index] ?? 0);
      if (this.#violations.length > 0) break;
      this.#advance(window.writes);
    }
    return {
      images: this.#outcomes.size,
      choices: this.#choices,
      secondCuts: this.#secondCuts,
      realChecks: this.#examiner.realChecks,
      violations: this.#violations,
    };
  }

  /** One image, as its cut names it: what is wrong with it, and its bytes before it is mounted. */
  replay({ window: index, choice: text, second }: Cut): { problem?: string; image: Uint8Array } {
    for (const { writes } of this.#windows.slice(0, index)) this.#advance(writes);
    const window = this.#windows[index];
    const choice = window && readChoice(window, text);
    if (window === undefined || choice === undefined) {
      throw new WorkloadError(`the workload has no cut ${index}:${text}`);
    }
    const may = this.#request.prepared.format.promised(this.#story, window);
    applyChoice(this.#image, window, choice);
    const { outcome } = this.#outcomeOf();
    if (second !== undefined && outcome.seen) {
      const windows = windowsOf(outcome.wrote);
      const next = windows[second.window];
      for (const { writes } of windows.slice(0, second.window)) this.#advance(writes);
      const fates = next && readChoice(next, second.choice);
      if (!next || !fates) throw new WorkloadError(`the recovery has no such cut`);
      applyChoice(this.#image, next, fates);
    }
    const image = this.#image.bytes.slice();
    const last = this.#outcomeOf().outcome;
    const problem = last.problem ?? (last.seen && this.#judge(last.seen, may));
    return { image, ...(problem === undefined ? {} : { problem }) };
  }

  #advance(writes: readonly Write[]): void {
    for (const { offset, data } of writes) this.#image.write(offset, data);
  }

  #exploreWindow(index: number, window: Window, share: number): void {
    const { prepared, seed } = this.#request;
    const random = seeded(seed * 1_000_003 + index);
    const start = this.#outcomes.size;
    let tries = 0;
    for (const choice of choicesOf(window, prepared.format.blockSize, random)) {
      if (this.#outcomes.size - start >= share || tries++ > TRIES * share) return;
      this.#choices++;
      const violation = this.#examineChoice(index, window, legal(window, choice));
      if (violation === undefined) continue;
      this.#violations.push(violation.cut.second ? violation : this.#shrink(window, violation));
      return;
    }
  }

  #examineChoice(index: number, window: Window, choice: Choice): Violation | undefined {
    const may = this.#request.prepared.format.promised(this.#story, window);
    this.#image.begin();
    try {
      applyChoice(this.#image, window, choice);
      const { outcome, fresh, key } = this.#outcomeOf();
      const cut = { window: index, choice: choiceText(window, choice) };
      const problem = outcome.problem ?? (outcome.seen && this.#judge(outcome.seen, may));
      if (problem !== undefined) return { workload: this.#request.workload, cut, problem };
      if (!fresh || !sampled(key, SECOND_EVERY) || !outcome.seen) return undefined;
      return this.#secondCut(cut, outcome.wrote, outcome.seen.shape);
    } finally {
      this.#image.rollback();
    }
  }

  /** The same violation with fewer writes on the medium, and fewer of them torn. */
  #shrink(window: Window, violation: Violation): Violation {
    const index = violation.cut.window;
    let least = violation;
    let choice = readChoice(window, violation.cut.choice) ?? [];
    for (const simpler of [() => NOTHING, whole]) {
      for (const [i, write] of window.writes.slice(0, SHRINK_TRIES).entries()) {
        const fate = choice[i] ?? NOTHING;
        if (fate.length === 0 || (simpler === whole && isWhole(write, fate))) continue;
        const tried = choice.map((old, k) => (k === i ? simpler(write) : old));
        const same = this.#examineChoice(index, window, legal(window, tried));
        if (same === undefined || same.cut.second) continue;
        choice = tried;
        least = same;
      }
    }
    return least;
  }

  #outcomeOf(): { outcome: Outcome; fresh: boolean; key: string } {
    const key = this.#image.digest();
    const held = this.#outcomes.get(key);
    if (held !== undefined) return { outcome: held, fresh: false, key };
    const outcome = this.#examiner.examine();
    this.#outcomes.set(key, outcome);
    this.#request.onImage?.();
    return { outcome, fresh: true, key };
  }

  /** Power fails again while the volume recovers: the next recovery must show the same tree. */
  #secondCut(cut: Cut, wrote: readonly LogEntry[], shape: string): Violation | undefined {
    const { prepared, workload, seed } = this.#request;
    const random = seeded(seed + this.#outcomes.size);
    this.#image.begin();
    try {
      for (const [index, window] of windowsOf(wrote).entries()) {
        let tries = 0;
        for (const choice of choicesOf(window, prepared.format.blockSize, random)) {
          if (tries++ === SECOND_CHOICES) break;
          this.#image.begin();
          applyChoice(this.#image, window, legal(window, choice));
          this.#secondCuts++;
          const { outcome } = this.#outcomeOf();
          this.#image.rollback();
          const differs = outcome.seen?.shape !== shape ? 'another tree after a second cut' : '';
          const problem = outcome.problem ?? differs;
          const second = { window: index, choice: choiceText(window, choice) };
          if (problem !== '') return { workload, cut: { ...cut, second }, problem };
        }
        this.#advance(window.writes);
      }
      return undefined;
    } finally {
      this.#image.rollback();
    }
  }
}

/** Divides a number of images among windows by their size, none getting more than it has. */
function divide(total: number, windows: readonly WindowSize[]): number[] {
  const shares = windows.map(() => 0);
  let left = total;
  let open = windows.map((_, i) => i);
  while (left > 0 && open.length > 0) {
    const weight = open.reduce((sum, i) => sum + (windows[i]?.pieces ?? 0) + 1, 0);
    const each = left / weight;
    for (const i of open) {
      const { pieces, choices } = windows[i] ?? { pieces: 0, choices: 0 };
      const fair = Math.max(1, Math.floor(each * (pieces + 1)));
      const more = Math.min(fair, choices - (shares[i] ?? 0), left);
      shares[i] = (shares[i] ?? 0) + more;
      left -= more;
    }
    open = open.filter((i) => (shares[i] ?? 0) < (windows[i]?.choices ?? 0));
  }
  return shares;
}
