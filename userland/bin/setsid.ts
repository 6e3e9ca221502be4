// setsid: runs a program in a session of its own (util-linux setsid -c -f -w).

import { O_RDWR } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { program } from '../libc/program.ts';
import { execProgram } from '../libc/run.ts';
import { findProgram, shellStatus } from '../libc/stdlib.ts';

export const main = program(
  {
    usage: `[-cfw] PROGRAM [ARG]...
  -c  the terminal becomes its own    -f  always as another process    -w  waits for it`,
    short: 'cfw',
    long: { ctty: 'c', fork: 'f', wait: 'w' },
    stopAtOperand: true,
  },
  (tool, options) => {
    const { sys } = tool;
    const [name] = options.operands;
    if (name === undefined) return tool.misuse('no command specified');
    const leads = sys.getpgid(0) === sys.getpid();
    if (!leads && !options.has('f')) {
      sys.setsid();
      if (options.has('c')) sys.tty.acquire(0);
      return execProgram(tool, options.operands, sys.env, (word) => `failed to execute ${word}`);
    }
    const found = findProgram(sys, name, sys.env.get('PATH'));
    if (!('path' in found))
      return tool.die(`failed to execute ${name}: ${strerror(found.errno)}`, 127);
    const path = options.has('c') ? sys.tty.name(0) : undefined;
    const opens =
      path === undefined ? [] : [{ op: 'open', fd: 0, path, flags: O_RDWR, mode: 0 } as const];
    try {
      const { env } = sys;
      const pid = sys.spawn({
        ...found,
        argv: options.operands,
        env,
        setsid: true,
        fdActions: opens,
      });
      if (!options.has('w')) return 0;
      return shellStatus(sys.wait(pid).status);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      return tool.die(`failed to execute ${name}: ${strerror(error.errno)}`, 126);
    }
  },
);
