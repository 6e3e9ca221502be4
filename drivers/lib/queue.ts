// The request queue in front of one disk: bounded, first in first out. While the device works,
// requests gather here and neighbours are merged into one command. A flush is a barrier: it starts
// when all before it is done, and nothing behind it starts before it is done.

import { EINVAL, PosixError } from '../../kernel/abi/errno.ts';
import { sleep, type Task, WaitQueue, wakeAll, wakeOne } from '../../kernel/ipc/task.ts';
import type { Tracer } from '../../kernel/ipc/trace.ts';
import { COUNTERS, EVENTS } from '../../kernel/ipc/trace-events.ts';
import {
  type BlockRequest,
  type RequestLimits,
  SECTOR_SIZE,
  splitRequest,
  totalLength,
} from './request.ts';

/** The device behind the queue. */
export interface BlockDevice {
  readonly name: string;
  readonly sectorCount: number;
  readonly limits: RequestLimits;
  readonly trace: Tracer;
  /** Commands that it would take now. */
  readonly freeSlots: number;
  /** Starts a command; `finish` is called when it is over: at once if the device is gone. */
  issue(request: BlockRequest, finish: (fault: PosixError | undefined) => void): void;
}

const DEFAULT_DEPTH = 32;

const spans = {
  read: EVENTS.blockRead,
  write: EVENTS.blockWrite,
  flush: EVENTS.blockFlush,
  trim: EVENTS.blockTrim,
} as const;

/** A part of a submitted request, within the device's limits. */
interface Item {
  readonly request: BlockRequest;
  readonly flow: number; // what it is done for
  /** It was in a merged command that failed: it runs alone, to learn which part is bad. */
  readonly alone: boolean;
  readonly finish: (fault: PosixError | undefined) => void;
}

interface Batch {
  readonly items: readonly Item[];
  readonly request: BlockRequest;
}

export class BlockQueue {
  readonly #device: BlockDevice;
  readonly #depth: number;
  readonly #waiting: Item[] = [];
  readonly #running = new Set<Batch>();
  readonly #room = new WaitQueue('block queue has room');

  constructor(device: BlockDevice, depth = DEFAULT_DEPTH) {
    this.#device = device;
    this.#depth = depth;
  }

  /** Returns when the request is done; throws the device's fault. */
  *submit(request: BlockRequest): Task<void> {
    this.#check(request);
    const { trace } = this.#device;
    trace.count(COUNTERS.blockRequests);
    const span = trace.asyncBegin(spans[request.op], request.lba, request.count);
    const over = new WaitQueue(`${this.#device.name} ${request.op}`);
    let left = 0;
    let fault: PosixError | undefined;
    const finish = (partFault: PosixError | undefined) => {
      left--;
      fault ??= partFault;
      wakeAll(over);
    };
    for (const part of splitRequest(request, this.#device.limits)) {
      while (this.#waiting.length >= this.#depth) yield* sleep(this.#room);
      left++;
      this.#waiting.push({ request: part, flow: trace.flow, alone: false, finish });
      // While commands run, requests gather; the next command that ends sends them on, merged.
      if (this.#running.size === 0) this.#pump();
    }
    while (left > 0) yield* sleep(over);
    trace.asyncEnd(spans[request.op], span, fault?.errno);
    if (fault) throw fault;
  }

  #check({ op, lba, count, segments }: BlockRequest): void {
    const where = `${this.#device.name}: ${op} of ${count} sectors at ${lba}`;
    if (op === 'flush') return;
    if (!(lba >= 0 && count > 0 && lba + count <= this.#device.sectorCount))
      throw new PosixError(EINVAL, `${where}: outside the disk of ${this.#device.sectorCount}`);
    if (op === 'trim') return;
    if (totalLength(segments) !== count * SECTOR_SIZE)
      throw new PosixError(EINVAL, `${where}: ${totalLength(segments)} bytes of memory`);
  }

  /** Starts what may start. */
  #pump(): void {
    while (this.#device.freeSlots > 0) {
      const next = this.#waiting[0];
      if (next === undefined || this.#mustWait(next.request)) return;
      const batch = this.#takeBatch(next);
      this.#running.add(batch);
      this.#traceIssue(batch.request, next.flow);
      this.#device.issue(batch.request, (fault) => this.#finish(batch, fault));
      wakeOne(this.#room);
    }
  }

  /** Also when an interrupt starts it, the command is issued for whoever asked for it. */
  #traceIssue({ lba, count }: BlockRequest, flow: number): void {
    const { trace } = this.#device;
    const current = trace.flow;
    trace.flow = flow;
    trace.instant(EVENTS.issue, lba, count);
    trace.flow = current;
  }

  /** Barriers, and requests that touch sectors of a running one when either of them writes. */
  #mustWait(request: BlockRequest): boolean {
    for (const { request: other } of this.#running) {
      if (request.op === 'flush' || other.op === 'flush') return true;
      if (request.op === 'read' && other.op === 'read') continue;
      if (request.lba < other.lba + other.count && other.lba < request.lba + request.count)
        return true;
    }
    return false;
  }

  /** The first in the queue, with those behind it that continue it. */
  #takeBatch(first: Item): Batch {
    const items: Item[] = [first];
    let request = first.request;
    while (!first.alone) {
      const next = this.#waiting[items.length];
      if (next === undefined || next.alone) break;
      const merged = merge(request, next.request, this.#device.limits);
      if (merged === undefined) break;
      request = merged;
      items.push(next);
    }
    this.#waiting.splice(0, items.length);
    return { items, request };
  }

  #finish(batch: Batch, fault: PosixError | undefined): void {
    this.#running.delete(batch);
    if (fault && batch.items.length > 1)
      this.#waiting.unshift(...batch.items.map((item) => ({ ...item, alone: true })));
    else for (const item of batch.items) item.finish(fault);
    this.#pump();
  }
}

/** One request for both, if the second continues the first within the limits. */
function merge(a: BlockRequest, b: BlockRequest, limits: RequestLimits): BlockRequest | undefined {
  if (a.op !== b.op || a.op === 'trim') return undefined;
  if (a.op === 'flush') return a;
  const count = a.count + b.count;
  if (b.lba !== a.lba + a.count || count > limits.maxSectors) return undefined;
  if (a.segments.length + b.segments.length > limits.maxSegments) return undefined;
  return { op: a.op, lba: a.lba, count, segments: [...a.segments, ...b.segments] };
}
