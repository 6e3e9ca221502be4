// FAT for the explorer: images by the real mkfs.fat, the check that fsck.fat inside Atoll is made of, and
// the real fsck.fat.

import { checkFat, type FatCheck } from '../../../daemons/fatd/fat/fsck/check.ts';
import { mountFat } from '../../../daemons/fatd/fat/mount.ts';
import { openVolume } from '../../../daemons/fatd/fat/volume/geometry.ts';
import { imageMedium } from '../../../daemons/lib/memory/image-medium.ts';
import { fsckFat, haveDosfstools, mkfsFat, seriousFat } from '../../testing/dosfstools.ts';
import type { Checked, CrashFormat, Range } from '../format.ts';
import { carefulJudge, promisedSince } from '../oracle/careful.ts';
import { shapeLine } from '../workload/model.ts';

interface Variant {
  readonly blockSize: number;
  readonly sizeBytes: number;
  readonly options: readonly string[];
}

const VARIANTS: Readonly<Record<string, Variant>> = {
  fat12: { blockSize: 512, sizeBytes: 1440 << 10, options: ['-F', '12', '-s', '1'] },
  fat16: { blockSize: 2048, sizeBytes: 9 << 20, options: ['-F', '16', '-s', '4', '-a'] },
  // Small, as the number of its clusters says nothing on FAT32.
  fat32: { blockSize: 512, sizeBytes: 3 << 20, options: ['-F', '32', '-s', '1'] },
};

export const FAT_FORMATS = Object.keys(VARIANTS);

/** What neither FAT nor exFAT can do. */
export const LACKS: ReadonlySet<string> = new Set([
  ...['link', 'symlink', 'setxattr', 'removexattr', 'reserve', 'punch', 'zero'],
]);

/** What a power cut may leave. */
const FORGIVEN: ReadonlySet<string> = new Set(['lost', 'tail', 'orphan', 'dirty']);

export function fatFormat(name: string): CrashFormat | undefined {
  const variant = VARIANTS[name];
  if (variant === undefined) return undefined;
  const { blockSize, sizeBytes, options } = variant;
  const haveReal = haveDosfstools();
  return {
    name,
    blockSize,
    mount: mountFat,
    ignored: new Set(),
    suits: ({ verb }) => !LACKS.has(verb),
    make: () => mkfsFat(sizeBytes, options),
    check: checkImage,
    free: (image) => freeClusters(image),
    void: () => [],
    stamps: (image) => stamps(image),
    promised: promisedSince,
    judge: carefulJudge,
    realCheck: (image) => (haveReal ? seriousFat(fsckFat(image).output) : undefined),
  };
}

/** Nothing is written without `store`. */
const check = (image: Uint8Array): FatCheck => checkFat(imageMedium(image), { lost: 'free' });

function checkImage(image: Uint8Array): Checked {
  const { problems, nodes, usedClusters } = check(image);
  const sorted = [...nodes].sort((a, b) => (a.path < b.path ? -1 : 1));
  const lines = sorted.map((node, group) =>
    shapeLine({ ...node, group, links: 1, target: '', xattrs: new Map() }),
  );
  const bad = problems.filter(({ kind }) => !FORGIVEN.has(kind));
  return {
    problems: bad.map(({ kind, text }) => `${kind}: ${text}`),
    shape: lines.join('\n'),
    free: `all but ${usedClusters} clusters`,
  };
}

function freeClusters(image: Uint8Array): Range[] {
  const { vol, table } = check(image);
  const out: Range[] = [];
  for (let cluster = 2; cluster < vol.clusterEnd; cluster++) {
    const offset = vol.dataStart + (cluster - 2) * vol.clusterSize;
    if (table.get(cluster) === 0) out.push({ offset, size: vol.clusterSize });
  }
  return out;
}

/** The marks of a mounted volume: boot sector, FSInfo, the second number of each table. */
function stamps(image: Uint8Array): Range[] {
  const { fatStart, mirrors, fsInfo } = openVolume(image, image.length);
  const places = [0, fatStart, ...mirrors, ...(fsInfo === undefined ? [] : [fsInfo])];
  return places.map((offset) => ({ offset: Math.floor(offset / 1024) * 1024, size: 1024 }));
}
