// echo: its arguments. As GNU's: -n, -e, -E; any other option is text.

import { encodeText } from '../../kernel/abi/text.ts';
import { programName, writeError } from '../libc/program.ts';
import { Exit, Output } from '../libc/stdio.ts';
import type { Program } from '../libc/sys.ts';
import { expandEscapes } from '../libc/text/escapes.ts';
import { fromLatin1, toLatin1 } from '../libc/text/latin1.ts';

export const main: Program = (sys) => {
  const args = sys.argv.slice(1);
  let newline = true;
  let escapes = false;
  while (/^-[neE]+$/.test(args[0] ?? '')) {
    for (const letter of (args.shift() ?? '').slice(1)) {
      if (letter === 'n') newline = false;
      else escapes = letter === 'e';
    }
  }
  const out = new Output(sys, 1);
  const text = args.join(' ');
  try {
    if (!escapes) out.text(newline ? `${text}\n` : text);
    else {
      const { text: bytes, stop } = expandEscapes(toLatin1(encodeText(text)), 'echo');
      out.write(fromLatin1(newline && !stop ? `${bytes}\n` : bytes));
    }
    out.flush();
    return 0;
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    writeError(sys, `${programName(sys)}: ${error.message}\n`);
    return error.status;
  }
};
