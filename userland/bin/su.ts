// su: a shell as another user. -l or - as at login, -c COMMAND, -s SHELL, -m or -p keep the environment.
// There are no passwords here: root alone may (util-linux su(1) for the rest).

import { program } from '../libc/program.ts';
import { become } from '../libc/session.ts';
import { Users } from '../libc/users.ts';

export const main = program(
  {
    usage: '[-lmp] [-c COMMAND] [-s SHELL] [-] [USER [ARGUMENT]...]',
    short: 'lmpc:s:',
    long: {
      login: 'l',
      'preserve-environment': 'p',
      'command=': 'c',
      'shell=': 's',
    },
  },
  (tool, options) => {
    const operands = [...options.operands];
    const dash = operands[0] === '-';
    if (dash) operands.shift();
    const [name = 'root', ...args] = operands;
    const users = new Users(tool.sys);
    const account = users.account(name) ?? tool.die(`user ${name} does not exist`);
    if (tool.sys.geteuid() !== 0 && tool.sys.geteuid() !== account.uid)
      return tool.die('only root may become another user: there are no passwords');
    const login = dash || options.has('l');
    const keepEnvironment = !login && options.has('m', 'p');
    const command = options.value('c');
    return become(tool, {
      ...{ account, users, login, keepEnvironment },
      shell: options.value('s') ?? account.shell,
      args: command === undefined ? args : ['-c', command, ...args],
    });
  },
);
