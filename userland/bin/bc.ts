// bc: arithmetic of any precision. POSIX.1-2024 bc, with GNU's else, print, halt, last and -q.

import { O_RDONLY } from '../../kernel/abi/constants.ts';
import { decodeText } from '../../kernel/abi/text.ts';
import { BcMachine } from '../libc/bc/machine.ts';
import { BcError } from '../libc/bc/number.ts';
import { BcParser, Quit, type Statement, Unfinished } from '../libc/bc/syntax.ts';
import { program, type Tool } from '../libc/program.ts';
import { Input } from '../libc/stdio.ts';

export const main = program(
  {
    usage: `[-lq] [FILE]...
Reads arithmetic from the files, then from standard input, and writes each result.

  -l   with the functions s c a l e j and a scale of 20`,
    short: 'lqisw',
    long: { mathlib: 'l', quiet: 'q', interactive: 'i', standard: 's', warn: 'w' },
  },
  (tool, options) => {
    const machine = new BcMachine({
      write: (text) => tool.out.text(text),
      mathLibrary: options.has('l'),
    });
    try {
      for (const file of options.operands) {
        const fd = tool.attempt(file, () => tool.sys.open(file, O_RDONLY));
        if (fd === undefined) return 1;
        session(tool, machine, new Input(tool.sys, fd));
        tool.sys.close(fd);
      }
      session(tool, machine, new Input(tool.sys, 0));
    } catch (error) {
      if (!(error instanceof Quit)) throw error;
    }
    return tool.status;
  },
);

/** Statement after statement, as lines complete them. */
function session(tool: Tool, machine: BcMachine, input: Input): void {
  let pending = '';
  for (let line = input.line(); line !== undefined; line = input.line()) {
    pending += `${decodeText(line)}\n`;
    if (run(tool, machine, pending, true)) pending = '';
  }
  if (pending !== '') run(tool, machine, pending, false);
}

/** False when the text is not whole yet. */
function run(tool: Tool, machine: BcMachine, text: string, mayGoOn: boolean): boolean {
  let statements: Statement[];
  try {
    statements = parseAll(text, mayGoOn);
  } catch (error) {
    if (error instanceof Unfinished) return false;
    complain(tool, error);
    return true;
  }
  for (const statement of statements) {
    try {
      machine.run(statement);
    } catch (error) {
      complain(tool, error);
      break;
    }
  }
  return true;
}

function parseAll(text: string, mayGoOn: boolean): Statement[] {
  const parser = new BcParser(text, mayGoOn);
  const statements: Statement[] = [];
  for (let line = parser.line(); line !== undefined; line = parser.line()) statements.push(...line);
  return statements;
}

function complain(tool: Tool, error: unknown): void {
  const deep = error instanceof RangeError ? 'number or program too large' : undefined;
  if (deep === undefined && !(error instanceof BcError)) throw error;
  tool.out.flush();
  tool.note(deep ?? (error as BcError).message);
}
