// Moves file data for Tread and Twrite: the file system only tells where it lies (mapRead, mapWrite),
// device and page frames exchange it directly. A write is two transactions: one maps, one - with the
// reply, when the data is on its way - makes it part of the file.

import { EIO, PosixError } from '../../../kernel/abi/errno.ts';
import { sleep, type Task, WaitQueue, wakeAll } from '../../../kernel/ipc/task.ts';
import type { Epoch } from '../cache/block-cache.ts';
import { Joint, type Outcome } from '../cache/joint.ts';
import type { ScratchBlocks } from '../cache/scratch.ts';
import type { StoredReply } from '../cache/table.ts';
import type { Piece } from '../device.ts';
import type { Engine } from '../engine.ts';
import type { BlockTransaction } from '../tx.ts';
import type { Extent, PackedFiles, VolumeFs } from '../volume.ts';
import type { Memory } from './memory.ts';
import { type OddBlock, planTransfer } from './plan.ts';

export interface Transfer {
  readonly ino: number;
  readonly offset: number; // bytes of the file
  readonly count: number;
  readonly memory: Memory;
}

/** A write of a few blocks, and the reply that is kept with it. */
export interface SmallWrite extends Transfer {
  readonly reply: StoredReply;
}

/** Bytes of zeroes that are worth a transfer less. */
const SPARE_MOST = 16 * 1024;

const PARTS_MAX = 100_000; // mappings of one transfer
const UNPACK_TRIES = 1000; // how often a small file may change while it is moved

export class Mover {
  readonly #engine: Engine;
  readonly #fs: VolumeFs;
  readonly #dataWritten = new WaitQueue('data writes');
  /** Data was written since the device was flushed last. */
  unflushed = false;
  /** Free blocks that are being written before they belong to a file: nobody else may take them. */
  readonly reserved = new Set<number>();

  constructor(engine: Engine, fs: VolumeFs) {
    this.#engine = engine;
    this.#fs = fs;
  }

  /** Fills the memory from the file; what lies behind its end reads as zeroes. Returns the bytes read. */
  *read({ ino, offset, count, memory }: Transfer): Task<number> {
    let end = offset + count;
    for (let at = offset, parts = 0; at < end; parts++) {
      const part = yield* this.#mapForRead(ino, at, end);
      end = Math.min(end, part.size);
      if (at >= end || parts === PARTS_MAX) break;
      if (part.packed) {
        memory.put(at - offset, part.packed.subarray(at, end));
        break;
      }
      const to = Math.min(end, endOf(part.extents, at));
      yield* this.#readPart({
        extents: part.extents,
        from: at,
        to,
        memory: tail(memory, at - offset),
      });
      at = to;
    }
    const done = Math.max(0, end - offset);
    if (done < memory.length) memory.zero(done, memory.length - done);
    return done;
  }

  /**
   * Writes the memory to the file; before a write behind the end its caller calls `zeroTail`.
   * `reply` is kept with the last transaction.
   */
  *write(transfer: Transfer, reply: StoredReply | undefined): Task<void> {
    const { ino, offset, count, memory } = transfer;
    const end = offset + count;
    const { packed } = this.#fs;
    if (packed) {
      if (yield* this.#writePacked(packed, transfer, reply)) return;
      yield* this.unpack(ino);
    }
    for (let at = offset, parts = 0; at < end; parts++) {
      if (parts === PARTS_MAX) throw new PosixError(EIO, `inode ${ino}: the mapping makes no way`);
      const rest = tail(memory, at - offset);
      at = yield* this.#writePart({ ino, from: at, to: end, memory: rest });
    }
    yield* this.#engine.run((tx) => this.#fs.written(tx, { ino, offset, length: count }), {
      changes: true,
      outcome: () => reply,
    });
  }

  /**
   * Small writes of different places, none behind the end of its file: mapped together, brought to the disk
   * in as few transfers as their blocks allow, made part of their files together. 'alone': to be written by
   * itself. The caller holds the ranges, and of a file that grows all that lies behind.
   */
  *writeTogether(writes: readonly SmallWrite[]): Task<Outcome<number>[]> {
    const engine = this.#engine;
    const joint = new Joint(engine);
    const mapped = writes.map(({ ino, offset, count }) =>
      joint.run((tx) => this.#mapping(tx, { ino, offset, length: count }), { changes: true }),
    );
    joint.publish();
    const parts = mapped.map((found, i) => this.#oddOf(writes[i], found));
    let failed = false;
    try {
      const odd = parts.flatMap((part) => part ?? []);
      yield* this.#writeOdd(odd.sort((a, b) => a.odd.disk - b.odd.disk));
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      failed = true; // who of them it was shows when each goes by itself
    } finally {
      for (const found of mapped)
        if (found !== 'alone' && 'value' in found) this.#arrived(found.value);
    }
    const last = writes.map(({ ino, offset, count, reply }, i): Outcome<number> => {
      const found = mapped[i] ?? 'alone';
      if (found !== 'alone' && 'error' in found) return found;
      if (failed || parts[i] === undefined) return 'alone';
      const written = (tx: BlockTransaction): number => {
        this.#fs.written(tx, { ino, offset, length: count });
        return count;
      };
      return joint.run(written, { changes: true, outcome: () => reply });
    });
    joint.publish();
    return last;
  }

  /** The blocks of a small write, if all of it was mapped. */
  #oddOf(write: SmallWrite | undefined, found: Outcome<Mapping> | undefined) {
    if (write === undefined || found === undefined || found === 'alone' || 'error' in found) return;
    const { extents, size } = found.value;
    const { blockSize } = this.#fs;
    const from = write.offset;
    const to = from + write.count;
    for (const extent of extents) if (extent.fresh) dropStale(this.#engine, extent, blockSize);
    if (endOf(extents, from) < to) return;
    const memory = write.memory.unreachable();
    const request = { extents, from, to, memory, blockSize, granule: blockSize, overrun: false };
    const { odd, zeroes } = planTransfer(request);
    if (zeroes.length > 0) return undefined;
    const last = extents.at(-1);
    const blocks = last ? [...odd, ...this.#spare(last)] : odd;
    return blocks.map((part) => ({ odd: part, memory, size }));
  }

  /** Zeroes up to where the next file may begin: one transfer for both costs less than one for each. */
  #spare({ block, length, offset, spare = 0 }: Extent): OddBlock[] {
    const { blockSize } = this.#fs;
    if (block === undefined || spare > SPARE_MOST) return [];
    const first = block + length / blockSize;
    return Array.from({ length: spare / blockSize }, (_, i) => {
      this.#engine.cache.drop(first + i);
      const disk = (first + i) * blockSize;
      const fileAt = offset + length + i * blockSize;
      return { disk, from: 0, to: 0, memoryAt: 0, fileAt, fresh: true };
    });
  }

  *#writePacked(
    packed: PackedFiles,
    { ino, offset, count, memory }: Transfer,
    reply: StoredReply | undefined,
  ): Task<boolean> {
    const fits = yield* this.#engine.run((tx) => packed.fits(tx, { ino, size: offset + count }), {
      changes: false,
    });
    if (!fits) return false;
    const bytes = new Uint8Array(count);
    memory.get(0, bytes);
    return yield* this.#engine.run((tx) => packed.write(tx, { ino, offset, bytes }), {
      changes: true,
      outcome: (done) => (done ? reply : 'drop'),
    });
  }

  /** Before a new size: a file that lies in its inode and has no room for it there is moved. */
  *makeRoom(ino: number, size: number): Task<void> {
    const { packed } = this.#fs;
    if (packed === undefined) return;
    const fits = yield* this.#engine.run((tx) => packed.fits(tx, { ino, size }), {
      changes: false,
    });
    if (!fits) yield* this.unpack(ino);
  }

  /**
   * Moves a file out of its inode. Its content is written to a block that is still free, so that the
   * one transaction that changes the file finds it there, and no journal holds a block of data.
   */
  *unpack(ino: number): Task<void> {
    const { packed } = this.#fs;
    if (packed === undefined) return;
    for (let tries = 0; tries < UNPACK_TRIES; tries++) {
      const plan = yield* this.#engine.run(
        (tx) => {
          const content = packed.content(tx, ino)?.slice();
          if (content === undefined) return undefined;
          return { content, block: content.length > 0 ? packed.spare(tx, ino) : 0 };
        },
        { changes: false, outcome: () => 'drop' },
      );
      if (plan === undefined || (yield* this.#move(packed, ino, plan))) return;
    }
    throw new PosixError(EIO, `inode ${ino}: its content does not hold still`);
  }

  *#move(
    packed: PackedFiles,
    ino: number,
    { content, block }: { content: Uint8Array; block: number },
  ): Task<boolean> {
    if (block !== 0) {
      if (this.reserved.has(block)) return false;
      this.reserved.add(block);
    }
    try {
      if (block !== 0) yield* this.#fillBlock(block, content);
      return yield* this.#engine.run((tx) => packed.move(tx, { ino, content, block }), {
        changes: true,
        outcome: (done) => (done ? undefined : 'drop'),
      });
    } finally {
      if (block !== 0) this.reserved.delete(block);
    }
  }

  *#fillBlock(block: number, content: Uint8Array): Task<void> {
    const { blockSize } = this.#fs;
    const { cache, scratch, device } = this.#engine;
    cache.drop(block);
    const held = yield* scratch.take(1);
    try {
      held.bytes.fill(0);
      held.bytes.set(content);
      this.unflushed = true;
      yield* device.write([{ offset: block * blockSize, ref: held.ref(0, 1) }]);
    } finally {
      held.release();
    }
  }

  /** Zeroes what lies behind the end of the file in its last block: the file is going to grow. */
  *zeroTail(ino: number, size: number): Task<void> {
    const { blockSize } = this.#fs;
    const from = size % blockSize;
    if (from === 0) return;
    const range = { ino, offset: size - from, length: blockSize };
    const [extent] = yield* this.#engine.run((tx) => this.#fs.mapRead(tx, range), {
      changes: false,
    });
    if (extent?.block === undefined) return;
    const disk = extent.block * blockSize + (range.offset - extent.offset);
    const scratch = yield* this.#engine.scratch.take(1);
    try {
      const piece = { offset: disk, ref: scratch.ref(0, 1) };
      yield* this.#engine.device.read([piece]);
      if (scratch.bytes.subarray(from).every((byte) => byte === 0)) return;
      scratch.bytes.fill(0, from);
      yield* this.#engine.device.write([piece]);
      this.unflushed = true;
    } finally {
      scratch.release();
    }
  }

  /** Waits until the data of everything mapped in the epoch has been written. */
  *settled(epoch: Epoch): Task<void> {
    while (epoch.dataWrites > 0) yield* sleep(this.#dataWritten);
  }

  *#mapForRead(ino: number, at: number, end: number): Task<MappedForRead> {
    return yield* this.#engine.run(
      (tx) => {
        const size = this.#fs.size(tx, ino);
        const length = Math.min(end, size) - at;
        const packed = length > 0 ? this.#fs.packed?.content(tx, ino)?.slice() : undefined;
        if (packed) return { size: Math.min(size, packed.length), packed, extents: [] };
        const extents = length > 0 ? this.#fs.mapRead(tx, { ino, offset: at, length }) : [];
        return { size, extents };
      },
      { changes: false },
    );
  }

  *#readPart(part: Omit<Part, 'ino'> & { extents: readonly Extent[] }): Task<void> {
    const { extents, from, to, memory } = part;
    const { device, scratch } = this.#engine;
    const plan = planTransfer({
      ...{ extents, from, to, memory },
      blockSize: this.#fs.blockSize,
      granule: device.sectorSize,
      overrun: true,
    });
    for (const { at, length } of plan.zeroes) memory.zero(at, length);
    if (plan.pieces.length > 0) yield* device.read(plan.pieces);
    for (let i = 0; i < plan.odd.length; i += scratch.maxBlocks) {
      const odd = plan.odd.slice(i, i + scratch.maxBlocks);
      const blocks = yield* scratch.take(odd.length);
      try {
        yield* device.read(odd.map((o, k) => ({ offset: o.disk, ref: blocks.ref(k, 1) })));
        odd.forEach((o, k) => {
          memory.put(o.memoryAt, blocks.block(k).subarray(o.from, o.to));
        });
      } finally {
        blocks.release();
      }
    }
  }

  /** Maps and writes as much as one mapping covers; returns how far it got. */
  *#writePart({ ino, from, to, memory }: Part): Task<number> {
    const engine = this.#engine;
    const map = { ino, offset: from, length: to - from };
    const mapping = yield* engine.run((tx) => this.#mapping(tx, map), { changes: true });
    const { extents, size } = mapping;
    if (extents.length === 0) return from; // a step towards the mapping
    try {
      const end = Math.min(to, endOf(extents, from));
      if (end <= from) throw new PosixError(EIO, `inode ${ino}: nothing mapped at ${from}`);
      const { blockSize } = this.#fs;
      for (const extent of extents) if (extent.fresh) dropStale(engine, extent, blockSize);
      const plan = planTransfer({
        ...{ extents, from, to: end, memory, blockSize },
        granule: blockSize,
        overrun: false,
      });
      if (plan.zeroes.length > 0) throw new PosixError(EIO, `inode ${ino}: a hole after mapWrite`);
      this.unflushed = true;
      if (plan.pieces.length > 0) yield* engine.device.write(plan.pieces);
      yield* this.#writeOdd(plan.odd.map((odd) => ({ odd, memory, size })));
      return end;
    } finally {
      this.#arrived(mapping);
    }
  }

  /** The data is on the disk, or never will be: whoever commits waits no longer. */
  #arrived({ epoch, extents }: Mapping): void {
    if (extents.length === 0) return;
    epoch.dataWrites--;
    if (epoch.dataWrites === 0) wakeAll(this.#dataWritten);
  }

  /** Maps the range; the data's epoch waits for it from the moment of the publication on. */
  #mapping(tx: BlockTransaction, map: { ino: number; offset: number; length: number }): Mapping {
    const size = this.#fs.size(tx, map.ino); // it grows when all of the write is done
    const extents = this.#fs.mapWrite(tx, map);
    const { running: epoch } = this.#engine.cache;
    tx.onCommit(() => {
      if (extents.length > 0) epoch.dataWrites++;
    });
    return { epoch, extents, size };
  }

  *#writeOdd(odd: readonly OddWrite[]): Task<void> {
    const { scratch, device } = this.#engine;
    if (odd.length > 0) this.unflushed = true;
    for (let i = 0; i < odd.length; i += scratch.maxBlocks) {
      const some = odd.slice(i, i + scratch.maxBlocks);
      const blocks = yield* scratch.take(some.length);
      try {
        yield* this.#fillOdd(some, blocks);
        some.forEach(({ odd: o, memory }, k) => {
          memory.get(o.memoryAt, blocks.block(k).subarray(o.from, o.to));
        });
        yield* device.write(joined(some, blocks, this.#fs.blockSize));
      } finally {
        blocks.release();
      }
    }
  }

  /** What the write leaves out of a block: zeroes, or what is on the disk and inside the file. */
  *#fillOdd(odd: readonly OddWrite[], blocks: ScratchBlocks): Task<void> {
    const { blockSize } = this.#fs;
    const parts = odd.map(({ odd: o, size }, k) => ({ o, k, old: size - (o.fileAt - o.from) }));
    const reading = parts.filter(
      ({ o, old }) => !o.fresh && old > 0 && (o.from > 0 || o.to < Math.min(old, blockSize)),
    );
    blocks.bytes.fill(0);
    if (reading.length === 0) return;
    yield* this.#engine.device.read(
      reading.map(({ o, k }) => ({ offset: o.disk, ref: blocks.ref(k, 1) })),
    );
    for (const { k, old } of reading) blocks.block(k).fill(0, Math.min(blockSize, old));
  }
}

/** What was mapped for a write, and the epoch that waits for its data. */
interface Mapping {
  readonly epoch: Epoch;
  readonly extents: Extent[];
  readonly size: number; // of the file, before
}

/** A part of a block on its way, and the file's size before. */
interface OddWrite {
  readonly odd: OddBlock;
  readonly memory: Memory;
  readonly size: number;
}

interface MappedForRead {
  readonly size: number;
  readonly extents: Extent[];
  readonly packed?: Uint8Array;
}

interface Part {
  readonly ino: number;
  readonly from: number;
  readonly to: number;
  readonly memory: Memory; // begins at `from`
}

/** Blocks that follow each other on the disk travel together. */
function joined(odd: readonly OddWrite[], blocks: ScratchBlocks, blockSize: number): Piece[] {
  const runs: { disk: number; first: number; count: number }[] = [];
  odd.forEach(({ odd: { disk } }, k) => {
    const last = runs.at(-1);
    if (last && last.disk + last.count * blockSize === disk) last.count++;
    else runs.push({ disk, first: k, count: 1 });
  });
  return runs.map(({ disk, first, count }) => ({ offset: disk, ref: blocks.ref(first, count) }));
}

const tail = (memory: Memory, at: number): Memory => (at === 0 ? memory : memory.from(at));

/** How far the extents go without a gap from `at`. */
function endOf(extents: readonly Extent[], at: number): number {
  let end = at;
  for (const extent of extents) {
    if (extent.offset > end) break;
    end = Math.max(end, extent.offset + extent.length);
  }
  return end;
}

/** Read-ahead of metadata may have cached what now becomes data. */
function dropStale(engine: Engine, extent: Extent, blockSize: number): void {
  const first = extent.block ?? 0;
  const end = first + extent.length / blockSize;
  for (let no = first; no < end; no++) engine.cache.drop(no);
}
