// Where a volume's log is and what it holds: its journal, or our own log on a volume without one.
// TN1150, "Journal", "Journal Info Block".

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import { HEADER_OFFSET, JOURNAL_IN_FS, JOURNAL_NEED_INIT, JournalInfoBlock } from '../ondisk.ts';
import type { Volume } from '../volume/volume.ts';
import type { Sectors } from './bytes.ts';
import { type LogState, readHeader } from './format.ts';
import { findOwnLog } from './own-log.ts';

const SECTOR = 512;

export type FoundLog =
  | { readonly log: LogState; readonly why?: undefined }
  /** None; `why` when the volume cannot be written for want of it. */
  | { readonly log?: undefined; readonly why?: string };

/** Throws EUCLEAN when the journal contradicts itself. */
export function* findLog(sectors: Sectors, volume: Volume): Task<FoundLog> {
  const { journalInfoBlock, allocSize } = volume;
  if (journalInfoBlock === 0) {
    const header = yield* sectors.read(HEADER_OFFSET, SECTOR);
    const { writeCount } = volume.head(new DataView(header.buffer), 0);
    const log = yield* findOwnLog(sectors, volume, writeCount);
    return log === undefined ? {} : { log };
  }
  if (journalInfoBlock >= volume.allocCount) fail(EUCLEAN, 'its journal is nowhere');
  const sector = yield* sectors.read(journalInfoBlock * allocSize, SECTOR);
  const info = new JournalInfoBlock(new DataView(sector.buffer));
  if ((info.flags & JOURNAL_IN_FS) === 0) return { why: 'its journal is on another device' };
  const { offset, size } = info;
  if (offset % SECTOR !== 0 || offset + size > volume.sizeBytes || size < 8192)
    fail(EUCLEAN, `journal at ${offset}, ${size} bytes`);
  const where = { headerAt: offset, bufferAt: offset };
  const fresh = (info.flags & JOURNAL_NEED_INIT) !== 0;
  const log = fresh ? undefined : readHeader(yield* sectors.read(offset, SECTOR), where);
  if (log !== undefined && log.place.size !== size) fail(EUCLEAN, 'journal: two sizes');
  return log === undefined ? { why: 'its journal was never begun' } : { log };
}
