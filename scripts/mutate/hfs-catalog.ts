// Where the structures of an HFS or HFS Plus image lie, as tables of fields: header, tree headers, nodes with
// their offsets and keys, records of files and folders, extents, the bitmap, the journal. None of it has
// a checksum but the journal's header, which is damaged as it is.

import { checkVolume, type Findings } from '../../daemons/hfsd/fsck/check.ts';
import type { WholeFork } from '../../daemons/hfsd/fsck/forks.ts';
import {
  ALLOCATION_ID,
  ATTRIBUTES_ID,
  CATALOG_ID,
  EXTENTS_ID,
  HEADER_OFFSET,
  INDEX_NODE,
  JournalInfoBlock,
  LEAF_NODE,
  NodeDescriptor,
  PlusFile,
  TreeHeader,
  VolumeHeader,
} from '../../daemons/hfsd/ondisk.ts';
import { HfsFile, MasterDirectoryBlock } from '../../daemons/hfsd/ondisk-hfs.ts';
import { imageMedium } from '../../daemons/lib/memory/image-medium.ts';
import { type Place, type Target, targetsOf } from './catalog.ts';

const none = (): void => undefined; // no checksum covers it
const NODES_MAX = 24;
const RECORDS_MAX = 12;

/** An HFS image's structures by kind. */
export function hfsCatalogOf(image: Uint8Array): Target[][] {
  const findings = checkVolume(imageMedium(image), 0);
  const { volume } = findings.opened;
  const at = HEADER_OFFSET;
  const table = volume.kind === 'hfs' ? MasterDirectoryBlock : VolumeHeader;
  const header: Place[] = [{ table, at, what: 'header', reseal: none }];
  for (let fork = 112; volume.kind === 'hfs+' && fork < 432; fork += 80)
    header.push(words(at + fork, 24, 'fork in the header'));
  const trees: Place[] = [];
  const nodes: Place[] = [];
  const records: Place[] = [];
  for (const id of [EXTENTS_ID, CATALOG_ID, ATTRIBUTES_ID] as const)
    addTree(image, findings, { fork: findings.specials.get(id), trees, nodes, records });
  const kinds = [header, trees, nodes, records, bitmapWords(findings), journalPlaces(findings)];
  return kinds
    .filter((kind) => kind.length > 0)
    .map((kind) => kind.flatMap(targetsOf).map((target) => ({ ...target, order: 'big' as const })));
}

/** Words of two bytes in a row. */
function words(at: number, count: number, what: string): Place {
  const offsets = Object.fromEntries(Array.from({ length: count }, (_, i) => [`word ${i}`, 2 * i]));
  return { table: { structName: 'words', size: 2 * count, offsets }, at, what, reseal: none };
}

interface Into {
  readonly fork: WholeFork | undefined;
  readonly trees: Place[];
  readonly nodes: Place[];
  readonly records: Place[];
}

function addTree(image: Uint8Array, { opened }: Findings, into: Into): void {
  const { fork, trees, nodes } = into;
  const [run] = fork?.runs ?? [];
  if (fork === undefined || run === undefined) return;
  const { allocAt, allocSize, kind } = opened.volume;
  const start = allocAt + run.start * allocSize;
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const { nodeSize } = new TreeHeader(view, start + NodeDescriptor.size);
  const what = `tree ${fork.cnid}`;
  trees.push({ table: TreeHeader, at: start + NodeDescriptor.size, what, reseal: none });
  trees.push(words(start + 248, 8, `${what}: map`));
  const count = Math.min(NODES_MAX, Math.floor((run.count * allocSize) / nodeSize));
  for (let no = 0; no < count; no++) {
    const at = start + no * nodeSize;
    const node = new NodeDescriptor(view, at);
    if (no > 0 && node.kind !== LEAF_NODE && node.kind !== INDEX_NODE) continue;
    const name = `${what}, node ${no}`;
    nodes.push({ table: NodeDescriptor, at, what: name, reseal: none });
    if (no === 0 || node.numRecords === 0) continue;
    const most = Math.min(RECORDS_MAX, node.numRecords);
    nodes.push(words(at + nodeSize - 2 * (most + 1), most + 1, `${name}: offsets`));
    for (let i = 0; i < most; i++) {
      const record = at + view.getUint16(at + nodeSize - 2 * (i + 1));
      addRecord(into, view, { at: record, classic: kind === 'hfs', what: `${name}, record ${i}` });
    }
  }
}

function addRecord(
  { records }: Into,
  view: DataView,
  { at, classic, what }: { at: number; classic: boolean; what: string },
): void {
  records.push(words(at, 12, `${what}: key`));
  const length = classic ? view.getUint8(at) + 1 : view.getUint16(at) + 2;
  const data = at + ((length + 1) & ~1);
  records.push({ table: classic ? HfsFile : PlusFile, at: data, what, reseal: none });
  if (!classic) records.push(words(data + 88, 16, `${what}: fork`));
}

function bitmapWords({ opened, specials }: Findings): Place[] {
  const { kind, bitmapAt, allocSize } = opened.volume;
  const [run] = specials.get(ALLOCATION_ID)?.runs ?? [];
  const at = kind === 'hfs' ? bitmapAt : (run?.start ?? 0) * allocSize;
  return [words(at, 32, 'bitmap')];
}

function journalPlaces({ opened }: Findings): Place[] {
  const { journalInfoBlock, allocSize } = opened.volume;
  if (journalInfoBlock === 0) return [];
  const at = journalInfoBlock * allocSize;
  return [
    { table: JournalInfoBlock, at, what: 'journal info', reseal: none },
    words(at + allocSize, 24, 'journal header'),
  ];
}
