// System calls of the host's own process: many under way at a time, each with a tag and its own part
// of the window (kernel/abi/syscall.ts). Every call ends: by its reply, or by the machine's end.

import type { Machine } from '../drivers/hw/machine.ts';
import { E2BIG, PosixError, toErrno } from '../kernel/abi/errno.ts';
import { Ring } from '../kernel/ipc/ring.ts';
import { type Tracer, tracerOf } from '../kernel/ipc/trace.ts';
import { EVENTS } from '../kernel/ipc/trace-events.ts';
import { type WindowPart, WindowParts } from './window.ts';

export interface CallRequest {
  readonly number: number;
  readonly args?: readonly number[];
  readonly data?: Uint8Array;
  /** Bytes that the reply may need in the window. */
  readonly room?: number;
  /** It may wait for somebody else for as long as it likes: a pipe's read, wait(2). */
  readonly waits?: boolean;
}

export interface CallReply {
  readonly r0: number;
  readonly r1: number;
  /** A copy: the caller's own. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** The machine is no more; whoever still waited for it is told. */
export class MachineGone extends Error {
  override readonly name = 'MachineGone';
}

interface Pending {
  readonly request: CallRequest;
  readonly resolve: (reply: CallReply) => void;
  readonly reject: (error: Error) => void;
  part: WindowPart | undefined;
  span: number; // in the trace
}

const REQUEST_SIZE = 56;
const NO_DATA = new Uint8Array(0);

export class HostCalls {
  readonly #machine: Machine;
  readonly #window: Uint8Array;
  readonly #parts: WindowParts;
  readonly #requests: Ring;
  readonly #trace: Tracer;
  readonly #pending = new Map<number, Pending>();
  /** Not sent yet: no room in ring or window. The second: those that may wait, behind their share. */
  readonly #unsent: Pending[] = [];
  readonly #unsentWaiting: Pending[] = [];
  #tag = 0;
  #flushing = false;
  #gone: MachineGone | undefined;

  constructor(machine: Machine) {
    this.#machine = machine;
    const { ram, layout, executor } = machine;
    const { requests, replies, window, windowSize } = layout.host;
    this.#trace = tracerOf(ram);
    this.#window = new Uint8Array(ram, window, windowSize);
    this.#parts = new WindowParts(windowSize);
    this.#requests = new Ring(ram, requests);
    executor.produce(this.#requests);
    executor.consume(new Ring(ram, replies), (ring) => this.#take(ring));
    executor.poll(() => this.#sendUnsent());
    void machine.ended.then((reason) => this.#end(reason));
  }

  /** How many bytes a call that may wait should ask for: less when many of them wait. */
  get pieceSize(): number {
    return this.#parts.crowded < 0.5 ? 64 * 1024 : 8 * 1024;
  }

  call(request: CallRequest): Promise<CallReply> {
    if (this.#gone) return Promise.reject(this.#gone);
    return new Promise((resolve, reject) => {
      const pending: Pending = { request, resolve, reject, part: undefined, span: 0 };
      const queue = request.waits ? this.#unsentWaiting : this.#unsent;
      if (neededBytes(request) > this.#window.length / 2) reject(new PosixError(E2BIG));
      else if (this.#machine.repeatable) this.#sendInTurn(pending, queue);
      else if (queue.length > 0 || !this.#send(pending)) queue.push(pending);
    });
  }

  /** Runs `action` after `ms` of the machine's time; returns how to take it back. */
  after(ms: number, action: () => void): () => void {
    return this.#machine.after(ms, action);
  }

  random(into: Uint8Array): void {
    this.#machine.random(into);
  }

  #sendInTurn(pending: Pending, queue: Pending[]): void {
    queue.push(pending);
    this.#machine.interrupt();
  }

  #sendUnsent(): boolean {
    const before = this.#unsent.length + this.#unsentWaiting.length;
    for (const queue of [this.#unsent, this.#unsentWaiting]) {
      for (let next = queue[0]; next && this.#send(next); next = queue[0]) queue.shift();
    }
    return this.#unsent.length + this.#unsentWaiting.length < before;
  }

  /** False when ring or window have no room. */
  #send(pending: Pending): boolean {
    const { number, args = [], data = NO_DATA, waits = false } = pending.request;
    const slot = this.#requests.reserve();
    const part = slot && this.#parts.take(neededBytes(pending.request), waits);
    if (slot === undefined || part === undefined) return false;
    this.#window.set(data, part.at);
    pending.part = part;
    this.#tag = (this.#tag + 1) >>> 0;
    this.#pending.set(this.#tag, pending);
    const { view } = slot;
    view.setUint32(0, number, true);
    view.setUint32(4, this.#tag, true);
    view.setUint32(8, part.at, true);
    view.setUint32(12, data.length, true);
    for (let i = 0; i < 5; i++) view.setFloat64(16 + i * 8, args[i] ?? 0, true);
    slot.length = REQUEST_SIZE;
    this.#trace.newFlow();
    pending.span = this.#trace.asyncBegin(EVENTS.call, number);
    this.#requests.publish();
    this.#flushSoon();
    return true;
  }

  /** One bell for all the calls that are made in this turn of the event loop. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#requests.flush();
    });
  }

  #take(ring: Ring): boolean {
    const slot = ring.peek();
    if (slot === undefined) return false;
    const { view } = slot;
    const tag = view.getUint32(0, true);
    const errno = view.getUint32(4, true);
    const length = view.getUint32(8, true);
    const r0 = view.getFloat64(16, true);
    const r1 = view.getFloat64(24, true);
    ring.release();
    const pending = this.#pending.get(tag);
    this.#pending.delete(tag);
    const part = pending?.part;
    if (pending === undefined || part === undefined) return true; // a call nobody made
    const data = this.#window.slice(part.at, part.at + Math.min(length, part.size));
    this.#parts.give(part);
    this.#trace.asyncEnd(EVENTS.call, pending.span);
    if (errno === 0) pending.resolve({ r0, r1, data });
    else pending.reject(new PosixError(toErrno(errno)));
    return true;
  }

  #end(reason: string): void {
    const words = reason === '' ? 'the machine was shut down' : `the machine is gone: ${reason}`;
    this.#gone = new MachineGone(words);
    const waiting = [...this.#pending.values(), ...this.#unsent, ...this.#unsentWaiting];
    this.#pending.clear();
    this.#unsent.length = 0;
    this.#unsentWaiting.length = 0;
    for (const { reject } of waiting) reject(this.#gone);
  }
}

const neededBytes = (request: CallRequest): number =>
  Math.max(request.room ?? 0, request.data?.length ?? 0);
