// The shared half of the block cache: the table of frames, the record that publishes a request, and
// the stored replies. layout.ts draws the area and tells why a termination at any store is harmless.

import { assert } from '../../../kernel/abi/errno.ts';
import {
  type Area,
  CACHE_MAGIC,
  CACHE_VERSION,
  type CacheShape,
  E_BLOCK_HI,
  E_BLOCK_LO,
  E_STATE,
  E_TID,
  E_VERSION,
  ENTRY_WORDS,
  FREE,
  type FrameState,
  H_APPLIED,
  H_BLOCK_SIZE,
  H_FRAMES,
  H_MAGIC,
  H_NOTE,
  H_PUBLISHED,
  H_TOUCHED,
  H_VERSION,
  H_VOLUME,
  NOTE_WORDS,
  RECORD_ENTRIES,
  RECORD_HEAD_WORDS,
  RECORD_REPLIES,
  RECORD_WORDS,
  REPLY_SLOT,
  REPLY_SLOTS,
} from './layout.ts';

/** What a frame is to hold. */
export interface Placement {
  readonly frame: number; // index
  readonly no: number;
  readonly version: number;
  readonly tid: number;
  readonly state: FrameState;
}

/** The outcome of a request that changed something, for a client that asks again. */
export interface StoredReply {
  readonly tag: number;
  readonly bytes: Uint8Array;
}

/** What whoever writes back leaves for the worker after this one: numbers of 32 bits. */
export type Note = readonly [number, number, number, number];

/** All that is changed at once, by one request or by several. */
export interface Change {
  readonly placed: readonly Placement[];
  readonly freed: readonly number[]; // frames
  /** At most RECORD_REPLIES; those that are too long are not kept. */
  readonly replies: readonly StoredReply[];
}

// Words of the record's head, and of an entry.
const R_COUNT = 0;
const R_REPLIES = 1;
const [P_STATE, P_FRAME, P_LO, P_HI, P_TID, P_VERSION] = [0, 1, 2, 3, 4, 6];

// Words of a reply slot, in the record and in its place; the message follows.
const [S_VALID, S_TAG, S_LENGTH, S_HEAD] = [0, 1, 2, 16];
/** The longest reply that is kept; no request that changes anything has a longer one. */
const REPLY_MAX = REPLY_SLOT - S_HEAD;

const noteAt = (which: number): number => H_NOTE + 1 + (which - 1) * NOTE_WORDS;

export class CacheTable {
  readonly #header: Int32Array;
  readonly #table: Int32Array;
  readonly #versions: Float64Array;
  readonly #record: Int32Array;
  readonly #recordVersions: Float64Array;
  readonly #recordReplies: Int32Array;
  readonly #recordReplyBytes: Uint8Array;
  readonly #replies: Int32Array;
  readonly #replyBytes: Uint8Array;
  readonly #shape: CacheShape;

  constructor(ram: SharedArrayBuffer, area: Area, shape: CacheShape) {
    const { address } = area;
    const recordWords = RECORD_HEAD_WORDS + RECORD_ENTRIES * shape.recordMax * RECORD_WORDS;
    assert(address % 64 === 0, 'the area of a block cache is not aligned');
    this.#shape = shape;
    this.#header = new Int32Array(ram, address, 64);
    this.#table = new Int32Array(ram, address + shape.tableAt, shape.frames * ENTRY_WORDS);
    this.#versions = new Float64Array(ram, address + shape.tableAt, this.#table.length / 2);
    this.#record = new Int32Array(ram, address + shape.recordAt, recordWords);
    this.#recordVersions = new Float64Array(ram, address + shape.recordAt, recordWords / 2);
    const repliesAt = address + shape.recordAt + recordWords * 4;
    const repliesSize = RECORD_REPLIES * REPLY_SLOT;
    this.#recordReplies = new Int32Array(ram, repliesAt, repliesSize / 4);
    this.#recordReplyBytes = new Uint8Array(ram, repliesAt, repliesSize);
    this.#replies = new Int32Array(ram, address + shape.repliesAt, REPLY_SLOTS * (REPLY_SLOT / 4));
    this.#replyBytes = new Uint8Array(ram, address + shape.repliesAt, REPLY_SLOTS * REPLY_SLOT);
  }

  /** Is this the cache of that volume, left by a worker before this one? */
  belongsTo(volume: Int32Array): boolean {
    const h = this.#header;
    const sameShape =
      h[H_VERSION] === CACHE_VERSION &&
      h[H_BLOCK_SIZE] === this.#shape.blockSize &&
      h[H_FRAMES] === this.#shape.frames;
    const sameVolume = volume.every((word, i) => h[H_VOLUME + i] === word);
    return Atomics.load(h, H_MAGIC) === CACHE_MAGIC && sameShape && sameVolume;
  }

  /** Makes the area an empty cache of that volume. */
  format(volume: Int32Array): void {
    const h = this.#header;
    Atomics.store(h, H_MAGIC, 0);
    h.fill(0);
    this.#table.fill(0);
    this.#replies.fill(0);
    h.set([CACHE_VERSION, this.#shape.blockSize, this.#shape.frames], H_VERSION);
    h.set(volume.subarray(0, 4), H_VOLUME);
    Atomics.store(h, H_MAGIC, CACHE_MAGIC);
  }

  /** Makes the area nobody's cache. */
  invalidate(): void {
    Atomics.store(this.#header, H_MAGIC, 0);
  }

  /** Frames that may hold something: those below this number. */
  get touched(): number {
    return Math.min(Atomics.load(this.#header, H_TOUCHED), this.#shape.frames);
  }

  set touched(count: number) {
    Atomics.store(this.#header, H_TOUCHED, count);
  }

  /** The last note that was left here. */
  get note(): Note | undefined {
    const h = this.#header;
    const which = Atomics.load(h, H_NOTE);
    if (which !== 1 && which !== 2) return undefined;
    const word = (i: number): number => (h[noteAt(which) + i] ?? 0) >>> 0;
    return [word(0), word(1), word(2), word(3)];
  }

  /** One atomic store puts it in the place of the one before. */
  set note(note: Note | undefined) {
    const h = this.#header;
    const which = Atomics.load(h, H_NOTE) === 1 ? 2 : 1;
    if (note) h.set(note, noteAt(which));
    Atomics.store(h, H_NOTE, note ? which : 0);
  }

  isFree(frame: number): boolean {
    return this.#table[frame * ENTRY_WORDS + E_STATE] === FREE;
  }

  /** What a frame holds, as the last worker left it. */
  read(frame: number): Placement {
    const at = frame * ENTRY_WORDS;
    const word = (index: number): number => this.#table[at + index] ?? 0;
    const [lo, hi, state, tid] = [word(E_BLOCK_LO), word(E_BLOCK_HI), word(E_STATE), word(E_TID)];
    return {
      frame,
      no: (hi >>> 0) * 0x1_0000_0000 + (lo >>> 0),
      version: this.#versions[(at + E_VERSION) / 2] ?? 0,
      tid: tid >>> 0,
      state: state as FrameState,
    };
  }

  /** Says what a frame holds; the state is stored last, so a half-written entry is FREE. */
  place({ frame, no, version, tid, state }: Placement): void {
    const at = frame * ENTRY_WORDS;
    const t = this.#table;
    Atomics.store(t, at + E_STATE, FREE);
    t[at + E_BLOCK_LO] = no >>> 0;
    t[at + E_BLOCK_HI] = Math.floor(no / 0x1_0000_0000);
    t[at + E_TID] = tid;
    this.#versions[(at + E_VERSION) / 2] = version;
    Atomics.store(t, at + E_STATE, state);
  }

  setState(frame: number, state: FrameState): void {
    Atomics.store(this.#table, frame * ENTRY_WORDS + E_STATE, state);
  }

  /** Does all of the change or, when the worker is terminated on the way, nothing of it. */
  publish(change: Change): void {
    this.#writeRecord(change);
    Atomics.add(this.#header, H_PUBLISHED, 1); // from here on the request has happened
    this.#apply();
  }

  /** At start: finishes what the last worker published and did not get done. */
  recover(): boolean {
    const h = this.#header;
    if (Atomics.load(h, H_PUBLISHED) === Atomics.load(h, H_APPLIED)) return false;
    this.#apply();
    return true;
  }

  /** The reply of the last request with this tag that changed something. */
  storedReply(tag: number): Uint8Array | undefined {
    const at = (tag % REPLY_SLOTS) * (REPLY_SLOT / 4);
    if (Atomics.load(this.#replies, at + S_VALID) === 0) return undefined;
    if (this.#replies[at + S_TAG] !== tag) return undefined;
    const from = at * 4 + S_HEAD;
    return this.#replyBytes.slice(from, from + (this.#replies[at + S_LENGTH] ?? 0));
  }

  /** A new request uses the tag: what was stored for an older one is void. */
  dropReply(tag: number): void {
    Atomics.store(this.#replies, (tag % REPLY_SLOTS) * (REPLY_SLOT / 4) + S_VALID, 0);
  }

  #writeRecord({ placed, freed, replies }: Change): void {
    const r = this.#record;
    const count = placed.length + freed.length;
    assert(
      count <= RECORD_ENTRIES * this.#shape.recordMax,
      'the record is too small for the change',
    );
    let at = RECORD_HEAD_WORDS;
    for (const p of placed) {
      r[at + P_STATE] = p.state;
      r[at + P_FRAME] = p.frame;
      r[at + P_LO] = p.no >>> 0;
      r[at + P_HI] = Math.floor(p.no / 0x1_0000_0000);
      r[at + P_TID] = p.tid;
      this.#recordVersions[(at + P_VERSION) / 2] = p.version;
      at += RECORD_WORDS;
    }
    for (const frame of freed) {
      r[at + P_STATE] = FREE;
      r[at + P_FRAME] = frame;
      at += RECORD_WORDS;
    }
    r[R_REPLIES] = this.#writeReplies(replies);
    r[R_COUNT] = count;
  }

  #writeReplies(replies: readonly StoredReply[]): number {
    const keep = replies.filter(({ bytes }) => bytes.length <= REPLY_MAX);
    assert(keep.length <= RECORD_REPLIES, 'the record is too small for the replies');
    keep.forEach(({ tag, bytes }, i) => {
      const at = i * (REPLY_SLOT / 4);
      this.#recordReplies[at + S_TAG] = tag;
      this.#recordReplies[at + S_LENGTH] = bytes.length;
      this.#recordReplyBytes.set(bytes, at * 4 + S_HEAD);
    });
    return keep.length;
  }

  #apply(): void {
    const r = this.#record;
    const count = r[R_COUNT] ?? 0;
    for (let i = 0, at = RECORD_HEAD_WORDS; i < count; i++, at += RECORD_WORDS) {
      const state = r[at + P_STATE] as FrameState;
      const frame = r[at + P_FRAME] ?? 0;
      if (state === FREE) this.setState(frame, FREE);
      else {
        const no = ((r[at + P_HI] ?? 0) >>> 0) * 0x1_0000_0000 + ((r[at + P_LO] ?? 0) >>> 0);
        const version = this.#recordVersions[(at + P_VERSION) / 2] ?? 0;
        this.place({ frame, no, version, tid: r[at + P_TID] ?? 0, state });
      }
    }
    const replies = r[R_REPLIES] ?? 0;
    for (let i = 0; i < replies; i++) this.#storeReply(i * (REPLY_SLOT / 4));
    Atomics.store(this.#header, H_APPLIED, Atomics.load(this.#header, H_PUBLISHED));
  }

  #storeReply(from: number): void {
    const tag = this.#recordReplies[from + S_TAG] ?? 0;
    const length = this.#recordReplies[from + S_LENGTH] ?? 0;
    const bytes = this.#recordReplyBytes.subarray(from * 4 + S_HEAD, from * 4 + S_HEAD + length);
    const at = (tag % REPLY_SLOTS) * (REPLY_SLOT / 4);
    Atomics.store(this.#replies, at + S_VALID, 0);
    this.#replies[at + S_TAG] = tag;
    this.#replies[at + S_LENGTH] = length;
    this.#replyBytes.set(bytes, at * 4 + S_HEAD);
    Atomics.store(this.#replies, at + S_VALID, 1);
  }
}
