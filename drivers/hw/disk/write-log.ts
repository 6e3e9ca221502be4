// The log of a drive's write cache, in memory that the board owns: it outlives the driver's worker,
// which may be terminated between any two stores (DESIGN law 9). One writer at a time.
//
//   +0 first     records ever taken out; one store of it takes writes out
//   +4 tail      records ever put in; one store of it puts a record in
//   +8 flushes   flushes ever done
//   +64          records of 32 bytes, a ring: offset, place in the arena, length, sequence, kind
//   then         the arena: the data of the writes

const FIRST = 0;
const TAIL = 1;
const FLUSHES = 2;
const RECORDS_AT = 64;
const RECORD_WORDS = 8;
const [R_OFFSET_LO, R_OFFSET_HI, R_AT, R_LENGTH, R_SEQUENCE, R_KIND] = [0, 1, 2, 3, 4, 5];
const SECTOR_SIZE = 512;
const DEFAULT_ARENA = 8 << 20;

/** `data` in the log, or word that whatever is cached of the range is void. */
export interface LogRecord {
  readonly kind: 'data' | 'void';
  readonly sequence: number;
  readonly offset: number;
  readonly length: number;
  /** Where the data lies in the arena. */
  readonly at: number;
}

/** Memory for the write cache of one drive; all zero is an empty one. */
export const writeLogMemory = (arenaBytes = DEFAULT_ARENA): SharedArrayBuffer =>
  new SharedArrayBuffer(RECORDS_AT + recordsFor(arenaBytes) * RECORD_WORDS * 4 + arenaBytes);

/** A record for each sector that fits the arena, and as many again for voids: a power of two. */
const recordsFor = (arenaBytes: number): number =>
  2 ** Math.ceil(Math.log2((arenaBytes / SECTOR_SIZE) * 2));

export class WriteLog {
  readonly arena: Uint8Array;
  /** Records that it holds at most. */
  readonly capacity: number;
  readonly #words: Int32Array;
  readonly #records: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.capacity = capacityOf(memory.byteLength);
    const arenaAt = RECORDS_AT + this.capacity * RECORD_WORDS * 4;
    this.#words = new Int32Array(memory, 0, RECORDS_AT / 4);
    this.#records = new Int32Array(memory, RECORDS_AT, this.capacity * RECORD_WORDS);
    this.arena = new Uint8Array(memory, arenaAt);
  }

  get count(): number {
    return (Atomics.load(this.#words, TAIL) - Atomics.load(this.#words, FIRST)) >>> 0;
  }

  get flushes(): number {
    return Atomics.load(this.#words, FLUSHES);
  }

  countFlush(): void {
    Atomics.add(this.#words, FLUSHES, 1);
  }

  /** The record exists from the last store on; its data must be in the arena before. */
  append({ kind, sequence, offset, length, at }: LogRecord): void {
    const tail = Atomics.load(this.#words, TAIL);
    const r = this.#records;
    const word = this.#wordOf(tail);
    r[word + R_OFFSET_LO] = offset >>> 0;
    r[word + R_OFFSET_HI] = Math.floor(offset / 0x1_0000_0000);
    r[word + R_AT] = at;
    r[word + R_LENGTH] = length;
    r[word + R_SEQUENCE] = sequence;
    r[word + R_KIND] = kind === 'data' ? 1 : 0;
    Atomics.store(this.#words, TAIL, tail + 1);
  }

  /** The oldest records are on the medium, or lost. */
  takeOut(count: number): void {
    Atomics.add(this.#words, FIRST, count);
  }

  /** What the log holds, oldest first. */
  *records(): Generator<LogRecord> {
    const first = Atomics.load(this.#words, FIRST);
    const { count } = this;
    for (let i = 0; i < count; i++) yield this.#read(this.#wordOf(first + i));
  }

  #read(word: number): LogRecord {
    const [lo = 0, hi = 0, at = 0, length = 0, sequence = 0, kind = 0] = this.#records.subarray(
      word,
      word + RECORD_WORDS,
    );
    return {
      kind: kind === 1 ? 'data' : 'void',
      sequence: sequence >>> 0,
      offset: (hi >>> 0) * 0x1_0000_0000 + (lo >>> 0),
      length: length >>> 0,
      at: at >>> 0,
    };
  }

  #wordOf(counter: number): number {
    return ((counter >>> 0) % this.capacity) * RECORD_WORDS;
  }
}

/** The inverse of `writeLogMemory`'s sum: the largest power of two that leaves its arena. */
function capacityOf(bytes: number): number {
  for (let records = 2 ** 24; records > 1; records /= 2) {
    const arena = bytes - RECORDS_AT - records * RECORD_WORDS * 4;
    if (arena > 0 && recordsFor(arena) === records) return records;
  }
  throw new Error(`${bytes} bytes are no memory of a write cache`);
}
