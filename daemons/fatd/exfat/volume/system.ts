// What the root directory says of the volume itself: where the allocation bitmap and the up-case table lie.
// Read past the block cache when the volume is mounted. exFAT specification 1.00, §7.1, §7.2.

import { EUCLEAN, fail } from '../../../../kernel/abi/errno.ts';
import type { Task } from '../../../../kernel/ipc/task.ts';
import type { Engine } from '../../../lib/engine.ts';
import type { Transaction } from '../../../lib/transaction.ts';
import { type ChainOp, clusterAt, type Run } from '../../file/chain.ts';
import { SLOT } from '../../ondisk.ts';
import type { FreeMap } from '../../volume/free-map.ts';
import { transfer } from '../../write/transfer.ts';
import {
  BitmapEntry,
  BOOT_VOLATILE,
  BootSector,
  CHECKSUM_SECTOR,
  checksum32,
  PERCENT_UNKNOWN,
  TYPE_BITMAP,
  TYPE_END,
  TYPE_UPCASE,
  UpcaseEntry,
  VOLUME_DIRTY,
} from '../ondisk.ts';
import { Bitmap } from './bitmap.ts';
import type { ExFatVolume } from './geometry.ts';
import { decodeUpcase, TABLE_BYTES_MAX, type Upcase } from './upcase.ts';

interface Stream {
  readonly first: number;
  readonly bytes: number;
}

interface System {
  readonly bitmap: Stream;
  readonly upcase: Stream & { readonly sum: number };
}

type ChainOf = (tx: Transaction) => ChainOp;

export interface VolumeParts {
  readonly bitmap: Bitmap;
  readonly upcase: Upcase;
}

/** EUCLEAN: one of them is missing or cannot be right. */
export function* readSystem(engine: Engine, vol: ExFatVolume, chainOf: ChainOf): Task<VolumeParts> {
  const run = <T>(body: (op: ChainOp) => T): Task<T> =>
    engine.run((tx) => body(chainOf(tx)), { changes: false });
  yield* verifyRegion(engine, vol);
  const { bitmap, upcase } = yield* run((op) => findSystem(op, vol));
  const needed = Math.ceil((vol.clusterEnd - 2) / 8);
  if (bitmap.bytes < needed) fail(EUCLEAN, `an allocation bitmap of ${bitmap.bytes} bytes`);
  if (upcase.bytes === 0 || upcase.bytes > TABLE_BYTES_MAX)
    fail(EUCLEAN, `an up-case table of ${upcase.bytes} bytes`);
  const bits = yield* run((op) => runsOf(op, vol, { first: bitmap.first, bytes: needed }));
  const table = new Uint8Array(upcase.bytes);
  for (const { index, cluster, count } of yield* run((op) => runsOf(op, vol, upcase))) {
    const at = index * vol.clusterSize;
    const length = Math.min(count * vol.clusterSize, upcase.bytes - at);
    table.set(
      yield* readBytes(engine, vol.dataStart + (cluster - 2) * vol.clusterSize, length),
      at,
    );
  }
  return { bitmap: new Bitmap(vol, bits), upcase: decodeUpcase(table, upcase.sum) };
}

/** §3.4: nothing of the boot sector is to be believed when the checksum of its region is wrong. */
function* verifyRegion(engine: Engine, { sectorSize }: ExFatVolume): Task<void> {
  const covered = CHECKSUM_SECTOR * sectorSize;
  const region = yield* readBytes(engine, 0, covered + sectorSize);
  const sum = new DataView(region.buffer).getUint32(covered, true);
  if (checksum32(region.subarray(0, covered), BOOT_VOLATILE) !== sum)
    fail(EUCLEAN, 'the boot region does not fit its checksum: fsck.exfat -y takes its backup');
}

/** Root directories are looked into as far as this. */
const SLOTS_MOST = 65_536;

function findSystem(op: ChainOp, vol: ExFatVolume): System {
  let bitmap: Stream | undefined;
  let upcase: System['upcase'] | undefined;
  const each = vol.clusterSize / SLOT;
  for (let slot = 0; slot < SLOTS_MOST && !(bitmap && upcase); slot++) {
    const run = clusterAt(op, vol.rootCluster, Math.floor(slot / each));
    if (run === undefined) break;
    const byte = vol.dataStart + (run.cluster - 2) * vol.clusterSize + (slot % each) * SLOT;
    const { view } = op.tx.read(Math.floor(byte / vol.blockSize));
    const at = byte % vol.blockSize;
    const type = view.getUint8(at);
    if (type === TYPE_END) break;
    const about = new BitmapEntry(view, at);
    const stream = { first: about.FirstCluster, bytes: about.DataLength };
    if (type === TYPE_BITMAP && (about.BitmapFlags & 1) === 0) bitmap = stream;
    if (type === TYPE_UPCASE) upcase = { ...stream, sum: new UpcaseEntry(view, at).TableChecksum };
  }
  if (bitmap === undefined)
    return fail(EUCLEAN, 'the root directory tells of no allocation bitmap');
  if (upcase === undefined) return fail(EUCLEAN, 'the root directory tells of no up-case table');
  return { bitmap, upcase };
}

function runsOf(op: ChainOp, vol: ExFatVolume, { first, bytes }: Stream): Run[] {
  const runs: Run[] = [];
  for (let index = 0; index * vol.clusterSize < bytes; ) {
    const run = clusterAt(op, first, index);
    if (run === undefined) return fail(EUCLEAN, `the chain from cluster ${first} is too short`);
    const last = runs.at(-1);
    if (last && last.cluster + last.count === run.cluster)
      runs[runs.length - 1] = { ...last, count: last.count + run.count };
    else runs.push(run);
    index += run.count;
  }
  return runs;
}

/** Bytes that are read at once. */
const PIECE = 3 * 4096;

function* readBytes(engine: Engine, offset: number, length: number): Task<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += PIECE) {
    const size = Math.min(PIECE, length - at);
    const whole = Math.ceil(size / 512) * 512;
    const piece = yield* transfer(engine, { offset: offset + at, length: whole });
    bytes.set(piece.subarray(0, size), at);
  }
  return bytes;
}

/** Counts what is free. */
export function* countFree(engine: Engine, bitmap: Bitmap, free: FreeMap): Task<void> {
  let cluster = 2;
  for (const { offset, length } of bitmap.pieces()) {
    for (const byte of yield* readBytes(engine, offset, length)) {
      for (let bit = 0; bit < 8 && cluster < bitmap.clusterEnd; bit++, cluster++)
        if (((byte >> bit) & 1) === 0) free.add(cluster, 1);
    }
  }
}

export const wasClean = (tx: Transaction): boolean =>
  (new BootSector(tx.read(0).view).VolumeFlags & VOLUME_DIRTY) === 0;

/** The mark of a mounted volume, and how full it is: the boot sector's checksum leaves both out. */
export function markVolume(
  tx: Transaction,
  { vol, free }: { vol: ExFatVolume; free: FreeMap },
  state: 'clean' | 'dirty',
): void {
  const boot = new BootSector(tx.edit(0).view);
  if (state === 'dirty') boot.VolumeFlags |= VOLUME_DIRTY;
  else boot.VolumeFlags &= ~VOLUME_DIRTY;
  const clusters = vol.clusterEnd - 2;
  boot.PercentInUse =
    state === 'dirty' ? PERCENT_UNKNOWN : Math.floor((100 * (clusters - free.total)) / clusters);
}
