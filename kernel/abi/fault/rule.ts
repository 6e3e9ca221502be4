// A fault rule as data: where it listens, which hits it means, when it fires, what it does then.
// The language is docs/faults.md; parse.ts reads it, print.ts writes it.

import type { Errno } from '../errno.ts';

export type PointKind = 'blk' | 'irq' | 'ipc' | 'proc' | 'alloc' | 'sys' | 'clock';

/** What of the volatile write cache the medium has after a power cut. */
export type PowerChoice = 'none' | 'all' | 'prefix' | 'subset' | 'torn';

export type Action =
  | { readonly do: 'err'; readonly errno: Errno }
  | { readonly do: 'delay'; readonly ms: number; readonly jitterMs: number }
  | { readonly do: 'torn'; readonly bytes: number }
  /** A bit of the data, counted from its start; a random one unless given. */
  | { readonly do: 'flip'; readonly bit?: number }
  /** Another sector; a random one unless given. */
  | { readonly do: 'misdirect'; readonly lba?: number }
  /** That many bytes and no more; half unless given. */
  | { readonly do: 'short'; readonly bytes?: number }
  | { readonly do: 'kill' | 'pause' | 'resume'; readonly service: string }
  | { readonly do: 'power'; readonly choice: PowerChoice }
  | { readonly do: 'goto'; readonly state: string }
  /** The wall clock moves by `ms`, or runs `ppm` millionths too fast from now on. */
  | { readonly do: 'jump'; readonly ms: number }
  | { readonly do: 'drift'; readonly ppm: number }
  | { readonly do: BareAction };

export const BARE = [
  ...(['drop', 'dup', 'reorder', 'lie', 'stale', 'bad', 'hang', 'crash'] as const),
  ...(['oom', 'full', 'off'] as const),
];
export type BareAction = (typeof BARE)[number];

export type ActionName = Action['do'];

/** Conditions on the hit itself: what is counted by `nth`, `every`, `after`. */
export interface Match {
  readonly key: 'lba' | 'len' | 'pid' | 'pgrp' | 'tag' | 'path';
  /** Numbers: from `low` to `high`. Texts: `tag` a name, `path` a pattern. */
  readonly low: number;
  readonly high: number;
  readonly text: string;
}

/** Which of the hits fire. What is not given does not restrict. */
export interface When {
  /** These hits and no others. */
  readonly nth?: readonly number[];
  readonly every?: number;
  readonly after?: number;
  readonly p?: { readonly of: number; readonly outOf: number };
  readonly times?: number;
  /** Milliseconds since power-on. */
  readonly t?: { readonly fromMs: number; readonly toMs: number };
  /** Bytes that pass unharmed. */
  readonly budget?: number;
  readonly state?: string;
}

export interface Rule {
  /** '' = it was given none. */
  readonly name: string;
  readonly point: string;
  readonly match: readonly Match[];
  readonly when: When;
  readonly actions: readonly Action[];
}

/** The state in which every machine begins. */
export const FIRST_STATE = 'start';

/** Bytes of a rule's text at most. */
export const RULE_BYTES = 400;
