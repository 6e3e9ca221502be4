// The volume's block cache: which frame of `ram` holds which block. The table in `ram` (table.ts) is
// what lasts; the maps here are rebuilt from it. A changed block always gets a new frame, so the
// committing transaction keeps the old content while the next one goes on.
//
//   FREE ──fetched──▶ CLEAN ◀──checkpointed── LOGGED ◀──in the journal── DIRTY ◀──published── FREE
//
// A block that is forgotten may have frames that older transactions need. They are marked, so that a
// worker that takes over does not believe that they are the block's content.

import { assert } from '../../../kernel/abi/errno.ts';
import { neverRefuses } from '../../../kernel/ipc/fault/gate.ts';
import type { GrantRef } from '../../../kernel/ipc/grant.ts';
import { subgrant } from '../../../kernel/ipc/grant.ts';
import type { Block } from '../transaction.ts';
import { BlockSet } from './block-set.ts';
import {
  type Area,
  type CacheShape,
  CLEAN,
  cacheShape,
  DIRTY,
  FREE,
  type FrameState,
  LOGGED,
  LOGGED_FORGOTTEN,
} from './layout.ts';
import { CacheTable, type Note, type Placement, type StoredReply } from './table.ts';

/** Thrown when every frame is dirty or in use: write back, then run the request again. */
export class NoFrames {}

/** A frame and what it holds. The same object for the life of the cache. */
export class Frame implements Block {
  readonly index: number;
  readonly #memory: FrameMemory;
  #bytes: Uint8Array | undefined;
  #view: DataView | undefined;
  no = -1;
  version = 0;
  tid = 0;
  state: FrameState = FREE;
  /** The newest content of its block: what requests see. */
  current = false;
  /** A request made its block no metadata since: only the transaction that it belongs to needs it. */
  forgotten = false;
  /** Its checksum was looked at since it came from the disk. */
  checked = false;
  referenced = false; // since the clock's hand came by
  /** The run of a request that read it last: it stays while that run goes on. */
  run = 0;

  constructor(index: number, memory: FrameMemory) {
    this.index = index;
    this.#memory = memory;
  }

  /** Made when first used: a cache has thousands of frames, and a worker that takes over is waited for. */
  get bytes(): Uint8Array {
    const { ram, at, size } = this.#memory;
    this.#bytes ??= new Uint8Array(ram, at + this.index * size, size);
    return this.#bytes;
  }

  get view(): DataView {
    const { ram, at, size } = this.#memory;
    this.#view ??= new DataView(ram, at + this.index * size, size);
    return this.#view;
  }
}

/** Where the frames of a cache lie. */
interface FrameMemory {
  readonly ram: SharedArrayBuffer;
  readonly at: number;
  readonly size: number; // bytes of a frame
}

/** A group of requests that reach the disk together or not at all. */
export interface Epoch {
  readonly tid: number;
  /** The newest content of each changed block. */
  readonly blocks: Map<number, Frame>;
  /** Blocks that stopped being metadata. */
  readonly forgotten: Set<number>;
  /** Blocks that were freed: not to be used again before this epoch is on the disk. */
  readonly freed: BlockSet;
  /** Writes of file data under way whose mapping belongs to this epoch: a commit waits for them. */
  dataWrites: number;
}

const newEpoch = (tid: number): Epoch => ({
  tid: tid >>> 0,
  blocks: new Map(),
  forgotten: new Set(),
  freed: new BlockSet(),
  dataWrites: 0,
});

export interface CacheOptions {
  readonly ram: SharedArrayBuffer;
  readonly area: Area;
  readonly blockSize: number;
  /** Four words that tell volumes apart. */
  readonly volume: Int32Array;
  /** Goes on with what a worker before this one left in the area. */
  readonly resume: boolean;
}

/** What a request staged, on its way to publication. */
export interface Staged {
  readonly blocks: ReadonlyMap<number, Frame>;
  readonly forgotten: ReadonlySet<number>;
  readonly replies: readonly StoredReply[];
}

export class BlockCache {
  readonly shape: CacheShape;
  readonly logged = new Map<number, Frame>();
  running: Epoch = newEpoch(1);
  committing: Epoch | undefined;
  /** The number of the current run of a request; frames it read are not evicted. */
  run = 1;
  readonly #area: Area;
  readonly #table: CacheTable;
  readonly #memory: FrameMemory;
  /** Those that were ever used: a worker that takes over has only them to look at. */
  readonly #frames: Frame[] = [];
  readonly #current = new Map<number, Frame>();
  readonly #free: Frame[] = [];
  /** The fault point alloc.cache. */
  refuses = neverRefuses;
  #hand = 0;
  #version = 1;
  #revived: boolean;

  constructor({ ram, area, blockSize, volume, resume }: CacheOptions) {
    this.shape = cacheShape(area.length, blockSize);
    this.#area = area;
    this.#table = new CacheTable(ram, area, this.shape);
    this.#memory = { ram, at: area.address + this.shape.framesAt, size: blockSize };
    if (resume && this.#table.belongsTo(volume)) this.#table.recover();
    else this.#table.format(volume);
    this.#revived = this.#rebuild();
  }

  /** Blocks were found here that a worker before this one published. */
  get revived(): boolean {
    return this.#revived;
  }

  /** What whoever writes back left for the worker after it, with this cache; kept until it is replaced. */
  get note(): Note | undefined {
    return this.#table.note;
  }

  set note(note: Note | undefined) {
    this.#table.note = note;
  }

  /** What was found here is not to be believed: the worker before this one never got as far as serving. */
  reset(volume: Int32Array): void {
    this.#table.format(volume);
    this.#frames.length = 0;
    this.#free.length = 0;
    this.#current.clear();
    this.logged.clear();
    this.running = newEpoch(1);
    this.#revived = false;
  }

  get table(): CacheTable {
    return this.#table;
  }

  get blockSize(): number {
    return this.shape.blockSize;
  }

  /** Frames that hold what the disk does not have at its place. */
  get unwritten(): number {
    return this.running.blocks.size + (this.committing?.blocks.size ?? 0) + this.logged.size;
  }

  /** Where a frame lies, as a part of the volume's grant. */
  refOf(frame: Frame): GrantRef {
    const { framesAt, blockSize } = this.shape;
    return subgrant(this.#area.grant, framesAt + frame.index * blockSize, blockSize);
  }

  find(no: number): Frame | undefined {
    const frame = this.#current.get(no);
    if (frame === undefined) return undefined;
    frame.referenced = true;
    frame.run = this.run;
    return frame;
  }

  has(no: number): boolean {
    return this.#current.has(no);
  }

  /** A frame of its own for the caller: stage it, install it, or release it. Throws NoFrames. */
  allocate(): Frame {
    if (this.refuses(this.blockSize)) throw new NoFrames();
    const frame = this.#free.pop() ?? this.#untouched() ?? this.#evict();
    frame.checked = false;
    frame.version = this.#version++;
    return frame;
  }

  /** What was decoded from the frame while it was staged is void. */
  renew(frame: Frame): void {
    frame.version = this.#version++;
  }

  release(frame: Frame): void {
    frame.state = FREE;
    frame.current = false;
    frame.no = -1;
    this.#free.push(frame);
  }

  /** The frame was filled from the disk with this block. */
  install(no: number, frame: Frame): void {
    assert(!this.#current.has(no), `block ${no} is cached twice`);
    this.#settle(frame, { no, tid: 0, state: CLEAN });
    this.#table.place(this.#placement(frame));
    this.#current.set(no, frame);
  }

  /** The block's content on the disk is no longer what a clean frame holds. */
  drop(no: number): void {
    const frame = this.#current.get(no);
    if (frame === undefined || frame.state !== CLEAN) return;
    this.#current.delete(no);
    this.#discard(frame);
  }

  /** Forgets every clean block: the disk was changed behind the cache. */
  dropClean(): void {
    for (const no of [...this.#current.keys()]) this.drop(no);
  }

  /** Makes all that a request staged visible, in one atomic step, with its reply. */
  publish({ blocks, forgotten, replies }: Staged): void {
    const freed: Frame[] = [];
    const placed: Placement[] = [];
    const { running } = this;
    const stale: number[] = [];
    for (const no of forgotten) {
      this.#supersede(no, freed);
      this.#markOlder(no, { placed, stale });
    }
    for (const [no, frame] of blocks) {
      this.#supersede(no, freed);
      this.renew(frame);
      this.#settle(frame, { no, tid: running.tid, state: DIRTY });
      frame.checked = true;
      placed.push(this.#placement(frame));
    }
    for (const { index } of freed) stale.push(index);
    this.#table.publish({ placed, freed: stale, replies });
    for (const frame of freed) this.release(frame);
    for (const no of forgotten) {
      this.#current.delete(no);
      running.blocks.delete(no);
      running.forgotten.add(no);
    }
    for (const [no, frame] of blocks) {
      this.#current.set(no, frame);
      running.blocks.set(no, frame);
      running.forgotten.delete(no);
    }
  }

  /**
   * Closes the running epoch, to be committed; requests go on in a new one. Blocks from `unwritten` on
   * are behind the volume's end: the cache is their only place, and they are never clean.
   */
  closeEpoch(unwritten = Number.POSITIVE_INFINITY): Epoch {
    assert(this.committing === undefined, 'one commit at a time');
    this.committing = this.running;
    this.running = newEpoch(this.running.tid + 1);
    for (const [no, frame] of this.committing.blocks) {
      if (no < unwritten) continue;
      this.committing.blocks.delete(no);
      this.running.blocks.set(no, frame);
      frame.tid = this.running.tid;
    }
    return this.committing;
  }

  /** Sets the number of the running epoch, with whatever an earlier worker left in it. */
  renumber(tid: number): void {
    const { blocks, forgotten } = this.running;
    this.running = { ...newEpoch(tid), blocks, forgotten };
    for (const frame of blocks.values()) frame.tid = this.running.tid;
  }

  /** The volume is unmounted: nothing here is to be believed any more. */
  close(): void {
    this.#table.invalidate();
  }

  /** The committing epoch is safe in the journal. */
  epochLogged(): void {
    const epoch = this.committing;
    assert(epoch !== undefined, 'nothing is being committed');
    for (const no of epoch.forgotten) this.#unlog(no);
    for (const [no, frame] of epoch.blocks) {
      this.#unlog(no);
      frame.state = LOGGED;
      if (frame.forgotten)
        this.#table.place({ ...this.#placement(frame), state: LOGGED_FORGOTTEN });
      else this.#table.setState(frame.index, LOGGED);
      this.logged.set(no, frame);
    }
    this.committing = undefined;
  }

  /** The committing epoch is at home on the disk. */
  epochWritten(): void {
    const epoch = this.committing;
    assert(epoch !== undefined, 'nothing is being committed');
    for (const frame of epoch.blocks.values()) this.#clean(frame);
    this.committing = undefined;
  }

  /** These logged blocks are at home on the disk. */
  checkpointed(frames: readonly Frame[]): void {
    for (const frame of frames) {
      if (this.logged.get(frame.no) === frame) this.logged.delete(frame.no);
      this.#clean(frame);
    }
  }

  /** Adds published blocks of an epoch that could not be finished to the running one. */
  #rebuild(): boolean {
    const dirty: Frame[] = [];
    const { touched } = this.#table;
    for (let index = 0; index < touched; index++) {
      const frame = new Frame(index, this.#memory);
      this.#frames.push(frame);
      if (this.#table.isFree(index)) this.#free.push(frame);
      else {
        const held = this.#table.read(index);
        this.#version = Math.max(this.#version, held.version + 1);
        this.#settle(frame, held);
        frame.version = held.version;
        if (held.state === LOGGED_FORGOTTEN) {
          this.#adoptForgotten(frame);
          continue;
        }
        if (held.state === LOGGED) this.logged.set(frame.no, frame);
        this.#adopt(frame);
        if (held.state === DIRTY) dirty.push(frame);
      }
    }
    for (const frame of this.#frames) {
      if (!frame.current && (frame.state === CLEAN || frame.state === DIRTY)) this.#discard(frame);
    }
    for (const frame of dirty) {
      if (!frame.current) continue;
      frame.tid = this.running.tid;
      this.running.blocks.set(frame.no, frame);
      this.running.forgotten.delete(frame.no); // and used again since
    }
    return this.unwritten > 0;
  }

  /** Still to be brought home if a checkpoint comes first, and revoked by the next commit. */
  #adoptForgotten(frame: Frame): void {
    frame.state = LOGGED;
    frame.forgotten = true;
    frame.current = false;
    this.logged.set(frame.no, frame);
    this.running.forgotten.add(frame.no);
  }

  /** The frame becomes the current one of its block if it is the newest. */
  #adopt(frame: Frame): void {
    const rival = this.#current.get(frame.no);
    const newest = rival === undefined || rival.version < frame.version;
    frame.current = newest;
    if (!newest) return;
    if (rival) rival.current = false;
    this.#current.set(frame.no, frame);
  }

  /** The block is forgotten: whoever takes over must know it of the frames that older transactions need. */
  #markOlder(no: number, into: { placed: Placement[]; stale: number[] }): void {
    const logged = this.logged.get(no);
    if (logged) into.placed.push({ ...this.#placement(logged), state: LOGGED_FORGOTTEN });
    const committing = this.committing?.blocks.get(no);
    // Who takes over commits one transaction, and in that the block is forgotten.
    if (committing) into.stale.push(committing.index);
    for (const frame of [logged, committing]) if (frame) frame.forgotten = true;
  }

  /** The block's frame is about to be replaced: freed, unless a commit or checkpoint needs it. */
  #supersede(no: number, freed: Frame[]): void {
    const old = this.#current.get(no);
    if (old === undefined) return;
    old.current = false;
    const needed = old.state === LOGGED || (old.state === DIRTY && old.tid !== this.running.tid);
    if (!needed) freed.push(old);
    this.#current.delete(no);
  }

  #unlog(no: number): void {
    const older = this.logged.get(no);
    if (older === undefined) return;
    this.logged.delete(no);
    if (older.current) {
      // Forgotten, yet read again since: what it holds is what the disk will not get.
      this.#current.delete(no);
    }
    this.#discard(older);
  }

  #clean(frame: Frame): void {
    if (!frame.current) {
      this.#discard(frame);
      return;
    }
    frame.state = CLEAN;
    this.#table.setState(frame.index, CLEAN);
  }

  #discard(frame: Frame): void {
    this.#table.setState(frame.index, FREE);
    this.release(frame);
  }

  #settle(frame: Frame, as: Pick<Placement, 'no' | 'tid' | 'state'>): void {
    frame.no = as.no;
    frame.tid = as.tid;
    frame.state = as.state;
    frame.current = true;
    frame.forgotten = false;
    frame.referenced = true;
    frame.run = this.run;
  }

  #placement(frame: Frame): Placement {
    const { index, no, version, tid, state } = frame;
    return { frame: index, no, version, tid, state };
  }

  #untouched(): Frame | undefined {
    const index = this.#frames.length;
    if (index === this.shape.frames) return undefined;
    const frame = new Frame(index, this.#memory);
    this.#frames.push(frame);
    this.#table.touched = index + 1; // before anything is placed there
    return frame;
  }

  /** Takes a clean frame that was not used lately: the clock's hand goes round twice at most. */
  #evict(): Frame {
    for (let i = 0; i < 2 * this.#frames.length; i++) {
      const frame = this.#frames[this.#hand];
      this.#hand = (this.#hand + 1) % this.#frames.length;
      if (frame === undefined || frame.state !== CLEAN || frame.run === this.run) continue;
      if (frame.referenced) frame.referenced = false;
      else {
        this.#current.delete(frame.no);
        frame.state = FREE;
        frame.current = false;
        this.#table.setState(frame.index, FREE);
        return frame;
      }
    }
    throw new NoFrames();
  }
}
