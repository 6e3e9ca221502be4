// What the calls of one WASI program work with.

import type { Sys } from '../libc/sys.ts';
import type { WasiFiles } from './files.ts';
import type { GuestMemory } from './memory.ts';

export interface Wasi {
  readonly sys: Sys;
  readonly files: WasiFiles;
  readonly memory: GuestMemory;
}

/** A call of preview 1: numbers as the module gives them, i32 signed and i64 as bigints. */
export type WasiCall = (wasi: Wasi, ...args: never[]) => void;
export type WasiCalls = Readonly<Record<string, WasiCall>>;

/** proc_exit: unwinds the module. */
export class ProcExit extends Error {
  readonly status: number;

  constructor(status: number) {
    super('proc_exit');
    this.status = status;
  }
}
