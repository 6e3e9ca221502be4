// A disk or an image as mkfs and fsck see it: bytes, read and written where the caller stands, by
// programs that have the volume for themselves. A mounted volume goes through its engine instead.

import { assert, EIO, fail } from '../../kernel/abi/errno.ts';
import type { Timespec } from '../../kernel/abi/stat.ts';
import type { Task } from '../../kernel/ipc/task.ts';
import type { Block, Seal, Transaction } from './transaction.ts';

export interface Medium {
  readonly sizeBytes: number;
  /** Exactly `length` bytes at `offset`; throws EIO where the medium ends before. */
  read(offset: number, length: number): Uint8Array;
  write(offset: number, bytes: Uint8Array): void;
  flush(): void;
}

/** Runs a task that never waits, as all it works on is a medium. */
export function runAtOnce<T>(task: Task<T>): T {
  const step = task.next();
  assert(step.done === true, 'a task over a medium waits');
  return step.value;
}

/** Blocks kept in memory at most; those that were changed stay until `commit`. */
const CACHED_MAX = 8192;

interface Held extends Block {
  version: number;
  checked: boolean;
  dirty: boolean;
  seal: Seal | undefined;
}

export interface MediumTransactionOptions {
  readonly medium: Medium;
  readonly blockSize: number;
  readonly now: Timespec;
  readonly random: () => number;
}

/** Transaction over a medium: a file system's own code at work on a volume that nobody mounted. */
export class MediumTransaction implements Transaction {
  readonly blockSize: number;
  readonly now: Timespec;
  readonly #medium: Medium;
  readonly #random: () => number;
  readonly #held = new Map<number, Held>();
  #actions: (() => void)[] = [];
  #version = 0;

  constructor({ medium, blockSize, now, random }: MediumTransactionOptions) {
    this.#medium = medium;
    this.blockSize = blockSize;
    this.now = now;
    this.#random = random;
  }

  random(): number {
    return this.#random();
  }

  read(no: number, check?: Seal): Block {
    const held = this.#hold(no);
    if (check !== undefined && !held.checked && !held.dirty) {
      check(held);
      held.checked = true;
    }
    return held;
  }

  need(): void {
    // Reads do not wait here, so nothing is gained by asking for many at once.
  }

  edit(no: number, seal?: Seal): Block {
    return this.#change(this.#hold(no), seal);
  }

  create(no: number, seal?: Seal): Block {
    const held = this.#held.get(no) ?? this.#put(no, new Uint8Array(this.blockSize));
    held.bytes.fill(0);
    held.seal = undefined;
    return this.#change(held, seal);
  }

  /** Has it been changed since the last commit? */
  isChanged(no: number): boolean {
    return this.#held.get(no)?.dirty === true;
  }

  forget(no: number): void {
    this.#held.delete(no);
  }

  onCommit(action: () => void): void {
    this.#actions.push(action);
  }

  /** Seals and writes what was changed, in the order of the medium; the number of blocks. */
  commit(): number {
    const dirty = [...this.#held.values()].filter((held) => held.dirty).sort((a, b) => a.no - b.no);
    for (const held of dirty) {
      held.seal?.(held);
      this.#medium.write(held.no * this.blockSize, held.bytes);
      held.dirty = false;
      held.seal = undefined;
    }
    const actions = this.#actions;
    this.#actions = [];
    for (const action of actions) action();
    return dirty.length;
  }

  #change(held: Held, seal: Seal | undefined): Block {
    held.dirty = true;
    held.seal = seal ?? held.seal;
    held.version = ++this.#version;
    return held;
  }

  #hold(no: number): Held {
    const held = this.#held.get(no);
    if (held !== undefined) return held;
    const at = no * this.blockSize;
    if (no < 0 || at + this.blockSize > this.#medium.sizeBytes) fail(EIO, `no block ${no}`);
    return this.#put(no, this.#medium.read(at, this.blockSize));
  }

  #put(no: number, bytes: Uint8Array): Held {
    if (this.#held.size >= CACHED_MAX) this.#evict();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const version = ++this.#version;
    const held: Held = { no, bytes, view, version, checked: false, dirty: false, seal: undefined };
    this.#held.set(no, held);
    return held;
  }

  /** Views that a caller still holds stay readable: only the map forgets them. */
  #evict(): void {
    let left = CACHED_MAX / 4;
    for (const [no, { dirty }] of this.#held) {
      if (dirty) continue;
      this.#held.delete(no);
      if (--left === 0) return;
    }
  }
}
