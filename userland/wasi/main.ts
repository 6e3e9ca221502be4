// Runs a WASI preview 1 command (wasi_snapshot_preview1.witx; the application ABI: `_start` and
// `memory`) as a process: on this process's descriptors, arguments, environment and directory.

import { O_CLOEXEC, O_RDONLY, RLIMIT_AS, SIGABRT, SIGSEGV } from '../../kernel/abi/constants.ts';
import { ENOMEM, PosixError } from '../../kernel/abi/errno.ts';
import { lastWords } from '../libc/runtime/runtime.ts';
import type { Program, Sys } from '../libc/sys.ts';
import { ESUCCESS, WasiError, wasiErrno } from './abi.ts';
import { ioCalls } from './calls/io.ts';
import { pathCalls } from './calls/path.ts';
import { pollCalls } from './calls/poll.ts';
import { processCalls } from './calls/process.ts';
import { statCalls } from './calls/stat.ts';
import { WasiFiles } from './files.ts';
import { GuestMemory } from './memory.ts';
import { compile } from './module.ts';
import { ProcExit, type Wasi, type WasiCalls } from './wasi.ts';

const NAMESPACE = 'wasi_snapshot_preview1';
const CALLS: WasiCalls = { ...processCalls, ...ioCalls, ...statCalls, ...pathCalls, ...pollCalls };
/** It is there, but cannot be run (as a shell tells it). */
const CANNOT_RUN = 126;

/** The program in a file of WebAssembly. */
export const wasiProgram =
  (file: string): Program =>
  (sys) => {
    const name = sys.argv[0]?.split('/').at(-1) ?? file;
    try {
      const limit = sys.resources.getrlimit(RLIMIT_AS).soft;
      return run(sys, name, compile(contents(sys, file), limit));
    } catch (error) {
      if (error instanceof ProcExit) return error.status;
      if (error instanceof PosixError) return refused(sys, name, error.message);
      return crashed(sys, name, error);
    }
  };

function run(sys: Sys, name: string, module: WebAssembly.Module): number {
  const missing = WebAssembly.Module.imports(module).find(
    (one) => one.module !== NAMESPACE || CALLS[one.name] === undefined || one.kind !== 'function',
  );
  if (missing) {
    return refused(sys, name, `needs ${missing.kind} ${missing.module}.${missing.name}`);
  }
  const exports = new Map(WebAssembly.Module.exports(module).map((one) => [one.name, one.kind]));
  if (exports.get('_start') !== 'function') {
    return refused(sys, name, 'a reactor, not a command: it has no _start');
  }
  if (exports.get('memory') !== 'memory') return refused(sys, name, 'it exports no memory');
  let wasi: Wasi | undefined;
  const instance = new WebAssembly.Instance(module, { [NAMESPACE]: imports(() => wasi) });
  const { memory, _start } = instance.exports as {
    memory: WebAssembly.Memory;
    _start: () => void;
  };
  wasi = { sys, files: new WasiFiles(sys), memory: new GuestMemory(memory) };
  _start();
  return 0;
}

/** The calls as the module sees them: numbers in, an errno out. None is made before `_start`. */
function imports(current: () => Wasi | undefined): Record<string, (...args: never[]) => number> {
  const wrapped = Object.entries(CALLS).map(([name, call]) => {
    const guarded = (...args: never[]): number => {
      const wasi = current();
      if (wasi === undefined) return wasiErrno(ENOMEM); // a start function: there is no memory yet
      try {
        call(wasi, ...args);
        return ESUCCESS;
      } catch (error) {
        if (error instanceof WasiError) return error.errno;
        if (error instanceof PosixError) return wasiErrno(error.errno);
        throw error;
      }
    };
    return [name, guarded] as const;
  });
  return Object.fromEntries(wrapped);
}

function contents(sys: Sys, file: string): Uint8Array<ArrayBuffer> {
  const fd = sys.open(file, O_RDONLY | O_CLOEXEC);
  try {
    const bytes = new Uint8Array(sys.fstat(fd).size);
    let done = 0;
    while (done < bytes.length) {
      const count = sys.read(fd, bytes.subarray(done));
      if (count === 0) break;
      done += count;
    }
    return bytes.subarray(0, done);
  } finally {
    sys.close(fd);
  }
}

function refused(sys: Sys, name: string, why: string): number {
  lastWords(sys, `${name}: cannot execute: ${why}\n`);
  return CANNOT_RUN;
}

/** A trap is what a wild pointer is to a native program. */
function crashed(sys: Sys, name: string, error: unknown): number {
  const deep = error instanceof RangeError;
  const trapped = deep || error instanceof WebAssembly.RuntimeError;
  if (!(trapped && error instanceof Error)) throw error;
  lastWords(sys, `${name}: trap: ${deep ? 'call stack exhausted' : error.message}\n`);
  sys.kill(sys.getpid(), deep ? SIGSEGV : SIGABRT);
  return CANNOT_RUN;
}
