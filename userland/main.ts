// The main of a process's worker: waits to be a process, runs its program, reports how it ended, and
// waits to be the next one. The shell is loaded before, while the worker is warm.

import type { Board } from '../kernel/abi/board.ts';
import { PosixError, strerror } from '../kernel/abi/errno.ts';
import type { ProcessConfig } from '../kernel/abi/seat-config.ts';
import { type Start, SYS } from '../kernel/abi/syscall.ts';
import { loadProgram } from './bin/load.ts';
import { Channel, ProcessDied } from './libc/runtime/channel.ts';
import { lastWords, Runtime } from './libc/runtime/runtime.ts';
import type { Program, Sys } from './libc/sys.ts';

/** The kernel found the file, but this system has no such program (as a shell tells it). */
const NO_PROGRAM = 127;
/** The program failed by its own fault: EX_SOFTWARE of sysexits(3). */
const BROKEN = 70;

await loadProgram('sh');

export async function main(board: Board, config: ProcessConfig): Promise<void> {
  const channel = new Channel(board, config);
  for (;;) await live(board, channel);
}

/** One process, from its start to its end. */
async function live(board: Board, channel: Channel): Promise<void> {
  channel.revive();
  try {
    channel.call(SYS.ready, 0);
    for (let start: Start | undefined = started(channel); start !== undefined; ) {
      const program = await programOf(start);
      start = run(new Runtime(board, channel, start), channel, { start, program });
    }
  } catch (error) {
    if (!(error instanceof ProcessDied)) throw error; // a bug of ours: ends the worker, and is told
  }
}

/** WebAssembly is loaded by those who need it alone. */
async function programOf({ program, module }: Start): Promise<Program | undefined> {
  if (module === undefined) return loadProgram(program);
  return (await import('./wasi/main.ts')).wasiProgram(module);
}

const started = (channel: Channel): Start => JSON.parse(channel.text()) as Start;

/** Runs one program; returns what it replaced itself with, otherwise ends in ProcessDied. */
function run(
  sys: Runtime,
  channel: Channel,
  { start, program }: { start: Start; program: Program | undefined },
): Start | undefined {
  try {
    if (program === undefined) {
      lastWords(sys, `${start.program}: no such program in this system\n`);
      sys.exit(NO_PROGRAM);
    }
    sys.exit(program(sys));
  } catch (error) {
    const { replacement } = sys;
    if (error instanceof ProcessDied && replacement !== undefined) {
      channel.revive();
      return replacement;
    }
    if (error instanceof ProcessDied) throw error;
    sys.exit(statusOf(sys, start, error));
  }
}

/** Tells what a program did not catch, and the status for it. */
function statusOf(sys: Sys, start: Start, error: unknown): number {
  const name = start.argv[0]?.split('/').at(-1) ?? start.program;
  if (error instanceof PosixError) {
    lastWords(sys, `${name}: ${strerror(error.errno)}\n`);
    return 1;
  }
  if (error instanceof RangeError && error.message.includes('call stack')) {
    lastWords(sys, `${name}: too deeply nested\n`);
    return BROKEN;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  lastWords(sys, `${name}: internal error: ${stack}\n`);
  return BROKEN;
}
