// Runs a workload on a whole machine in one thread - the kernel's 9P client, the serve loop, the file
// system - and records what its disk was told, and where in that each operation began and ended.

import type { LogEntry } from '../../../daemons/lib/memory-device.ts';
import type { MountFormat } from '../../../daemons/lib/mounted.ts';
import { TestClient } from '../../../daemons/lib/testing/client.ts';
import { Machine } from '../../../daemons/lib/testing/machine.ts';
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
} from '../../../kernel/abi/constants.ts';
import { EINVAL, fail } from '../../../kernel/abi/errno.ts';
import { Joints, type Numbered } from './joints.ts';
import type { Op, Verb } from './language.ts';
import { after, type State } from './model.ts';
import { paint, paintText } from './paint.ts';

export interface Step {
  readonly op: Op;
  /** Entries of the history when the operation was given, and when it returned. */
  readonly began: number;
  readonly ended: number;
  /** Of those that were handed in together: which publication made it happen. All of one last, or none. */
  readonly joint?: number | undefined;
}

export interface Story {
  /** The image as it was before. */
  readonly base: Uint8Array;
  readonly history: readonly LogEntry[];
  readonly steps: readonly Step[];
  /** States before and after each step: one more than there are steps. */
  readonly states: readonly State[];
  /** The image at the end. */
  readonly image: Uint8Array;
}

export interface RecordRequest {
  readonly format: MountFormat;
  readonly base: Uint8Array;
  readonly state: State;
  readonly ops: readonly Op[];
  /** Number of the first operation, which the data shows. */
  readonly firstOp: number;
}

const MEMORY = { cacheBytes: 2 << 20, otherBytes: 1 << 20 };
const IDLE_MS = 6000; // longer than any commit timer
const OPEN_READ_WRITE = 2;
const OPEN_READ = 0;

export function record({ format, base, state, ops, firstOp }: RecordRequest): Story {
  const image = base.slice();
  const history: LogEntry[] = [];
  const machine = new Machine({ image, format, writeLog: history, ...MEMORY });
  machine.mount();
  const client = new TestClient(machine);
  client.attach();
  const runner = new Runner(machine, client);
  const joints = new Joints({ machine, client, history });
  const steps: Step[] = [];
  const states: State[] = [state];
  const note = (index: number, step: Step): void => {
    states.push(after(states.at(-1) ?? state, step.op, index));
    steps.push(step);
  };
  for (let i = 0; i < ops.length; ) {
    const lot = lotAt(ops, i, firstOp);
    lot.reduce((now, { op, index }) => after(now, op, index), states.at(-1) ?? state); // throws before the machine is asked
    const [only] = lot;
    if (lot.length === 1 && only !== undefined) {
      const began = history.length;
      runner.run(only.op, only.index);
      note(only.index, { op: only.op, began, ended: history.length });
    } else for (const { index, ...step } of joints.run(lot)) note(index, step);
    i += lot.length;
  }
  if (machine.log.length > 0) fail(EINVAL, `the volume complained: ${machine.log.join('; ')}`);
  return { base, history, steps, states, image };
}

/** An operation and those that are handed in with it. */
function lotAt(ops: readonly Op[], from: number, firstOp: number): Numbered[] {
  let end = from + 1;
  while (ops[end]?.joins) end++;
  return ops.slice(from, end).map((op, i) => ({ op, index: firstOp + from + i }));
}

const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
const ZERO = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;

class Runner {
  readonly #machine: Machine;
  readonly #client: TestClient;
  readonly #open = new Map<string, number>();

  constructor(machine: Machine, client: TestClient) {
    this.#machine = machine;
    this.#client = client;
  }

  run(op: Op, index: number): void {
    const { path, to, size, offset, name } = op;
    const client = this.#client;
    const text = paintText(index, size);
    const verbs: Readonly<Record<Verb, () => void>> = {
      create: () => client.clunk(client.create(path)),
      mkdir: () => client.mkdir(path),
      symlink: () => client.symlink(path, text),
      append: () => this.#append(path, size, index),
      write: () => this.#with(path, (fid) => client.write(fid, offset, paint(index, offset, size))),
      truncate: () => this.#with(path, (fid) => client.truncate(fid, size)),
      reserve: () => this.#with(path, (fid) => client.allocate(fid, { mode: 0, offset, size })),
      punch: () => this.#with(path, (fid) => client.allocate(fid, { mode: PUNCH, offset, size })),
      zero: () => this.#with(path, (fid) => client.allocate(fid, { mode: ZERO, offset, size })),
      link: () => client.link(path, to),
      unlink: () => client.unlink(path),
      rmdir: () => client.unlink(path, 'directory'),
      rename: () => client.rename(path, to),
      setxattr: () => client.setxattr(path, name, new TextEncoder().encode(text)),
      removexattr: () => client.setxattr(path, name, undefined),
      open: () => this.#open.set(path, client.open(path, OPEN_READ_WRITE)),
      close: () => this.#close(path),
      fsync: () => this.#sync(path, 'all'),
      fdatasync: () => this.#sync(path, 'data'),
      sync: () => this.#sync('', 'all'),
      tick: () => this.#machine.advance(IDLE_MS),
      unmount: () => this.#unmount(),
    };
    verbs[op.verb]();
  }

  #append(path: string, size: number, index: number): void {
    this.#with(path, (fid) => {
      const offset = this.#client.getattr(fid).size;
      this.#client.write(fid, offset, paint(index, offset, size));
    });
  }

  #close(path: string): void {
    this.#client.clunk(this.#open.get(path) ?? fail(EINVAL, `${path} was not opened`));
    this.#open.delete(path);
  }

  #unmount(): void {
    for (const fid of this.#open.values()) this.#client.clunk(fid);
    this.#client.detach();
  }

  /** A directory is opened for reading only, as a program does it; sync is that of the root. */
  #sync(path: string, what: 'all' | 'data'): void {
    const fid = this.#client.open(path, OPEN_READ);
    this.#client.fsync(fid, what);
    this.#client.clunk(fid);
  }

  #with(path: string, body: (fid: number) => void): void {
    const held = this.#open.get(path);
    const fid = held ?? this.#client.open(path, OPEN_READ_WRITE);
    body(fid);
    if (held === undefined) this.#client.clunk(fid);
  }
}
