// Recovery of a journal: reads the log, finds the transactions that are whole, and tells which logged
// blocks are to be put home - the last content of each, unless a later transaction revoked it.
// Linux Documentation/filesystems/ext4/journal.rst.

import type { Task } from '../../../kernel/ipc/task.ts';
import type { Engine } from '../../lib/engine.ts';
import {
  JBD2_COMMIT_BLOCK,
  JBD2_DESCRIPTOR_BLOCK,
  JBD2_FLAG_DELETED,
  JBD2_FLAG_ESCAPE,
  JBD2_MAGIC,
  JBD2_REVOKE_BLOCK,
  JournalHeader,
  JournalRevokeHeader,
} from '../ondisk-journal.ts';
import {
  blockSum,
  bodyEnd,
  commitHolds,
  type JournalFormat,
  readTags,
  revokeSize,
  type SuperView,
  type Tag,
  tailHolds,
  viewOf,
} from './format.ts';
import { type LogMap, readBlocks, writeBlocks } from './log.ts';

/** Where the content of a block lies in the log. */
export interface Logged {
  readonly logBlock: number; // in the journal
  readonly escaped: boolean;
  readonly sequence: number;
}

export interface Scan {
  /** The last content of each block that is to be put home. */
  readonly replay: ReadonlyMap<number, Logged>;
  readonly transactions: number;
  /** The number that the next transaction is to have: one that no block of the log can have. */
  readonly nextSequence: number;
  /** The one that would have followed the last whole one: of it there may be fast commits. */
  readonly expected: number;
}

export interface Log {
  readonly engine: Engine;
  readonly format: JournalFormat;
  readonly map: LogMap;
}

/** What the blocks of one transaction say, until its commit block is found. */
interface Open {
  readonly blocks: Map<number, Logged>;
  readonly revoked: Set<number>;
}

/** The blocks of a log in their order, each read once; they end after one time round. */
export interface LogBlocks {
  /** The journal block that `next` gives. */
  readonly position: number;
  readonly exhausted: boolean;
  next(): Task<Uint8Array>;
}

/** Reads the whole log. A transaction that is torn, and what follows it, never happened. */
export function* scanLog(format: JournalFormat, sb: SuperView, reader: LogBlocks): Task<Scan> {
  const replay = new Map<number, Logged>();
  let sequence = sb.s_sequence;
  let transactions = 0;
  if (sb.s_start === 0) return { replay, transactions, nextSequence: sequence, expected: sequence };
  for (;;) {
    const open = yield* readTransaction(format, reader, sequence);
    if (open === undefined) {
      const nextSequence = (sequence + 1) >>> 0;
      return { replay, transactions, nextSequence, expected: sequence };
    }
    // A revocation reaches back, and over its own transaction; what is logged later counts again.
    for (const [no, logged] of open.blocks) replay.set(no, logged);
    for (const no of open.revoked) replay.delete(no);
    sequence = (sequence + 1) >>> 0;
    transactions++;
  }
}

/** The next transaction, or undefined when there is no whole one. */
function* readTransaction(
  format: JournalFormat,
  reader: LogBlocks,
  sequence: number,
): Task<Open | undefined> {
  const open: Open = { blocks: new Map(), revoked: new Set() };
  while (!reader.exhausted) {
    const block = yield* reader.next();
    const header = new JournalHeader(viewOf(block));
    if (header.h_magic !== JBD2_MAGIC || header.h_sequence !== sequence) return undefined;
    switch (header.h_blocktype) {
      case JBD2_DESCRIPTOR_BLOCK: {
        if (!tailHolds(block, format)) return undefined;
        const whole = yield* readLogged(reader, format, {
          open,
          sequence,
          tags: readTags(block, format),
        });
        if (!whole) return undefined;
        break;
      }
      case JBD2_REVOKE_BLOCK:
        if (!tailHolds(block, format)) return undefined;
        readRevoked(block, format, open.revoked);
        break;
      case JBD2_COMMIT_BLOCK:
        return commitHolds(block, format) ? open : undefined;
      default:
        return undefined;
    }
  }
  return undefined;
}

/** Notes the blocks behind a descriptor; false when one of them is not what its tag says. */
function* readLogged(
  reader: LogBlocks,
  format: JournalFormat,
  { open, sequence, tags }: { open: Open; sequence: number; tags: readonly Tag[] },
): Task<boolean> {
  for (const { no, flags, checksum } of tags) {
    if (reader.exhausted) return false;
    const logBlock = reader.position;
    const block = yield* reader.next();
    if (blockSum(format, sequence, block) !== checksum && format.csum !== 0) return false;
    if ((flags & JBD2_FLAG_DELETED) !== 0) continue;
    open.blocks.set(no, { logBlock, escaped: (flags & JBD2_FLAG_ESCAPE) !== 0, sequence });
  }
  return true;
}

function readRevoked(block: Uint8Array, format: JournalFormat, revoked: Set<number>): void {
  const view = viewOf(block);
  const size = revokeSize(format);
  const end = Math.min(new JournalRevokeHeader(view).r_count, bodyEnd(format));
  for (let at = JournalRevokeHeader.size; at + size <= end; at += size) {
    const high = format.wide ? view.getUint32(at) : 0;
    revoked.add(high * 0x1_0000_0000 + view.getUint32(at + size - 4));
  }
}

/** Puts the blocks home and waits until they are on the medium. */
export function* replayLog(log: Log, scan: Scan): Task<void> {
  const { engine, map, format } = log;
  const { device, scratch } = engine;
  const homes = [...scan.replay.keys()].sort((a, b) => a - b);
  for (let i = 0; i < homes.length; i += scratch.maxBlocks) {
    const some = homes.slice(i, i + scratch.maxBlocks);
    const held = yield* scratch.take(some.length);
    try {
      const logged = some.map((no) => scan.replay.get(no) as Logged);
      const transfer = { device, scratch: held, blockSize: format.blockSize };
      yield* readBlocks({ ...transfer, at: logged.map(({ logBlock }) => map.disk(logBlock)) });
      logged.forEach(({ escaped }, k) => {
        if (escaped) viewOf(held.block(k)).setUint32(0, JBD2_MAGIC);
      });
      yield* writeBlocks({ ...transfer, at: some });
    } finally {
      held.release();
    }
  }
  yield* device.flush();
}

/** Reads the log block after block, many in one transfer. */
export class LogReader implements LogBlocks {
  readonly #log: Log;
  readonly #window: Uint8Array;
  #at: number;
  #left: number;
  #windowFirst = -1;
  #windowCount = 0;

  constructor(log: Log, start: number) {
    this.#log = log;
    this.#at = start;
    this.#left = log.format.end - log.format.first;
    this.#window = new Uint8Array(log.engine.scratch.maxBlocks * log.format.blockSize);
  }

  get position(): number {
    return this.#at;
  }

  get exhausted(): boolean {
    return this.#left <= 0;
  }

  *next(): Task<Uint8Array> {
    const { first, end, blockSize } = this.#log.format;
    const inWindow =
      this.#at >= this.#windowFirst && this.#at < this.#windowFirst + this.#windowCount;
    if (!inWindow) yield* this.#fill();
    const at = (this.#at - this.#windowFirst) * blockSize;
    this.#left--;
    this.#at = this.#at + 1 === end ? first : this.#at + 1;
    return this.#window.subarray(at, at + blockSize);
  }

  *#fill(): Task<void> {
    const { engine, format, map } = this.#log;
    const count = Math.min(engine.scratch.maxBlocks, format.end - this.#at);
    const scratch = yield* engine.scratch.take(count);
    try {
      const at = Array.from({ length: count }, (_, i) => map.disk(this.#at + i));
      const { device } = engine;
      yield* readBlocks({ device, scratch, blockSize: format.blockSize, at });
      this.#window.set(scratch.bytes);
    } finally {
      scratch.release();
    }
    this.#windowFirst = this.#at;
    this.#windowCount = count;
  }
}
