// What the files must hold: the operations applied to strings of bytes in memory, and which of them
// a power cut may not touch any more.

import type { Operation } from './plan.ts';

interface File {
  bytes: Uint8Array;
  /** Nothing happened to it, or to its name, since it was fsynced. */
  settled: boolean;
}

export class Model {
  readonly #files = new Map<string, File>();
  #stamp = 0;

  /** What the next write puts into the file: no two writes put the same. */
  fill(length: number): Uint8Array {
    const stamp = ++this.#stamp;
    return Uint8Array.from({ length }, (_, i) => (stamp * 31 + i * 7 + (i >> 8)) & 0xff);
  }

  has(name: string): boolean {
    return this.#files.has(name);
  }

  /** From here on a power cut may leave the file as it was, as it will be, or between. */
  begin(operation: Operation): void {
    const names = operation.do === 'rename' ? [operation.file, operation.to] : [operation.file];
    if (operation.do === 'fsync') return;
    for (const name of names) {
      const file = this.#files.get(name);
      if (file) file.settled = false;
    }
  }

  /** The operation is done. */
  apply(operation: Operation, data: Uint8Array): void {
    const file = this.#files.get(operation.file);
    switch (operation.do) {
      case 'write':
        this.#put(operation.file, operation.at, data);
        return;
      case 'append':
        this.#put(operation.file, file?.bytes.length ?? 0, data);
        return;
      case 'truncate':
        if (file) file.bytes = resized(file.bytes, operation.size);
        return;
      case 'rename':
        if (file === undefined || operation.to === operation.file) return;
        this.#files.delete(operation.file);
        this.#files.set(operation.to, file);
        return;
      case 'unlink':
        this.#files.delete(operation.file);
        return;
      case 'fsync':
        if (file) file.settled = true;
        return;
    }
  }

  /** Files that must be there with these bytes: all of them, or after a power cut the settled ones. */
  expected(after: 'power cut' | 'shutdown'): [string, Uint8Array][] {
    return [...this.#files]
      .filter(([, { settled }]) => settled || after === 'shutdown')
      .map(([name, { bytes }]) => [name, bytes]);
  }

  #put(name: string, at: number, data: Uint8Array): void {
    const before = this.#files.get(name)?.bytes ?? new Uint8Array(0);
    const bytes = resized(before, Math.max(before.length, at + data.length));
    bytes.set(data, at);
    this.#files.set(name, { bytes, settled: false });
  }
}

function resized(bytes: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  out.set(bytes.subarray(0, length));
  return out;
}
