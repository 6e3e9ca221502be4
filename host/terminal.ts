// A live terminal for a program of the host: a shell that leads a session on a PTY of the machine, whose
// master the host's process holds. What is written is typed; what comes out is what a screen would get.

import { O_CLOEXEC, O_NOCTTY, O_RDWR, SIGHUP, signalNames } from '../kernel/abi/constants.ts';
import { EBADF, EIO, ESRCH, PosixError } from '../kernel/abi/errno.ts';
import { type SpawnStdioData, SYS } from '../kernel/abi/syscall.ts';
import { encodeText } from '../kernel/abi/text.ts';
import { type HostCalls, MachineGone } from './calls.ts';
import { closeFd, type Exit, toExit } from './process.ts';

export interface ShellOptions {
  /** Default 80 and 24. */
  readonly cols?: number;
  readonly rows?: number;
  /** Default: /root. */
  readonly cwd?: string;
  /** Added to the shell's environment. TERM is xterm-256color unless given. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A shell on a terminal of its own. Has one reader: `onData`, or `for await`. */
export class Terminal implements AsyncIterable<Uint8Array> {
  /** Of the shell. */
  readonly pid: number;
  /** The end of the shell. Rejects when the machine is gone. */
  readonly exit: Promise<Exit>;
  readonly #calls: HostCalls;
  readonly #master: number;
  readonly #output: AsyncGenerator<Uint8Array, void>;
  /** Writes go one behind the other, however long each waits. */
  #written: Promise<void> = Promise.resolve();
  #open = true;

  /** Use `os.openShell`. */
  constructor(calls: HostCalls, from: { pid: number; master: number }) {
    this.#calls = calls;
    this.#master = from.master;
    this.pid = from.pid;
    this.#output = this.#read();
    this.exit = this.#watch();
    this.exit.catch(() => {}); // who asks is told
  }

  /** Types; resolves when the terminal has taken it all. Keys after the end are lost. */
  write(keys: string | Uint8Array): Promise<void> {
    const bytes = typeof keys === 'string' ? new TextEncoder().encode(keys) : keys.slice();
    const typed = this.#written.then(() => this.#type(bytes));
    this.#written = typed.catch(() => {});
    return typed;
  }

  /** Tells each piece of output as it comes; returns how to end that, which hangs up. */
  onData(listener: (bytes: Uint8Array) => void): () => void {
    void (async () => {
      for await (const piece of this.#output) listener(piece);
    })().catch(ignoreGone);
    return () => void this.close().catch(ignoreGone);
  }

  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    return this.#output;
  }

  /** The foreground programs get SIGWINCH. */
  async resize(cols: number, rows: number): Promise<void> {
    if (!this.#open) return;
    await this.#calls.call({ number: SYS.tcsetwinsize, args: [this.#master, cols, rows] });
  }

  /** Sends a signal to the shell; SIGHUP unless given. One that has ended needs none. */
  async kill(signal: number | string = SIGHUP): Promise<void> {
    const number = typeof signal === 'number' ? signal : signalNames[signal.replace(/^SIG/, '')];
    if (number === undefined) throw new TypeError(`unknown signal: ${signal}`);
    try {
      await this.#calls.call({ number: SYS.kill, args: [this.pid, number] });
    } catch (error) {
      if (!(error instanceof PosixError) || error.errno !== ESRCH) throw error;
    }
  }

  /** Hangs up: the shell and its foreground programs get SIGHUP. */
  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await closeFd(this.#calls, this.#master);
  }

  async #type(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && this.#open; ) {
      const data = bytes.subarray(at, at + this.#calls.pieceSize);
      const write = { number: SYS.write, args: [this.#master], data, waits: true };
      const { r0 } = await this.#calls.call(write).catch((error) => {
        if (hasEnded(error)) return { r0: bytes.length };
        throw error;
      });
      at += r0;
    }
  }

  /** What is shown, until nobody has the terminal open any more; then hangs up. */
  async *#read(): AsyncGenerator<Uint8Array, void> {
    try {
      while (this.#open) {
        const room = this.#calls.pieceSize;
        const read = { number: SYS.read, args: [this.#master, room], room, waits: true };
        yield (await this.#calls.call(read)).data;
      }
    } catch (error) {
      if (!hasEnded(error)) throw error;
    } finally {
      await this.close().catch(ignoreGone);
    }
  }

  async #watch(): Promise<Exit> {
    const reply = await this.#calls.call({ number: SYS.wait, args: [this.pid, 0], waits: true });
    return toExit(reply.r1, false);
  }
}

export async function openTerminal(
  calls: HostCalls,
  options: ShellOptions & { readonly env: Readonly<Record<string, string>> },
): Promise<Terminal> {
  const opened: number[] = [];
  try {
    const master = await open(calls, '/dev/ptmx');
    opened.push(master);
    const { cols = 80, rows = 24 } = options;
    await calls.call({ number: SYS.tcsetwinsize, args: [master, cols, rows] });
    const { data: name } = await calls.call({ number: SYS.ptsname, args: [master], room: 256 });
    const tty = await open(calls, new TextDecoder().decode(name));
    opened.push(tty);
    const request: SpawnStdioData = {
      ...{ path: '/bin/sh', argv: ['-sh'], env: Object.entries(options.env) },
      ...{ stdio: [tty, tty, tty], cwd: options.cwd ?? '/root', setsid: true },
    };
    const spawn = { number: SYS.spawnStdio, data: encodeText(JSON.stringify(request)) };
    const { r0: pid } = await calls.call(spawn);
    opened.pop();
    await closeFd(calls, tty);
    return new Terminal(calls, { pid, master });
  } catch (error) {
    await Promise.allSettled(opened.map((fd) => closeFd(calls, fd)));
    throw error;
  }
}

async function open(calls: HostCalls, path: string): Promise<number> {
  const args = [O_RDWR | O_NOCTTY | O_CLOEXEC, 0];
  return (await calls.call({ number: SYS.open, data: encodeText(path), args })).r0;
}

/** Nobody has the terminal open, or it was hung up. */
const hasEnded = (error: unknown): boolean =>
  error instanceof PosixError && (error.errno === EIO || error.errno === EBADF);

/** The machine's end is told where somebody waits for the shell, not here. */
function ignoreGone(error: unknown): void {
  if (!(error instanceof MachineGone) && !hasEnded(error)) throw error;
}
