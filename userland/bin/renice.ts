// renice: changes the priority of processes that run. POSIX.1-2024 renice -n -g -p -u.

import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { numberOf, readProcesses } from '../libc/processes.ts';
import { program, type Tool } from '../libc/program.ts';
import { Users } from '../libc/users.ts';

const KINDS = { p: 'process ID', g: 'process group ID', u: 'user ID' } as const;
type Kind = keyof typeof KINDS;

export const main = program(
  {
    usage:
      '[-n] PRIORITY [-p|--pid] PID...\n  or: renice [-n] PRIORITY -g PGID...\n  or: renice [-n] PRIORITY -u USER...',
    short: 'n:pgu',
    long: { 'priority=': 'n', pid: 'p', pgrp: 'g', user: 'u', relative: 'relative' },
    // The priority may stand alone in front, and may be negative.
    rewrite: (args) => (/^[-+]?\d+$/.test(args[0] ?? '') ? ['-n', ...args] : [...args]),
  },
  (tool, options) => {
    const text = options.value('n') ?? tool.misuse('not enough arguments');
    if (!/^[-+]?\d+$/.test(text)) tool.misuse(`invalid priority '${text}'`);
    if (options.operands.length === 0) return tool.misuse('not enough arguments');
    const kind = (options.last('p', 'g', 'u') ?? 'p') as Kind;
    for (const who of options.operands) change(tool, { kind, who, nice: Number(text) });
    return tool.status;
  },
);

function change(tool: Tool, { kind, who, nice }: { kind: Kind; who: string; nice: number }): void {
  const id =
    kind === 'u' ? new Users(tool.sys).uid(who) : /^\d+$/.test(who) ? Number(who) : undefined;
  if (id === undefined) {
    tool.warn(kind === 'u' ? `unknown user ${who}` : `bad ${KINDS[kind]} value: ${who}`);
    return;
  }
  const field = { p: 'Pid', g: 'Pgid', u: 'Uid' }[kind];
  const pids =
    kind === 'p'
      ? [id]
      : readProcesses(tool.sys)
          .filter((row) => numberOf(row, field) === id)
          .map((row) => numberOf(row, 'Pid'));
  const { resources } = tool.sys;
  try {
    const old = Math.min(...pids.map((pid) => resources.getpriority(pid)));
    for (const pid of pids) resources.setpriority(pid, nice);
    if (pids.length === 0) throw new PosixError(3);
    const now = Math.min(...pids.map((pid) => resources.getpriority(pid)));
    tool.out.text(`${id} (${KINDS[kind]}) old priority ${old}, new priority ${now}\n`);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    tool.warn(`failed to set priority for ${id} (${KINDS[kind]}): ${strerror(error.errno)}`);
  }
}
