// What a file system with ordered transactions promises after a power cut; ext4 with data=ordered:
//
//  1. Operations last in their order. The tree is as it was after some operation: no later one shows
//     and no earlier one lacks. Which one is free between a floor and a ceiling.
//  2. The floor: the last operation before `sync` or `unmount`; before `fsync` of a file or directory
//     the last one that changed it, its names or its entries; before `fdatasync` the last one that
//     changed its data or size. Only a sync that had returned counts.
//  3. The ceiling: the last operation that had been given. Of what was published together all shows, or none.
//  4. File data is at least as new as the tree, sector for sector: what a write put there that the
//     tree includes, or a later write of the same file up to the ceiling. So what was synced is whole,
//     and nothing foreign appears: not what another file or a deleted one left in the blocks, and not
//     zeroes where data is due.

import type { Window } from '../disk/history.ts';
import { SECTOR } from '../disk/history.ts';
import { type Node, nodeAt, type State, shapeOf } from '../workload/model.ts';
import { legible } from '../workload/paint.ts';
import type { Story } from '../workload/record.ts';
import type { Observed } from './observed.ts';

/** Indices of states: those that a cut in the window may leave. */
export interface Allowed {
  readonly floor: number;
  readonly ceiling: number;
}

export function promised({ steps, states }: Story, window: Window): Allowed {
  let floor = 0;
  let ceiling = 0;
  for (const [i, { op, began, ended }] of steps.entries()) {
    if (began <= window.end) ceiling = i + 1;
    if (ended > window.end) continue;
    if (op.verb === 'sync' || op.verb === 'unmount') floor = i + 1;
    if (op.verb !== 'fsync' && op.verb !== 'fdatasync') continue;
    for (let k = i; k > floor; k--) {
      const [before, now] = [states[k - 1], states[k]];
      if (before && now && changes(before, now, { path: op.path, what: op.verb })) floor = k;
    }
  }
  return { floor, ceiling };
}

/** Did an operation change what a sync of this path is about? */
function changes(
  before: State,
  now: State,
  { path, what }: { path: string; what: 'fsync' | 'fdatasync' },
): boolean {
  const [was, is] = [nodeAt(before, path), nodeAt(now, path)];
  if (was?.id !== is?.id) return true; // its name
  if (what === 'fdatasync') return was?.data !== is?.data;
  if (was !== is) return true;
  if (is?.kind === 'dir') return entries(before, path) !== entries(now, path);
  return namesOf(before, is) !== namesOf(now, is);
}

const entries = ({ names }: State, dir: string): string =>
  [...names]
    .filter(([path]) => path !== '' && path.slice(0, Math.max(0, path.lastIndexOf('/'))) === dir)
    .join();

const namesOf = ({ names }: State, node: Node | undefined): string =>
  [...names].filter(([, id]) => id === node?.id).join();

/** Undefined when what is seen keeps the promise, else what is wrong with it. */
export function orderedJudge(story: Story): (seen: Observed, may: Allowed) => string | undefined {
  const shapes = story.states.map(shapeOf);
  return (seen, { floor, ceiling }) => {
    let best: string | undefined;
    for (let at = floor; at <= ceiling; at++) {
      if (shapes[at] !== seen.shape) continue;
      if (isWithin(story, at)) {
        best ??= 'only a part of what was published together shows';
        continue;
      }
      const wrong = wrongData(story.states.slice(at, ceiling + 1), seen);
      if (wrong === undefined) return undefined;
      best ??= wrong;
    }
    return best ?? wrongShape(shapes, seen.shape, { floor, ceiling });
  };
}

/** Between two operations that were one publication? */
function isWithin({ steps }: Story, at: number): boolean {
  const [before, next] = [steps[at - 1]?.joint, steps[at]?.joint];
  return before !== undefined && before === next;
}

/** The first state is that of the tree; data may be newer. */
function wrongData(states: readonly State[], seen: Observed): string | undefined {
  const [tree] = states;
  for (const [path, data] of seen.files) {
    const node = tree && nodeAt(tree, path);
    if (node === undefined || Buffer.compare(node.data, data) === 0) continue;
    const later = states.map((state) => state.nodes.get(node.id)?.data ?? node.data);
    const versions = [...new Set(later)];
    for (let from = 0; from < data.length; from += SECTOR) {
      const part = data.subarray(from, from + SECTOR);
      if (versions.some((version) => sameAt(version, from, part))) continue;
      const due = legible(node.data.subarray(from, from + SECTOR));
      return `${path}: ${legible(part)} at ${from}, where ${due} is due`;
    }
  }
  return undefined;
}

/** What lies behind the end of a version counts as zeroes: a truncation zeroes it. */
function sameAt(version: Uint8Array, from: number, part: Uint8Array): boolean {
  const old = version.subarray(from, from + part.length);
  if (old.length === part.length) return Buffer.compare(old, part) === 0;
  return (
    Buffer.compare(old, part.subarray(0, old.length)) === 0 &&
    part.subarray(old.length).every((byte) => byte === 0)
  );
}

function wrongShape(shapes: readonly string[], seen: string, { floor, ceiling }: Allowed): string {
  const other = shapes.indexOf(seen);
  if (other >= 0 && other < floor) {
    return `operations were lost that a sync had made safe: ${difference(shapes[floor], seen)}`;
  }
  if (other > ceiling) return `operations show that were not given yet`;
  const nearest = shapes
    .slice(floor, ceiling + 1)
    .map((shape) => difference(shape, seen))
    .sort((a, b) => a.length - b.length)[0];
  return `the tree is none that any operation left: ${nearest}`;
}

function difference(due: string | undefined, seen: string): string {
  const [a, b] = [new Set(due?.split('\n')), new Set(seen.split('\n'))];
  const lacks = [...a].filter((line) => !b.has(line)).map((line) => `lacks '${line}'`);
  const extra = [...b].filter((line) => !a.has(line)).map((line) => `has '${line}'`);
  return [...lacks, ...extra].join(', ');
}
