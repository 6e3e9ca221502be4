// A block device over an image in memory, for direct calls, tests and the crash tester: it can keep
// a log of all writes with the flushes between them, and be told to fail.

import { EIO, PosixError } from '../../kernel/abi/errno.ts';
import { GRANT_READ, GRANT_WRITE, type GrantReader } from '../../kernel/ipc/grant.ts';
import { sleep, type Task, type WaitQueue } from '../../kernel/ipc/task.ts';
import type { BlockDevice, Piece } from './device.ts';

/** What happened to the medium, in order. */
export type LogEntry =
  | {
      readonly kind: 'write';
      readonly offset: number;
      readonly data: Uint8Array;
      /** Was on the medium when it was done (FUA). */
      readonly fua?: boolean;
    }
  | { readonly kind: 'flush' };

export interface MemoryDeviceOptions {
  readonly image: Uint8Array;
  readonly grants: GrantReader;
  readonly readOnly?: boolean;
  /** Every write and flush is appended here. */
  readonly log?: LogEntry[];
  /** Told before a part of the image is overwritten. */
  readonly beforeWrite?: (offset: number, length: number) => void;
  /** Suspends each transfer until the queue is woken: the disk takes its time. */
  readonly latency?: WaitQueue;
}

export class MemoryDevice implements BlockDevice {
  readonly sizeBytes: number;
  readonly sectorSize = 512;
  readonly readOnly: boolean;
  readonly #options: MemoryDeviceOptions;
  /** Set it to make every following transfer fail. */
  broken: string | undefined;
  reads = 0;
  writes = 0;
  flushes = 0;

  constructor(options: MemoryDeviceOptions) {
    this.#options = options;
    this.sizeBytes = options.image.length;
    this.readOnly = options.readOnly ?? false;
  }

  *read(pieces: readonly Piece[]): Task<void> {
    yield* this.#wait();
    for (const piece of pieces) {
      let at = this.#check(piece);
      this.reads++;
      for (const view of this.#options.grants.views(piece.ref, GRANT_WRITE)) {
        view.set(this.#options.image.subarray(at, at + view.length));
        at += view.length;
      }
    }
  }

  *write(pieces: readonly Piece[]): Task<void> {
    const data = pieces.map((piece) => this.#gather(piece)); // what a DMA engine takes at once
    yield* this.#wait();
    pieces.forEach((piece, i) => {
      const bytes = data[i] ?? new Uint8Array(0);
      const at = this.#check(piece);
      this.writes++;
      this.#options.beforeWrite?.(at, bytes.length);
      this.#options.image.set(bytes, at);
      this.#options.log?.push({ kind: 'write', offset: at, data: bytes });
    });
  }

  *flush(): Task<void> {
    yield* this.#wait();
    if (this.broken !== undefined) throw new PosixError(EIO, this.broken);
    this.flushes++;
    this.#options.log?.push({ kind: 'flush' });
  }

  *#wait(): Task<void> {
    if (this.#options.latency) yield* sleep(this.#options.latency);
  }

  #gather(piece: Piece): Uint8Array {
    const bytes = new Uint8Array(piece.ref.length);
    let at = 0;
    for (const view of this.#options.grants.views(piece.ref, GRANT_READ)) {
      bytes.set(view, at);
      at += view.length;
    }
    return bytes;
  }

  #check({ offset, ref }: Piece): number {
    if (this.broken !== undefined) throw new PosixError(EIO, this.broken);
    const aligned = offset % this.sectorSize === 0 && ref.length % this.sectorSize === 0;
    if (!aligned || offset + ref.length > this.sizeBytes) {
      throw new PosixError(EIO, `transfer of ${ref.length} at ${offset} of ${this.sizeBytes}`);
    }
    return offset;
  }
}
