// The tree of a volume that nobody has mounted: every directory once, from the root down; its entries
// checked one by one. Changes stay in memory until `store`.

import { EUCLEAN, fail } from '../../../../kernel/abi/errno.ts';
import { foldCase } from '../../../../kernel/abi/text.ts';
import type { Medium } from '../../../lib/medium.ts';
import type { Report } from '../../fsck/report.ts';
import { ATTR_ARCHIVE, ATTR_DIRECTORY, SLOT, SLOT_END } from '../../ondisk.ts';
import {
  ATTR_LONG_NAME,
  ATTR_VOLUME_ID,
  DirEntry,
  type DirEntryView,
  LongEntry,
  SLOT_FREE,
} from '../ondisk.ts';
import { startIn } from '../volume/fat.ts';
import type { FatVolume } from '../volume/geometry.ts';
import type { Chains } from './chains.ts';
import {
  DOT,
  DOTDOT,
  dotsIn,
  isDirectory,
  isGarbage,
  isLabel,
  isShortName,
  readSlots,
  type SlotEntry,
  shortOf,
} from './slots.ts';

export interface Node {
  /** '' for the root. */
  readonly path: string;
  readonly kind: 'file' | 'dir';
  size: number;
}

interface Directory {
  readonly path: string;
  readonly start: number;
  /** What its '..' must name. */
  readonly parent: number;
  /** Where its pieces lie on the medium, one behind the other in `bytes`. */
  readonly pieces: readonly number[];
  readonly bytes: Uint8Array;
  dirty: boolean;
}

interface Parts {
  readonly medium: Medium;
  readonly vol: FatVolume;
  readonly chains: Chains;
  readonly report: Report;
}

/** Directories that wait to be looked at: each has a cluster of its own. */
interface Waiting {
  readonly path: string;
  readonly clusters: readonly number[];
  readonly parent: number;
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

export class Tree {
  readonly nodes: Node[] = [];
  readonly #parts: Parts;
  /** The volume label in the root directory: 11 bytes. */
  label: Uint8Array | undefined;
  readonly #dirty: Directory[] = [];
  #root: Directory | undefined;
  /** Directories of the root, and those among them that are none. */
  #folders = 0;
  #noFolders = 0;
  #renamed = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  walk(): void {
    const { vol, chains } = this.#parts;
    this.nodes.push({ path: '', kind: 'dir', size: 0 });
    const queue: Waiting[] = [];
    if (vol.rootCluster === 0) this.#root = this.#fixedRoot();
    else {
      const clusters = chains.claim({ path: '/', start: vol.rootCluster, need: undefined });
      if (clusters.length === 0) fail(EUCLEAN, 'there is no root directory');
      this.#root = this.#load({ path: '', clusters, parent: 0 });
    }
    this.#check(this.#root, queue);
    if (this.#noFolders > 1 && this.#noFolders === this.#folders)
      fail(EUCLEAN, 'no directory is where the boot sector puts it');
    for (let i = 0; i < queue.length; i++) {
      const next = queue[i];
      if (next) this.#check(this.#load(next), queue);
    }
  }

  /** Lost chains become files of the root directory, as far as it has room. */
  saveLost(heads: readonly number[]): void {
    const { vol, chains } = this.#parts;
    const root = this.#root;
    for (const [number, start] of heads.entries()) {
      const at = root ? freeSlot(root.bytes) : undefined;
      if (root === undefined || at === undefined) return;
      const name = `FSCK${`${number}`.padStart(4, '0')}.REC`;
      const clusters = chains.claim({ path: `/${name}`, start, need: undefined });
      if (clusters.length === 0) continue;
      root.bytes.fill(0, at, at + SLOT);
      const entry = entryAt(root, at);
      entry.DIR_Name = ascii(name.replace('.', ''));
      entry.DIR_Attr = ATTR_ARCHIVE;
      entry.DIR_WrtDate = EPOCH_DATE;
      entry.DIR_CrtDate = EPOCH_DATE;
      setStart(entry, start);
      entry.DIR_FileSize = clusters.length * vol.clusterSize;
      this.#touch(root);
      this.nodes.push({ path: name, kind: 'file', size: entry.DIR_FileSize });
    }
  }

  store(): void {
    for (const { pieces, bytes } of this.#dirty) {
      const size = bytes.length / pieces.length;
      for (const [i, at] of pieces.entries()) {
        this.#parts.medium.write(at, bytes.subarray(i * size, (i + 1) * size));
      }
    }
  }

  #fixedRoot(): Directory {
    const { medium, vol } = this.#parts;
    const bytes = medium.read(vol.rootStart, vol.rootSlots * SLOT);
    return { path: '', start: 0, parent: 0, pieces: [vol.rootStart], bytes, dirty: false };
  }

  #load({ path, clusters, parent }: Waiting): Directory {
    const { medium, vol } = this.#parts;
    const { clusterSize } = vol;
    const bytes = new Uint8Array(clusters.length * clusterSize);
    const pieces = clusters.map((cluster) => vol.dataStart + (cluster - 2) * clusterSize);
    for (const [i, at] of pieces.entries())
      bytes.set(medium.read(at, clusterSize), i * clusterSize);
    return { path, start: clusters[0] ?? 0, parent, pieces, bytes, dirty: false };
  }

  #touch(dir: Directory): void {
    if (!dir.dirty) this.#dirty.push(dir);
    dir.dirty = true;
  }

  #check(dir: Directory, queue: Waiting[]): void {
    const { report } = this.#parts;
    const isRoot = dir === this.#root;
    if (!isRoot) this.#checkDots(dir);
    const { entries, orphans, odd } = readSlots(dir.bytes);
    for (const slot of odd) this.#tidyPart(dir, slot);
    if (orphans.length > 0) {
      report.bad('orphan', `/${dir.path}: ${orphans.length} parts of long names without an entry`);
      for (const slot of orphans) this.#free(dir, slot);
    }
    const names = new Set<string>();
    for (const found of entries) {
      const isDots = !isRoot && found.slot < 2 && found.entry.DIR_Name[0] === DOT.charCodeAt(0);
      if (isDots || (isLabel(found.entry) && !this.#isFile(dir, found))) continue;
      const name = this.#checkName(dir, found, names);
      const path = dir.path === '' ? name : `${dir.path}/${name}`;
      if (isDirectory(found.entry)) this.#enter(dir, { ...found, path }, queue);
      else this.#checkFile(dir, { ...found, path });
    }
  }

  /** What must be zero in a part of a long name. */
  #tidyPart(dir: Directory, slot: number): void {
    this.#parts.report.bad('entry', `/${dir.path}: slot ${slot}: a part of a long name with more`);
    const view = new DataView(dir.bytes.buffer, dir.bytes.byteOffset, dir.bytes.length);
    const part = new LongEntry(view, slot * SLOT);
    part.LDIR_Type = 0;
    part.LDIR_FstClusLO = 0;
    this.#touch(dir);
  }

  /** A label that cannot be one: a file with a wrong attribute, or nothing at all. */
  #isFile(dir: Directory, { entry, slot, longs }: SlotEntry): boolean {
    const { vol, report } = this.#parts;
    const start = startIn(vol.bits, entry);
    if (dir === this.#root && this.label === undefined && start === 0 && entry.DIR_FileSize === 0) {
      this.label = entry.DIR_Name.slice();
      return false;
    }
    report.bad('entry', `/${dir.path}: slot ${slot} is no volume label`);
    this.#touch(dir);
    entry.DIR_Attr &= ~ATTR_VOLUME_ID;
    const held = start === 0 ? entry.DIR_FileSize === 0 : start >= 2 && start < vol.clusterEnd;
    const isFile = longs > 0 || (start !== 0 && entry.DIR_FileSize > 0);
    if (isShortName(entry.DIR_Name) && held && isFile) return true;
    for (let i = 0; i <= longs; i++) this.#free(dir, slot - i);
    return false;
  }

  #checkDots(dir: Directory): void {
    const { parent } = dir;
    const dotless = dotsIn(dir.bytes) === 0;
    for (const [slot, name, cluster] of [
      [0, DOT, dir.start],
      [1, DOTDOT, parent],
    ] as const) {
      const entry = entryAt(dir, slot * SLOT);
      const right = textOf(entry.DIR_Name) === name && isDirectory(entry);
      const bare = (entry.DIR_NTRes & NO_SHORT_NAME) === 0;
      if (right && bare && startIn(this.#parts.vol.bits, entry) === cluster) continue;
      this.#parts.report.bad('dots', `/${dir.path}: its '${name.trim()}' is wrong`);
      if (dotless) this.#moveAway(dir, slot);
      entry.DIR_Name = ascii(name);
      entry.DIR_Attr = ATTR_DIRECTORY;
      entry.DIR_NTRes = 0;
      entry.DIR_FileSize = 0;
      setStart(entry, cluster);
      this.#touch(dir);
    }
  }

  /** A directory that somebody made without '.' and '..': what is in their place gets another one. */
  #moveAway(dir: Directory, slot: number): void {
    const from = slot * SLOT;
    const isLong = (dir.bytes[from + DirEntry.offsets.DIR_Attr] ?? 0) === ATTR_LONG_NAME;
    const unused = dir.bytes[from] === SLOT_FREE || dir.bytes[from] === SLOT_END;
    const at = freeSlot(dir.bytes, 2 * SLOT);
    if (!isLong && !unused && at !== undefined) dir.bytes.copyWithin(at, from, from + SLOT);
    dir.bytes.fill(0, from, from + SLOT);
  }

  /** The name that the entry has in the end. */
  #checkName(dir: Directory, found: SlotEntry, names: Set<string>): string {
    const { report } = this.#parts;
    const short = textOf(found.entry.DIR_Name);
    const keys = [`8.3 ${short}`, foldCase(found.name)];
    const where = `/${dir.path}: '${found.name}'`;
    const bad = !isShortName(found.entry.DIR_Name) || /[/\0]|^\.{0,2}$/.test(found.name);
    if (bad) report.bad('name', `${where} is a name that cannot be`);
    else if (!keys.some((key) => names.has(key))) {
      for (const key of keys) names.add(key);
      return found.name;
    } else report.bad('duplicate', `${where} is there twice`);
    for (let i = 1; i <= found.longs; i++) this.#free(dir, found.slot - i);
    let name = '';
    do name = `FSCK${`${this.#renamed++}`.padStart(4, '0')}.REN`;
    while (names.has(name));
    found.entry.DIR_Name = ascii(name.replace('.', ''));
    found.entry.DIR_NTRes = 0;
    names.add(name);
    this.#touch(dir);
    return shortOf(found.entry);
  }

  #enter(dir: Directory, found: SlotEntry & { path: string }, queue: Waiting[]): void {
    const { vol, chains, report } = this.#parts;
    const { entry, path } = found;
    const start = startIn(vol.bits, entry);
    const refuses = (cluster: number) => this.#refuses(cluster);
    const clusters = chains.claim({ path: `/${path}`, start, need: undefined, refuses });
    if (dir === this.#root) this.#folders++;
    if (clusters.length === 0) {
      if (dir === this.#root) this.#noFolders++;
      for (let i = 0; i <= found.longs; i++) this.#free(dir, found.slot - i);
      return;
    }
    if (entry.DIR_FileSize !== 0) {
      report.bad('entry', `/${path}: a directory with a size`);
      entry.DIR_FileSize = 0;
      this.#touch(dir);
    }
    this.nodes.push({ path, kind: 'dir', size: 0 });
    const parent = dir === this.#root ? 0 : dir.start;
    queue.push({ path, clusters, parent });
  }

  /** Why the cluster can be no part of a directory. */
  #refuses(cluster: number): string | undefined {
    const { medium, vol } = this.#parts;
    const at = vol.dataStart + (cluster - 2) * vol.clusterSize;
    const bytes = medium.read(at, vol.clusterSize);
    return isGarbage(bytes) ? 'which is no part of a directory' : undefined;
  }

  #checkFile(dir: Directory, { entry, path }: SlotEntry & { path: string }): void {
    const { vol, chains, report } = this.#parts;
    const start = startIn(vol.bits, entry);
    const need = Math.ceil(entry.DIR_FileSize / vol.clusterSize);
    const count = start === 0 ? 0 : chains.claim({ path: `/${path}`, start, need }).length;
    if (count < need) {
      report.bad('short', `/${path}: ${count} of ${need} clusters`);
      entry.DIR_FileSize = count * vol.clusterSize;
      this.#touch(dir);
    }
    if (count === 0 && start !== 0) {
      setStart(entry, 0);
      this.#touch(dir);
    }
    this.nodes.push({ path, kind: 'file', size: entry.DIR_FileSize });
  }

  #free(dir: Directory, slot: number): void {
    dir.bytes[slot * SLOT] = SLOT_FREE;
    this.#touch(dir);
  }
}

const EPOCH_DATE = 0x21; // 1980-01-01
/** Of DIR_NTRes, as some set it: the entry has a long name alone. */
const NO_SHORT_NAME = 0x20;

function entryAt({ bytes }: Directory, at: number): DirEntryView {
  return new DirEntry(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), at);
}

function setStart(entry: DirEntryView, cluster: number): void {
  entry.DIR_FstClusHI = cluster >>> 16;
  entry.DIR_FstClusLO = cluster & 0xffff;
}

/** Offset of a slot that nobody uses, without making the directory longer. */
function freeSlot(bytes: Uint8Array, from = 0): number | undefined {
  for (let at = from; at < bytes.length; at += SLOT) {
    if (bytes[at] === SLOT_FREE) return at;
    if (bytes[at] !== SLOT_END) continue;
    const next = at + SLOT;
    if (next < bytes.length) bytes.fill(0, next, next + SLOT);
    return at;
  }
  return undefined;
}
