// awk: a language of patterns and actions over records. POSIX.1-2024 awk, with regular expressions as
// RS, `delete` of whole arrays, nextfile, fflush and length of an array.

import { O_RDONLY } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import { compileScript } from '../libc/awk/compile.ts';
import { Machine } from '../libc/awk/machine.ts';
import { Scope } from '../libc/awk/scope.ts';
import { AwkError } from '../libc/awk/syntax/ast.ts';
import { parseScript } from '../libc/awk/syntax/parse.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { Input } from '../libc/stdio.ts';
import { toLatin1 } from '../libc/text/latin1.ts';

export const main = program(
  {
    usage: `[-F SEPARATOR] [-v NAME=VALUE]... {PROGRAM | -f FILE...} [FILE | NAME=VALUE]...
Runs a program of patterns and actions on each record of the files.

  -F SEPARATOR   what parts the fields of a record
  -v NAME=VALUE  sets a variable before the program begins
  -f FILE        the program is in FILE; several are joined`,
    short: 'F:v:f:',
    stopAtOperand: true,
    trouble: 2,
  },
  (tool, options) => {
    try {
      return run(tool, options);
    } catch (error) {
      if (error instanceof AwkError) return tool.die(error.message, 2);
      if (error instanceof RangeError) return tool.die('the program nests too deep', 2);
      throw error;
    }
  },
);

function run(tool: Tool, options: Options): number {
  const operands = [...options.operands];
  const script = parseScript(programText(tool, options, operands));
  const machine = new Machine(tool, new Scope(script), script.functions);
  machine.setArguments([tool.name, ...operands]);
  const separator = options.value('F');
  if (separator !== undefined) machine.assign('FS', bytes(separator));
  for (const value of options.values('v')) {
    const found = /^([A-Za-z_][A-Za-z0-9_]*)=([\s\S]*)$/.exec(value);
    if (found === null) return tool.misuse(`-v ${value}: is no assignment`);
    machine.assign(found[1] ?? '', bytes(found[2] ?? ''));
  }
  const compiled = compileScript(machine, script);
  if (compiled.begin() === 'exit') compiled.end();
  else if (compiled.readsInput) records(machine, compiled);
  machine.streams.closeAll();
  return machine.exitStatus || tool.status;
}

const bytes = (text: string): string => toLatin1(encodeText(text));

/** The rules on every record, then END, which an exit leads to as well. */
function records(machine: Machine, compiled: ReturnType<typeof compileScript>): void {
  for (let text = machine.nextRecord(); text !== undefined; text = machine.nextRecord()) {
    machine.record.set(text);
    const ending = compiled.record();
    if (ending === 'exit') break;
    if (ending === 'nextfile') machine.nextFile();
  }
  compiled.end();
}

function programText(tool: Tool, options: Options, operands: string[]): string {
  const files = options.values('f');
  if (files.length > 0) return files.map((file) => readAll(tool, file)).join('\n');
  const text = operands.shift();
  if (text === undefined) return tool.misuse('no program text');
  return bytes(text);
}

function readAll(tool: Tool, path: string): string {
  try {
    const fd = path === '-' ? 0 : tool.sys.open(path, O_RDONLY);
    const input = new Input(tool.sys, fd);
    let text = '';
    for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk())
      text += toLatin1(chunk);
    if (fd > 2) tool.sys.close(fd);
    return text;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`can't open file ${path}: ${strerror(error.errno)}`, 2);
  }
}
