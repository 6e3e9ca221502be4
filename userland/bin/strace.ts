// strace: runs a program and prints each system call it makes, with arguments and result; or looks on
// at one that runs (-p). Options of strace(1): -c -e trace= -f -o -p -s -t -T. A traced process makes
// calls for what it would read by itself, too: cached files, pipes.

import {
  O_CREAT,
  O_TRUNC,
  O_WRONLY,
  SIGINT,
  WIFSIGNALED,
  WTERMSIG,
} from '../../kernel/abi/constants.ts';
import { EINTR, ENOENT, PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { TracedCall } from '../../kernel/abi/syscall.ts';
import { SYS, syscallName } from '../../kernel/abi/syscall.ts';
import { decodeText, encodeText } from '../../kernel/abi/text.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { startProgram } from '../libc/spawn.ts';
import { shellStatus, signalName } from '../libc/stdlib.ts';
import { formatCall, HOUSEKEEPING } from '../libc/trace/format.ts';

const SHOWN = 32;

export const main = program(
  {
    usage: `[-cfTt] [-e trace=CALL,...] [-o FILE] [-s SIZE] {-p PID | COMMAND [ARG]...}

  -c  count calls and their time    -o  write to a file        -s  bytes of data shown
  -e  only these calls, or !these   -p  one that runs already  -t  the time of each call
  -f  what it starts, too           -T  how long each took`,
    short: 'cfTte:o:p:s:',
    long: { 'summary-only': 'c', 'follow-forks': 'f', 'output=': 'o', 'attach=': 'p' },
    stopAtOperand: true,
  },
  (tool, options) => {
    const { sys } = tool;
    const pid = options.value('p');
    if ((pid === undefined) === (options.operands.length === 0))
      return tool.misuse('must have PROG [ARGS] or -p PID');
    const wanted = chosen(tool, options);
    const file = options.value('o');
    const output = file === undefined ? 2 : sys.open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o666);
    const { read, write } = sys.pipe();
    for (const fd of [read, write, ...(file === undefined ? [] : [output])])
      sys.setCloexec(fd, true);
    const log = new Log(tool, options, { output, wanted });
    const follow = options.has('f') ? 'follow' : 'alone';
    if (pid !== undefined) return attach(tool, log, { pid: Number(pid), read, write, follow });
    sys.resources.trace(0, write, follow);
    const started = startProgram(
      tool,
      options.operands,
      (name) => `Cannot find executable ${name}`,
    );
    if (typeof started !== 'number') return started.errno === ENOENT ? 127 : 126;
    sys.resources.trace(0, -1, 'alone');
    sys.close(write);
    readAll(tool, read, log, () => false);
    const { status } = sys.wait(started);
    log.end(started, status);
    return shellStatus(status);
  },
);

function attach(
  tool: Tool,
  log: Log,
  to: { pid: number; read: number; write: number; follow: 'follow' | 'alone' },
): number {
  const { sys } = tool;
  try {
    sys.resources.trace(to.pid, to.write, to.follow);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`attach: trace(${to.pid}): ${strerror(error.errno)}`);
  }
  sys.close(to.write);
  let stop = false;
  sys.sigaction(SIGINT, () => {
    stop = true;
    sys.close(to.read);
  });
  readAll(tool, to.read, log, () => stop);
  log.summary();
  return 0;
}

/** Until nobody is traced any more; `interrupted` is asked when a signal came: true ends it. */
function readAll(tool: Tool, fd: number, log: Log, interrupted: () => boolean): void {
  const buffer = new Uint8Array(65_536);
  let rest = new Uint8Array(0);
  for (;;) {
    let count = 0;
    try {
      count = tool.sys.read(fd, buffer);
    } catch (error) {
      if (!(error instanceof PosixError) || error.errno !== EINTR) throw error;
      if (interrupted()) return;
      continue;
    }
    if (count === 0) return;
    const bytes = new Uint8Array(rest.length + count);
    bytes.set(rest);
    bytes.set(buffer.subarray(0, count), rest.length);
    const end = bytes.lastIndexOf(10) + 1;
    rest = bytes.slice(end);
    for (const line of decodeText(bytes.slice(0, end)).split('\n'))
      if (line !== '') log.call(JSON.parse(line) as TracedCall);
  }
}

/** -e trace=open,read or -e trace=!read */
function chosen(tool: Tool, options: Options): (call: number) => boolean {
  const text = options.value('e');
  if (text === undefined) return () => true;
  const list = /^(?:(?:trace|t)=)?(!?)(.*)$/.exec(text);
  const names = (list?.[2] ?? '').split(',');
  const all = names.includes('all');
  const numbers = names
    .filter((name) => name !== 'all' && name !== 'none')
    .map((name) =>
      Object.hasOwn(SYS, name)
        ? SYS[name as keyof typeof SYS]
        : tool.die(`invalid system call '${name}'`),
    );
  const inverted = list?.[1] === '!';
  return (call) => (all || numbers.some((number) => number === call)) !== inverted;
}

interface LogOptions {
  readonly output: number;
  readonly wanted: (call: number) => boolean;
}

/** Prints the calls, or counts them. */
class Log {
  readonly #tool: Tool;
  readonly #options: Options;
  readonly #to: LogOptions;
  readonly #shown: number;
  readonly #counts = new Map<number, { calls: number; errors: number; ms: number }>();

  constructor(tool: Tool, options: Options, to: LogOptions) {
    this.#tool = tool;
    this.#options = options;
    this.#to = to;
    this.#shown = Number(options.value('s') ?? SHOWN);
    if (!Number.isInteger(this.#shown)) tool.misuse(`invalid -s argument: ${options.value('s')}`);
  }

  call(call: TracedCall): void {
    if (HOUSEKEEPING.has(call.number) || !this.#to.wanted(call.number)) return;
    const count = this.#counts.get(call.number) ?? { calls: 0, errors: 0, ms: 0 };
    count.calls++;
    if (call.errno !== 0) count.errors++;
    count.ms += call.tookMs;
    this.#counts.set(call.number, count);
    if (this.#options.has('c')) return;
    const took = this.#options.has('T') ? ` <${(call.tookMs / 1000).toFixed(6)}>` : '';
    const when = this.#options.has('t') ? `${(call.beganMs / 1000).toFixed(6)} ` : '';
    const who = this.#options.has('f') ? `[pid ${call.pid}] ` : '';
    this.#line(`${who}${when}${formatCall(call, this.#shown)}${took}`);
    if (call.number === SYS.exit)
      this.#line(`${who}+++ exited with ${(call.args[0] ?? 0) & 0xff} +++`);
  }

  /** The program has ended: by a signal, nobody was told of an exit. */
  end(pid: number, status: number): void {
    const who = this.#options.has('f') ? `[pid ${pid}] ` : '';
    if (WIFSIGNALED(status) && !this.#options.has('c'))
      this.#line(`${who}+++ killed by SIG${signalName(WTERMSIG(status)) ?? WTERMSIG(status)} +++`);
    this.summary();
  }

  summary(): void {
    if (!this.#options.has('c')) return;
    const rows = [...this.#counts].sort(([, a], [, b]) => b.ms - a.ms);
    const total = rows.reduce((sum, [, { ms }]) => sum + ms, 0);
    this.#line('% time     seconds  usecs/call     calls    errors syscall');
    this.#line('------ ----------- ----------- --------- --------- ----------------');
    for (const [number, { calls, errors, ms }] of rows) {
      const share = total > 0 ? (100 * ms) / total : 0;
      const cells = [
        share.toFixed(2).padStart(6),
        (ms / 1000).toFixed(6).padStart(11),
        String(Math.round((ms * 1000) / calls)).padStart(11),
        String(calls).padStart(9),
        (errors === 0 ? '' : String(errors)).padStart(9),
      ];
      this.#line(`${cells.join(' ')} ${syscallName(number)}`);
    }
  }

  #line(text: string): void {
    this.#tool.sys.write(this.#to.output, encodeText(`${text}\n`));
  }
}
