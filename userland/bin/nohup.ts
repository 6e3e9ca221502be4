// nohup: runs a command that a hang-up does not end; what would go to the terminal goes to nohup.out.
// POSIX.1-2024 nohup; messages as GNU coreutils has them.

import { O_APPEND, O_CREAT, O_WRONLY, SIGHUP } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { program, type Tool } from '../libc/program.ts';
import { execProgram } from '../libc/run.ts';
import { quoted } from '../libc/text/quote.ts';

export const main = program(
  { usage: 'COMMAND [ARG]...', short: '', stopAtOperand: true, trouble: 125 },
  (tool, options) => {
    const { sys } = tool;
    if (options.operands.length === 0) return tool.missingOperand();
    const [input, output, errors] = [0, 1, 2].map((fd) => sys.isatty(fd));
    if (input) {
      const nothing = sys.open('/dev/null', O_WRONLY); // reading from it is an error, as in GNU's
      sys.dup2(nothing, 0);
      sys.close(nothing);
      if (!output)
        tool.note(errors ? 'ignoring input and redirecting stderr to stdout' : 'ignoring input');
    }
    if (output) {
      const { fd, name } = openOutput(tool);
      tool.note(`${input ? 'ignoring input and ' : ''}appending output to ${quoted(name)}`);
      sys.dup2(fd, 1);
      sys.close(fd);
    }
    sys.sigaction(SIGHUP, 'ignore');
    if (errors) {
      if (!input && !output) tool.note('redirecting stderr to stdout');
      sys.dup2(1, 2);
    }
    return execProgram(
      tool,
      options.operands,
      sys.env,
      (name) => `failed to run command ${quoted(name)}`,
    );
  },
);

/** nohup.out here, or else at home; both for their owner alone. */
function openOutput(tool: Tool): { fd: number; name: string } {
  const { sys } = tool;
  const home = sys.env.get('HOME');
  const names = ['nohup.out', ...(home === undefined ? [] : [`${home}/nohup.out`])];
  for (const name of names) {
    try {
      return { fd: sys.open(name, O_WRONLY | O_CREAT | O_APPEND, 0o600), name };
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      tool.note(`failed to open ${quoted(name)}: ${strerror(error.errno)}`);
    }
  }
  return tool.die('no place for the output');
}
