// `atoll -c SCRIPT`, `atoll FILE` and `atoll < commands`: the machine as a filter. The host's standard
// streams, signals and the exit status pass through; only a disk that was refused is spoken of.

import { readFileSync } from 'node:fs';
import type { Writable } from 'node:stream';
import type { Machine } from '../drivers/hw/machine.ts';
import { type Atoll, boot } from '../host/atoll.ts';
import type { NbdServer } from '../host/nbd/server.ts';
import type { Child } from '../host/process.ts';
import { signalNames } from '../kernel/abi/constants.ts';
import { strerror, toErrno } from '../kernel/abi/errno.ts';
import { decodeText } from '../kernel/abi/text.ts';
import type { CommandLine } from './cli-options.ts';

/** sh gives this when it cannot open its script. */
const NO_SCRIPT = 127;
/** Longer scripts do not fit the arguments of a program. */
const ARGUMENT_BYTES = 96 * 1024;
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Boots, runs, shuts down; the exit status. */
export async function runScript(line: CommandLine): Promise<number> {
  const job = await readJob(line);
  if (typeof job === 'string') {
    process.stderr.write(`atoll: ${job}\n`);
    return NO_SCRIPT;
  }
  if (line.check) return await (await import('./cli-check.ts')).checkScript(line, job);
  return (await runJob(line, job, process)).status;
}

/** What is read before the machine boots. */
export interface Job {
  readonly source: Uint8Array | undefined;
  /** All of standard input: a repeatable run knows it before it begins. */
  readonly input: Uint8Array | undefined;
}

/** What the host needs for the job; a string tells why there is none. */
async function readJob({ work, seed }: CommandLine): Promise<Job | string> {
  const source = work.kind === 'file' ? readSource(work.file) : undefined;
  if (typeof source === 'string') return source;
  const input = seed === undefined || process.stdin.isTTY ? undefined : await allInput();
  return { source, input };
}

/** Where the program's output goes. */
export interface Streams {
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** One machine from power-on to its end. */
export async function runJob(
  line: CommandLine,
  { source, input }: Job,
  streams: Streams,
): Promise<{ status: number; machine: Machine }> {
  const system = await bootQuietly(line);
  let nbd: NbdServer | undefined;
  try {
    nbd = await exportDisks(system, line);
    const args = await shellArguments(system, line, source);
    const env = { TERM: line.seed === undefined ? (process.env['TERM'] ?? 'dumb') : 'dumb' };
    const child = await system.spawn('/bin/sh', args, { stdin: input ?? hostInput(system), env });
    const status = await passThrough(system, child, streams);
    return { status, machine: system.machine };
  } finally {
    process.stdin.destroy();
    await nbd?.close();
    await shutdown(system, line);
  }
}

/** Says where, unless nobody asked for it. */
export async function exportDisks(
  system: Atoll,
  { nbdPort: port }: CommandLine,
): Promise<NbdServer | undefined> {
  if (port === undefined) return undefined;
  const nbd = await system.exportNbd({ port });
  process.stderr.write(`atoll: disks at nbd://127.0.0.1:${nbd.port}/NAME\r\n`);
  return nbd;
}

async function shutdown(system: Atoll, { seed, hash }: CommandLine): Promise<void> {
  try {
    await system.shutdown();
    const { traceComplaint } = system.machine;
    if (traceComplaint !== undefined) process.stderr.write(`atoll: ${traceComplaint}\n`);
  } finally {
    if (hash) process.stderr.write(`atoll: seed ${seed}: hash ${system.hash}\n`);
  }
}

/** The script's bytes, or why there are none. */
function readSource(file: string): Uint8Array | string {
  try {
    return readFileSync(file);
  } catch (error) {
    const errno = error instanceof Error && 'errno' in error ? Number(error.errno) : 0;
    return `${file}: ${strerror(toErrno(-errno))}`;
  }
}

async function bootQuietly(line: CommandLine): Promise<Atoll> {
  const { disks, mem, cpus, seed, strategy, watchFrom, trace, faults, daemons } = line;
  return await boot({
    ...(disks.length === 0 ? {} : { disks }),
    ...(mem === undefined ? {} : { mem }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(trace === undefined ? {} : { trace }),
    ...(faults === undefined ? {} : { faults }),
    ...(daemons === undefined ? {} : { daemons }),
    ...(seed === undefined ? {} : { seed }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(watchFrom === undefined ? {} : { watchFrom }),
    sealed: !process.stdin.isTTY,
    onLog: (text) => {
      const refused = /^\[ *[\d.]+\] (sd[A-Z]\d+(?:p\d+)?: .*)$/.exec(text)?.[1];
      if (refused !== undefined && !/: (mounted|unmounted|recovered|journal)\b/.test(refused)) {
        process.stderr.write(`atoll: ${refused}\n`);
      }
    },
  });
}

async function shellArguments(
  system: Atoll,
  line: CommandLine,
  source: Uint8Array | undefined,
): Promise<string[]> {
  const { work, shellFlags } = line;
  const flags = [...shellFlags];
  if (work.kind === 'script') return [...flags, '-c', work.script, ...work.args];
  if (work.kind !== 'file' || source === undefined) return flags;
  if (source.length <= ARGUMENT_BYTES) {
    return [...flags, '-c', decodeText(source), work.file, ...work.args];
  }
  const copy = `${await system.fs.mkdtemp('/tmp/atoll-')}/script`;
  await system.fs.writeFile(copy, source);
  return [...flags, '-c', `. ${copy}`, work.file, ...work.args];
}

async function allInput(): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of process.stdin) pieces.push(piece as Uint8Array);
  return Buffer.concat(pieces);
}

/** What comes in on standard input, piece by piece as the program takes it. */
async function* hostInput({ machine }: Atoll): AsyncGenerator<Uint8Array, void> {
  try {
    const pieces = process.stdin[Symbol.asyncIterator]();
    for (;;) {
      const { done, value } = await machine.hold(pieces.next());
      if (done) return;
      yield value as Uint8Array;
    }
  } catch (error) {
    // The stream is destroyed when the program has ended; a broken one ends as an empty one does.
    if (!process.stdin.destroyed) {
      process.stderr.write(`atoll: stdin: ${error instanceof Error ? error.message : error}\n`);
    }
  }
}

/** Connects the program with the host's streams and signals until it ends; its exit status. */
async function passThrough(system: Atoll, child: Child, streams: Streams): Promise<number> {
  const handlers = FORWARDED.map((name) => {
    const handler = (): void => void child.kill(name).catch(() => {}); // `exit` tells of the machine
    process.on(name, handler);
    return { name, handler };
  });
  try {
    const out: PumpState = { waitingSinceMs: undefined };
    const err: PumpState = { waitingSinceMs: undefined };
    const pumps = Promise.all([
      pump(system, { from: child.stdout, to: streams.stdout, state: out }),
      pump(system, { from: child.stderr, to: streams.stderr, state: err }),
    ]);
    await Promise.race([pumps, child.exit.then(() => quiet(system, [out, err]))]);
    const { status, signal } = await child.exit;
    return status ?? 128 + (signalNames[signal?.replace(/^SIG/, '') ?? ''] ?? 0);
  } finally {
    for (const { name, handler } of handlers) process.off(name, handler);
  }
}

/** Whether a pump has nothing to do, and since when. */
interface PumpState {
  waitingSinceMs: number | undefined;
}

/** How long a stream must be silent after the shell's end, when others still hold it open. */
const QUIET_MS = 50;

/**
 * The shell has ended, but what it left in the background holds its streams: resolves when all that
 * was written is through. The machine then goes down, as the shell's caller expects.
 */
async function quiet(system: Atoll, states: readonly PumpState[]): Promise<void> {
  const { machine } = system;
  const since = machine.uptimeMs;
  let ended = false;
  void system.ended.then(() => {
    ended = true;
  });
  const isQuiet = (state: PumpState): boolean => {
    const waiting = state.waitingSinceMs;
    return waiting !== undefined && machine.uptimeMs - Math.max(waiting, since) >= QUIET_MS;
  };
  while (!ended && !states.every(isQuiet)) await system.pause(QUIET_MS / 5);
}

/** Copies a stream of the program to one of the host. When that is closed, so is the program's. */
async function pump(
  { machine }: Atoll,
  { from, to, state }: { from: AsyncIterable<Uint8Array>; to: Writable; state: PumpState },
): Promise<void> {
  let broken = false;
  state.waitingSinceMs = machine.uptimeMs;
  let wake = (): void => {};
  const onBroken = (): void => {
    broken = true;
    wake();
  };
  to.on('error', onBroken);
  for await (const piece of from) {
    state.waitingSinceMs = undefined;
    if (broken) return; // ends the iteration, which closes the pipe: the program gets SIGPIPE
    if (!to.write(piece) && !broken) {
      const drained = new Promise<void>((resolve) => {
        wake = resolve;
        to.once('drain', resolve);
      });
      await machine.hold(drained);
    }
    state.waitingSinceMs = machine.uptimeMs;
  }
  state.waitingSinceMs = Number.NEGATIVE_INFINITY;
}
