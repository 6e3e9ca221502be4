// A whole exFAT volume that nobody has mounted, checked: boot regions, FAT, bitmap, up-case table, sets. What
// is wrong is told and put right in memory; `store` writes that. It shares tables with the daemon, not code.

import { EUCLEAN, fail } from '../../../../kernel/abi/errno.ts';
import type { Medium } from '../../../lib/medium.ts';
import { type Problem, Report } from '../../fsck/report.ts';
import { SLOT } from '../../ondisk.ts';
import {
  BitmapEntry,
  BootSector,
  TYPE_BITMAP,
  TYPE_UPCASE,
  UpcaseEntry,
  VOLUME_DIRTY,
} from '../ondisk.ts';
import type { ExFatVolume } from '../volume/geometry.ts';
import { decodeUpcase, TABLE_BYTES_MAX, type Upcase } from '../volume/upcase.ts';
import { readBoot, storeBoot } from './boot.ts';
import { Clusters } from './clusters.ts';
import { readSlots } from './sets.ts';
import { type Node, Tree } from './tree.ts';

/** Kinds of what can be wrong. */
export type Kind =
  | 'boot' // a boot region is damaged
  | 'dirty' // the volume was not unmounted
  | 'lost' // clusters that are marked as used, and nobody's
  | 'unmarked' // clusters in use that are not marked
  | 'tail' // a chain that is longer than its file
  | 'short' // a file with fewer clusters than it must have
  | 'range' // a cluster that is none
  | 'cross' // a cluster in two files, or twice in one
  | 'name' // a name that cannot be
  | 'duplicate' // two sets with one name
  | 'hash' // of a name
  | 'checksum' // of a set
  | 'orphan' // entries that belong to no set
  | 'entry'; // fields that contradict each other

export interface ExFatCheck {
  readonly vol: ExFatVolume;
  readonly problems: readonly Problem<Kind>[];
  readonly problemCount: number;
  /** Files and directories as they are in the end; the root is the first. */
  readonly nodes: readonly Node[];
  readonly usedClusters: number;
  /** Those among them that are the root directory's. */
  readonly rootClusters: number;
  isUsed(cluster: number): boolean;
  /** Writes what was put right. */
  store(): void;
}

/** Throws EMEDIUMTYPE or EUCLEAN when there is no volume that could be checked. */
export function checkExFat(medium: Medium): ExFatCheck {
  const report = new Report<Kind>();
  const boot = readBoot(medium, report);
  const { vol } = boot;
  const clusters = new Clusters({ medium, vol, report });
  const system = findSystem(medium, vol, clusters);
  const { flagsAt } = system.bitmap;
  if (flagsAt !== undefined) report.bad('entry', 'the allocation bitmap is said to be another one');
  const bits = claimed(medium, { vol, clusters, what: 'the allocation bitmap', ...system.bitmap });
  const table = claimed(medium, { vol, clusters, what: 'the up-case table', ...system.upcase });
  const upcase: Upcase = decodeUpcase(table.bytes, system.upcase.sum);
  const tree = new Tree({ medium, vol, clusters, upcase, report });
  tree.walk();
  const right = clusters.bitmap(bits.bytes.length);
  compareBits(bits.bytes, right, { vol, report });
  if ((new BootSector(viewOf(boot.region)).VolumeFlags & VOLUME_DIRTY) !== 0)
    report.bad('dirty', 'the volume was not unmounted');
  return {
    ...{ vol, problems: report.problems, problemCount: report.count, nodes: tree.nodes },
    ...{ usedClusters: clusters.used, rootClusters: tree.rootClusters },
    isUsed: (cluster) => clusters.owns(cluster),
    store() {
      tree.store();
      if (flagsAt !== undefined) medium.write(flagsAt, new Uint8Array(1));
      clusters.store();
      bits.store(right);
      storeBoot(medium, boot, Math.floor((100 * clusters.used) / (vol.clusterEnd - 2)));
      medium.flush();
    },
  };
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

interface Stream {
  readonly first: number;
  readonly length: number;
}

const ROOT_MOST = 64; // clusters in which the root directory's own entries are looked for

function findSystem(medium: Medium, vol: ExFatVolume, clusters: Clusters) {
  let bitmap: (Stream & { flagsAt: number | undefined }) | undefined;
  let upcase: (Stream & { sum: number }) | undefined;
  let at = vol.rootCluster;
  for (let i = 0; i < ROOT_MOST && at >= 2 && at < vol.clusterEnd; i++) {
    const start = vol.dataStart + (at - 2) * vol.clusterSize;
    const bytes = medium.read(start, vol.clusterSize);
    for (const slot of readSlots(bytes).others) {
      const entry = new BitmapEntry(viewOf(bytes), slot * SLOT);
      const stream = { first: entry.FirstCluster, length: entry.DataLength };
      // There is one FAT, so there is one bitmap, number 0.
      const flagsAt = entry.BitmapFlags === 0 ? undefined : start + slot * SLOT + 1;
      if (entry.EntryType === TYPE_BITMAP) bitmap ??= { ...stream, flagsAt };
      if (entry.EntryType === TYPE_UPCASE)
        upcase ??= { ...stream, sum: new UpcaseEntry(viewOf(bytes), slot * SLOT).TableChecksum };
    }
    at = clusters.next(at);
  }
  if (bitmap === undefined || bitmap.length * 8 < vol.clusterEnd - 2)
    return fail(EUCLEAN, 'there is no allocation bitmap');
  if (upcase === undefined || upcase.length > TABLE_BYTES_MAX)
    return fail(EUCLEAN, 'there is no up-case table');
  return { bitmap, upcase };
}

/** The bytes of what the root directory tells of; its clusters are taken. */
function claimed(
  medium: Medium,
  {
    vol,
    clusters,
    what,
    first,
    length,
  }: Stream & { vol: ExFatVolume; clusters: Clusters; what: string },
): { bytes: Uint8Array; store(now: Uint8Array): void } {
  const { clusterSize, dataStart } = vol;
  const need = Math.ceil(length / clusterSize);
  const owned = clusters.claim({ path: what, first, need, contiguous: false });
  if (owned.length < need || need === 0) return fail(EUCLEAN, `${what} is too short`);
  const bytes = new Uint8Array(length);
  const parts = owned.map((cluster, i) => ({
    at: dataStart + (cluster - 2) * clusterSize,
    from: i * clusterSize,
    to: Math.min(length, (i + 1) * clusterSize),
  }));
  for (const { at, from, to } of parts) bytes.set(medium.read(at, to - from), from);
  return {
    bytes,
    store(now) {
      for (const { at, from, to } of parts) medium.write(at, now.subarray(from, to));
    },
  };
}

function compareBits(
  bits: Uint8Array,
  right: Uint8Array,
  { vol, report }: { vol: ExFatVolume; report: Report<Kind> },
): void {
  let lost = 0;
  let unmarked = 0;
  for (let cluster = 2; cluster < vol.clusterEnd; cluster++) {
    const [at, bit] = [(cluster - 2) >> 3, 1 << ((cluster - 2) & 7)];
    const marked = ((bits[at] ?? 0) & bit) !== 0;
    const used = ((right[at] ?? 0) & bit) !== 0;
    if (marked && !used) lost++;
    if (used && !marked) unmarked++;
  }
  if (lost > 0) report.bad('lost', `${lost} clusters are lost`);
  if (unmarked > 0) report.bad('unmarked', `${unmarked} clusters in use are not marked`);
}
