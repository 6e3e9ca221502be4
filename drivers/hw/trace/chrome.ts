// Trace records as events of the Trace Event Format, which Perfetto and chrome://tracing show: one
// track for each worker (process 1) and for each process of the machine (process 2). An arrow goes
// from a system call through every step that serves it, by the number of its flow.

import { syscallName } from '../../../kernel/abi/syscall.ts';
import { PHASE } from '../../../kernel/ipc/trace.ts';
import { EVENTS, LABEL, type TraceEvent } from '../../../kernel/ipc/trace-events.ts';
import { T } from '../../../kernel/ninep/types.ts';
import type { TraceRecord } from './event-ring.ts';

const WORKERS = 1;
const PROCESSES = 2;
/** The host's process makes many calls at a time: they are no stack. */
const HOST_PID = 1;
/** Issued commands that are remembered until their transfer. */
const ISSUED_MAX = 1024;

const byId: (TraceEvent | undefined)[] = [];
for (const event of Object.values(EVENTS)) byId[event.id] = event;
const messageNames: ReadonlyMap<number, string> = new Map(
  Object.entries(T).map(([name, number]) => [number, name]),
);

export const isLabel = (event: number): boolean => event === EVENTS.label.id;

/** One thread of the file. */
interface Track {
  readonly pid: number;
  readonly tid: number;
}

/** Turns the records of one worker, in their order, into lines of JSON. */
export class WorkerTrack {
  readonly #track: Track;
  readonly #out: (line: string) => void;
  readonly #labels = new Map<number, string>();
  /** Names of the sync spans that are open, the innermost last. */
  readonly #open: number[] = [];
  /** Async spans that are open: how they began. */
  readonly #begun = new Map<number, TraceRecord>();
  /** Flows of issued commands by their lba: the device knows nothing of flows. */
  readonly #issued = new Map<number, number>();
  #lastUs = 0;

  constructor(seat: number, out: (line: string) => void) {
    this.#track = { pid: WORKERS, tid: seat };
    this.#out = out;
  }

  /** The seat holds a worker of this kind from now on. */
  name(text: string): void {
    const { pid, tid } = this.#track;
    this.#out(threadName({ pid, tid }, text));
    this.#out(json({ ph: 'M', pid, tid, name: 'thread_sort_index', args: { sort_index: tid } }));
  }

  /** The worker is gone: what it had begun ends with it. */
  ended(): void {
    for (const _ of this.#open.splice(0)) this.#event('E', this.#lastUs);
    for (const begin of [...this.#begun.values()])
      this.#asyncEnd({ ...begin, timeUs: this.#lastUs, a0: 0 });
    this.#labels.clear();
    this.#issued.clear();
  }

  add(record: TraceRecord): void {
    const event = byId[record.event];
    if (event === undefined || !Number.isFinite(record.timeUs)) return; // no record of ours
    this.#lastUs = Math.max(this.#lastUs, record.timeUs);
    if (event === EVENTS.label) this.#labels.set(record.flow, record.text);
    else if (record.phase === PHASE.begin) this.#begin(event, record);
    else if (record.phase === PHASE.end) this.#end(event, record);
    else if (record.phase === PHASE.asyncBegin) this.#asyncBegin(event, record);
    else if (record.phase === PHASE.asyncEnd) this.#asyncEnd(record);
    else this.#instant(event, record);
  }

  #begin(event: TraceEvent, record: TraceRecord): void {
    this.#open.push(event.id);
    const flow = event === EVENTS.dma ? (this.#issued.get(record.a0) ?? 0) : record.flow;
    this.#issued.delete(event === EVENTS.dma ? record.a0 : -1);
    this.#event('B', record.timeUs, {
      name: this.#nameOf(event, record),
      args: this.#args(event, record),
      flow,
    });
    if (flow !== 0 && event !== EVENTS.idle && event !== EVENTS.sleep) {
      this.#flow(event === EVENTS.call ? 's' : 't', record.timeUs, flow);
    }
  }

  /** Ends the span, and those inside it whose ends were lost. */
  #end(event: TraceEvent, record: TraceRecord): void {
    const at = this.#open.lastIndexOf(event.id);
    if (at < 0) return; // its begin was lost
    if (event === EVENTS.call && record.flow !== 0) this.#flow('f', record.timeUs, record.flow);
    for (const id of this.#open.splice(at).reverse()) {
      const result = id === event.id ? this.#result(event, record) : undefined;
      this.#event('E', record.timeUs, result);
    }
  }

  #asyncBegin(event: TraceEvent, record: TraceRecord): void {
    this.#begun.set(record.span, record);
    if (event !== EVENTS.call) return;
    // The main thread's calls are no stack: a mark stands for the moment at which one is made.
    this.#event('X', record.timeUs, {
      name: this.#nameOf(event, record),
      flow: record.flow,
      dur: 1,
    });
    this.#flow('s', record.timeUs, record.flow);
  }

  /** Written when it is over: begin and end together. */
  #asyncEnd(record: TraceRecord): void {
    const begin = this.#begun.get(record.span);
    const event = byId[record.event];
    if (begin === undefined || event === undefined) return;
    this.#begun.delete(record.span);
    const name = this.#nameOf(event, begin);
    const args = { ...this.#args(event, begin), ...this.#result(event, record)?.args };
    const { flow } = begin;
    if (event === EVENTS.call) {
      this.#event('X', record.timeUs, { name, flow, dur: 1 });
      this.#flow('f', record.timeUs, flow);
    }
    if (event === EVENTS.syscall && begin.a1 !== HOST_PID) {
      const track = { pid: PROCESSES, tid: begin.a1 };
      const dur = Math.max(0, record.timeUs - begin.timeUs);
      this.#out(line('X', begin.timeUs, track, { name, args, flow, dur, cat: event.name }));
      return;
    }
    const track = event === EVENTS.syscall ? { pid: PROCESSES, tid: HOST_PID } : this.#track;
    const id = `${this.#track.tid}.${record.span}`;
    const cat = event.name;
    this.#out(line('b', begin.timeUs, track, { name, args, flow, id, cat }));
    this.#out(line('e', record.timeUs, track, { name, id, cat }));
  }

  #instant(event: TraceEvent, record: TraceRecord): void {
    const args = this.#args(event, record);
    if (event === EVENTS.worker) this.name(String(args[LABEL]));
    else if (event === EVENTS.process) {
      const track = { pid: PROCESSES, tid: record.a0 };
      this.#out(threadName(track, `${args[LABEL]} [${record.a0}]`));
    } else {
      if (event === EVENTS.issue) this.#remember(record);
      const ofProcess = event.args[0] === 'pid';
      const track = ofProcess ? { pid: PROCESSES, tid: record.a0 } : this.#track;
      const name = this.#nameOf(event, record);
      this.#out(line('i', record.timeUs, track, { name, args, flow: record.flow, cat: 'mark' }));
    }
  }

  #remember({ a0: lba, flow }: TraceRecord): void {
    if (this.#issued.size >= ISSUED_MAX) this.#issued.clear();
    this.#issued.set(lba, flow);
  }

  #flow(ph: 's' | 't' | 'f', timeUs: number, flow: number): void {
    this.#out(line(ph, timeUs, this.#track, { name: 'call', cat: 'flow', id: String(flow) }));
  }

  #event(ph: string, timeUs: number, more: Details = {}): void {
    this.#out(line(ph, timeUs, this.#track, { cat: 'worker', ...more }));
  }

  #nameOf(event: TraceEvent, { a0 }: TraceRecord): string {
    if (event === EVENTS.step) return this.#labels.get(a0) ?? 'step';
    if (event === EVENTS.call || event === EVENTS.syscall) return syscallName(a0);
    if (event === EVENTS.rpc || event === EVENTS.serve) {
      return `${event.name} ${messageNames.get(a0) ?? a0}`;
    }
    return event.name;
  }

  #args(event: TraceEvent, { a0, a1 }: TraceRecord): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (const [i, name] of event.args.entries()) {
      const value = i === 0 ? a0 : a1;
      if (name !== undefined) values[name] = name === LABEL ? this.#labels.get(value) : value;
    }
    return values;
  }

  #result(event: TraceEvent, { a0 }: TraceRecord): { args: Record<string, unknown> } | undefined {
    if (event.result === undefined) return undefined;
    const value = event.result === 'reply' ? (messageNames.get(a0) ?? a0) : a0;
    return { args: { [event.result]: value } };
  }
}

/** The names of the two groups of tracks. */
export const groupNames = (): string[] => [
  json({ ph: 'M', pid: WORKERS, name: 'process_name', args: { name: 'workers' } }),
  json({ ph: 'M', pid: PROCESSES, name: 'process_name', args: { name: 'processes' } }),
  threadName({ pid: PROCESSES, tid: HOST_PID }, `host [${HOST_PID}]`),
];

interface Details {
  readonly name?: string;
  readonly cat?: string;
  readonly args?: Readonly<Record<string, unknown>> | undefined;
  readonly flow?: number;
  readonly id?: string;
  readonly dur?: number;
}

function line(ph: string, ts: number, track: Track, details: Details): string {
  const { flow = 0, args, ...rest } = details;
  const all = flow === 0 ? args : { ...args, flow };
  const scope = ph === 'i' ? { s: 't' } : ph === 'f' ? { bp: 'e' } : {};
  return json({
    ph,
    ts: Math.round(ts * 1000) / 1000,
    ...track,
    ...scope,
    ...rest,
    ...(all && { args: all }),
  });
}

const threadName = (track: Track, name: string): string =>
  json({ ph: 'M', ...track, name: 'thread_name', args: { name } });

const json = (value: object): string => JSON.stringify(value);
