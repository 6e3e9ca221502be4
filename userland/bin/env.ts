// env: runs a program in a changed environment, or prints the environment. POSIX.1-2024 env -i, with
// GNU's -u -0 -C -S.

import { program } from '../libc/program.ts';
import { execProgram } from '../libc/run.ts';
import { quoted } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-i0] [-u NAME]... [-C DIR] [NAME=VALUE]... [COMMAND [ARG]...]',
    short: 'i0u:C:S:v',
    long: {
      'ignore-environment': 'i',
      null: '0',
      'unset=': 'u',
      'chdir=': 'C',
      'split-string=': 'S',
    },
    stopAtOperand: true,
    trouble: 125,
  },
  (tool, options) => {
    const { sys } = tool;
    const operands = [
      ...(options.value('S')?.split(/\s+/).filter(Boolean) ?? []),
      ...options.operands,
    ];
    let clean = options.has('i');
    if (operands[0] === '-') {
      operands.shift();
      clean = true;
    }
    const env = new Map(clean ? [] : sys.env);
    for (const name of options.values('u')) env.delete(name);
    while (operands[0]?.includes('=')) {
      const setting = operands.shift() ?? '';
      const equals = setting.indexOf('=');
      env.set(setting.slice(0, equals), setting.slice(equals + 1));
    }
    const directory = options.value('C');
    if (operands.length > 0 && options.has('0'))
      return tool.misuse('cannot specify --null (-0) with command');
    if (directory !== undefined && operands.length === 0)
      return tool.misuse('must specify command with --chdir (-C)');
    if (directory !== undefined)
      tool.attempt(`cannot change directory to ${quoted(directory)}`, () => sys.chdir(directory));
    if (tool.status !== 0) return 125;
    if (operands.length > 0) return execProgram(tool, operands, env);
    for (const [name, value] of env)
      tool.out.text(`${name}=${value}${options.has('0') ? '\0' : '\n'}`);
    return 0;
  },
);
