// What a file system without a journal promises when it writes in a careful order; FAT:
//
//  1. What was done before the last `fsync`, `fdatasync`, `sync` or `unmount` that had returned is safe.
//  2. Of what was done since, any part may show, and each file and directory goes its own way: it is
//     under a name that it had since, with data and a size that it had since, sector for sector. What
//     had a name all the time has one; what kept its name has that one.
//  3. Nothing foreign appears: not what another file or a deleted one left in the clusters.

import { SECTOR, type Window } from '../disk/history.ts';
import type { State } from '../workload/model.ts';
import { legible } from '../workload/paint.ts';
import type { Story } from '../workload/record.ts';
import type { Observed } from './observed.ts';
import type { Allowed } from './ordered.ts';

const SYNCS: ReadonlySet<string> = new Set(['fsync', 'fdatasync', 'sync', 'unmount']);

export function promisedSince({ steps }: Story, window: Window): Allowed {
  let floor = 0;
  let ceiling = 0;
  for (const [i, { op, began, ended }] of steps.entries()) {
    if (began <= window.end) ceiling = i + 1;
    if (ended <= window.end && SYNCS.has(op.verb)) floor = i + 1;
  }
  return { floor, ceiling };
}

/** By directory and name: the nodes that were there in some of the states. */
type Places = ReadonlyMap<string, ReadonlySet<number>>;

const placeOf = (parent: number, name: string): string => `${parent}/${name}`;

export function carefulJudge(story: Story): (seen: Observed, may: Allowed) => string | undefined {
  return (seen, { floor, ceiling }) => {
    const states = story.states.slice(floor, ceiling + 1);
    const sets = states.map(placesOf);
    const places = new Map<string, Set<number>>();
    for (const [place, id] of sets.flatMap((set) => [...set])) {
      places.set(place, (places.get(place) ?? new Set()).add(id));
    }
    const met = new Map<number, Set<string>>();
    const wrong = new Look({ seen, states, places, met }).walk();
    return wrong ?? lacking(states, sets, met);
  };
}

function placesOf({ names }: State): Map<string, number> {
  const out = new Map<string, number>();
  for (const [path, id] of names) {
    if (path === '') continue;
    const cut = path.lastIndexOf('/');
    const parent = names.get(path.slice(0, Math.max(0, cut))) ?? -1;
    out.set(placeOf(parent, path.slice(cut + 1)), id);
  }
  return out;
}

/** What must be there and was not met. */
function lacking(
  states: readonly State[],
  sets: readonly ReadonlyMap<string, number>[],
  met: ReadonlyMap<number, ReadonlySet<string>>,
): string | undefined {
  const [first, ...rest] = sets;
  for (const [place, id] of first ?? []) {
    const always = rest.every((set) => [...set.values()].includes(id));
    const path = [...(states[0]?.names ?? [])].find(([, node]) => node === id)?.[0];
    if (always && !met.has(id)) return `'${path}' is lost`;
    const stays = rest.every((set) => set.get(place) === id);
    if (stays && !met.get(id)?.has(place)) return `'${path}' is not where it was all the time`;
  }
  return undefined;
}

class Look {
  readonly #seen: Observed;
  readonly #states: readonly State[];
  readonly #places: Places;
  /** By node: where it was met. */
  readonly #met: Map<number, Set<string>>;
  readonly #kinds: ReadonlyMap<string, 'file' | 'dir'>;

  constructor(parts: {
    seen: Observed;
    states: readonly State[];
    places: Places;
    met: Map<number, Set<string>>;
  }) {
    this.#seen = parts.seen;
    this.#states = parts.states;
    this.#places = parts.places;
    this.#met = parts.met;
    const lines = parts.seen.shape.split('\n').slice(1); // the first is the root's
    this.#kinds = new Map(
      lines.map((line) => {
        const [path = '', what = ''] = line.split(': ');
        return [path, what.startsWith('dir') ? 'dir' : 'file'];
      }),
    );
  }

  walk(): string | undefined {
    const root = this.#states[0]?.names.get('') ?? 0;
    return this.#directory('', root);
  }

  #directory(path: string, id: number): string | undefined {
    for (const [child, kind] of this.#kinds) {
      const cut = child.lastIndexOf('/');
      if (child.slice(0, Math.max(0, cut)) !== path) continue;
      const place = placeOf(id, child.slice(cut + 1));
      const wrong = this.#child(child, kind, place);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }

  /** The child must fit one of the nodes that had its name. */
  #child(path: string, kind: 'file' | 'dir', place: string): string | undefined {
    let first = `'${path}' has a name that nothing had`;
    let fits = false;
    for (const id of this.#places.get(place) ?? []) {
      const before = new Map([...this.#met].map(([node, where]) => [node, new Set(where)]));
      const wrong =
        this.#kindOf(id) !== kind
          ? `'${path}' is a ${kind}`
          : kind === 'dir'
            ? this.#directory(path, id)
            : this.#data(path, id);
      if (wrong === undefined) {
        fits = true;
        this.#met.set(id, (this.#met.get(id) ?? new Set()).add(place));
        continue;
      }
      first = wrong;
      this.#met.clear();
      for (const [node, where] of before) this.#met.set(node, where);
    }
    return fits ? undefined : first;
  }

  #kindOf(id: number): string | undefined {
    for (const { nodes } of this.#states) if (nodes.has(id)) return nodes.get(id)?.kind;
    return undefined;
  }

  #data(path: string, id: number): string | undefined {
    const data = this.#seen.files.get(path) ?? new Uint8Array(0);
    const versions = [...new Set(this.#states.flatMap(({ nodes }) => nodes.get(id)?.data ?? []))];
    if (!versions.some((version) => version.length === data.length))
      return `'${path}' has ${data.length} bytes, which it never had`;
    for (let from = 0; from < data.length; from += SECTOR) {
      const part = data.subarray(from, from + SECTOR);
      if (versions.some((version) => sameAt(version, from, part))) continue;
      return `${path}: ${legible(part)} at ${from}, which was never there`;
    }
    return undefined;
  }
}

/** What lies behind the end of a version counts as zeroes. */
function sameAt(version: Uint8Array, from: number, part: Uint8Array): boolean {
  const old = version.subarray(from, from + part.length);
  return (
    Buffer.compare(old, part.subarray(0, old.length)) === 0 &&
    part.subarray(old.length).every((byte) => byte === 0)
  );
}
