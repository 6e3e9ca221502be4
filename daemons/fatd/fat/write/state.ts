// The table as a whole, past the block cache: counting what is free when a volume is mounted, bringing
// the copies in line after a power cut, and the marks that say whether it was unmounted.

import type { Task } from '../../../../kernel/ipc/task.ts';
import type { Engine } from '../../../lib/engine.ts';
import type { Transaction } from '../../../lib/transaction.ts';
import type { FreeMap } from '../../volume/free-map.ts';
import { transfer } from '../../write/transfer.ts';
import { BootSector, FSI_LEAD, FSI_STRUC, FsInfo, STATE_DIRTY } from '../ondisk.ts';
import { FREE, widen } from '../volume/fat.ts';
import type { FatVolume } from '../volume/geometry.ts';

/** Bytes of the table that are read at once; a whole number of entries of each kind. */
const PIECE = 3 * 4096;

/** Counts free clusters into `free`. `mend`: the copies of the table are made equal; returns how many pieces were not. */
export function* readTable(
  engine: Engine,
  volume: FatVolume,
  { free, copies }: { free: FreeMap; copies: 'mend' | 'leave' },
): Task<number> {
  let mended = 0;
  let cluster = 0;
  const { fatStart, fatSize, mirrors, bits } = volume;
  const used = Math.min(fatSize, Math.ceil((volume.clusterEnd * bits) / 8 / 512) * 512);
  for (let at = 0; at < used; at += PIECE) {
    const length = Math.min(PIECE, used - at);
    const bytes = yield* transfer(engine, { offset: fatStart + at, length });
    cluster = countFree(volume, bytes, { cluster, free });
    if (copies === 'leave') continue;
    for (const mirror of mirrors) {
      const copy = yield* transfer(engine, { offset: mirror + at, length });
      if (copy.every((byte, i) => byte === bytes[i])) continue;
      yield* transfer(engine, { offset: mirror + at, length, bytes });
      mended++;
    }
  }
  if (mended > 0) yield* engine.device.flush();
  return mended;
}

function countFree(
  { bits, clusterEnd }: FatVolume,
  bytes: Uint8Array,
  { cluster, free }: { cluster: number; free: FreeMap },
): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = Math.floor((bytes.length * 8) / bits);
  for (let i = 0; i < count && cluster + i < clusterEnd; i++) {
    if (cluster + i >= 2 && entryIn(view, bits, i) === FREE) free.add(cluster + i, 1);
  }
  return cluster + count;
}

function entryIn(view: DataView, bits: number, i: number): number {
  if (bits === 32) return view.getUint32(i * 4, true) & 0x0fff_ffff;
  if (bits === 16) return view.getUint16(i * 2, true);
  const pair = view.getUint16(Math.floor((i * 3) / 2), true);
  return widen(12, i % 2 === 0 ? pair & 0xfff : pair >> 4);
}

/** FAT16 and FAT32 have a bit for it in the second number of the table, all have one in the boot sector. */
const CLEAN_16 = 0x8000;
const CLEAN_32 = 0x0800_0000;

export function wasClean(tx: Transaction, vol: FatVolume): boolean {
  const boot = new BootSector(tx.read(0).view);
  const state = vol.bits === 32 ? boot.BS32_Reserved1 : boot.BS_Reserved1;
  const { view } = tx.read(vol.fatStart / vol.blockSize);
  const marked =
    vol.bits === 12 ||
    (vol.bits === 16
      ? (view.getUint16(2, true) & CLEAN_16) !== 0
      : (view.getUint32(4, true) & CLEAN_32) !== 0);
  return marked && (state & STATE_DIRTY) === 0;
}

export function markClean(tx: Transaction, vol: FatVolume, state: 'clean' | 'dirty'): void {
  const boot = new BootSector(tx.edit(0).view);
  const field = vol.bits === 32 ? 'BS32_Reserved1' : 'BS_Reserved1';
  const clean = state === 'clean';
  boot[field] = clean ? boot[field] & ~STATE_DIRTY : boot[field] | STATE_DIRTY;
  const { view } = tx.edit(vol.fatStart / vol.blockSize);
  const set = (value: number, bit: number): number => (clean ? value | bit : value & ~bit) >>> 0;
  if (vol.bits === 16) view.setUint16(2, set(view.getUint16(2, true), CLEAN_16), true);
  else if (vol.bits === 32) view.setUint32(4, set(view.getUint32(4, true), CLEAN_32), true);
}

const UNKNOWN = 0xffff_ffff;

/** FSInfo holds the count of free clusters of a volume that was unmounted, else that it is not known. */
export function noteFree(tx: Transaction, vol: FatVolume, free: FreeMap | undefined): void {
  if (vol.fsInfo === undefined) return;
  const no = Math.floor(vol.fsInfo / vol.blockSize);
  const at = vol.fsInfo % vol.blockSize;
  const there = new FsInfo(tx.read(no).view, at);
  if (there.FSI_LeadSig !== FSI_LEAD || there.FSI_StrucSig !== FSI_STRUC) return;
  const info = new FsInfo(tx.edit(no).view, at);
  info.FSI_Free_Count = free?.total ?? UNKNOWN;
  if (free !== undefined) info.FSI_Nxt_Free = free.next < vol.clusterEnd ? free.next : 2;
}
