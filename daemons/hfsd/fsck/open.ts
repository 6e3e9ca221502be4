// A volume opened for a check: by its header, or by the alternate one where that is damaged.
// TN1150, "Volume Header"; Inside Macintosh: Files, "Master Directory Blocks".

import { EUCLEAN, fail, PosixError } from '../../../kernel/abi/errno.ts';
import type { Medium } from '../../lib/medium.ts';
import { readFork } from '../fork/fork-data.ts';
import {
  ALLOCATION_ID,
  ALTERNATE_FROM_END,
  ATTRIBUTES_ID,
  BINARY_COMPARE,
  CATALOG_ID,
  EXTENTS_ID,
  HEADER_OFFSET,
  HFSX_SIGNATURE,
  NodeDescriptor,
  TreeHeader,
  VolumeHeader,
} from '../ondisk.ts';
import type { Head } from '../volume/head.ts';
import { openVolume, type Volume, withBinaryNames } from '../volume/volume.ts';
import type { Report } from './report.ts';
import { viewOf } from './tree.ts';

const SECTOR = 512;
const SPECIALS = [EXTENTS_ID, CATALOG_ID, ALLOCATION_ID, ATTRIBUTES_ID] as const;
const PROBE = 4096;

export interface Opened {
  readonly volume: Volume;
  /** A copy of the sector that the volume was opened by. */
  readonly header: Uint8Array;
  readonly head: Head;
}

/** Throws EUCLEAN when neither header is of any use, EMEDIUMTYPE when there is none. */
export function openForCheck(medium: Medium, report: Report): Opened {
  const main = medium.read(HEADER_OFFSET, SECTOR);
  const alternate = medium.read(medium.sizeBytes - ALTERNATE_FROM_END, SECTOR);
  const first = attempt(medium, main);
  const second = attempt(medium, alternate);
  if (first instanceof PosixError && second instanceof PosixError) throw first;
  if (first instanceof PosixError) {
    report.bad(`header: ${first.message}; the alternate one is used`);
    return second instanceof PosixError ? fail(EUCLEAN, second.message) : second;
  }
  if (second instanceof PosixError) report.bad(`alternate header: ${second.message}`);
  else if (!alike(first, second)) report.bad('alternate header: not of the same volume');
  else if (!hasTrees(first) && hasTrees(second)) {
    report.bad('header: the trees are not where it says; the alternate one is used');
    return second;
  }
  return first;
}

function attempt(medium: Medium, header: Uint8Array): Opened | PosixError {
  const probe = new Uint8Array(PROBE);
  probe.set(header, HEADER_OFFSET);
  try {
    const opened = openVolume(probe, medium.sizeBytes);
    const volume = comparesBinary(medium, opened, header) ? withBinaryNames(opened) : opened;
    const head = volume.head(viewOf(header), 0);
    for (const id of SPECIALS) head.special(id); // throws at sizes that are none
    if (volume.kind === 'hfs+') readFork(new VolumeHeader(viewOf(header)).startupFile);
    return { volume, header, head };
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return error;
  }
}

/** HFSX: the catalog's header node says how names compare. */
function comparesBinary(medium: Medium, { allocSize, head }: Volume, header: Uint8Array): boolean {
  if (viewOf(header).getUint16(0) !== HFSX_SIGNATURE) return false;
  const [run] = head(viewOf(header), 0).special(CATALOG_ID).extents;
  const at = (run?.start ?? 0) * allocSize;
  if (at === 0 || at + SECTOR > medium.sizeBytes) return false;
  const node = viewOf(medium.read(at, SECTOR));
  return new TreeHeader(node, NodeDescriptor.size).keyCompareType === BINARY_COMPARE;
}

function alike(a: Opened, b: Opened): boolean {
  const [x, y] = [a.volume, b.volume];
  return x.kind === y.kind && x.allocSize === y.allocSize && x.allocCount === y.allocCount;
}

/** Do its special files lie where they may, in as many blocks as they are said to have? */
function hasTrees({ volume, head }: Opened): boolean {
  const most = volume.kind === 'hfs' ? CLASSIC_EXTENTS : PLUS_EXTENTS;
  return SPECIALS.every((id) => {
    const { extents, blocks } = head.special(id);
    if (blocks === 0) return id !== EXTENTS_ID && id !== CATALOG_ID;
    const inside = extents.every(({ start, count }) => start + count <= volume.allocCount);
    const held = extents.reduce((sum, { count }) => sum + count, 0);
    const goesOn = extents.length === most && held < blocks; // in the extents file
    return inside && held > 0 && (held === blocks || goesOn);
  });
}

/** Runs of a fork that its own record has room for. */
const CLASSIC_EXTENTS = 3;
const PLUS_EXTENTS = 8;
