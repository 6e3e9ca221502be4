// The volume that every workload begins with: made by the format's mkfs, filled with a few files,
// unmounted, and its free blocks painted.

import type { CrashFormat, Range } from './format.ts';
import { SETUP } from './workload/ace.ts';
import { type Op, readWorkload } from './workload/language.ts';
import { emptyState, type State } from './workload/model.ts';
import { paintForeign } from './workload/paint.ts';
import { record, type Story } from './workload/record.ts';

export interface Prepared {
  readonly format: CrashFormat;
  readonly image: Uint8Array;
  readonly state: State;
  /** Number of the first operation of a workload. */
  readonly firstOp: number;
  /** What is free when all files are gone. */
  readonly emptyFree: string;
  readonly void: readonly Range[];
  readonly stamps: readonly Range[];
}

export function prepare(format: CrashFormat): Prepared {
  const base = format.make();
  const ops = setupOps(format);
  const story = record({ format: format.mount, base, state: emptyState, ops, firstOp: 0 });
  const { image } = story;
  for (const { offset, size } of format.free(image)) paintForeign(image, offset, size);
  return {
    ...{ format, image, firstOp: ops.length },
    state: story.states.at(-1) ?? emptyState,
    emptyFree: format.check(base).free,
    void: format.void(image),
    stamps: format.stamps(image),
  };
}

/** What every workload finds; what the format cannot do is left out. */
export const setupOps = (format: CrashFormat): Op[] =>
  readWorkload(`${SETUP}; unmount`).filter((op) => format.suits(op));

export function tell({ format, image, state, firstOp }: Prepared, workload: string): Story {
  return record({ format: format.mount, base: image, state, ops: readWorkload(workload), firstOp });
}
