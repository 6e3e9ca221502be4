// HFS, HFS Plus and HFSX for the explorer: volumes by our own mkfs, with and without a journal, and the
// check that fsck.hfs makes.

import { Places } from '../../../daemons/hfsd/catalog/catalog.ts';
import { checkVolume, type Findings } from '../../../daemons/hfsd/fsck/check.ts';
import { viewOf } from '../../../daemons/hfsd/fsck/tree.ts';
import { chooseRoom } from '../../../daemons/hfsd/journal/own-log.ts';
import type { MkfsRequest } from '../../../daemons/hfsd/mkfs/geometry.ts';
import { mkfs } from '../../../daemons/hfsd/mkfs/mkfs.ts';
import { mountHfs, mountHfsPlus } from '../../../daemons/hfsd/mount.ts';
import {
  ALTERNATE_FROM_END,
  ATTRIBUTES_ID,
  CATALOG_ID,
  EXTENTS_ID,
  HEADER_OFFSET,
  JournalInfoBlock,
} from '../../../daemons/hfsd/ondisk.ts';
import { Op } from '../../../daemons/hfsd/op.ts';
import { MediumTransaction } from '../../../daemons/lib/medium.ts';
import { imageMedium } from '../../../daemons/lib/memory/image-medium.ts';
import type { CrashFormat, Range } from '../format.ts';
import { orderedJudge, promised } from '../oracle/ordered.ts';
import type { Verb, Op as WorkloadOp } from '../workload/language.ts';
import { shapeOf } from './shape.ts';

const PLAIN = { kind: 'hfs+', journalBytes: 0, caseSensitive: false } as const;
const VARIANTS: Readonly<Record<string, Pick<MkfsRequest, keyof typeof PLAIN | 'blockSize'>>> = {
  hfs: { ...PLAIN, kind: 'hfs', blockSize: 1024 },
  'hfs+': { ...PLAIN, blockSize: 1024, journalBytes: 256 * 1024 },
  'hfs+-nojournal': { ...PLAIN, blockSize: 1024 },
  hfsx: { ...PLAIN, blockSize: 4096, journalBytes: 256 * 1024, caseSensitive: true },
};
const SIZE = 4 << 20;
const NOW = 1_790_000_000;

export const HFS_FORMATS = Object.keys(VARIANTS);

/** No file has a hole or reserved room; classic HFS has no place for what only Unix knows. */
const LACKS: readonly Verb[] = ['reserve', 'punch', 'zero'];
const CLASSIC_LACKS: readonly Verb[] = ['symlink', 'link', 'setxattr', 'removexattr'];
const CLASSIC_NAME_MAX = 31;

function suits(kind: 'hfs' | 'hfs+', { verb, path, to }: WorkloadOp): boolean {
  if (LACKS.includes(verb)) return false;
  if (kind === 'hfs+') return true;
  const names = [...path.split('/'), ...to.split('/')];
  return !CLASSIC_LACKS.includes(verb) && names.every(({ length }) => length <= CLASSIC_NAME_MAX);
}

export function hfsFormat(name: string): CrashFormat | undefined {
  const variant = VARIANTS[name];
  if (variant === undefined) return undefined;
  return {
    name,
    blockSize: variant.blockSize ?? 512,
    mount: variant.kind === 'hfs' ? mountHfs : mountHfsPlus,
    ignored: new Set(),
    suits: (op) => suits(variant.kind, op),
    make() {
      const image = new Uint8Array(SIZE);
      const request = { ...variant, sizeBytes: SIZE, label: 'crash' };
      mkfs(imageMedium(image), request, { nowSec: NOW, random: () => 7 });
      return image;
    },
    check(image) {
      const findings = checkVolume(imageMedium(image), NOW);
      const shape = shapeOf(findings, image);
      return { problems: findings.problems, shape, free: freeOf(findings) };
    },
    free: freeRanges,
    void: logOf,
    stamps: (image) => [
      { offset: HEADER_OFFSET, size: 512 },
      { offset: image.length - ALTERNATE_FROM_END, size: 1024 },
    ],
    promised,
    judge: orderedJudge,
    realCheck: () => undefined,
  };
}

/** Free blocks, and those of trees, which never shrink. */
function freeOf({ opened, specials }: Findings): string {
  const trees = [EXTENTS_ID, CATALOG_ID, ATTRIBUTES_ID] as const;
  const held = trees.reduce((sum, id) => sum + (specials.get(id)?.data.blocks ?? 0), 0);
  return `${opened.head.freeBlocks + held} blocks`;
}

function freeRanges(image: Uint8Array): Range[] {
  const { opened, owners } = checkVolume(imageMedium(image), NOW);
  const { allocCount, allocAt, allocSize } = opened.volume;
  const out: Range[] = [];
  for (let block = 0; block < allocCount; block++) {
    if (((owners.bits[block >> 3] ?? 0) & (0x80 >> (block & 7))) !== 0) continue;
    out.push({ offset: allocAt + block * allocSize, size: allocSize });
  }
  return out;
}

/** The journal, or the free space that our own log takes. */
function logOf(image: Uint8Array): Range[] {
  const medium = imageMedium(image);
  const { volume } = checkVolume(medium, NOW).opened;
  const { journalInfoBlock, unit: blockSize, allocAt, allocSize } = volume;
  if (journalInfoBlock !== 0) {
    const info = medium.read(journalInfoBlock * allocSize, 512);
    const { offset, size } = new JournalInfoBlock(viewOf(info));
    return [{ offset, size }];
  }
  const now = { sec: NOW, nsec: 0 };
  const tx = new MediumTransaction({ medium, blockSize, now, random: () => 7 });
  const room = chooseRoom(new Op(tx, volume, { unfinished: () => {}, places: new Places() }));
  if (room === undefined) return [];
  return [{ offset: allocAt + room.start * allocSize, size: room.count * allocSize }];
}
