// exFAT for the explorer: images by the real mkfs.exfat, the check that fsck.exfat inside Atoll is made of,
// and the real fsck.exfat.

import { checkExFat, type ExFatCheck } from '../../../daemons/fatd/exfat/fsck/check.ts';
import { mountExFat } from '../../../daemons/fatd/exfat/mount.ts';
import { imageMedium } from '../../../daemons/lib/memory/image-medium.ts';
import { haveExfatprogs, mkfsExFat, seriousExFat } from '../../testing/exfatprogs.ts';
import type { Checked, CrashFormat, Range } from '../format.ts';
import { carefulJudge, promisedSince } from '../oracle/careful.ts';
import { shapeLine } from '../workload/model.ts';
import { LACKS } from './format.ts';

interface Variant {
  readonly blockSize: number;
  readonly sizeBytes: number;
  readonly options: readonly string[];
}

const VARIANTS: Readonly<Record<string, Variant>> = {
  exfat: { blockSize: 1024, sizeBytes: 2 << 20, options: ['-c', '1K', '-b', '64K'] },
  'exfat-512': { blockSize: 512, sizeBytes: 2 << 20, options: ['-c', '512', '-b', '64K'] },
  'exfat-4k': { blockSize: 4096, sizeBytes: 4 << 20, options: ['-c', '4K', '-b', '64K'] },
};

export const EXFAT_FORMATS = Object.keys(VARIANTS);

/** What a power cut may leave. */
const FORGIVEN: ReadonlySet<string> = new Set(['lost', 'tail', 'orphan', 'dirty']);

export function exFatFormat(name: string): CrashFormat | undefined {
  const variant = VARIANTS[name];
  if (variant === undefined) return undefined;
  const { blockSize, sizeBytes, options } = variant;
  const haveReal = haveExfatprogs();
  return {
    ...{ name, blockSize, mount: mountExFat, ignored: new Set<string>() },
    suits: ({ verb }) => !LACKS.has(verb),
    make: () => mkfsExFat(sizeBytes, options),
    check: checkImage,
    free: (image) => freeClusters(image),
    void: () => [],
    stamps: () => [{ offset: 0, size: 1024 }],
    promised: promisedSince,
    judge: carefulJudge,
    realCheck: (image) => (haveReal ? seriousExFat(image) : undefined),
  };
}

/** Nothing is written without `store`. */
const check = (image: Uint8Array): ExFatCheck => checkExFat(imageMedium(image));

function checkImage(image: Uint8Array): Checked {
  const { problems, nodes, usedClusters, rootClusters } = check(image);
  const sorted = [...nodes].sort((a, b) => (a.path < b.path ? -1 : 1));
  const lines = sorted.map((node, group) =>
    shapeLine({ ...node, group, links: 1, target: '', xattrs: new Map() }),
  );
  const bad = problems.filter(({ kind }) => !FORGIVEN.has(kind));
  return {
    problems: bad.map(({ kind, text }) => `${kind}: ${text}`),
    shape: lines.join('\n'),
    // A directory that grew stays as large, emptied or not: the others are gone then, the root is not.
    free: `all but ${usedClusters - rootClusters} clusters and the root directory`,
  };
}

function freeClusters(image: Uint8Array): Range[] {
  const { vol, isUsed } = check(image);
  const out: Range[] = [];
  for (let cluster = 2; cluster < vol.clusterEnd; cluster++) {
    const offset = vol.dataStart + (cluster - 2) * vol.clusterSize;
    if (!isUsed(cluster)) out.push({ offset, size: vol.clusterSize });
  }
  return out;
}
