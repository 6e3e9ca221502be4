// The request queue in front of one disk, bounded. While the device works, requests gather here; what
// lies side by side on the disk is merged into one command, and reads go before writes, but no request
// is passed by more than a few others. A flush is a barrier to what writes: it starts when all before it
// is done, and none behind it starts before it is done.

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
import type { DiskStats } from './stats.ts';

/** The device behind the queue. */
export interface BlockDevice {
  readonly name: string;
  readonly sectorCount: number;
  readonly limits: RequestLimits;
  readonly trace: Tracer;
  readonly stats: DiskStats;
  /** Commands that it would take now. */
  readonly freeSlots: number;
  /** Starts a command; `finish` is called when it is over: at once if the device is gone. */
  issue(request: BlockRequest, finish: (fault: PosixError | undefined) => void): void;
}

const DEFAULT_DEPTH = 128;
/** Commands that may start before a request that has waited longer: its deadline, counted in commands. */
const PASSED_MOST = 16;

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
  readonly askedMs: number;
  /** Commands that started before it though they came later. */
  passed: number;
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
  readonly #waiting: Item[] = []; // in the order of their coming
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
      const askedMs = this.#device.stats.asked();
      this.#waiting.push({
        ...{ request: part, flow: trace.flow, askedMs, passed: 0, alone: false, finish },
      });
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
      const at = this.#next();
      if (at === undefined) return;
      const batch = this.#takeBatch(at);
      this.#running.add(batch);
      this.#traceIssue(batch.request, batch.items[0]?.flow ?? 0);
      this.#device.issue(batch.request, (fault) => this.#finish(batch, fault));
      wakeOne(this.#room);
    }
  }

  /** The place of the request that goes next: the first read that may, else the oldest of all. */
  #next(): number | undefined {
    const [oldest] = this.#waiting;
    if (oldest === undefined) return undefined;
    const inOrder = oldest.request.op === 'read' || oldest.passed >= PASSED_MOST;
    if (!inOrder) {
      for (let at = 1; at < this.#waiting.length; at++) {
        const request = this.#waiting[at]?.request;
        if (request?.op === 'read' && !this.#mustWait(request) && this.#mayPass(request, at)) {
          return at;
        }
      }
    }
    return this.#mustWait(oldest.request) ? undefined : 0;
  }

  /** Whether a read may start before all those in front of it. */
  #mayPass(read: BlockRequest, at: number): boolean {
    for (let i = 0; i < at; i++) {
      const before = this.#waiting[i];
      if (before && before.request.op !== 'read' && overlap(before.request, read)) return false;
    }
    return true;
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
      if (isAlone(request) || isAlone(other)) return true;
      if (request.op === 'read' && other.op === 'read') continue;
      if (overlap(request, other)) return true;
    }
    return false;
  }

  /** Takes the request at this place, with those behind it that lie beside it on the disk. */
  #takeBatch(at: number): Batch {
    const left = this.#waiting.slice(0, at); // what is passed
    const [first] = this.#waiting.splice(at, 1) as [Item];
    for (const one of left) one.passed++;
    const items: Item[] = [first];
    let { request } = first;
    for (let i = at; i < this.#waiting.length && !first.alone; ) {
      const item = this.#waiting[i] as Item;
      if (isBarrier(item.request, request)) break;
      const merged = item.alone ? undefined : merge(request, item.request, this.#device.limits);
      const held = left.some((one) => forbids(one.request, item.request));
      if (merged && !held && !this.#mustWait(item.request)) {
        request = merged;
        items.push(item);
        this.#waiting.splice(i, 1);
      } else {
        left.push(item);
        i++;
      }
    }
    return { items, request };
  }

  #finish(batch: Batch, fault: PosixError | undefined): void {
    this.#running.delete(batch);
    const { items, request } = batch;
    if (fault && items.length > 1) {
      this.#waiting.unshift(...items.map((item) => ({ ...item, alone: true })));
    } else {
      const askedMs = items.map((item) => item.askedMs);
      const counts = { merged: items.length - 1, sectors: request.count, askedMs };
      this.#device.stats.done(request.op, counts);
      for (const item of items) item.finish(fault);
    }
    this.#pump();
  }
}

/** A drive with a queue takes these only when it is empty (ACS-3 §4.14.6), and nothing beside them. */
const isAlone = ({ op }: BlockRequest): boolean => op === 'flush' || op === 'trim';

const overlap = (a: BlockRequest, b: BlockRequest): boolean =>
  a.lba < b.lba + b.count && b.lba < a.lba + a.count;

/** Whether a request must not start before another one that came earlier. */
const forbids = (earlier: BlockRequest, later: BlockRequest): boolean =>
  (earlier.op !== 'read' || later.op !== 'read') && overlap(earlier, later);

/** Whether nothing behind `next` may join `first`: a flush ends what is written, a write what is flushed. */
const isBarrier = (next: BlockRequest, first: BlockRequest): boolean =>
  first.op === 'flush'
    ? next.op === 'write' || next.op === 'trim'
    : next.op === 'flush' && first.op !== 'read';

/** One request for both, if they lie side by side within the limits. */
function merge(a: BlockRequest, b: BlockRequest, limits: RequestLimits): BlockRequest | undefined {
  if (a.op !== b.op || a.op === 'trim') return undefined;
  if (a.op === 'flush') return a;
  const count = a.count + b.count;
  if (count > limits.maxSectors) return undefined;
  if (a.segments.length + b.segments.length > limits.maxSegments) return undefined;
  const [low, high] = a.lba < b.lba ? [a, b] : [b, a];
  if (high.lba !== low.lba + low.count) return undefined;
  return { op: a.op, lba: low.lba, count, segments: [...low.segments, ...high.segments] };
}
