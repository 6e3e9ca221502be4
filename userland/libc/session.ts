// Becoming another user: groups, ids, environment, directory, shell. For su and login; there are no
// passwords, so only root may.

import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { Tool } from './program.ts';
import type { Account, Users } from './users.ts';

export interface Become {
  readonly account: Account;
  readonly users: Users;
  /** A fresh environment and the user's own directory. */
  readonly login: boolean;
  readonly shell: string;
  /** Arguments of the shell behind its name. */
  readonly args: readonly string[];
  readonly keepEnvironment: boolean;
}

const KEPT = ['TERM', 'COLORTERM'];

/** Never returns: the user's shell takes this program's place. */
export function become(tool: Tool, to: Become): never {
  const { sys } = tool;
  const { account, shell, login } = to;
  try {
    sys.resources.setgroups(to.users.groupsOf(account));
    sys.setgid(account.gid);
    sys.setuid(account.uid);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`cannot become ${account.name}: ${strerror(error.errno)}`);
  }
  if (login) atHome(tool, account.home);
  const name = shell.slice(shell.lastIndexOf('/') + 1);
  const argv = [login ? `-${name}` : name, ...to.args];
  tool.out.flush();
  try {
    return sys.exec({ path: shell, argv, env: environment(tool, to) });
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`${shell}: ${strerror(error.errno)}`, 127);
  }
}

/** A home that is missing keeps nobody out. */
function atHome(tool: Tool, home: string): void {
  try {
    tool.sys.chdir(home);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    tool.note(`warning: cannot change directory to ${home}: ${strerror(error.errno)}`);
    tool.sys.chdir('/');
  }
}

function environment(tool: Tool, to: Become): Map<string, string> {
  const { account, shell, login } = to;
  const before = tool.sys.env;
  if (to.keepEnvironment) return new Map(before);
  const env = new Map(login ? [...before].filter(([name]) => KEPT.includes(name)) : before);
  if (login) env.set('PATH', '/bin');
  env.set('HOME', account.home);
  env.set('SHELL', shell);
  if (login || account.uid !== 0) {
    env.set('USER', account.name);
    env.set('LOGNAME', account.name);
  }
  return env;
}
