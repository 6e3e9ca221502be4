// The beginning of a check: a superblock that can be believed (the first, or a copy), the journal's
// transactions put home, descriptors that point where they should. super.rst, journal.rst, group_descr.rst.

import { EROFS, EUCLEAN, fail, PosixError } from '../../../kernel/abi/errno.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import { type Medium, MediumTransaction } from '../../lib/medium.ts';
import { type RunOp, replayFastCommits } from '../fast-commit/replay.ts';
import { type FastEntry, scanFastCommits } from '../fast-commit/scan.ts';
import { parseJournal, type SuperView, sealSuper, viewOf } from '../jbd2/format.ts';
import { type LogBlocks, scanLog } from '../jbd2/recovery.ts';
import {
  EXT4_SUPER_MAGIC,
  GroupDesc32,
  SUPERBLOCK_OFFSET,
  SUPERBLOCK_SIZE,
  Superblock,
  type SuperblockView,
} from '../ondisk.ts';
import { JBD2_MAGIC, JournalSuperblock } from '../ondisk-journal.ts';
import { Op } from '../op.ts';
import { groupChecksum } from '../volume/checksum.ts';
import { INCOMPAT, RO_COMPAT } from '../volume/features.ts';
import { baseMetaBlocks, descriptorBlock, firstBlockOf, Group, hasSuper } from '../volume/group.ts';
import { has, openVolume, superblockChecksum, type Volume } from '../volume/superblock.ts';
import { readMap } from './map.ts';
import { type Homeless, Report, State, type World } from './state.ts';

export interface Opened {
  readonly state: State;
  /** Transactions of the journal that were put home. */
  readonly replayed: number;
}

/** `repair` brings the journal's blocks home on the medium at once, `look` in memory alone. */
export function open(medium: Medium, world: World, mode: 'look' | 'repair'): Opened {
  const report = new Report();
  const bytes = believable(medium, report);
  const probe = openState(medium, { bytes, world, report: new Report() });
  const replayed = attempt(probe, report, mode);
  if (replayed === undefined) {
    const state = openState(medium, { bytes, world, report });
    return { state, replayed: 0 };
  }
  // What the journal held may be the superblock and the descriptors themselves.
  const home = mode === 'repair' ? medium : new Overlay(medium, probe.tx, probe.vol.blockSize);
  const after = believable(home, report);
  const state = openState(home, { bytes: after, world, report });
  return { state, replayed };
}

/** The superblock in the overlay, to be changed. */
export function superblock(state: State): SuperblockView {
  const { blockSize } = state.vol;
  const { view } = state.tx.edit(Math.floor(SUPERBLOCK_OFFSET / blockSize));
  return new Superblock(view, SUPERBLOCK_OFFSET % blockSize);
}

export function sealSuperblock(state: State): void {
  if (!has.metadataCsum(state.vol)) return;
  const sb = superblock(state);
  const bytes = new Uint8Array(sb.view.buffer, sb.view.byteOffset + sb.at, SUPERBLOCK_SIZE);
  sb.s_checksum = superblockChecksum(bytes);
}

/** Fields of the superblock that are sound one by one, and cannot be so together. */
export function checkFields(state: State): void {
  const { vol } = state;
  const sb = superblock(state);
  if (vol.reservedBlocks > vol.blocksCount) {
    state.bad(`superblock: ${vol.reservedBlocks} blocks reserved of ${vol.blocksCount}`);
    sb.s_r_blocks_count_lo = 0;
    sb.s_r_blocks_count_hi = 0;
  }
  if (sb.s_clusters_per_group !== sb.s_blocks_per_group) {
    state.bad(`superblock: ${sb.s_clusters_per_group} clusters a group`);
    sb.s_clusters_per_group = sb.s_blocks_per_group;
  }
  if (sb.s_log_cluster_size !== sb.s_log_block_size) {
    state.bad(`superblock: clusters of 2^${sb.s_log_cluster_size} KiB`);
    sb.s_log_cluster_size = sb.s_log_block_size;
  }
  sealSuperblock(state);
}

/** The first superblock, or the copy of group 1 where the first one is damaged. */
function believable(medium: Medium, report: Report): Uint8Array {
  const first =
    medium.sizeBytes >= SUPERBLOCK_OFFSET + SUPERBLOCK_SIZE
      ? medium.read(SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE)
      : fail(EUCLEAN, 'too small for a superblock');
  try {
    openVolume(first, medium.sizeBytes);
    return first;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    const counted = withInodes(first, medium);
    if (counted !== undefined) {
      report.tell(error.message);
      return counted;
    }
    const copy = copyOf(medium);
    if (copy === undefined) throw error;
    report.tell(`superblock: ${error.message}; its copy is used`);
    return copy;
  }
}

/** How many inodes there are follows from the groups; nothing else may be wrong. */
function withInodes(first: Uint8Array, medium: Medium): Uint8Array | undefined {
  const bytes = first.slice();
  const sb = new Superblock(viewOf(bytes));
  const sums = (sb.s_feature_ro_compat & RO_COMPAT.metadata_csum) !== 0;
  if (sums && sb.s_checksum !== superblockChecksum(bytes)) return undefined;
  const blocks = sb.s_blocks_count_lo - sb.s_first_data_block;
  sb.s_inodes_count = Math.ceil(blocks / sb.s_blocks_per_group) * sb.s_inodes_per_group;
  if (sums) sb.s_checksum = superblockChecksum(bytes);
  return isSound(bytes, medium) ? bytes : undefined;
}

function isSound(bytes: Uint8Array, medium: Medium): boolean {
  try {
    openVolume(bytes, medium.sizeBytes);
    return true;
  } catch (error) {
    if (error instanceof PosixError) return false;
    throw error;
  }
}

function copyOf(medium: Medium): Uint8Array | undefined {
  for (let blockSize = 1024; blockSize <= 65_536; blockSize *= 2) {
    const group = blockSize * 8 * blockSize + (blockSize === 1024 ? 1024 : 0);
    if (group + SUPERBLOCK_SIZE > medium.sizeBytes) return undefined;
    const bytes = medium.read(group, SUPERBLOCK_SIZE).slice();
    const sb = new Superblock(viewOf(bytes));
    if (sb.s_magic !== EXT4_SUPER_MAGIC || 1024 * 2 ** sb.s_log_block_size !== blockSize) continue;
    sb.s_block_group_nr = 0;
    if ((sb.s_feature_ro_compat & RO_COMPAT.metadata_csum) !== 0)
      sb.s_checksum = superblockChecksum(bytes);
    if (isSound(bytes, medium)) return bytes;
  }
  return undefined;
}

function openState(
  medium: Medium,
  { bytes, world, report }: { bytes: Uint8Array; world: World; report: Report },
): State {
  const vol = openVolume(bytes, medium.sizeBytes);
  if (vol.clusterRatio > 1) fail(EUCLEAN, 'bigalloc volumes are not checked here');
  const now = { sec: world.nowSec, nsec: 0 };
  const { blockSize } = vol;
  const tx = new MediumTransaction({ medium, blockSize, now, random: world.random });
  // The copy of a superblock takes the place of the first one.
  const home = tx.edit(Math.floor(SUPERBLOCK_OFFSET / blockSize));
  home.bytes.set(bytes, SUPERBLOCK_OFFSET % blockSize);
  const groups: Group[] = [];
  const homeless: Homeless[] = [];
  for (let index = 0; index < vol.groupCount; index++) {
    homeless.push(...checkDescriptor({ vol, tx, report }, index));
    groups.push(new Group(tx, vol, index));
  }
  return new State({ medium, world, vol, tx, report, groups, homeless });
}

interface Place {
  readonly vol: Volume;
  readonly tx: MediumTransaction;
  readonly report: Report;
}

/**
 * What a descriptor says of places must be on the volume; a copy of the table may know better. Gives
 * back which bitmaps have no place: what they hold is found out anyway.
 */
function checkDescriptor({ vol, tx, report }: Place, index: number): Homeless[] {
  const no = descriptorBlock(vol, index);
  const at = (index % (vol.blockSize / vol.descSize)) * vol.descSize;
  const block = tx.edit(no); // from here on nobody checks its checksums again
  const raw = block.bytes.subarray(at, at + vol.descSize);
  const sums = has.metadataCsum(vol) || has.gdtCsum(vol);
  const wrong =
    sums && new GroupDesc32(block.view, at).bg_checksum !== groupChecksum(vol, index, raw);
  const astray = lostPlaces(vol, tx, index);
  if (wrong) report.tell(`group ${index}: its descriptor has a wrong checksum`);
  if (astray.length === 0) return [];
  report.tell(`group ${index}: its ${astray.join(' and ')} cannot be where it says`);
  const copy = copyOfDescriptors(vol, no);
  if (copy !== undefined) {
    const before = raw.slice();
    raw.set(tx.read(copy).bytes.subarray(at, at + vol.descSize));
    if (lostPlaces(vol, tx, index).length === 0) return [];
    raw.set(before);
  }
  if (astray.includes('table'))
    fail(EUCLEAN, `group ${index}: where its inodes are is lost, and in the copy, too`);
  return (['block', 'inode'] as const)
    .filter((kind) => astray.includes(kind))
    .map((kind) => ({ group: index, kind }));
}

/** The same block of the table in group 1, which has a copy unless features say otherwise. */
function copyOfDescriptors(vol: Volume, no: number): number | undefined {
  if (has.metaBg(vol) || vol.groupCount < 2 || !hasSuper(vol, 1)) return undefined;
  return firstBlockOf(vol, 1) + (no - firstBlockOf(vol, 0));
}

type Part = 'block' | 'inode' | 'table';

/** Parts of the group that lie outside the volume, or in each other. */
function lostPlaces(vol: Volume, tx: MediumTransaction, index: number): Part[] {
  const group = new Group(tx, vol, index);
  const tableBlocks = Math.ceil((vol.inodesPerGroup * vol.inodeSize) / vol.blockSize);
  const place = (get: () => number, count: number): number => {
    try {
      const block = get();
      return block + count <= vol.blocksCount ? block : 0;
    } catch (error) {
      if (error instanceof PosixError) return 0;
      throw error;
    }
  };
  const table = place(() => group.inodeTable, tableBlocks);
  const blocks = place(() => group.blockBitmap, 1);
  const inodes = place(() => group.inodeBitmap, 1);
  const head = firstBlockOf(vol, index) + baseMetaBlocks(vol, index);
  const bad = (block: number): boolean =>
    block === 0 ||
    (block >= table && block < table + tableBlocks) ||
    (block >= firstBlockOf(vol, index) && block < head);
  const lost: Part[] = [];
  if (bad(blocks)) lost.push('block');
  if (bad(inodes) || inodes === blocks) lost.push('inode');
  if (table === 0 || (table >= firstBlockOf(vol, index) && table < head)) lost.push('table');
  return lost;
}

/** A journal that makes no sense is given up with what it holds; checkJournal makes it anew. */
function attempt(state: State, report: Report, mode: 'look' | 'repair'): number | undefined {
  try {
    return replay(state, report, mode);
  } catch (error) {
    if (!(error instanceof PosixError) || error.errno !== EUCLEAN) throw error;
    report.tell(`${error.message}; what it held is lost`);
    const sb = superblock(state);
    sb.s_feature_incompat &= ~INCOMPAT.needs_recovery;
    sealSuperblock(state);
    if (mode === 'repair') state.tx.commit();
    return 0;
  }
}

/** Puts the journal home in the overlay; undefined when there was nothing to do. */
function replay(state: State, report: Report, mode: 'look' | 'repair'): number | undefined {
  const sb = superblock(state);
  if ((sb.s_feature_incompat & INCOMPAT.needs_recovery) === 0) return undefined;
  const { vol, tx } = state;
  const map = readMap(state, vol.journalIno);
  const blocks: number[] = [];
  for (const { lblock, block, count } of map.runs)
    for (let i = 0; i < count; i++) blocks[lblock + i] = block + i;
  const first = blocks[0] ?? fail(EUCLEAN, 'journal: its file is empty');
  const journal = new JournalSuperblock(tx.edit(first).view);
  const format = parseJournal(journal, vol.blockSize, blocks.length);
  const log = new SyncLog(state, {
    blocks,
    first: format.first,
    end: format.end,
    start: journal.s_start,
  });
  const scan = finish(scanLog(format, journal, log));
  const fast =
    journal.s_start === 0
      ? []
      : finish(
          scanFastCommits(scan.expected, {
            blocks: format.fast.blocks,
            *read(n) {
              return tx.read(blocks[format.fast.first + n] ?? first).bytes;
            },
          }),
        );
  for (const [no, { logBlock, escaped }] of scan.replay) {
    if (no >= vol.blocksCount) {
      report.tell(`journal: it holds block ${no}, which is not on the volume`);
      continue;
    }
    const content = tx.read(blocks[logBlock] ?? 0).bytes.slice();
    const home = tx.create(no);
    home.bytes.set(content);
    if (escaped) home.view.setUint32(0, JBD2_MAGIC);
  }
  const settle = (): void => {
    if (mode === 'look') return;
    tx.commit();
    state.medium.flush();
  };
  replayFast(state, fast, report);
  settle(); // all is at home before the journal forgets it
  empty(state, { journal, first, sequence: scan.nextSequence, format });
  settle();
  report.tell(`journal: ${scan.transactions} transactions put home`, 'slight');
  return scan.transactions;
}

/** What was made durable behind the last transaction. */
function replayFast(state: State, fast: readonly FastEntry[], report: Report): void {
  if (fast.length === 0) return;
  const nobody = { isOpen: () => false, unfinished: () => {} };
  const run: RunOp = function* (body) {
    const op = new Op(state.tx, state.vol, nobody);
    const result = body(op);
    op.finish();
    return result;
  };
  finish(replayFastCommits(fast, run, (line) => report.tell(line)));
  report.tell(`journal: ${fast.length} entries of fast commits replayed`, 'slight');
}

function empty(
  state: State,
  how: {
    journal: SuperView;
    first: number;
    sequence: number;
    format: Parameters<typeof sealSuper>[1];
  },
): void {
  const journal = new JournalSuperblock(state.tx.edit(how.first).view);
  journal.s_start = 0;
  journal.s_sequence = how.sequence;
  sealSuper(journal, how.format);
  // The superblock may just have come home.
  const sb = superblock(state);
  sb.s_feature_incompat &= ~INCOMPAT.needs_recovery;
  sealSuperblock(state);
}

/** The log as recovery reads it, without waiting. */
class SyncLog implements LogBlocks {
  readonly #state: State;
  readonly #log: { blocks: readonly number[]; first: number; end: number };
  #at: number;
  #left: number;

  constructor(
    state: State,
    log: { blocks: readonly number[]; first: number; end: number; start: number },
  ) {
    this.#state = state;
    this.#log = log;
    this.#at = log.start;
    this.#left = log.end - log.first;
  }

  get position(): number {
    return this.#at;
  }

  get exhausted(): boolean {
    return this.#left <= 0;
  }

  *next(): Task<Uint8Array> {
    const { blocks, first, end } = this.#log;
    const no = blocks[this.#at] ?? fail(EUCLEAN, `journal: no block ${this.#at}`);
    this.#left--;
    this.#at = this.#at + 1 === end ? first : this.#at + 1;
    return this.#state.tx.read(no).bytes;
  }
}

function finish<T>(task: Task<T>): T {
  const step = task.next();
  return step.done ? step.value : fail(EUCLEAN, 'a check never waits');
}

/** A medium whose changed blocks are those of a transaction. */
class Overlay implements Medium {
  readonly sizeBytes: number;
  readonly #tx: MediumTransaction;
  readonly #blockSize: number;

  constructor({ sizeBytes }: Medium, tx: MediumTransaction, blockSize: number) {
    this.sizeBytes = sizeBytes;
    this.#tx = tx;
    this.#blockSize = blockSize;
  }

  read(offset: number, length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const no = Math.floor((offset + done) / this.#blockSize);
      const from = (offset + done) % this.#blockSize;
      const whole = this.#tx.read(no).bytes;
      const some = whole.subarray(from, from + length - done);
      out.set(some, done);
      done += some.length;
    }
    return out;
  }

  write(): never {
    return fail(EROFS, 'it is only looked at');
  }

  flush(): void {
    // Nothing is ever written.
  }
}
