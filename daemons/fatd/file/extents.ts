// Ranges of a file as clusters, and runs of clusters as the extents that daemons/lib asks for.

import type { Extent, MapRequest } from '../../lib/volume.ts';
import { clusterByte, type Op } from '../op.ts';
import type { Run } from './chain.ts';

/** The clusters of a range; at least one. */
export function span({ vol }: Op, { offset, length }: MapRequest): { first: number; end: number } {
  const first = Math.floor(offset / vol.clusterSize);
  return { first, end: Math.max(first + 1, Math.ceil((offset + length) / vol.clusterSize)) };
}

export const hole = ({ vol }: Op, at: number, count: number): Extent => ({
  offset: at * vol.clusterSize,
  length: count * vol.clusterSize,
  block: undefined,
});

export function extentOf({ vol }: Op, { index, cluster, count }: Run): Extent {
  const { clusterSize, blockSize } = vol;
  const block = clusterByte(vol, cluster) / blockSize;
  return { offset: index * clusterSize, length: count * clusterSize, block };
}
