// What lies where on a volume, for faults that mean a part of it (docs/faults.md, `tag=`): the
// journal, the superblocks, and the metadata whose place is fixed. Directories, extent blocks and
// file data are the rest. super.rst, group_descr.rst, bitmaps.rst.

import type { Label, Tag } from '../../kernel/ipc/fault/places.ts';
import type { LogMap } from './jbd2/log.ts';
import type { Op } from './op.ts';
import { baseMetaBlocks, firstBlockOf, hasSuper } from './volume/group.ts';

const SECTOR_SIZE = 512;
/** Groups that are labelled; the table of labels has no room for many more. */
const GROUPS_MAX = 64;

/** Labels in sectors of the volume; neighbours of one kind are one label. */
export function labelsOf(op: Op, journal: LogMap | undefined): Label[] {
  const { vol } = op;
  const sectors = vol.blockSize / SECTOR_SIZE;
  const labels: Label[] = (journal?.extents ?? []).map(({ disk, count }) => ({
    ...{ tag: 'journal', start: disk * sectors, count: count * sectors },
  }));
  const add = (tag: Tag, block: number, count: number): void => {
    const last = labels.at(-1);
    const start = block * sectors;
    if (last?.tag === tag && last.start + last.count === start) {
      labels[labels.length - 1] = { ...last, count: last.count + count * sectors };
    } else if (count > 0) labels.push({ tag, start, count: count * sectors });
  };
  const tableBlocks = Math.ceil((vol.inodesPerGroup * vol.inodeSize) / vol.blockSize);
  const groups = Math.min(vol.groupCount, GROUPS_MAX);
  for (let i = 0; i < groups; i++) {
    const first = firstBlockOf(vol, i);
    if (!hasSuper(vol, i)) continue;
    add('super', i === 0 ? 0 : first, 1 + (i === 0 ? first : 0));
    add('meta', first + 1, baseMetaBlocks(vol, i) - 1);
  }
  const fixed: { block: number; count: number }[] = [];
  for (let i = 0; i < groups; i++) {
    const group = op.group(i);
    fixed.push({ block: group.blockBitmap, count: 1 }, { block: group.inodeBitmap, count: 1 });
    fixed.push({ block: group.inodeTable, count: tableBlocks });
  }
  for (const { block, count } of fixed.sort((a, b) => a.block - b.block)) add('meta', block, count);
  return labels;
}
