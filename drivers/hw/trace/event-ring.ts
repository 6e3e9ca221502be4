// The board's side of a worker's event ring (kernel/ipc/trace.ts draws it): takes out what the worker
// recorded. The records are the worker's; a number that cannot be is for the reader to refuse.

import {
  LABEL_BYTES,
  TRACE_HEAD,
  TRACE_LOST,
  TRACE_RECORDS,
  TRACE_TAIL,
  TRACE_WORDS,
  traceRingSize,
} from '../../../kernel/ipc/trace.ts';

/** Records: more than a worker makes between two looks, unless the host is very busy. */
const RECORDS = 65_536;

export interface TraceRecord {
  readonly timeUs: number;
  readonly event: number;
  readonly phase: number;
  readonly flow: number;
  readonly a0: number;
  readonly a1: number;
  readonly span: number;
  /** Of a label: its text; `flow` is its number. */
  readonly text: string;
}

export class EventRing {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #records: Float64Array;
  readonly #count: number;

  constructor(count = RECORDS) {
    this.memory = new SharedArrayBuffer(traceRingSize(count));
    this.#count = count;
    this.#words = new Int32Array(this.memory, 0, TRACE_RECORDS / 4);
    this.#records = new Float64Array(this.memory, TRACE_RECORDS);
  }

  /** Events that found no room, ever. */
  get lost(): number {
    return Atomics.load(this.#words, TRACE_LOST) >>> 0;
  }

  /** Takes all records out, oldest first. `isLabel` tells which of them hold a text. */
  drain(isLabel: (event: number) => boolean, take: (record: TraceRecord) => void): void {
    const tail = Atomics.load(this.#words, TRACE_TAIL) >>> 0;
    let head = Atomics.load(this.#words, TRACE_HEAD) >>> 0;
    const waiting = Math.min((tail - head) >>> 0, this.#count);
    for (let i = 0; i < waiting; i++) {
      take(this.#record(head & (this.#count - 1), isLabel));
      head = (head + 1) >>> 0;
    }
    Atomics.store(this.#words, TRACE_HEAD, head | 0);
  }

  #record(index: number, isLabel: (event: number) => boolean): TraceRecord {
    const at = index * TRACE_WORDS;
    const [timeUs = 0, code = 0, flow = 0, a0 = 0, a1 = 0, span = 0] = this.#records.subarray(
      at,
      at + TRACE_WORDS,
    );
    const event = Math.floor(code / 8);
    const text = isLabel(event) ? this.#text(at + 3) : '';
    return { timeUs, event, phase: code % 8, flow, a0, a1, span, text };
  }

  #text(word: number): string {
    const bytes = new Uint8Array(this.memory, TRACE_RECORDS + word * 8, LABEL_BYTES).slice();
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(bytes.subarray(0, end < 0 ? LABEL_BYTES : end));
  }
}
