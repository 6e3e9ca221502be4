// A device's way to physical memory. Addresses come from structures that a driver wrote: one that
// is not memory is a bus error, never an exception of ours.

import { type Tracer, tracerOf } from '../../../kernel/ipc/trace.ts';

/** The bus refused an address: the controller reports it in its error registers. */
export class DmaFault extends Error {
  override get name(): string {
    return 'DmaFault';
  }
}

export class Dma {
  readonly #ram: SharedArrayBuffer;
  readonly #view: DataView;
  readonly trace: Tracer;

  constructor(ram: SharedArrayBuffer) {
    this.trace = tracerOf(ram);
    this.#ram = ram;
    this.#view = new DataView(ram);
  }

  /** The memory itself: what the device moves goes straight there. */
  bytes(address: number, length: number): Uint8Array {
    this.#check(address, length);
    return new Uint8Array(this.#ram, address, length);
  }

  /** All of memory, for a structure of `length` bytes at `address`. */
  view(address: number, length: number): DataView {
    this.#check(address, length);
    return this.#view;
  }

  #check(address: number, length: number): void {
    if (!(address >= 0 && address + length <= this.#ram.byteLength))
      throw new DmaFault(`no memory at 0x${address.toString(16)}, ${length} bytes`);
  }
}
