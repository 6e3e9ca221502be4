// mkdir: makes directories. POSIX.1-2024 mkdir -m -p, with GNU's -v.

import { EEXIST, ENOTDIR, PosixError, strerror } from '../../kernel/abi/errno.ts';
import { applyMode, currentUmask, type ModeProgram, parseMode } from '../libc/files/mode.ts';
import { dirname, isDirectoryAt, trimmed } from '../libc/files/path.ts';
import { program, type Tool } from '../libc/program.ts';
import { quoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-pv] [-m MODE] DIRECTORY...',
    short: 'pvm:Z',
    long: { parents: 'p', verbose: 'v', 'mode=': 'm' },
  },
  (tool, options) => {
    if (options.operands.length === 0) tool.missingOperand();
    const text = options.value('m');
    const mode = text === undefined ? undefined : parseMode(text);
    if (text !== undefined && mode === undefined) tool.die(`invalid mode ${quotedArgument(text)}`);
    const make: Make = { mode, umask: currentUmask(tool.sys), verbose: options.has('v') };
    for (const path of options.operands) {
      const fault = options.has('p') ? makeParents(tool, path, make) : makeOne(tool, path, make);
      if (fault !== undefined)
        tool.warn(`cannot create directory ${quoted(fault.path)}: ${strerror(fault.error.errno)}`);
    }
  },
);

interface Make {
  readonly mode: ModeProgram | undefined;
  readonly umask: number;
  readonly verbose: boolean;
}

interface Fault {
  readonly path: string;
  readonly error: PosixError;
}

function makeOne(tool: Tool, path: string, make: Make): Fault | undefined {
  const { sys } = tool;
  try {
    if (make.mode === undefined) sys.mkdir(path, 0o777);
    else {
      const mode = applyMode(make.mode, 0o040777, make.umask);
      sys.mkdir(path, mode & 0o777);
      sys.chmod(path, mode);
    }
  } catch (error) {
    if (error instanceof PosixError) return { path, error };
    throw error;
  }
  if (make.verbose) tool.out.text(`${tool.name}: created directory ${quoted(path)}\n`);
  return undefined;
}

/** Parents get the usual mode plus u+wx; only the last gets the mode asked for. */
function makeParents(tool: Tool, path: string, make: Make): Fault | undefined {
  if (path === '') return makeOne(tool, path, make);
  const missing: string[] = [];
  let at = path;
  while (!isDirectoryAt(tool.sys, at) && trimmed(at) !== '') {
    missing.push(at);
    const up = dirname(at);
    if (up === at || up === '.') break;
    at = up;
  }
  for (const step of missing.reverse()) {
    const fault = makeOne(tool, step, step === path ? make : { ...make, mode: undefined });
    if (fault === undefined) continue;
    if (fault.error.errno === EEXIST && isDirectoryAt(tool.sys, step)) continue;
    if (fault.error.errno === EEXIST && step !== path)
      return { path: step, error: new PosixError(ENOTDIR) };
    return fault;
  }
  return undefined;
}
