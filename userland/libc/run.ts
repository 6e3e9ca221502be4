// Running another program in place of this one, as env does.

import { ENOENT, type Errno, PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { Tool } from './program.ts';
import { findProgram } from './stdlib.ts';
import { quoted } from './text/quote.ts';

/** Never returns: 127 when there is no such program, 126 when it cannot run. */
export function execProgram(
  tool: Tool,
  argv: readonly string[],
  env: Map<string, string>,
  style: (name: string) => string = quoted,
): never {
  const [name = ''] = argv;
  const found = findProgram(tool.sys, name, env.get('PATH') ?? tool.sys.env.get('PATH'));
  tool.out.flush();
  let errno: Errno = 'errno' in found ? found.errno : ENOENT;
  if ('path' in found) {
    try {
      tool.sys.exec({ path: found.path, argv, env });
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      errno = error.errno;
    }
  }
  return tool.die(`${style(name)}: ${strerror(errno)}`, errno === ENOENT ? 127 : 126);
}
