// The file allocation table of exFAT: 32 bits for each cluster. It only links: which clusters are free
// the bitmap tells. exFAT specification 1.00, §4.1.

import { EUCLEAN, fail } from '../../../../kernel/abi/errno.ts';
import type { Transaction } from '../../../lib/transaction.ts';
import type { ExFatVolume } from './geometry.ts';

/** The end of a chain. */
export const END = 0xffff_ffff;

export const isCluster = (vol: Pick<ExFatVolume, 'clusterEnd'>, no: number): boolean =>
  no >= 2 && no < vol.clusterEnd;

/** What follows in a chain: a cluster, or undefined at its end. EUCLEAN for what cannot follow. */
export function nextCluster(
  tx: Transaction,
  vol: ExFatVolume,
  cluster: number,
): number | undefined {
  const { block, at } = placeOf(vol, cluster);
  const next = tx.read(block).view.getUint32(at, true);
  if (next === END) return undefined;
  if (!isCluster(vol, next)) fail(EUCLEAN, `cluster ${cluster} is followed by ${next}`);
  return next;
}

/** `next`: a cluster or END. */
export function setNext(tx: Transaction, vol: ExFatVolume, cluster: number, next: number): void {
  const { block, at } = placeOf(vol, cluster);
  tx.edit(block).view.setUint32(at, next, true);
}

/** Clusters in a row become a chain that goes on to `next`. */
export function linkRow(
  tx: Transaction,
  vol: ExFatVolume,
  { first, count, next }: { first: number; count: number; next: number },
): void {
  for (let i = 0; i < count; i++) setNext(tx, vol, first + i, i + 1 < count ? first + i + 1 : next);
}

/** Where a cluster's number lies. */
function placeOf(vol: ExFatVolume, cluster: number): { block: number; at: number } {
  const byte = vol.fatStart + cluster * 4;
  return { block: Math.floor(byte / vol.blockSize), at: byte % vol.blockSize };
}

/** Numbers that lie in one block of the table. */
export const linksPerBlock = ({ blockSize }: ExFatVolume): number => blockSize / 4;
