// Programs started from the host: their standard streams are pipes of the machine, which the host's
// process pumps side by side; the end is told as node:child_process tells it.

import {
  O_CLOEXEC,
  O_RDONLY,
  SIGKILL,
  SIGTERM,
  signalNames,
  WEXITSTATUS,
  WIFEXITED,
  WTERMSIG,
} from '../kernel/abi/constants.ts';
import { EBADF, EPIPE, ESRCH, PosixError } from '../kernel/abi/errno.ts';
import { type SpawnStdioData, SYS } from '../kernel/abi/syscall.ts';
import { encodeText } from '../kernel/abi/text.ts';
import { type HostCalls, MachineGone } from './calls.ts';

export type Input = string | Uint8Array | AsyncIterable<string | Uint8Array>;

export interface SpawnOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Nothing to read unless given. */
  readonly stdin?: Input;
  /** Kills the program's process group when it fires. */
  readonly signal?: AbortSignal;
  /** Milliseconds until the process group is killed. */
  readonly timeout?: number;
}

export interface Exit {
  /** The exit status; null when a signal ended the program. */
  readonly status: number | null;
  readonly signal: string | null;
  /** It was killed since its time was up. */
  readonly timedOut: boolean;
}

/** How long a process group has between SIGTERM and SIGKILL. */
const KILL_AFTER_MS = 1000;

/** A running program. Read `stdout` and `stderr`, or it will wait once 64 KiB lie unread. */
export class Child {
  readonly pid: number;
  readonly stdout: AsyncIterable<Uint8Array>;
  readonly stderr: AsyncIterable<Uint8Array>;
  /** Its end. Rejects with the AbortSignal's reason, and when the machine is gone. */
  readonly exit: Promise<Exit>;
  readonly #calls: HostCalls;
  #timedOut = false;
  #dead = false;
  #badInput: { readonly error: unknown } | undefined;

  constructor(
    calls: HostCalls,
    from: { pid: number; stdin: number | undefined; stdout: number; stderr: number },
    options: SpawnOptions,
  ) {
    this.#calls = calls;
    this.pid = from.pid;
    this.stdout = readPipe(calls, from.stdout);
    this.stderr = readPipe(calls, from.stderr);
    this.exit = this.#watch(options);
    this.exit.catch(() => {}); // who asks is told
    if (from.stdin !== undefined) void this.#feed(from.stdin, options.stdin ?? '');
  }

  /** Sends a signal to the program's process group. One that is gone needs none. */
  async kill(signal: number | string = SIGTERM): Promise<void> {
    const number = typeof signal === 'number' ? signal : signalNames[signal.replace(/^SIG/, '')];
    if (number === undefined) throw new TypeError(`unknown signal: ${signal}`);
    try {
      await this.#calls.call({ number: SYS.kill, args: [-this.pid, number] });
    } catch (error) {
      if (!(error instanceof PosixError) || error.errno !== ESRCH) throw error;
    }
  }

  async #watch(options: SpawnOptions): Promise<Exit> {
    const { signal, timeout } = options;
    const stop = (): void => void this.#stop().catch(() => {}); // fails with the machine, as `exit` does
    const cancel =
      timeout === undefined
        ? undefined
        : this.#calls.after(timeout, () => {
            this.#timedOut = true;
            stop();
          });
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    try {
      const reply = await this.#calls.call({ number: SYS.wait, args: [this.pid, 0], waits: true });
      this.#dead = true;
      if (signal?.aborted) throw signal.reason;
      if (this.#badInput) throw this.#badInput.error;
      return toExit(reply.r1, this.#timedOut);
    } finally {
      cancel?.();
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Writes all input and closes the pipe; a program that reads no more of it is no fault. */
  async #feed(fd: number, input: Input): Promise<void> {
    const calls = this.#calls;
    try {
      for await (const piece of untilEnd(pieces(input), this.exit)) {
        await writePipe(calls, fd, typeof piece === 'string' ? encodeText(piece) : piece);
      }
    } catch (error) {
      if (!isClosed(error) && !isGone(error)) {
        this.#badInput = { error };
        await this.kill().catch(ignoreGone);
      }
    } finally {
      await closeFd(calls, fd).catch(ignoreGone);
    }
  }

  async #stop(): Promise<void> {
    await this.kill(SIGTERM);
    await new Promise<void>((resolve) => this.#calls.after(KILL_AFTER_MS, resolve));
    if (!this.#dead) await this.kill(SIGKILL);
  }
}

export async function spawnChild(
  calls: HostCalls,
  program: { path: string; argv: readonly string[] },
  options: SpawnOptions & { readonly env: Readonly<Record<string, string>> },
): Promise<Child> {
  const opened: number[] = [];
  try {
    const stdin = options.stdin === undefined ? await openNull(calls) : await makePipe(calls);
    opened.push(...stdin);
    const stdout = await makePipe(calls);
    opened.push(...stdout);
    const stderr = await makePipe(calls);
    opened.push(...stderr);
    const data: SpawnStdioData = {
      ...program,
      env: Object.entries(options.env),
      stdio: [stdin[0], stdout[1], stderr[1]],
      cwd: options.cwd ?? '/',
      pgid: 0,
    };
    const pid = await spawnOnce(calls, data);
    await Promise.all(data.stdio.map((fd) => closeFd(calls, fd)));
    return new Child(
      calls,
      { pid, stdin: stdin[1], stdout: stdout[0], stderr: stderr[0] },
      options,
    );
  } catch (error) {
    await Promise.allSettled(opened.map((fd) => closeFd(calls, fd)));
    throw error;
  }
}

async function spawnOnce(calls: HostCalls, data: SpawnStdioData): Promise<number> {
  const bytes = encodeText(JSON.stringify(data));
  return (await calls.call({ number: SYS.spawnStdio, data: bytes })).r0;
}

type Ends = readonly [number, number];

async function makePipe(calls: HostCalls): Promise<Ends> {
  const { r0, r1 } = await calls.call({ number: SYS.pipe });
  return [r0, r1];
}

async function openNull(calls: HostCalls): Promise<readonly [number]> {
  const data = encodeText('/dev/null');
  const { r0 } = await calls.call({ number: SYS.open, data, args: [O_RDONLY | O_CLOEXEC, 0] });
  return [r0];
}

export async function closeFd(calls: HostCalls, fd: number): Promise<void> {
  await calls.call({ number: SYS.close, args: [fd] });
}

/**
 * What comes out of a pipe, until its last writer is gone; closes it, also when read no further.
 * A shutdown takes the host's descriptors away: that is the end of the stream, too.
 */
async function* readPipe(calls: HostCalls, fd: number): AsyncGenerator<Uint8Array, void> {
  try {
    for (;;) {
      const room = calls.pieceSize;
      const read = { number: SYS.read, args: [fd, room], room, waits: true };
      const data = await calls.call(read).then((reply) => reply.data, endedByShutdown);
      if (data.length === 0) return;
      yield data;
    }
  } finally {
    await closeFd(calls, fd).catch(ignoreGone);
  }
}

async function writePipe(calls: HostCalls, fd: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const data = bytes.subarray(at, at + calls.pieceSize);
    const { r0 } = await calls.call({ number: SYS.write, args: [fd], data, waits: true });
    at += r0;
  }
}

const pieces = (
  input: Input,
): AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array> =>
  typeof input === 'string' || input instanceof Uint8Array ? [input] : input;

/** The pieces as they come, but none once the program has ended: nobody would read them. */
async function* untilEnd<T>(
  source: AsyncIterable<T> | Iterable<T>,
  exit: Promise<unknown>,
): AsyncGenerator<T, void> {
  const ended = exit.then(
    () => undefined,
    () => undefined,
  );
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  for (;;) {
    const next = await Promise.race([iterator.next(), ended]);
    if (next === undefined) void iterator.return?.();
    if (next === undefined || next.done) return;
    yield next.value;
  }
}

const signalName = (number: number): string =>
  `SIG${Object.keys(signalNames).find((name) => signalNames[name] === number) ?? number}`;

export const toExit = (status: number, timedOut: boolean): Exit =>
  WIFEXITED(status)
    ? { status: WEXITSTATUS(status), signal: null, timedOut }
    : { status: null, signal: signalName(WTERMSIG(status)), timedOut };

const isGone = (error: unknown): boolean => error instanceof MachineGone;

const isClosed = (error: unknown): boolean =>
  error instanceof PosixError && (error.errno === EPIPE || error.errno === EBADF);

const isTaken = (error: unknown): boolean => error instanceof PosixError && error.errno === EBADF;

function endedByShutdown(error: unknown): Uint8Array {
  if (isTaken(error)) return new Uint8Array(0);
  throw error;
}

/** The machine's end is told where somebody waits for the program, not here. */
function ignoreGone(error: unknown): void {
  if (!isGone(error) && !isTaken(error)) throw error;
}
