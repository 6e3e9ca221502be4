// The tree of a volume that nobody has mounted: every directory once, from the root down; its entries
// checked one by one. Changes stay in memory until `store`.

import { EUCLEAN, fail } from '../../../../kernel/abi/errno.ts';
import { foldCase } from '../../../../kernel/abi/text.ts';
import type { Medium } from '../../../lib/medium.ts';
import type { Report } from '../../fsck/report.ts';
import { ATTR_ARCHIVE, ATTR_DIRECTORY, SLOT, SLOT_END } from '../../ondisk.ts';
import { DirEntry, type DirEntryView, SLOT_FREE } from '../ondisk.ts';
import type { FatVolume } from '../volume/geometry.ts';
import type { Chains } from './chains.ts';
import { isDirectory, isLabel, isShortName, readSlots, type SlotEntry, shortOf } from './slots.ts';

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

const DOT = '.          ';
const DOTDOT = '..         ';
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

export class Tree {
  readonly nodes: Node[] = [];
  readonly #parts: Parts;
  readonly #dirty: Directory[] = [];
  #root: Directory | undefined;
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
    const { entries, orphans } = readSlots(dir.bytes);
    if (orphans.length > 0) {
      report.bad('orphan', `/${dir.path}: ${orphans.length} parts of long names without an entry`);
      for (const slot of orphans) this.#free(dir, slot);
    }
    const names = new Set<string>();
    for (const found of entries) {
      const isDots = !isRoot && found.slot < 2 && found.entry.DIR_Name[0] === DOT.charCodeAt(0);
      if (isDots || isLabel(found.entry)) continue;
      const name = this.#checkName(dir, found, names);
      const path = dir.path === '' ? name : `${dir.path}/${name}`;
      if (isDirectory(found.entry)) this.#enter(dir, { ...found, path }, queue);
      else this.#checkFile(dir, { ...found, path });
    }
  }

  #checkDots(dir: Directory): void {
    const parent = dir.parent;
    for (const [slot, name, cluster] of [
      [0, DOT, dir.start],
      [1, DOTDOT, parent],
    ] as const) {
      const entry = entryAt(dir, slot * SLOT);
      const right = textOf(entry.DIR_Name) === name && isDirectory(entry);
      if (right && startOf(this.#parts.vol, entry) === cluster) continue;
      this.#parts.report.bad('dots', `/${dir.path}: its '${name.trim()}' is wrong`);
      const first = entry.DIR_Name[0];
      const mayWrite = right || first === SLOT_FREE || first === SLOT_END || first === 0x2e;
      if (!mayWrite) continue;
      entry.DIR_Name = ascii(name);
      entry.DIR_Attr = ATTR_DIRECTORY;
      entry.DIR_FileSize = 0;
      setStart(entry, cluster);
      this.#touch(dir);
    }
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
    const start = startOf(vol, entry);
    const clusters = chains.claim({ path: `/${path}`, start, need: undefined });
    if (clusters.length === 0) {
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

  #checkFile(dir: Directory, { entry, path }: SlotEntry & { path: string }): void {
    const { vol, chains, report } = this.#parts;
    const start = startOf(vol, entry);
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

function entryAt({ bytes }: Directory, at: number): DirEntryView {
  return new DirEntry(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), at);
}

/** FAT12 and FAT16 have no upper half. */
const startOf = ({ bits }: FatVolume, entry: DirEntryView): number =>
  (bits === 32 ? entry.DIR_FstClusHI * 0x1_0000 : 0) + entry.DIR_FstClusLO;

function setStart(entry: DirEntryView, cluster: number): void {
  entry.DIR_FstClusHI = cluster >>> 16;
  entry.DIR_FstClusLO = cluster & 0xffff;
}

/** Offset of a slot that nobody uses, without making the directory longer. */
function freeSlot(bytes: Uint8Array): number | undefined {
  for (let at = 0; at < bytes.length; at += SLOT) {
    if (bytes[at] === SLOT_FREE) return at;
    if (bytes[at] !== SLOT_END) continue;
    const next = at + SLOT;
    if (next < bytes.length) bytes.fill(0, next, next + SLOT);
    return at;
  }
  return undefined;
}
