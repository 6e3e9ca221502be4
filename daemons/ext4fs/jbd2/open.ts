// Opening a volume's journal: finds its file, checks its superblock, recovers what it holds, and
// starts it for a volume that is going to be written.

import { EIO, EOPNOTSUPP, EUCLEAN, PosixError } from '../../../kernel/abi/errno.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import type { Mover } from '../../lib/data/mover.ts';
import type { Engine } from '../../lib/engine.ts';
import type { Extent } from '../../lib/volume.ts';
import { type FastEntry, scanFastCommits } from '../fast-commit/scan.ts';
import type { Ext4Fs } from '../fs.ts';
import {
  JBD2_FEATURE_COMPAT_CHECKSUM,
  JBD2_FEATURE_INCOMPAT_64BIT,
  JBD2_FEATURE_INCOMPAT_ASYNC_COMMIT,
  JBD2_FEATURE_INCOMPAT_CSUM_V3,
  JBD2_FEATURE_INCOMPAT_REVOKE,
  JBD2_MAGIC,
  JournalSuperblock,
} from '../ondisk-journal.ts';
import type { Volume } from '../volume/superblock.ts';
import {
  addFeatures,
  type JournalFormat,
  parseJournal,
  type SuperView,
  sealSuper,
  viewOf,
} from './format.ts';
import { Journal, type LogState } from './journal.ts';
import { LogMap, readBlocks, writeBlocks } from './log.ts';
import { LogReader, replayLog, type Scan, scanLog } from './recovery.ts';

/** Mappings of the journal's file that are looked at: it has a handful. */
const MAPPINGS_MAX = 100_000;

export interface JournalFile {
  readonly engine: Engine;
  readonly map: LogMap;
  readonly format: JournalFormat;
  /** Block 0 of the journal, kept in the heap. */
  readonly block: Uint8Array;
  readonly sb: SuperView;
}

export function* openJournalFile(engine: Engine, fs: Ext4Fs, volume: Volume): Task<JournalFile> {
  if (volume.journalIno === 0) {
    throw new PosixError(EOPNOTSUPP, 'its journal is on another device (external journal)');
  }
  const map = new LogMap(yield* mapJournal(engine, fs, volume.journalIno), volume.blockSize);
  if (map.blocks === 0) throw new PosixError(EUCLEAN, 'journal: its file is empty');
  const block = yield* readBlock(engine, map.disk(0));
  const sb = new JournalSuperblock(viewOf(block));
  return { engine, map, block, sb, format: parseJournal(sb, volume.blockSize, map.blocks) };
}

function* mapJournal(engine: Engine, fs: Ext4Fs, ino: number): Task<Extent[]> {
  const size = yield* engine.run((tx) => fs.size(tx, ino), { changes: false });
  const extents: Extent[] = [];
  for (let at = 0; at < size; ) {
    const request = { ino, offset: at, length: size - at };
    const some = yield* engine.run((tx) => fs.mapRead(tx, request), { changes: false });
    const last = some.at(-1);
    if (last === undefined || extents.length > MAPPINGS_MAX) {
      throw new PosixError(EUCLEAN, `journal: inode ${ino} is not mapped at ${at}`);
    }
    extents.push(...some);
    at = last.offset + last.length;
  }
  return extents;
}

function* readBlock(engine: Engine, no: number): Task<Uint8Array> {
  const scratch = yield* engine.scratch.take(1);
  try {
    const { device, cache } = engine;
    yield* readBlocks({ device, scratch, blockSize: cache.blockSize, at: [no] });
    return scratch.bytes.slice();
  } finally {
    scratch.release();
  }
}

export interface Recovered {
  readonly replayed: number;
  readonly sequence: number;
  readonly fast: readonly FastEntry[];
}

/**
 * Reads the log and puts what it holds home, or lets reads find it where it lies, or makes it void
 * (the volume was unmounted cleanly), or leaves it alone.
 * Tells how many transactions there were, and the number that the next one is to have. That one must be
 * all that fast commits say: with it they are void.
 */
export function* recoverJournal(
  file: JournalFile,
  put: 'home' | 'redirect' | 'wipe' | 'nowhere',
): Task<Recovered> {
  const scan = yield* scanLog(file.format, file.sb, new LogReader(file, file.sb.s_start));
  const pending = file.sb.s_start !== 0 && (put === 'home' || put === 'redirect');
  const fast = pending ? yield* scanFastCommits(scan.expected, fastArea(file)) : [];
  if (put === 'home' && scan.replay.size > 0) yield* replayLog(file, scan);
  // Fast commits count as long as the log ends where they say: then it is not made void here.
  if ((put === 'home' && fast.length === 0) || put === 'wipe') {
    yield* writeSuper(file, 0, scan.nextSequence);
    yield* file.engine.device.flush();
  }
  if (put === 'redirect') redirect(file, scan);
  const sequence = fast.length > 0 ? scan.expected : scan.nextSequence;
  return { replayed: scan.transactions, sequence, fast };
}

const fastArea = (file: JournalFile) => ({
  blocks: file.format.fast.blocks,
  read: (n: number) => readBlock(file.engine, file.map.disk(file.format.fast.first + n)),
});

/** The volume is not to be written: blocks in the log are read from there. */
function redirect({ engine, map }: JournalFile, scan: Scan): void {
  for (const [no, { logBlock, escaped }] of scan.replay) {
    const firstWord = escaped ? JBD2_MAGIC : undefined;
    engine.fetcher.redirects.set(no, { block: map.disk(logBlock), firstWord });
  }
}

export interface StartOptions {
  readonly mover: Mover;
  readonly wide: boolean; // the volume has the 64bit feature
  readonly checksums: boolean; // and metadata_csum
  readonly onFailure: (error: PosixError) => void;
}

/** Starts the journal with an empty log and the features that the volume asks for. */
export function* startJournal(
  file: JournalFile,
  options: StartOptions & { readonly sequence: number },
): Task<Journal> {
  const format = upgrade(file, options);
  const { sequence } = options;
  yield* writeSuper({ ...file, format }, format.first, sequence);
  yield* file.engine.device.flush();
  const state = { head: format.first, used: 0, sequence, writing: false };
  return newJournal({ ...file, format }, { ...options, state });
}

/** Goes on with the log of a worker that died: what it committed is there, the rest in the cache. */
export function resumeJournal(
  file: JournalFile,
  options: StartOptions & { readonly state: LogState },
): Journal {
  const { format } = file;
  const { head, used } = options.state;
  if (head < format.first || head >= format.end || used > format.end - format.first) {
    throw new PosixError(EUCLEAN, `journal: its log cannot stand at ${head} with ${used} blocks`);
  }
  return newJournal(file, options);
}

function newJournal(
  file: JournalFile,
  { mover, onFailure, state }: StartOptions & { readonly state: LogState },
): Journal {
  const { engine, format, map } = file;
  return new Journal({
    ...{ engine, format, map, mover, state, onFailure },
    writeSuper: (start, sequence) => writeSuper(file, start, sequence),
  });
}

function upgrade({ sb, format }: JournalFile, { wide, checksums }: StartOptions): JournalFormat {
  let wanted = JBD2_FEATURE_INCOMPAT_REVOKE;
  if (wide) wanted |= JBD2_FEATURE_INCOMPAT_64BIT;
  if (checksums && format.csum === 0 && format.version === 2) {
    wanted |= JBD2_FEATURE_INCOMPAT_CSUM_V3;
    sb.s_feature_compat &= ~JBD2_FEATURE_COMPAT_CHECKSUM; // the older way, which excludes it
    sb.s_feature_incompat &= ~JBD2_FEATURE_INCOMPAT_ASYNC_COMMIT;
  }
  return addFeatures(sb, format, wanted);
}

function* writeSuper(file: JournalFile, start: number, sequence: number): Task<void> {
  const { engine, sb, format, block, map } = file;
  if (engine.device.readOnly) throw new PosixError(EIO, 'journal: the device is read-only');
  sb.s_start = start;
  sb.s_sequence = sequence;
  sb.s_errno = 0;
  sealSuper(sb, format);
  const scratch = yield* engine.scratch.take(1);
  try {
    scratch.bytes.set(block);
    const { device } = engine;
    yield* writeBlocks({ device, scratch, blockSize: format.blockSize, at: [map.disk(0)] });
  } finally {
    scratch.release();
  }
}
