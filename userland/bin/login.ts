// login: asks for a name at the terminal and begins that user's session. Users have no passwords, and
// what runs here is root already. -f NAME does not ask, -p keeps the environment.

import { O_RDONLY } from '../../kernel/abi/constants.ts';
import { PosixError } from '../../kernel/abi/errno.ts';
import { decodeText } from '../../kernel/abi/text.ts';
import { program, type Tool } from '../libc/program.ts';
import { become } from '../libc/session.ts';
import { Input } from '../libc/stdio.ts';
import { type Account, Users } from '../libc/users.ts';

const TRIES = 3;
const NEWLINE = 10;
const LINE_MAX = 256;

export const main = program(
  { usage: '[-p] [[-f] NAME]', short: 'pf:h:', long: {} },
  (tool, options) => {
    const { sys } = tool;
    if (sys.geteuid() !== 0) return tool.die('only root may begin another session');
    const users = new Users(sys);
    const given = options.value('f') ?? options.operands[0];
    const account = findAccount(tool, users, given);
    if (account === undefined) return tool.die(`${TRIES} tries: no such user`);
    showMotd(tool);
    return become(tool, {
      ...{ account, users, login: true, args: [], shell: account.shell },
      keepEnvironment: options.has('p'),
    });
  },
);

function findAccount(tool: Tool, users: Users, given: string | undefined): Account | undefined {
  const { sys } = tool;
  let name = given;
  for (let turn = 0; turn < TRIES; turn++) {
    if (name === undefined) {
      tool.out.text(`${sys.uname().nodename} login: `);
      tool.out.flush();
      name = readName(tool);
    }
    const account = name === '' ? undefined : users.account(name);
    if (account !== undefined) return account;
    tool.out.text('Login incorrect\n\n');
    name = undefined;
  }
  return undefined;
}

/** A byte at a time: what is typed ahead is the shell's. */
function readName(tool: Tool): string {
  const line: number[] = [];
  const byte = new Uint8Array(1);
  while (line.length < LINE_MAX) {
    if (tool.sys.read(0, byte) === 0) return tool.die('end of input');
    const [code = 0] = byte;
    if (code === NEWLINE) return decodeText(Uint8Array.from(line)).trim();
    line.push(code);
  }
  return '';
}

function showMotd(tool: Tool): void {
  try {
    const fd = tool.sys.open('/etc/motd', O_RDONLY);
    const input = new Input(tool.sys, fd);
    for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk())
      tool.out.write(chunk);
    tool.sys.close(fd);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error; // no message of the day is none
  }
}
