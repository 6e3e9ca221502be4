// Writes one transaction to the log: revocations, descriptors with their blocks, and at last the
// commit block. Blocks are copied to scratch, so the log is written in long transfers.
// Linux Documentation/filesystems/ext4/journal.rst.

import { EIO, PosixError } from '../../../kernel/abi/errno.ts';
import type { Timespec } from '../../../kernel/abi/stat.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import type { Epoch, Frame } from '../../lib/cache/block-cache.ts';
import type { ScratchBlocks } from '../../lib/cache/scratch.ts';
import type { Engine } from '../../lib/engine.ts';
import {
  JBD2_DESCRIPTOR_BLOCK,
  JBD2_FLAG_ESCAPE,
  JBD2_MAGIC,
  JBD2_REVOKE_BLOCK,
  JournalRevokeHeader,
} from '../ondisk-journal.ts';
import {
  blockSum,
  bodyEnd,
  type JournalFormat,
  putCommit,
  putHeader,
  putTags,
  revokeSize,
  sealTail,
  type Tag,
  tagsPerBlock,
  viewOf,
} from './format.ts';
import { type LogMap, writeBlocks } from './log.ts';

export interface LogTarget {
  readonly engine: Engine;
  readonly format: JournalFormat;
  readonly map: LogMap;
}

const revokesPerBlock = (format: JournalFormat): number =>
  Math.floor((bodyEnd(format) - JournalRevokeHeader.size) / revokeSize(format));

/** Log blocks that a transaction takes, its commit block included. */
export function logBlocksFor(format: JournalFormat, blocks: number, revoked: number): number {
  const descriptors = Math.ceil(blocks / tagsPerBlock(format));
  return blocks + descriptors + Math.ceil(revoked / revokesPerBlock(format)) + 1;
}

/** One transaction on its way to the log, from `head` on. */
export class LogWriter {
  readonly #target: LogTarget;
  readonly #sequence: number;
  #scratch: ScratchBlocks | undefined;
  #pending: number[] = []; // volume blocks, one for each scratch block filled
  /** The log block behind the last one written. */
  head: number;

  constructor(target: LogTarget, sequence: number, head: number) {
    this.#target = target;
    this.#sequence = sequence;
    this.head = head;
  }

  /** Writes all but the commit block. */
  *body(epoch: Epoch, revoked: readonly number[]): Task<void> {
    const { format } = this.#target;
    try {
      const perRevoke = revokesPerBlock(format);
      for (let i = 0; i < revoked.length; i += perRevoke) {
        yield* this.#revoke(revoked.slice(i, i + perRevoke));
      }
      const frames = [...epoch.blocks.values()];
      const perDescriptor = tagsPerBlock(format);
      for (let i = 0; i < frames.length; i += perDescriptor) {
        yield* this.#describe(frames.slice(i, i + perDescriptor));
      }
      yield* this.#send();
    } finally {
      this.#scratch?.release();
      this.#scratch = undefined;
    }
  }

  /** Writes the commit block: with it, once flushed, the transaction has happened. */
  *commit(now: Timespec): Task<void> {
    try {
      const block = yield* this.#next();
      putCommit(block, this.#target.format, { sequence: this.#sequence, ...now });
      yield* this.#send();
    } finally {
      this.#scratch?.release();
      this.#scratch = undefined;
    }
  }

  *#revoke(blocks: readonly number[]): Task<void> {
    const { format } = this.#target;
    const block = yield* this.#next();
    putHeader(block, JBD2_REVOKE_BLOCK, this.#sequence);
    const view = viewOf(block);
    const size = revokeSize(format);
    blocks.forEach((no, i) => {
      const at = JournalRevokeHeader.size + i * size;
      if (format.wide) view.setUint32(at, Math.floor(no / 0x1_0000_0000));
      view.setUint32(at + size - 4, no >>> 0);
    });
    new JournalRevokeHeader(view).r_count = JournalRevokeHeader.size + blocks.length * size;
    sealTail(block, format);
  }

  *#describe(frames: readonly Frame[]): Task<void> {
    const { format } = this.#target;
    const tags: Tag[] = frames.map((frame) => {
      const escaped = frame.view.getUint32(0) === JBD2_MAGIC;
      return {
        no: frame.no,
        flags: escaped ? JBD2_FLAG_ESCAPE : 0,
        checksum: this.#sum(frame, escaped),
      };
    });
    const descriptor = yield* this.#next();
    putHeader(descriptor, JBD2_DESCRIPTOR_BLOCK, this.#sequence);
    putTags(descriptor, format, tags);
    sealTail(descriptor, format);
    for (const frame of frames) {
      const block = yield* this.#next();
      block.set(frame.bytes);
      if (frame.view.getUint32(0) === JBD2_MAGIC) block.fill(0, 0, 4);
    }
  }

  #sum(frame: Frame, escaped: boolean): number {
    if (!escaped) return blockSum(this.#target.format, this.#sequence, frame.bytes);
    const copy = frame.bytes.slice();
    copy.fill(0, 0, 4);
    return blockSum(this.#target.format, this.#sequence, copy);
  }

  /** Scratch for the next log block. */
  *#next(): Task<Uint8Array> {
    const { engine, format, map } = this.#target;
    if (this.#scratch && this.#pending.length === this.#scratch.count) yield* this.#send();
    this.#scratch ??= yield* engine.scratch.take(engine.scratch.maxBlocks);
    const block = this.#scratch.block(this.#pending.length);
    this.#pending.push(map.disk(this.head));
    this.head = this.head + 1 === format.end ? format.first : this.head + 1;
    return block;
  }

  *#send(): Task<void> {
    const { engine, format } = this.#target;
    if (this.#pending.length === 0) return;
    if (this.#scratch === undefined) throw new PosixError(EIO, 'journal: no scratch to write from');
    const at = this.#pending;
    this.#pending = [];
    const { device } = engine;
    yield* writeBlocks({ device, scratch: this.#scratch, blockSize: format.blockSize, at });
  }
}
