// bc: arithmetic of any precision. POSIX.1-2024 bc, with GNU's else, print, halt, last, -q and -s.

import { O_RDONLY } from '../../kernel/abi/constants.ts';
import { decodeText } from '../../kernel/abi/text.ts';
import { BcMachine } from '../libc/bc/machine.ts';
import { BcError } from '../libc/bc/number.ts';
import { objections } from '../libc/bc/standard.ts';
import { BcParser, Quit, type Statement, Unfinished } from '../libc/bc/syntax.ts';
import { program, type Tool } from '../libc/program.ts';
import { Input } from '../libc/stdio.ts';

export const main = program(
  {
    usage: `[-lqs] [FILE]...
Reads arithmetic from the files, then from standard input, and writes each result.

  -l   with the functions s c a l e j and a scale of 20
  -s   refuses what POSIX does not know`,
    short: 'lqisw',
    long: { mathlib: 'l', quiet: 'q', interactive: 'i', standard: 's', warn: 'w' },
  },
  (tool, options) => {
    const machine = new BcMachine({
      write: (text) => tool.out.text(text),
      mathLibrary: options.has('l'),
    });
    const sessions: Session = { machine, isStrict: options.has('s') };
    try {
      for (const file of options.operands) {
        const fd = tool.attempt(file, () => tool.sys.open(file, O_RDONLY));
        if (fd === undefined) return 1;
        session(tool, sessions, new Input(tool.sys, fd));
        tool.sys.close(fd);
      }
      session(tool, sessions, new Input(tool.sys, 0));
    } catch (error) {
      if (!(error instanceof Quit)) throw error;
    }
    return tool.status;
  },
);

interface Session {
  readonly machine: BcMachine;
  /** -s */
  readonly isStrict: boolean;
}

/** Statement after statement, as lines complete them. */
function session(tool: Tool, how: Session, input: Input): void {
  let pending = '';
  for (let line = input.line(); line !== undefined; line = input.line()) {
    pending += `${decodeText(line)}\n`;
    if (run(tool, how, { text: pending, mayGoOn: true })) pending = '';
  }
  if (pending !== '') run(tool, how, { text: pending, mayGoOn: false });
}

/** False when the text is not whole yet. */
function run(tool: Tool, how: Session, read: { text: string; mayGoOn: boolean }): boolean {
  let statements: Statement[];
  try {
    statements = parseAll(read.text, read.mayGoOn);
  } catch (error) {
    if (error instanceof Unfinished) return false;
    complain(tool, error);
    return true;
  }
  const refused = how.isStrict ? statements.flatMap(objections) : [];
  for (const why of refused) complain(tool, new BcError(why));
  for (const statement of refused.length > 0 ? [] : statements) {
    try {
      how.machine.run(statement);
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
