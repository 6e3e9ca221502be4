// The file allocation table: one number for each cluster, of 12, 16 or 28 bits. fatgen103, "FAT Data
// Structure". Requests change the first copy; write-back brings the others along (careful.ts).

import { EIO, EUCLEAN, fail } from '../../../../kernel/abi/errno.ts';
import type { Transaction } from '../../../lib/transaction.ts';
import type { FreeSource } from '../../volume/free-map.ts';
import type { DirEntryView } from '../ondisk.ts';
import type { FatBits, FatVolume } from './geometry.ts';

export const FREE = 0;
/** The end of a chain, as all three kinds show it here. */
export const END = 0x0fff_ffff;
const BAD = 0x0fff_fff7;

/** Does the number name a cluster with data? */
export const isCluster = (vol: FatVolume, no: number): boolean => no >= 2 && no < vol.clusterEnd;

/** Where the file of an entry begins. FAT12 and FAT16 have no upper half: others keep things of theirs there. */
export const startIn = (
  bits: FatBits,
  { DIR_FstClusHI, DIR_FstClusLO }: Pick<DirEntryView, 'DIR_FstClusHI' | 'DIR_FstClusLO'>,
): number => (bits === 32 ? DIR_FstClusHI * 0x1_0000 : 0) + DIR_FstClusLO;

/** A cluster's number in the table: FREE, END, or the next cluster of its chain. */
export function fatEntry(tx: Transaction, vol: FatVolume, cluster: number): number {
  return widen(vol.bits, readRaw(tx, vol, cluster));
}

/** What follows in a chain: a cluster, or undefined at its end. EUCLEAN for what cannot follow. */
export function nextCluster(tx: Transaction, vol: FatVolume, cluster: number): number | undefined {
  const next = fatEntry(tx, vol, cluster);
  if (next === END) return undefined;
  if (!isCluster(vol, next)) fail(EUCLEAN, `cluster ${cluster} is followed by ${next}`);
  return next;
}

/** `value`: FREE, END or a cluster. The upper four bits of FAT32 are kept. */
export function setFatEntry(tx: Transaction, vol: FatVolume, cluster: number, value: number): void {
  const { block, at } = placeOf(vol, cluster);
  if (vol.bits === 12) {
    set12({ tx, block, at, cluster, value: value & 0xfff });
    return;
  }
  const { view } = tx.edit(block);
  if (vol.bits === 16) view.setUint16(at, value & 0xffff, true);
  else {
    const kept = view.getUint32(at, true) & 0xf000_0000;
    view.setUint32(at, (kept | (value & 0x0fff_ffff)) >>> 0, true);
  }
}

/** What is free, as the table tells it. */
export const freeOf = (vol: FatVolume): FreeSource => ({
  clusterEnd: vol.clusterEnd,
  // One number in 341 of a FAT12 lies across two sectors, and could be torn: it stays free.
  usable: (cluster) => vol.bits !== 12 || Math.floor(cluster * 1.5) % 512 !== 511,
  isFree: (tx, cluster) => fatEntry(tx, vol, cluster) === FREE,
  blocks(from, end) {
    const first = placeOf(vol, from).block;
    const last = Math.floor((vol.fatStart + Math.ceil((end * vol.bits) / 8) - 1) / vol.blockSize);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  },
  ...(vol.bits !== 12 && { freeFrom: (tx, cluster, most) => freeFrom(tx, vol, cluster, most) }),
});

/** Clusters from `cluster` on whose number is FREE, one behind the other: at most `most`. Of 16 or 32 bits. */
function freeFrom(tx: Transaction, vol: FatVolume, cluster: number, most: number): number {
  const end = Math.min(cluster + most, vol.clusterEnd);
  let next = cluster;
  const size = vol.bits / 8;
  while (next < end) {
    const { block, at } = placeOf(vol, next);
    const { view } = tx.read(block);
    const stop = Math.min(view.byteLength, at + (end - next) * size);
    let from = at;
    if (size === 2) while (from < stop && view.getUint16(from, true) === FREE) from += 2;
    else while (from < stop && (view.getUint32(from, true) & 0x0fff_ffff) === FREE) from += 4;
    next += (from - at) / size;
    if (from < stop) break;
  }
  return next - cluster;
}

/** Makes clusters in a row a chain, with an end. */
export function linkRun(tx: Transaction, vol: FatVolume, start: number, count: number): void {
  const last = start + count - 1;
  if (vol.bits === 32) {
    for (let cluster = start; cluster < last; ) {
      const { block, at } = placeOf(vol, cluster);
      const { view } = tx.edit(block);
      for (let to = at; to < view.byteLength && cluster < last; to += 4) {
        cluster++;
        view.setUint32(to, ((view.getUint32(to, true) & 0xf000_0000) | cluster) >>> 0, true);
      }
    }
  } else
    for (let cluster = start; cluster < last; cluster++) setFatEntry(tx, vol, cluster, cluster + 1);
  setFatEntry(tx, vol, last, END);
}

/** The block of the table that holds a cluster's number (its first byte), and where in it. */
function placeOf(vol: FatVolume, cluster: number): { block: number; at: number } {
  const byte = vol.fatStart + Math.floor((cluster * vol.bits) / 8);
  return { block: Math.floor(byte / vol.blockSize), at: byte % vol.blockSize };
}

/** Numbers that name no cluster: a bad one, and eight that end a chain. 0xff0 and its like may be clusters. */
const MARKS = 9;

/** 12 and 16 bits hold the same marks in fewer digits. */
export function widen(bits: FatBits, raw: number): number {
  const top = bits === 32 ? 0 : 0x0fff_ffff - (2 ** bits - 1);
  const value = raw >= 2 ** Math.min(bits, 28) - MARKS ? raw + top : raw;
  return value > BAD ? END : value;
}

function readRaw(tx: Transaction, vol: FatVolume, cluster: number): number {
  if (cluster >= vol.clusterEnd) fail(EIO, `cluster ${cluster} is beyond the volume`);
  const { block, at } = placeOf(vol, cluster);
  const { view } = tx.read(block);
  if (vol.bits === 32) return view.getUint32(at, true) & 0x0fff_ffff;
  if (vol.bits === 16) return view.getUint16(at, true);
  const high =
    at + 1 < view.byteLength ? view.getUint8(at + 1) : tx.read(block + 1).view.getUint8(0);
  const pair = view.getUint8(at) | (high << 8);
  return cluster % 2 === 0 ? pair & 0xfff : pair >> 4;
}

interface Set12 {
  tx: Transaction;
  block: number;
  at: number;
  cluster: number;
  value: number;
}

/** Three bytes hold two numbers; one of 341 lies across two sectors. */
function set12({ tx, block, at, cluster, value }: Set12): void {
  const { view } = tx.edit(block);
  const across = at + 1 >= view.byteLength;
  const second = across ? { view: tx.edit(block + 1).view, at: 0 } : { view, at: at + 1 };
  if (cluster % 2 === 0) {
    view.setUint8(at, value & 0xff);
    second.view.setUint8(second.at, (second.view.getUint8(second.at) & 0xf0) | (value >> 8));
  } else {
    view.setUint8(at, (view.getUint8(at) & 0x0f) | ((value & 0xf) << 4));
    second.view.setUint8(second.at, value >> 4);
  }
}
