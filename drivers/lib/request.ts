// A request to a block device. Sectors have 512 bytes; the data lies in ranges of physical memory,
// so that the device moves it there by DMA and nobody copies it.

import { EINVAL, PosixError } from '../../kernel/abi/errno.ts';

export const SECTOR_SIZE = 512;

/** A range of `ram`, already checked against the grant that it came from. */
export interface RamRange {
  readonly address: number;
  readonly length: number; // bytes
}

export type BlockOp = 'read' | 'write' | 'flush' | 'trim';

export interface BlockRequest {
  readonly op: BlockOp;
  readonly lba: number;
  readonly count: number; // sectors; 0 for flush
  /** `count` sectors in all; empty for flush and trim. */
  readonly segments: readonly RamRange[];
}

/** What one command of a device can carry. */
export interface RequestLimits {
  readonly maxSectors: number;
  readonly maxSegments: number;
  readonly maxSegmentBytes: number;
  readonly maxTrimSectors: number;
}

export const totalLength = (ranges: readonly RamRange[]): number =>
  ranges.reduce((sum, range) => sum + range.length, 0);

/** The ranges that hold bytes `from` to `from + length` of these ranges. */
export function sliceRanges(ranges: readonly RamRange[], from: number, length: number): RamRange[] {
  const out: RamRange[] = [];
  let skip = from;
  let left = length;
  for (const range of ranges) {
    if (left === 0) break;
    if (skip >= range.length) {
      skip -= range.length;
      continue;
    }
    const take = Math.min(range.length - skip, left);
    out.push({ address: range.address + skip, length: take });
    left -= take;
    skip = 0;
  }
  return out;
}

/** Cuts a request into requests within the limits. Most are one already. */
export function splitRequest(request: BlockRequest, limits: RequestLimits): BlockRequest[] {
  if (request.op === 'flush') return [request];
  if (request.op === 'trim') return splitTrim(request, limits.maxTrimSectors);
  const segments = cutSegments(request.segments, limits.maxSegmentBytes);
  if (request.count <= limits.maxSectors && segments.length <= limits.maxSegments)
    return [{ ...request, segments }];
  const parts: BlockRequest[] = [];
  for (let done = 0; done < request.count; ) {
    const wanted = Math.min(request.count - done, limits.maxSectors);
    const pieces = sliceRanges(segments, done * SECTOR_SIZE, wanted * SECTOR_SIZE);
    const count = wholeSectors(pieces.slice(0, limits.maxSegments));
    const part = sliceRanges(pieces, 0, count * SECTOR_SIZE);
    parts.push({ op: request.op, lba: request.lba + done, count, segments: part });
    done += count;
  }
  return parts;
}

function splitTrim(request: BlockRequest, maxSectors: number): BlockRequest[] {
  const parts: BlockRequest[] = [];
  for (let done = 0; done < request.count; done += maxSectors) {
    const count = Math.min(request.count - done, maxSectors);
    parts.push({ op: 'trim', lba: request.lba + done, count, segments: [] });
  }
  return parts;
}

function cutSegments(segments: readonly RamRange[], maxBytes: number): readonly RamRange[] {
  if (segments.every((segment) => segment.length <= maxBytes)) return segments;
  const out: RamRange[] = [];
  for (const { address, length } of segments)
    for (let done = 0; done < length; done += maxBytes)
      out.push({ address: address + done, length: Math.min(maxBytes, length - done) });
  return out;
}

function wholeSectors(pieces: readonly RamRange[]): number {
  const count = Math.floor(totalLength(pieces) / SECTOR_SIZE);
  if (count === 0) throw new PosixError(EINVAL, `a sector in more than ${pieces.length} pieces`);
  return count;
}
