// Starting other programs and waiting for them, for find -exec and xargs.

import { ENOENT, PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { Tool } from './program.ts';
import { findProgram, shellStatus } from './stdlib.ts';
import type { SpawnRequest } from './sys.ts';
import { quoted } from './text/quote.ts';

/** Starts argv[0] as PATH finds it; undefined (and a message) when it cannot. */
export function startProgram(
  tool: Tool,
  argv: readonly string[],
  style: (name: string) => string = quoted,
  how: Pick<SpawnRequest, 'defaults' | 'pgid'> = {},
): number | { errno: number } {
  const [name = ''] = argv;
  tool.out.flush();
  const found = findProgram(tool.sys, name);
  let error: PosixError;
  if ('path' in found) {
    try {
      return tool.sys.spawn({ path: found.path, argv, env: tool.sys.env, ...how });
    } catch (thrown) {
      if (!(thrown instanceof PosixError)) throw thrown;
      error = thrown;
    }
  } else error = new PosixError(found.errno ?? ENOENT);
  tool.note(`${style(name)}: ${strerror(error.errno)}`);
  return { errno: error.errno };
}

/** The exit status of a child, 128 and its signal when that ended it. */
export const waitFor = (tool: Tool, pid: number): { pid: number; status: number } => {
  const done = tool.sys.wait(pid);
  return { pid: done.pid, status: shellStatus(done.status) };
};
