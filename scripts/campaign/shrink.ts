// Makes a failing plan smaller while it still fails: without faults first, then without operations,
// in halves, quarters and so on (delta debugging, A. Zeller and R. Hildebrandt, 2002).

import type { Operation, Plan } from './plan.ts';

/** Runs that a shrinking may take. */
const MOST_RUNS = 60;

export async function shrink(
  plan: Plan,
  fails: (plan: Plan) => Promise<boolean>,
): Promise<{ plan: Plan; runs: number }> {
  let runs = 0;
  let smallest = plan;
  const attempt = async (smaller: Plan): Promise<boolean> => {
    if (runs >= MOST_RUNS) return false;
    runs++;
    const failed = await fails(smaller);
    if (failed) smallest = smaller;
    return failed;
  };
  for (let i = 0; i < smallest.faults.length; ) {
    const faults = smallest.faults.filter((_, k) => k !== i);
    if (!(await attempt({ ...smallest, faults }))) i++;
  }
  const count = (): number => smallest.operations.flat().length;
  for (
    let piece = Math.ceil(count() / 2);
    piece >= 1;
    piece = piece === 1 ? 0 : Math.ceil(piece / 2)
  ) {
    for (let at = 0; at < count(); ) {
      const operations = without(smallest.operations, at, piece);
      if (!(await attempt({ ...smallest, operations }))) at += piece;
    }
  }
  return { plan: smallest, runs };
}

/** All actors' operations but `count` of them from number `from` on. */
function without(
  operations: Plan['operations'],
  from: number,
  count: number,
): readonly (readonly Operation[])[] {
  let number = 0;
  return operations.map((own) =>
    own.filter(() => {
      const keep = number < from || number >= from + count;
      number++;
      return keep;
    }),
  );
}
