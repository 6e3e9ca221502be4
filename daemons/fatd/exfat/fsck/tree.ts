// The tree of a volume that nobody has mounted: every directory once, from the root down, its sets checked
// one by one. Changes stay in memory until `store`.

import { EUCLEAN, fail } from '../../../../kernel/abi/errno.ts';
import type { Medium } from '../../../lib/medium.ts';
import type { Report } from '../../fsck/report.ts';
import { ATTR_DIRECTORY, SLOT } from '../../ondisk.ts';
import {
  ALLOCATION_POSSIBLE,
  DIR_SLOTS_MAX,
  IN_USE,
  NO_FAT_CHAIN,
  nameHash,
  TYPE_BITMAP,
  TYPE_GUID,
  TYPE_LABEL,
  TYPE_NAME,
  TYPE_UPCASE,
  UNITS_PER_NAME,
} from '../ondisk.ts';
import type { ExFatVolume } from '../volume/geometry.ts';
import type { Upcase } from '../volume/upcase.ts';
import type { Kind } from './check.ts';
import type { Clusters } from './clusters.ts';
import { type FoundSet, readSlots, seal } from './sets.ts';

export interface Node {
  /** '' for the root. */
  readonly path: string;
  readonly kind: 'file' | 'dir';
  readonly size: number;
}

/** A directory as it is looked at: its clusters one behind the other. */
interface Directory {
  readonly path: string;
  readonly clusters: readonly number[];
  readonly bytes: Uint8Array;
}

interface Parts {
  readonly medium: Medium;
  readonly vol: ExFatVolume;
  readonly clusters: Clusters;
  readonly upcase: Upcase;
  readonly report: Report<Kind>;
}

interface Waiting {
  readonly path: string;
  readonly clusters: readonly number[];
}

export class Tree {
  readonly nodes: Node[] = [{ path: '', kind: 'dir', size: 0 }];
  rootClusters = 0;
  readonly #parts: Parts;
  readonly #changed = new Set<Directory>();
  #renamed = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  walk(): void {
    const { vol, clusters } = this.#parts;
    const first = vol.rootCluster;
    const root = clusters.claim({ path: '/', first, need: undefined, contiguous: false });
    if (root.length === 0) fail(EUCLEAN, 'there is no root directory');
    this.rootClusters = root.length;
    const queue: Waiting[] = [{ path: '', clusters: root }];
    for (let i = 0; i < queue.length; i++) {
      const next = queue[i];
      if (next) this.#check(this.#load(next), queue);
    }
  }

  store(): void {
    const { medium, vol } = this.#parts;
    const { clusterSize } = vol;
    for (const { clusters, bytes } of this.#changed) {
      for (const [i, cluster] of clusters.entries()) {
        const at = vol.dataStart + (cluster - 2) * clusterSize;
        medium.write(at, bytes.subarray(i * clusterSize, (i + 1) * clusterSize));
      }
    }
  }

  #load({ path, clusters }: Waiting): Directory {
    const { medium, vol } = this.#parts;
    const { clusterSize } = vol;
    const bytes = new Uint8Array(clusters.length * clusterSize);
    for (const [i, cluster] of clusters.entries())
      bytes.set(
        medium.read(vol.dataStart + (cluster - 2) * clusterSize, clusterSize),
        i * clusterSize,
      );
    return { path, clusters, bytes };
  }

  #check(dir: Directory, queue: Waiting[]): void {
    const { report } = this.#parts;
    const { sets, orphans, others } = readSlots(dir.bytes);
    const where = `/${dir.path}`;
    if (orphans.length > 0) {
      report.bad('orphan', `${where}: ${orphans.length} entries that belong to no set`);
      this.#free(dir, orphans);
    }
    const known = dir.path === '' ? OF_THE_ROOT : NOTHING;
    const strange = others.filter((slot) => !known.has(dir.bytes[slot * SLOT] ?? 0));
    if (strange.length > 0) report.bad('entry', `${where}: ${strange.length} entries out of place`);
    this.#free(dir, strange);
    const names = new Set<string>();
    for (const set of sets) this.#checkSet(dir, set, { names, queue });
  }

  #checkSet(
    dir: Directory,
    set: FoundSet,
    { names, queue }: { names: Set<string>; queue: Waiting[] },
  ): void {
    const { report } = this.#parts;
    const where = `/${dir.path === '' ? '' : `${dir.path}/`}${set.name}`;
    if (!set.sealed) {
      report.bad('checksum', `${where}: its set does not fit its checksum`);
      this.#changed.add(dir);
    }
    const name = this.#checkName(dir, set, { names, where });
    const path = dir.path === '' ? name : `${dir.path}/${name}`;
    const isDirectory = (set.file.FileAttributes & ATTR_DIRECTORY) !== 0;
    const clusters = this.#checkStream(dir, set, { path, isDirectory });
    seal(dir.bytes, set);
    const size = isDirectory ? 0 : set.stream.DataLength;
    this.nodes.push({ path, kind: isDirectory ? 'dir' : 'file', size });
    if (isDirectory) queue.push({ path, clusters });
  }

  /** The name that the set has in the end. */
  #checkName(
    dir: Directory,
    set: FoundSet,
    { names, where }: { names: Set<string>; where: string },
  ): string {
    const { report, upcase } = this.#parts;
    const { wholeName } = set;
    if (wholeName !== set.name) {
      report.bad('name', `${where}: a length of ${set.name.length}, there are ${wholeName.length}`);
      set.stream.NameLength = wholeName.length;
      this.#shorten(dir, set, 2 + Math.ceil(wholeName.length / UNITS_PER_NAME));
    }
    const key = upcase.fold(wholeName);
    const bad = wholeName === '' || BAD_NAME.test(wholeName);
    if (!bad && !names.has(key)) {
      names.add(key);
      const hash = nameHash(key);
      if (set.stream.NameHash !== hash) {
        report.bad('hash', `${where}: a name that does not fit its hash`);
        set.stream.NameHash = hash;
        this.#changed.add(dir);
      }
      return wholeName;
    }
    report.bad(bad ? 'name' : 'duplicate', bad ? `${where}: no name` : `${where} is there twice`);
    let name = '';
    do name = `FSCK${`${this.#renamed++}`.padStart(4, '0')}.REN`;
    while (names.has(name));
    names.add(name);
    this.#rename(dir, set, name);
    return name;
  }

  /** Fits into one entry; what else belonged to the set is no longer in use. */
  #rename(dir: Directory, set: FoundSet, name: string): void {
    const at = (set.slot + 2) * SLOT;
    dir.bytes.fill(0, at, at + SLOT).fill(TYPE_NAME, at, at + 1);
    for (let i = 0; i < name.length; i++) dir.bytes[at + 2 + 2 * i] = name.charCodeAt(i);
    set.stream.NameLength = name.length;
    set.stream.NameHash = nameHash(this.#parts.upcase.fold(name));
    this.#shorten(dir, set, 3);
  }

  /** Entries from there on are no longer in use. */
  #shorten(dir: Directory, set: FoundSet, count: number): void {
    this.#changed.add(dir);
    const least = Math.max(count, 3);
    if (least >= set.count) return;
    const rest = Array.from({ length: set.count - least }, (_, i) => set.slot + least + i);
    this.#free(dir, rest);
    set.file.SecondaryCount = least - 1;
    set.count = least;
  }

  /** The clusters that it has in the end. */
  #checkStream(
    dir: Directory,
    { stream }: FoundSet,
    { path, isDirectory }: { path: string; isDirectory: boolean },
  ): number[] {
    const { vol, clusters, report } = this.#parts;
    const where = `/${path}`;
    const mend = (kind: Kind, text: string): void => {
      report.bad(kind, `${where}: ${text}`);
      this.#changed.add(dir);
    };
    const { FirstCluster: first, DataLength: size } = stream;
    if (first === 0) {
      const { ValidDataLength: valid } = stream;
      if (size !== 0) mend('short', `${size} bytes and no cluster`);
      else if (valid !== 0) mend('entry', `${valid} bytes were written of none`);
      if (valid !== 0 || size !== 0) {
        stream.DataLength = 0;
        stream.ValidDataLength = 0;
      }
      if ((stream.GeneralSecondaryFlags & NO_FAT_CHAIN) !== 0) {
        mend('entry', 'no cluster, in a row');
        stream.GeneralSecondaryFlags = ALLOCATION_POSSIBLE;
      }
      return [];
    }
    const need = Math.ceil(size / vol.clusterSize);
    const contiguous = (stream.GeneralSecondaryFlags & NO_FAT_CHAIN) !== 0;
    const owned = clusters.claim({ path: where, first, need, contiguous });
    if (owned.length < need) {
      mend('short', `${owned.length} of ${need} clusters`);
      stream.DataLength = owned.length * vol.clusterSize;
    }
    if (isDirectory && (size % vol.clusterSize !== 0 || size > DIR_SLOTS_MAX * SLOT)) {
      mend('entry', `a directory of ${size} bytes`);
      stream.DataLength = owned.length * vol.clusterSize;
    }
    if (stream.ValidDataLength > stream.DataLength) {
      if (owned.length === need) mend('entry', 'more was written than it is long');
      stream.ValidDataLength = stream.DataLength;
    }
    if (isDirectory && stream.ValidDataLength !== stream.DataLength) {
      mend('entry', 'a directory that was not written');
      stream.ValidDataLength = stream.DataLength;
    }
    if (owned.length === 0) {
      mend('entry', 'a first cluster and no length');
      stream.FirstCluster = 0;
      stream.GeneralSecondaryFlags = ALLOCATION_POSSIBLE;
    }
    return owned;
  }

  #free(dir: Directory, slots: readonly number[]): void {
    for (const slot of slots) {
      dir.bytes[slot * SLOT] = (dir.bytes[slot * SLOT] ?? 0) & ~IN_USE;
      this.#changed.add(dir);
    }
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are forbidden.
const BAD_NAME = /["*/:<>?\\|\x00-\x1f]|^\.{1,2}$/;
/** Entries that may be in the root directory, besides sets; elsewhere none may. */
const OF_THE_ROOT: ReadonlySet<number> = new Set([
  ...[TYPE_BITMAP, TYPE_UPCASE, TYPE_LABEL, TYPE_GUID],
]);
const NOTHING: ReadonlySet<number> = new Set();
