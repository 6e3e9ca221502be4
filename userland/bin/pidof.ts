// pidof: the processes of programs by name (sysvinit-tools' pidof -s -o), and killall, which sends them a
// signal (psmisc's killall -s -l -q -v -e).

import { SIGTERM } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { Options } from '../libc/options.ts';
import { numberOf, type ProcessRow, readProcesses } from '../libc/processes.ts';
import { program, programName, type Tool } from '../libc/program.ts';
import { signalNumber } from '../libc/stdlib.ts';

export const main = program(
  {
    usage: `[-s] [-o PID]... NAME...        pidof
  or: [-qv] [-s SIGNAL | -SIGNAL] NAME...   killall
  pidof:    -s  one of them only    -o  not this one
  killall:  -q  no complaints    -v  tell what is done    -s  another signal than TERM`,
    short: 'so:qv',
    long: { 'single-shot': 's', quiet: 'q', verbose: 'v', 'signal=': 'signal' },
    rewrite: (args) => args.flatMap(asSignal),
  },
  (tool, options) => {
    const kills = programName(tool.sys) === 'killall';
    if (options.operands.length === 0) return kills ? tool.misuse('no process name specified') : 1;
    return kills ? killAll(tool, options) : tell(tool, options);
  },
);

/** `-KILL`, `-9`, `-sKILL`; a plain -s is pidof's, or has its signal behind it. */
function asSignal(arg: string, i: number, args: readonly string[]): string[] {
  const attached = /^-s?(\d+|[A-Z][A-Z0-9]+)$/.exec(arg)?.[1];
  if (attached !== undefined) return ['--signal', attached];
  const takes = (word: string | undefined): boolean =>
    word !== undefined && /^(\d+|[A-Z][A-Z0-9]+)$/.test(word) && signalNumber(word) !== undefined;
  if (arg === '-s' && takes(args[i + 1])) return ['--signal'];
  return [arg];
}

function named(tool: Tool, name: string): ProcessRow[] {
  const last = name.split('/').at(-1);
  const me = tool.sys.getpid();
  return readProcesses(tool.sys).filter(
    (row) => row['Name'] === last && numberOf(row, 'Pid') !== me,
  );
}

function tell(tool: Tool, options: Options): number {
  const left = new Set(options.values('o').map(Number));
  const pids = options.operands
    .flatMap((name) => named(tool, name).map((row) => numberOf(row, 'Pid')))
    .filter((pid) => !left.has(pid))
    .sort((a, b) => b - a);
  if (pids.length === 0) return 1;
  tool.out.text(`${(options.has('s') ? pids.slice(0, 1) : pids).join(' ')}\n`);
  return 0;
}

function killAll(tool: Tool, options: Options): number {
  const text = options.value('signal') ?? String(SIGTERM);
  const signal = signalNumber(text) ?? tool.misuse(`${text}: unknown signal`);
  for (const name of options.operands) {
    const rows = named(tool, name);
    if (rows.length === 0) {
      if (!options.has('q')) tool.error(`${name}: no process found\n`);
      tool.status = 1;
    }
    for (const row of rows) {
      const pid = numberOf(row, 'Pid');
      try {
        tool.sys.kill(pid, signal);
        if (options.has('v')) tool.error(`Killed ${name}(${pid}) with signal ${signal}\n`);
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        tool.error(`${name}(${pid}): ${strerror(error.errno)}\n`);
        tool.status = 1;
      }
    }
  }
  return tool.status;
}
