// The log of a volume that has no journal of its own: its header in the volume's last sector, which Apple
// reserves for nobody's use, its lists in allocation blocks that are free and are kept so while the
// volume is mounted. Other systems do not see it. It counts only for the state of the volume that it
// was written for: whoever changes the volume changes its write count.

import { EUCLEAN, PosixError } from '../../../kernel/abi/errno.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import type { Engine } from '../../lib/engine.ts';
import type { Run } from '../fork/fork-data.ts';
import type { Op } from '../op.ts';
import { isUsed } from '../volume/alloc.ts';
import type { Volume } from '../volume/volume.ts';
import { type Sectors, writeSectors } from './bytes.ts';
import {
  checksum,
  type LogPlace,
  type LogState,
  OWN_AT,
  OWN_MAGIC,
  OwnLog,
  readHeader,
  writeHeader,
} from './format.ts';

const SECTOR = 512;
const LIST = 1024;
const LEAST = 16 * 1024; // bytes of a log
const MOST = 1024 * 1024;
/** The log's share of a small volume. */
const SHARE = 32;

const headerAt = ({ sizeBytes }: Volume): number => sizeBytes - SECTOR;

export interface Mark {
  readonly bufferAt: number;
  readonly before: number;
  readonly after: number;
}

/** Puts what is ours behind the journal's header. */
export function markOwn(header: Uint8Array, { bufferAt, before, after }: Mark): void {
  const own = new OwnLog(new DataView(header.buffer, header.byteOffset), OWN_AT);
  own.magic = OWN_MAGIC;
  own.bufferAt = bufferAt;
  own.before = before >>> 0;
  own.after = after >>> 0;
  own.checksum = checksum(header.subarray(0, OWN_AT + 20));
}

/** What the last sector says, if it is a log of ours that belongs to the volume as it is. */
export function* findOwnLog(
  sectors: Sectors,
  volume: Volume,
  writeCount: number,
): Task<LogState | undefined> {
  const sector = yield* sectors.read(headerAt(volume), SECTOR);
  const own = new OwnLog(new DataView(sector.buffer), OWN_AT);
  if (own.magic !== OWN_MAGIC || own.checksum !== checksum(sector.subarray(0, OWN_AT + 20)))
    return undefined;
  if (writeCount !== own.before && writeCount !== own.after) return undefined;
  try {
    const state = readHeader(sector, { headerAt: headerAt(volume), bufferAt: own.bufferAt });
    if (state === undefined || own.bufferAt + state.place.size > volume.sizeBytes) return undefined;
    // An empty log belongs to the state it was left in, and to no other.
    return state.start === state.end && writeCount !== own.after ? undefined : state;
  } catch (error) {
    if (error instanceof PosixError && error.errno === EUCLEAN) return undefined;
    throw error;
  }
}

/** Writes the header of an empty log. */
export function* putOwnLog(engine: Engine, place: LogPlace, writeCount: number): Task<void> {
  const header = writeHeader({ place, start: place.sector, end: place.sector }, 0);
  markOwn(header, { bufferAt: place.bufferAt, before: writeCount, after: writeCount });
  yield* writeSectors(engine, place.headerAt, header);
  yield* engine.device.flush();
}

/** The volume is clean: the last sector is as it was before. */
export function* removeOwnLog(engine: Engine, volume: Volume): Task<void> {
  yield* writeSectors(engine, headerAt(volume), new Uint8Array(SECTOR));
  yield* engine.device.flush();
}

/** Free space for a log: the longest run that is not longer than wanted, the last such one. */
export function chooseRoom(op: Op): Run | undefined {
  const { allocCount, allocSize } = op.vol;
  const share = Math.floor((allocCount * allocSize) / SHARE);
  const wanted = Math.ceil(Math.min(MOST, Math.max(LEAST, share)) / allocSize);
  let best: Run | undefined;
  let count = 0;
  for (let block = allocCount - 1; block >= 0 && (best?.count ?? 0) < wanted; block--) {
    count = isUsed(op, block) ? 0 : count + 1;
    if (count > (best?.count ?? 0)) best = { start: block, count };
  }
  if (best === undefined || best.count * allocSize < LEAST) return undefined;
  // No more than half of what is left.
  return best.count * 2 > op.head.freeBlocks ? undefined : best;
}

export const ownPlace = (vol: Volume, { start, count }: Run): LogPlace => ({
  headerAt: headerAt(vol),
  bufferAt: vol.allocAt + start * vol.allocSize,
  size: count * vol.allocSize,
  ...{ sector: SECTOR, listSize: LIST, little: true },
});
