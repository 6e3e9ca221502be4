// What the board gives a worker when it powers it on: memory, time, randomness, a place to report.
// The code of kernel, daemons, drivers and userland sees the host through this interface alone.

import type { Timespec } from './stat.ts';

export interface Clock {
  /** Milliseconds since the board was powered on, with fractions; never goes back. */
  monotonicMs(): number;
  wallclock(): Timespec;
}

export interface Board {
  /** Physical memory; memlayout.ts says what lies where. */
  readonly ram: SharedArrayBuffer;
  /** This worker's seat: its number is its place in the seat table. */
  readonly seat: number;
  readonly clock: Clock;
  /** Fills `into` with random bytes. */
  random(into: Uint8Array): void;
}

/** What the kernel's worker gets besides. */
export interface KernelBoard extends Board {
  /** Loads the module of the daemons into this worker; throws what is wrong with it. */
  loadDaemons(): unknown;
}

/** What a driver's worker gets besides: the bus its controller sits on. */
export interface DriverBoard extends Board {
  readonly pci: PciBus;
  /** What the board has to say of the disks, one line each: refused images and their reasons. */
  readonly notes: readonly string[];
}

/** PCI Local Bus 3.0 §6: the part of it that a driver uses to find and reach its device. */
export interface PciBus {
  /** All functions on the bus. */
  functions(): readonly PciFunction[];
  /** Brings to the functions what was plugged in or pulled out since; whether there was something. */
  look(): boolean;
}

export interface PciFunction {
  readonly bus: number;
  readonly device: number;
  readonly function: number;
  /** Reads configuration space: `offset` 0..255, aligned to its width. */
  configRead(offset: number, width: 1 | 2 | 4): number;
  configWrite(offset: number, width: 1 | 2 | 4, value: number): void;
  /** The registers behind a base address register 0..5; undefined when the BAR is not implemented. */
  bar(index: number): Mmio | undefined;
  /** The same for registers of several widths: an I/O BAR, or memory that takes bytes and words. */
  registers(index: number): Registers | undefined;
  /** Called when the device raises its interrupt; the handler only marks work, it does not wait. */
  onInterrupt(handler: () => void): void;
  /**
   * Lets the device work: processes what was posted to it and raises interrupts for what is done.
   * Called by the worker's loop between its own steps, since device and driver share one thread.
   * Returns whether there is more to do at once.
   */
  step(): boolean;
  /** When it wants its next turn though nobody rings: a drive that takes its time. Milliseconds. */
  dueAtMs(): number | undefined;
}

export type Width = 1 | 2 | 4;

/** Registers that are accessed with the width of each: at offsets aligned to it. */
export interface Registers {
  readonly size: number;
  read(offset: number, width: Width): number;
  write(offset: number, width: Width, value: number): void;
}

/** Memory-mapped registers: 32-bit accesses at aligned offsets. */
export interface Mmio {
  readonly size: number;
  read32(offset: number): number;
  write32(offset: number, value: number): void;
}
