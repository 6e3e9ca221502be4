// A new, empty volume: headers, bitmap, trees; then the root folder, put there by the daemon's own code.

import { EINVAL, ENAMETOOLONG, fail } from '../../../kernel/abi/errno.ts';
import { type Medium, MediumTransaction } from '../../lib/medium.ts';
import { Places } from '../catalog/catalog.ts';
import { newItem } from '../catalog/item.ts';
import type { Run } from '../fork/fork-data.ts';
import { EMPTY_FORK } from '../fork/fork-data.ts';
import { writeHeader } from '../journal/format.ts';
import { hfsNames, plusNames } from '../names/names.ts';
import {
  ALTERNATE_FROM_END,
  ATTRIBUTES_ID,
  CATALOG_ID,
  EXTENTS_ID,
  HEADER_OFFSET,
  JOURNAL_IN_FS,
  JournalInfoBlock,
  MAC_EPOCH,
  ROOT_ID,
  ROOT_PARENT_ID,
} from '../ondisk.ts';
import { Op } from '../op.ts';
import type { Volume } from '../volume/volume.ts';
import { openVolume, withBinaryNames } from '../volume/volume.ts';
import {
  type Geometry,
  geometryOf,
  type MkfsRequest,
  runsOf,
  type TreeGeometry,
} from './geometry.ts';
import { hfsHeader, plusHeader } from './headers.ts';
import { mappedByHeader, type TreeId, treeHeaderNode, treeKind } from './tree.ts';

export interface MkfsWorld {
  readonly nowSec: number; // since 1970
  readonly random: () => number; // u32
}

/** Makes the volume; tells what it is. */
export function mkfs(medium: Medium, request: MkfsRequest, world: MkfsWorld): Volume {
  const geometry = geometryOf(request);
  const label = labelOf(request);
  const now = (world.nowSec + MAC_EPOCH) >>> 0;
  const id = [world.random() >>> 0, world.random() >>> 0] as const;
  const header =
    request.kind === 'hfs'
      ? hfsHeader(geometry, { label, now })
      : plusHeader(geometry, { now, id, caseSensitive: request.caseSensitive });
  medium.write(0, new Uint8Array(HEADER_OFFSET));
  medium.write(HEADER_OFFSET, header);
  medium.write(medium.sizeBytes - 512, new Uint8Array(512));
  writeBitmap(medium, geometry);
  writeTrees(medium, geometry, request);
  writeJournal(medium, geometry);
  const volume = addRoot(medium, request, { world, label, geometry });
  medium.write(medium.sizeBytes - ALTERNATE_FROM_END, medium.read(HEADER_OFFSET, 512));
  medium.flush();
  return volume;
}

/** The label as a name on the disk. */
function labelOf({ kind, label }: MkfsRequest): string {
  const names = kind === 'hfs' ? hfsNames : plusNames;
  const disk = names.toDisk(label === '' ? 'untitled' : label);
  if (disk === ENAMETOOLONG || (kind === 'hfs' && (disk?.length ?? 0) > 27))
    return fail(ENAMETOOLONG, `label '${label}'`);
  return disk === undefined || disk === '' ? fail(EINVAL, `label '${label}'`) : disk;
}

function writeBitmap(medium: Medium, geometry: Geometry): void {
  const { allocSize, bitmap } = geometry;
  const size = bitmap === undefined ? geometry.allocAt - 3 * 512 : bitmap.count * allocSize;
  const bits = new Uint8Array(size);
  const used = [...geometry.fixed, ...runsOf(geometry)];
  for (const { start, count } of used)
    for (let i = start; i < start + count; i++)
      bits[i >> 3] = (bits[i >> 3] ?? 0) | (0x80 >> (i & 7));
  medium.write(bitmap === undefined ? 3 * 512 : bitmap.start * allocSize, bits);
}

function writeTrees(medium: Medium, geometry: Geometry, request: MkfsRequest): void {
  const { extents, catalog, attributes, allocSize, allocAt } = geometry;
  const trees: readonly [TreeId, TreeGeometry | undefined][] = [
    [EXTENTS_ID, extents],
    [CATALOG_ID, catalog],
    [ATTRIBUTES_ID, attributes],
  ];
  for (const [id, tree] of trees) {
    if (tree === undefined) continue;
    const { run, nodeSize } = tree;
    const sizeBytes = run.count * allocSize;
    if (sizeBytes / nodeSize > mappedByHeader(nodeSize)) fail(EINVAL, 'a tree larger than its map');
    const node = treeHeaderNode({ ...treeKind(id, request), nodeSize, sizeBytes });
    medium.write(allocAt + run.start * allocSize, node);
  }
}

const JOURNAL_LIST = 4096;

function writeJournal(medium: Medium, { allocSize, journal, journalInfo }: Geometry): void {
  if (journal === undefined || journalInfo === undefined) return;
  const size = journal.count * allocSize;
  const info = new Uint8Array(allocSize);
  const block = new JournalInfoBlock(new DataView(info.buffer));
  block.flags = JOURNAL_IN_FS;
  block.offset = journal.start * allocSize;
  block.size = size;
  medium.write(journalInfo.start * allocSize, info);
  const place = {
    headerAt: 0,
    bufferAt: 0,
    size,
    sector: 512,
    listSize: JOURNAL_LIST,
    little: true,
  };
  medium.write(block.offset, writeHeader({ place, start: 512, end: 512 }, 1));
}

interface RootRequest {
  readonly world: MkfsWorld;
  readonly label: string;
  readonly geometry: Geometry;
}

function addRoot(
  medium: Medium,
  request: MkfsRequest,
  { world, label, geometry }: RootRequest,
): Volume {
  const probe = medium.read(0, Math.min(4096, medium.sizeBytes));
  const opened = openVolume(probe, medium.sizeBytes);
  const volume = request.caseSensitive ? withBinaryNames(opened) : opened;
  const tx = new MediumTransaction({
    ...{ medium, blockSize: volume.unit, random: world.random },
    now: { sec: world.nowSec, nsec: 0 },
  });
  const op = new Op(tx, volume, { unfinished: () => {}, places: new Places() });
  const key = { parent: ROOT_PARENT_ID, name: label };
  const root = newItem(volume, { kind: 'folder', cnid: ROOT_ID, key, now: op.now });
  root.mode = 0o40755;
  op.catalog.add(root);
  const { journal, journalInfo } = geometry;
  if (journal !== undefined && journalInfo !== undefined) {
    addHidden(op, '.journal_info_block', journalInfo);
    addHidden(op, '.journal', journal);
    root.valence = 2;
    op.catalog.save(root);
  }
  op.finish();
  op.editHead().writeCount = 1;
  tx.commit();
  return volume;
}

/** A file of the volume's own in the root. */
function addHidden(op: Op, name: string, run: Run): void {
  const cnid = op.takeCnid();
  const key = { parent: ROOT_ID, name };
  const item = newItem(op.vol, { kind: 'file', cnid, key, now: op.now });
  item.mode = 0o100000;
  new DataView(item.finderInfo.buffer).setUint16(8, 0x5000); // invisible, its name locked
  const size = run.count * op.vol.allocSize;
  item.data = { ...EMPTY_FORK, size, blocks: run.count, extents: [run] };
  op.catalog.add(item);
  op.editHead().count({ files: 1, folders: 0, root: true });
}
