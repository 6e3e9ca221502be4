// mkfs: makes a file system by the program of its kind, mkfs.TYPE (util-linux mkfs(8)).

import { programName, Tool } from '../libc/program.ts';
import { execProgram } from '../libc/run.ts';
import { Exit } from '../libc/stdio.ts';
import type { Program } from '../libc/sys.ts';

const usage = `[-V] [-t TYPE] [OPTION]... DEVICE [SIZE]
Runs mkfs.TYPE (ext2 unless told) with the options and what follows; -V says how.
`;

/** Its options but for two are those of another program: they are read there. */
export const main: Program = (sys) => {
  const tool = new Tool(sys, programName(sys), 1);
  const rest: string[] = [];
  let type = 'ext2';
  let verbose = false;
  const args = [...sys.argv.slice(1)];
  try {
    if (args.includes('--help')) tool.out.text(`Usage: ${tool.name} ${usage}`);
    if (args.includes('--help')) return finish(tool, 0);
    for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
      const attached = /^(?:-t|--type=)(.+)$/s.exec(arg)?.[1];
      if (arg === '-t' || arg === '--type') type = args.shift() ?? tool.misuse('no type');
      else if (attached !== undefined) type = attached;
      else if (arg === '-V' || arg === '--verbose') verbose = true;
      else rest.push(arg);
    }
    if (rest.length === 0) return tool.misuse('no device specified');
    const argv = [`mkfs.${type}`, ...rest];
    if (verbose) tool.out.text(`${argv.join(' ')}\n`);
    return execProgram(tool, argv, sys.env, (name) => `failed to execute ${name}`);
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    if (error.message !== '') tool.note(error.message);
    return error.status;
  }
};

function finish(tool: Tool, status: number): number {
  tool.out.flush();
  return status;
}
