// What a row of the bench is, and what it finds.

import type { Stage } from './stage.ts';

export interface Figure {
  readonly value: number;
  readonly unit: string;
}

/** The same work, or what comes nearest to it, done without Atoll in the same run. */
export interface Yardstick extends Figure {
  readonly what: string;
}

export interface Outcome {
  readonly figure: Figure;
  readonly yardstick?: Yardstick | undefined;
  /** How many times as good as the yardstick, when the target says how many it must be. */
  readonly ratio?: number | undefined;
  /** undefined: the row is reported, nothing is asked of it. */
  readonly met?: boolean | undefined;
  /** What else was found, a few words. */
  readonly note?: string | undefined;
}

export interface Row {
  /** Picks the row on the command line. */
  readonly id: string;
  readonly what: string;
  readonly target: string; // '' = reported
  readonly run: (stage: Stage) => Promise<Outcome>;
}

export type Result = Omit<Row, 'run'> & Outcome;

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
