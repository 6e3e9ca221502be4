// kill: sends signals. POSIX.1-2024 kill -s, -SIGNAL, -l.

import { SIGTERM, signalNames } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { programName, Tool } from '../libc/program.ts';
import { signalName, signalNumber } from '../libc/stdlib.ts';
import type { Program } from '../libc/sys.ts';
import { quotedArgument } from '../libc/text/quote.ts';

const usage = `[-s SIGNAL | -SIGNAL] PID...
  or: -l [SIGNAL]...
Sends a signal, TERM unless given, to processes; to a process group where PID is negative.`;

/** Its options look like signals: they are read here, not by options.ts. */
export const main: Program = (sys) => {
  const tool = new Tool(sys, programName(sys), 1);
  const args = sys.argv.slice(1);
  let signal: number | undefined = SIGTERM;
  const [first = '', second = ''] = args;
  if (first === '--help') {
    tool.out.text(`Usage: ${tool.name} ${usage}\n`);
    tool.out.flush();
    return 0;
  }
  if (first === '-l' || first === '-L' || first === '--list') return list(tool, args.slice(1));
  if (first === '-s' || first === '-n' || first === '--signal') {
    signal = signalNumber(second);
    args.splice(0, 2);
    if (signal === undefined) return misuse(tool, `${quotedArgument(second)}: invalid signal`);
  } else if (first === '--') args.shift();
  else if (/^-[A-Za-z0-9]/.test(first) && !(args.length === 1 && /^-\d+$/.test(first))) {
    signal = signalNumber(first.slice(1));
    args.shift();
    if (signal === undefined)
      return misuse(tool, `${quotedArgument(first.slice(1))}: invalid signal`);
  }
  if (args[0] === '--') args.shift();
  if (args.length === 0) return misuse(tool, 'no process ID specified');
  for (const text of args) {
    if (!/^[-+]?\d+$/.test(text)) {
      tool.warn(`failed to parse argument: ${quotedArgument(text)}`);
      break; // those before it have had their signal, as with procps
    }
    try {
      sys.kill(Number(text), signal);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      tool.warn(`(${text}): ${strerror(error.errno)}`);
    }
  }
  return tool.status;
};

function misuse(tool: Tool, message: string): number {
  tool.note(message);
  tool.error(`Try '${tool.name} --help' for more information.\n`);
  return 1;
}

/** All names, or the other form of each signal named (a shell's status counts too). */
function list(tool: Tool, args: readonly string[]): number {
  if (args.length === 0) for (const name of Object.keys(signalNames)) tool.out.text(`${name}\n`);
  for (const text of args) {
    const number = signalNumber(text);
    const name =
      number === undefined ? undefined : signalName(number > 128 ? number - 128 : number);
    if (/^\d+$/.test(text) && name !== undefined) tool.out.text(`${name}\n`);
    else if (number !== undefined && !/^\d+$/.test(text)) tool.out.text(`${number}\n`);
    else tool.warn(`${quotedArgument(text)}: invalid signal`);
  }
  tool.out.flush();
  return tool.status;
}
