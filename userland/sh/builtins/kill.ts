// kill (POSIX.1-2024 XCU kill).

import { NSIG } from '../../../kernel/abi/constants.ts';
import { raise } from '../errors.ts';
import { posixWords, type Shell } from '../shell.ts';
import type { Io } from './registry.ts';
import { signalName, signalNumber } from './trap.ts';

export function kill(shell: Shell, args: readonly string[], io: Io): number {
  const [first = '', second] = args;
  if (first === '-l' || first === '-L') return listSignals(shell, args.slice(1), io);
  let signal: number | undefined = 15;
  let targets = args;
  if (first === '-s' || first === '-n') {
    signal = signalNumber(second ?? '');
    if (signal === undefined) raise(`invalid signal number or name: ${second ?? ''}`);
    targets = args.slice(2);
  } else if (first === '--') targets = args.slice(1);
  else if (/^-./.test(first)) {
    signal = signalNumber(first.slice(1));
    if (signal === undefined) raise(`invalid signal number or name: ${first.slice(1)}`);
    targets = args.slice(1);
  }
  if (targets[0] === '--') targets = targets.slice(1);
  if (targets.length === 0) raise('Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]...');
  let status = 0;
  for (const target of targets) {
    for (const pid of pidsOf(shell, target)) {
      try {
        if (!toTheShellAround(shell, pid, signal ?? 15)) shell.sys.kill(pid, signal ?? 15);
      } catch (error) {
        shell.complain(`kill: ${posixWords(error)}`);
        status = 1;
      }
    }
  }
  return status;
}

/**
 * A subshell that runs in this process sends to `$$`: the traps around all subshells decide, and their
 * action waits for the subshell to end. True when that is all there is to do.
 */
function toTheShellAround(shell: Shell, pid: number, signal: number): boolean {
  if (shell.level === 0 || pid !== shell.pid || pid !== shell.sys.getpid()) return false;
  if (shell.ignoredAtEntry.get(signal) === true) return false;
  const action = shell.trapsAround.get(signal);
  if (action === undefined) return false;
  if (action !== '') shell.forParent.push(signal);
  return true;
}

function pidsOf(shell: Shell, target: string): readonly number[] {
  if (target.startsWith('%')) {
    const job = shell.jobs.find(target) ?? raise(`No such job: ${target}`);
    return job.pgid > 0 ? [-job.pgid] : job.pids;
  }
  if (!/^-?[0-9]+$/.test(target)) raise(`Illegal number: ${target}`);
  return [Number(target)];
}

function listSignals(shell: Shell, args: readonly string[], io: Io): number {
  if (args[0] !== undefined) {
    const number = Number(args[0]) > 128 ? Number(args[0]) - 128 : Number(args[0]);
    if (!Number.isInteger(number) || number < 0 || number >= NSIG) {
      raise(`invalid signal number or exit status: ${args[0]}`);
    }
    shell.write(io.out, `${signalName(number)}\n`);
    return 0;
  }
  const names: string[] = [];
  for (let n = 1; n < NSIG; n++) if (signalName(n) !== String(n)) names.push(signalName(n));
  shell.write(io.out, `${names.join('\n')}\n`);
  return 0;
}
