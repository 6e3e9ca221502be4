// How a new volume is divided: sizes of allocation blocks and trees, and where everything lies.
// TN1150, "Volume Header", "Journal"; Inside Macintosh: Files, "Data Organization on Volumes".

import { EINVAL, ENOSPC, fail } from '../../../kernel/abi/errno.ts';
import type { Run } from '../fork/fork-data.ts';

export interface MkfsRequest {
  readonly kind: 'hfs' | 'hfs+';
  readonly sizeBytes: number;
  readonly label: string;
  /** Bytes of an allocation block; undefined: what suits the size. */
  readonly blockSize: number | undefined;
  /** Bytes of a journal, 0 for none. HFS Plus. */
  readonly journalBytes: number;
  /** HFSX, whose names compare as numbers. */
  readonly caseSensitive: boolean;
}

export interface TreeGeometry {
  readonly run: Run;
  readonly nodeSize: number;
}

export interface Geometry {
  readonly allocSize: number;
  readonly allocCount: number;
  readonly allocAt: number; // bytes
  readonly extents: TreeGeometry;
  readonly catalog: TreeGeometry;
  /** HFS Plus only. */
  readonly bitmap?: Run;
  readonly attributes?: TreeGeometry;
  readonly journalInfo?: Run;
  readonly journal?: Run;
  /** Blocks that hold the headers, or parts of them. */
  readonly fixed: readonly Run[];
}

const SECTOR = 512;

export const geometryOf = (request: MkfsRequest): Geometry =>
  request.kind === 'hfs' ? hfsGeometry(request) : plusGeometry(request);

function hfsGeometry({ sizeBytes, blockSize }: MkfsRequest): Geometry {
  const sectors = Math.floor(sizeBytes / SECTOR);
  if (sectors < 400) fail(EINVAL, `${sizeBytes} bytes are too few for a volume`);
  const least = Math.ceil(sectors / 65_000) * SECTOR;
  const allocSize = blockSize ?? least;
  if (allocSize % SECTOR !== 0 || allocSize < least)
    fail(EINVAL, `a volume of ${sizeBytes} bytes needs blocks of ${least} or more`);
  const perBlock = allocSize / SECTOR;
  const bitmapSectors = Math.ceil(sectors / perBlock / (8 * SECTOR));
  const first = 3 + bitmapSectors;
  const allocCount = Math.floor((sectors - first - 2) / perBlock);
  const tree = Math.max(8 * SECTOR, Math.min(512 * 1024, Math.floor(sizeBytes / 128)));
  const blocks = Math.ceil(tree / allocSize);
  return {
    ...{ allocSize, allocCount, allocAt: first * SECTOR, fixed: [] },
    extents: { run: { start: 0, count: blocks }, nodeSize: 512 },
    catalog: { run: { start: blocks, count: blocks }, nodeSize: 512 },
  };
}

const PAGE = 4096;

function plusGeometry({ sizeBytes, blockSize, journalBytes }: MkfsRequest): Geometry {
  const allocSize = blockSize ?? (sizeBytes >= 8 << 20 ? PAGE : 1024);
  if (allocSize < SECTOR || allocSize > 65_536 || (allocSize & (allocSize - 1)) !== 0)
    fail(EINVAL, `blocks of ${allocSize} bytes`);
  const allocCount = Math.floor(sizeBytes / allocSize);
  let next = Math.ceil(1536 / allocSize);
  const take = (bytes: number): Run => {
    const run = { start: next, count: Math.ceil(bytes / allocSize) };
    next += run.count;
    return run;
  };
  const tail = Math.ceil(1024 / allocSize); // the alternate header and the reserved sector
  const fixed = [
    { start: 0, count: next },
    { start: allocCount - tail, count: tail },
  ];
  const large = sizeBytes >= 1 << 30 ? 8192 : PAGE;
  const share = (part: number, least: number): number =>
    Math.ceil(Math.min(8 << 20, Math.max(least, sizeBytes / part)) / 8192) * 8192;
  const bitmap = take(Math.ceil(allocCount / 8));
  const journalParts =
    journalBytes === 0 ? {} : { journalInfo: take(allocSize), journal: take(journalBytes) };
  const geometry = {
    ...{ allocSize, allocCount, allocAt: 0, fixed, bitmap, ...journalParts },
    extents: { run: take(share(512, 8 * PAGE)), nodeSize: PAGE },
    catalog: { run: take(share(128, 16 * PAGE)), nodeSize: large },
    attributes: { run: take(share(256, 8 * 8192)), nodeSize: 8192 },
  };
  if (next + tail + 8 > allocCount) fail(ENOSPC, `${sizeBytes} bytes are too few for a volume`);
  return geometry;
}

/** What the new volume's files take. */
export const runsOf = (geometry: Geometry): Run[] =>
  [
    ...[geometry.bitmap, geometry.journalInfo, geometry.journal],
    ...[geometry.extents.run, geometry.catalog.run, geometry.attributes?.run],
  ].filter((run) => run !== undefined);
