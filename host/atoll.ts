// A running system, as a program of the host sees it: commands, files, the end.

import type { Machine } from '../drivers/hw/machine.ts';
import { SYS } from '../kernel/abi/syscall.ts';
import { type BootOptions, type DiskOptions, diskConfig, startMachine } from './boot.ts';
import { HostCalls, MachineGone } from './calls.ts';
import { Faults } from './faults.ts';
import { FileSystem } from './fs.ts';
import { exportNbd, type NbdOptions, type NbdServer } from './nbd/server.ts';
import { type Child, type Exit, type SpawnOptions, spawnChild } from './process.ts';
import { openTerminal, type ShellOptions, type Terminal } from './terminal.ts';

export interface ExecOptions extends SpawnOptions {
  /** 'utf8' unless given: stdout and stderr as strings; 'buffer': as bytes. */
  readonly encoding?: 'utf8' | 'buffer';
  readonly onStdout?: (bytes: Uint8Array) => void;
  readonly onStderr?: (bytes: Uint8Array) => void;
}

export interface ExecResult<T> extends Exit {
  readonly stdout: T;
  readonly stderr: T;
}

const ENVIRONMENT = {
  ...{ PATH: '/bin', HOME: '/root', USER: 'root', LOGNAME: 'root', SHELL: '/bin/sh' },
  ...{ TERM: 'dumb', LANG: 'C.UTF-8' },
};

/** Where disks are plugged in and pulled out. */
const SDCTL = '/dev/sd/sdctl';
/** How long the streams of a killed program may stay open: others may hold them. */
const DRAIN_MS = 1000;
const SHUTDOWN_MS = 30_000;

export class Atoll {
  /** The files of the running system, in the shape of node:fs/promises. Paths begin with '/'. */
  readonly fs: FileSystem;
  /** Breaks things on purpose, by rules (docs/faults.md). */
  readonly faults: Faults;
  /** The kernel's log so far. */
  readonly log: readonly string[];
  /** The board below, for those who want to look under it. */
  readonly machine: Machine;
  readonly #calls: HostCalls;
  readonly #env: Readonly<Record<string, string>>;
  #shutdown: Promise<void> | undefined;

  /** Use `boot`. */
  constructor(machine: Machine, log: readonly string[], env: Readonly<Record<string, string>>) {
    this.machine = machine;
    this.log = log;
    this.#env = env;
    this.#calls = new HostCalls(machine);
    this.fs = new FileSystem(this.#calls);
    this.faults = new Faults(machine, this.fs);
  }

  /** Resolves with the reason when the machine has ended, whyever; '' after a shutdown. */
  get ended(): Promise<string> {
    return this.machine.ended;
  }

  /** Of a repeatable run (`boot({ seed })`): the hash of all it did so far. */
  get hash(): string | undefined {
    return this.machine.hash;
  }

  /** Runs a shell script and collects what it writes. A failing script is an answer, no rejection. */
  exec(script: string, options?: ExecOptions & { encoding?: 'utf8' }): Promise<ExecResult<string>>;
  exec(
    script: string,
    options: ExecOptions & { encoding: 'buffer' },
  ): Promise<ExecResult<Uint8Array>>;
  async exec(script: string, options: ExecOptions = {}): Promise<ExecResult<string | Uint8Array>> {
    const child = await this.spawn('/bin/sh', ['-c', script], options);
    const killed = child.exit.then(
      (exit) => exit.timedOut,
      () => true,
    );
    const [stdout, stderr] = await Promise.all([
      this.#collect(child.stdout, killed, options.onStdout),
      this.#collect(child.stderr, killed, options.onStderr),
    ]);
    const exit = await child.exit;
    if (options.encoding === 'buffer') return { stdout, stderr, ...exit };
    const text = new TextDecoder('utf-8', { ignoreBOM: true });
    return { stdout: text.decode(stdout), stderr: text.decode(stderr), ...exit };
  }

  /** Starts a program with streams to read while it runs. */
  spawn(path: string, args: readonly string[] = [], options: SpawnOptions = {}): Promise<Child> {
    const name = path.split('/').at(-1) ?? path;
    const env = { ...ENVIRONMENT, ...this.#env, ...options.env };
    return spawnChild(this.#calls, { path, argv: [name, ...args] }, { ...options, env });
  }

  /** Resolves after `ms` of the machine's time, or with its end. */
  async pause(ms: number): Promise<void> {
    let cancel = (): void => {};
    const due = new Promise<void>((resolve) => {
      cancel = this.machine.after(ms, resolve);
    });
    await Promise.race([due, this.ended]);
    cancel();
  }

  /**
   * Plugs one more disk in while the machine runs; its name, sdC1. Its volumes are mounted at /mnt. Not at
   * an IDE controller.
   */
  async attachDisk(disk: string | DiskOptions): Promise<string> {
    const config = diskConfig(typeof disk === 'string' ? { file: disk } : disk);
    const name = this.machine.reserveDisk(config);
    try {
      await this.fs.writeFile(SDCTL, `attach ${name}`);
      return name;
    } catch (error) {
      this.machine.forgetDisk(name);
      throw error;
    }
  }

  /**
   * Pulls a disk out: what its cache held is lost, what is mounted from it fails with EIO. It can be
   * plugged in again by name: `echo attach sdC0 > /dev/sd/sdctl`.
   */
  async detachDisk(name: string): Promise<void> {
    await this.fs.writeFile(SDCTL, `detach ${name}`);
  }

  /** Serves the disks by NBD; a disk with a mounted volume is read-only. */
  exportNbd(options: NbdOptions = {}): Promise<NbdServer> {
    return exportNbd(this.fs, options);
  }

  /** A live terminal with a login shell on it. */
  openShell(options: ShellOptions = {}): Promise<Terminal> {
    const env = { ...ENVIRONMENT, TERM: 'xterm-256color', ...this.#env, ...options.env };
    return openTerminal(this.#calls, { ...options, env });
  }

  /** Ends all programs, writes everything back, unmounts, and ends the workers. */
  shutdown(): Promise<void> {
    this.#shutdown ??= this.#end();
    return this.#shutdown;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /** All bytes of a stream; of a killed program only those that come soon after its end. */
  async #collect(
    stream: AsyncIterable<Uint8Array>,
    killed: Promise<boolean>,
    tell: ((bytes: Uint8Array) => void) | undefined,
  ): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    const all = (async () => {
      for await (const piece of stream) {
        pieces.push(piece);
        tell?.(piece);
      }
    })();
    const late = killed.then(async (was) => {
      await (was ? this.pause(DRAIN_MS) : all);
    });
    await Promise.race([all, late]);
    return concat(pieces);
  }

  async #end(): Promise<void> {
    const timer = setTimeout(() => {
      void this.machine.powerOff(`no shutdown within ${SHUTDOWN_MS / 1000} seconds`);
    }, SHUTDOWN_MS);
    const asked = this.#calls.call({ number: SYS.shutdown, waits: true }).catch((error) => {
      if (!(error instanceof MachineGone)) throw error; // its end is what was asked for
    });
    const reason = await Promise.race([asked.then(() => this.machine.ended), this.machine.ended]);
    clearTimeout(timer);
    if (reason !== '') throw new MachineGone(`the machine is gone: ${reason}`);
  }
}

/** Boots a machine; resolves when its volumes are mounted. */
export async function boot(options: BootOptions = {}): Promise<Atoll> {
  const log: string[] = [];
  const onLog = (line: string, atMs: number): void => {
    log.push(line);
    options.onLog?.(line, atMs);
  };
  const machine = startMachine(options, { onLog });
  const system = new Atoll(machine, log, options.env ?? {});
  await machine.booted;
  return system;
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
