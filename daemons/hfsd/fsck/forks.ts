// Who owns which allocation block: the extents of all forks, in their own records and in the overflow
// file, each inside the volume and nobody else's. TN1150, "Extents Overflow File".

import type { ForkData, Run } from '../fork/fork-data.ts';
import type { ExtentsKey } from '../names/keys.ts';
import type { Volume } from '../volume/volume.ts';
import type { Report } from './report.ts';
import { type TreeRecord, viewOf } from './tree.ts';

interface Group {
  readonly key: ExtentsKey;
  readonly record: TreeRecord;
  readonly runs: readonly Run[];
}

/** A fork with all its extents. */
export interface WholeFork {
  readonly cnid: number;
  readonly type: number;
  /** Its size, blocks and own extents, put right. */
  readonly data: ForkData;
  runs: Run[];
  /** Its records are to be written anew. */
  changed: boolean;
  /** Runs that were somebody else's before. */
  readonly shared: Run[];
  readonly groups: readonly Group[];
}

export interface Whose {
  readonly cnid: number;
  readonly type: number;
  readonly name: string;
  /** It may have no extents in the overflow file. */
  readonly contained?: boolean;
}

const total = (runs: readonly Run[]): number => runs.reduce((sum, { count }) => sum + count, 0);

export class Ownership {
  /** A bit for each allocation block that somebody owns. */
  readonly bits: Uint8Array;
  readonly #volume: Volume;
  readonly #report: Report;
  readonly #groups = new Map<string, Group[]>();
  readonly #forks: WholeFork[] = [];
  /** Records that stay as they are. */
  readonly #kept: TreeRecord[] = [];
  #dropped = false;

  constructor(volume: Volume, report: Report) {
    this.#volume = volume;
    this.#report = report;
    this.bits = new Uint8Array(Math.ceil(volume.allocCount / 8));
  }

  /** The records of the overflow file; to be called before forks that have some are looked at. */
  addOverflow(records: readonly TreeRecord[]): void {
    const { keys, extents } = this.#volume;
    for (const record of records) {
      const key = keys.readExtentsKey(viewOf(record.key), 0);
      const size = extents.slots * (extents.slots === 3 ? 4 : 8);
      if (record.data.length < size) {
        this.#drop(`extents of file ${key.cnid}: a short record`);
        continue;
      }
      const name = `${key.cnid} ${key.fork}`;
      const list = this.#groups.get(name) ?? [];
      list.push({ key, record, runs: extents.read(record.data.subarray(0, size)) });
      this.#groups.set(name, list);
    }
  }

  #drop(what: string): void {
    this.#dropped = true;
    this.#report.bad(what);
  }

  /** Blocks that belong to the volume itself. */
  claimFixed(runs: readonly Run[]): void {
    for (const run of runs) this.#claim(run);
  }

  /** What the overflow file alone knows: the blocks that are bad. */
  claimAll(cnid: number): void {
    const groups = this.#groups.get(`${cnid} 0`) ?? [];
    const extents = groups.flatMap(({ runs }) => runs);
    if (groups.length === 0) return;
    this.#groups.delete(`${cnid} 0`);
    this.claimFixed(extents.filter(({ start, count }) => start + count <= this.#volume.allocCount));
    this.#kept.push(...groups.map(({ record }) => record));
  }

  /** A fork's extents, cut where they are wrong. */
  claim(whose: Whose, data: ForkData): WholeFork {
    const { cnid, type, name } = whose;
    const id = `${cnid} ${type}`;
    const groups = whose.contained ? [] : (this.#groups.get(id) ?? []);
    this.#groups.delete(id);
    const fork: WholeFork = {
      ...{ cnid, type, data: { ...data }, groups, runs: [], changed: false, shared: [] },
    };
    const bad = (what: string): void => {
      this.#report.bad(`${name}: ${what}`);
      fork.changed = true;
    };
    this.#gather(fork, bad);
    this.#measure(fork, bad);
    for (const run of fork.runs) {
      if (this.#claim(run)) continue;
      bad(`blocks ${run.start}+${run.count} are another's`);
      fork.shared.push(run);
    }
    this.#forks.push(fork);
    return fork;
  }

  #gather({ runs, groups, data }: WholeFork, bad: (what: string) => void): void {
    const { allocCount } = this.#volume;
    const parts = [{ start: 0, runs: data.extents }].concat(
      groups.map(({ key, runs: more }) => ({ start: key.start, runs: [...more] })),
    );
    for (const part of parts) {
      if (part.start !== total(runs)) {
        bad(`extents for block ${part.start} behind ${total(runs)} blocks`);
        return;
      }
      for (const run of part.runs) {
        if (run.start + run.count > allocCount) {
          bad(`blocks ${run.start}+${run.count} are off the volume`);
          return;
        }
        runs.push(run);
      }
    }
  }

  #measure(fork: WholeFork, bad: (what: string) => void): void {
    const { data } = fork;
    const { allocSize } = this.#volume;
    const held = total(fork.runs);
    if (held < data.blocks) {
      bad(`${data.blocks} blocks, extents for ${held}`);
      data.blocks = held;
    } else if (held > data.blocks) {
      bad(`${data.blocks} blocks, extents for ${held}`);
      data.blocks = Math.min(held, Math.max(data.blocks, Math.ceil(data.size / allocSize)));
      fork.runs = cut(fork.runs, data.blocks);
    }
    if (data.size > data.blocks * allocSize) {
      bad(`${data.size} bytes in ${data.blocks} blocks`);
      data.size = data.blocks * allocSize;
    }
  }

  /** False when a part of it is owned already; then nothing is changed. */
  #claim({ start, count }: Run): boolean {
    const { bits } = this;
    for (let at = start; at < start + count; at++)
      if (((bits[at >> 3] ?? 0) & (0x80 >> (at & 7))) !== 0) return false;
    setBits(bits, { start, count });
    return true;
  }

  /** Extents of files that there are not: told, and left out of what `overflow` returns. */
  dropOrphans(): void {
    for (const name of this.#groups.keys())
      this.#drop(`extents of file ${name.split(' ')[0]}: no such file`);
    this.#groups.clear();
  }

  /** The records that the overflow file is to have; undefined: those that it has. */
  overflow(): TreeRecord[] | undefined {
    if (!this.#dropped && !this.#forks.some(({ changed }) => changed)) return undefined;
    const records = this.#forks.flatMap((fork) =>
      fork.changed ? this.#newGroups(fork) : fork.groups.map(({ record }) => record),
    );
    const { compare } = this.#volume.keys.extents;
    return [...this.#kept, ...records].sort((a, b) => compare(viewOf(a.key), 0, viewOf(b.key), 0));
  }

  #newGroups({ cnid, type, runs }: WholeFork): TreeRecord[] {
    const { keys, extents } = this.#volume;
    const { slots } = extents;
    const out: TreeRecord[] = [];
    for (let i = slots; i < runs.length; i += slots) {
      const start = total(runs.slice(0, i));
      const data = extents.write(runs.slice(i, i + slots));
      out.push({ key: keys.extentsKey({ cnid, fork: type, start }), data });
    }
    return out;
  }
}

export function setBits(bits: Uint8Array, { start, count }: Run): void {
  for (let at = start; at < start + count; at++)
    bits[at >> 3] = (bits[at >> 3] ?? 0) | (0x80 >> (at & 7));
}

/** The first so many blocks. */
function cut(runs: readonly Run[], blocks: number): Run[] {
  const out: Run[] = [];
  for (let left = blocks, i = 0; left > 0 && i < runs.length; i++) {
    const run = runs[i];
    if (run === undefined) break;
    out.push({ start: run.start, count: Math.min(run.count, left) });
    left -= run.count;
  }
  return out;
}
