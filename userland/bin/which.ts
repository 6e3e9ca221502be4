// which: where a program lies in PATH (-a: everywhere it does).

import { program } from '../libc/program.ts';
import { findProgram } from '../libc/stdlib.ts';

export const main = program({ usage: '[-a] NAME...', short: 'a' }, (tool, options) => {
  const path = tool.sys.env.get('PATH') ?? '/bin';
  if (options.operands.length === 0) return 1;
  for (const name of options.operands) {
    const at = name.lastIndexOf('/') + 1;
    const places = at > 0 ? [name.slice(0, at - 1) || '/'] : path.split(':');
    const found = places
      .map((place) => findProgram(tool.sys, name.slice(at), place))
      .flatMap((result) => ('path' in result ? [at > 0 ? name : result.path] : []));
    for (const hit of options.has('a') ? found : found.slice(0, 1)) tool.out.text(`${hit}\n`);
    if (found.length === 0) tool.status = 1;
  }
  return tool.status;
});
