// The oracle of ordered transactions: what it must accept, and what it must not.

import test from 'ava';
import { windowsOf } from '../disk/history.ts';
import { readWorkload } from '../workload/language.ts';
import { after, emptyState, nodeAt, type State, shapeOf } from '../workload/model.ts';
import type { Story } from '../workload/record.ts';
import type { Observed } from './observed.ts';
import { orderedJudge, promised } from './ordered.ts';

/** A story in which each operation made one flush. */
function story(workload: string): Story {
  const ops = readWorkload(workload);
  const states: State[] = [emptyState];
  for (const [i, op] of ops.entries()) states.push(after(states[i] ?? emptyState, op, i));
  const steps = ops.map((op, i) => ({ op, began: i, ended: i + 1 }));
  const history = ops.map(() => ({ kind: 'flush' as const }));
  return { base: new Uint8Array(0), history, steps, states, image: new Uint8Array(0) };
}

function seen(state: State | undefined, change?: { path: string; data: Uint8Array }): Observed {
  const files = new Map<string, Uint8Array>();
  for (const path of (state ?? emptyState).names.keys()) {
    const node = nodeAt(state ?? emptyState, path);
    if (node?.kind === 'file') files.set(path, node.data);
  }
  if (change) files.set(change.path, change.data);
  return { shape: shapeOf(state ?? emptyState), files };
}

const WORK = 'create a; append a 2000; fsync a; write a 512 512; create b; sync; unlink b';

test('after a sync the tree may be of that point or later, not of before', (t) => {
  const told = story(WORK);
  const judge = orderedJudge(told);
  const windows = windowsOf(told.history);
  const cut = windows[3];
  if (cut === undefined) return t.fail();
  const may = promised(told, cut); // while the write after the fsync is under way
  t.deepEqual(may, { floor: 2, ceiling: 4 });
  t.is(judge(seen(told.states[2]), may), undefined);
  t.is(judge(seen(told.states[4]), may), undefined);
  t.regex(judge(seen(told.states[1]), may) ?? '', /were lost that a sync had made safe/);
  t.regex(judge(seen(told.states[5]), may) ?? '', /not given yet/);
});

test('data may be newer than the tree sector for sector, and nothing else', (t) => {
  const told = story(WORK);
  const judge = orderedJudge(told);
  const may = { floor: 2, ceiling: 4 };
  const old = nodeAt(told.states[2] ?? emptyState, 'a')?.data ?? new Uint8Array(0);
  const now = nodeAt(told.states[4] ?? emptyState, 'a')?.data ?? new Uint8Array(0);
  const torn = old.slice();
  torn.set(now.subarray(512, 1024), 512);
  t.is(judge(seen(told.states[2], { path: 'a', data: torn }), may), undefined);
  torn.set(old.subarray(512, 768), 512); // half a sector: no disk does that
  t.regex(judge(seen(told.states[2], { path: 'a', data: torn }), may) ?? '', /a: 'op 1/);
  const zero = old.slice().fill(0, 1536);
  t.regex(judge(seen(told.states[2], { path: 'a', data: zero }), may) ?? '', /zeroes at 1536/);
});

test('of what was published together all shows, or none', (t) => {
  const told = story('create a & create b & create c; create d');
  const joints = [1, 1, 2, undefined];
  const steps = told.steps.map((step, i) => ({ ...step, joint: joints[i] }));
  const judge = orderedJudge({ ...told, steps });
  const may = { floor: 0, ceiling: 4 };
  for (const whole of [0, 2, 3, 4]) t.is(judge(seen(told.states[whole]), may), undefined);
  t.regex(judge(seen(told.states[1]), may) ?? '', /a part of what was published together/);
});

const floors = test.macro({
  exec(t, workload: string, floor: number) {
    const told = story(workload);
    const last = windowsOf(told.history).at(-1);
    t.is(last && promised(told, last).floor, floor);
  },
  title: (_, workload: string) => `what is safe after: ${workload}`,
});
test(floors, 'create a; create b; fsync a', 1);
test(floors, 'create a; append a 10; setxattr a user.x 5; fdatasync a', 2);
test(floors, 'create a; append a 10; setxattr a user.x 5; fsync a', 3);
test(floors, 'create a; link a b; append a 1; fsync b', 3);
test(floors, 'mkdir d; create d/a; create b; fsync d', 2);
test(floors, 'create a; rename a b; create c; fsync b', 2);
test(floors, 'create a; sync; append a 5', 2);
