// clear: empties the terminal's screen, and what has scrolled away above it, too (ECMA-48 ED, xterm's 3).

import { program } from '../libc/program.ts';

const usage = `[-x]
Empties the screen of the terminal; -x leaves what has scrolled away above it.`;

export const main = program({ usage, short: 'xT:V' }, (tool, options) => {
  tool.out.latin1(`\x1b[H\x1b[2J${options.has('x') ? '' : '\x1b[3J'}`);
});
