// The board's console on the host's terminal: raw mode while the machine owns it, given back on every
// way out. Keys go to the kernel, bytes of the kernel to the terminal, resizing to both.

import type { Machine } from './machine.ts';

/** Exit statuses of a process that a signal ended, as a shell tells them. */
const ENDING_SIGNALS = { SIGTERM: 143, SIGHUP: 129, SIGINT: 130, SIGQUIT: 131 } as const;

/**
 * Connects the terminal with the machine; the result gives it back to the host. `onSignal` is told
 * when the host wants this process to end, with the status it should end with.
 */
export function attachConsole(machine: Machine, onSignal: (status: number) => void): () => void {
  const { stdin, stdout } = process;
  const keys = (bytes: Uint8Array): void => {
    stdin.pause();
    void machine.keys(new Uint8Array(bytes)).then(() => stdin.resume());
  };
  const resized = (): void => machine.winsize(stdout.columns ?? 80, stdout.rows ?? 24);
  const restore = rawMode();
  const release = restoreOnExit(restore, onSignal);
  stdin.on('data', keys);
  stdout.on('resize', resized);
  resized();
  let attached = true;
  return () => {
    if (!attached) return;
    attached = false;
    stdin.off('data', keys);
    stdout.off('resize', resized);
    release();
    restore();
    stdin.pause();
    stdin.unref();
  };
}

function rawMode(): () => void {
  const { stdin } = process;
  if (!stdin.isTTY) return () => {};
  stdin.setRawMode(true);
  stdin.ref();
  return () => {
    if (!stdin.destroyed) stdin.setRawMode(false);
  };
}

/** Exceptions and process.exit() end in 'exit'; signals would not. */
function restoreOnExit(restore: () => void, onSignal: (status: number) => void): () => void {
  process.on('exit', restore);
  const handlers = Object.entries(ENDING_SIGNALS).map(([signal, status]) => {
    const handler = (): void => onSignal(status);
    process.on(signal, handler);
    return { signal, handler };
  });
  return () => {
    process.off('exit', restore);
    for (const { signal, handler } of handlers) process.off(signal, handler);
  };
}

/** Where the kernel's console output goes: the terminal, as fast as it takes it. */
export function terminalSink(): ConsoleSink {
  const { stdout } = process;
  return {
    write: (bytes) => void stdout.write(bytes),
    ready: () => stdout.writableLength < SINK_LIMIT,
    onReady: (resume) => {
      stdout.on('drain', resume);
      return () => stdout.off('drain', resume);
    },
  };
}

/** Bytes that wait for a slow terminal before the kernel has to. */
const SINK_LIMIT = 256 * 1024;

export interface ConsoleSink {
  write(bytes: Uint8Array): void;
  /** May more be written now? */
  ready(): boolean;
  /** Calls back whenever more may be written; returns how to end that. */
  onReady(resume: () => void): () => void;
}
