// yes: a line, again and again, until writing fails. GNU coreutils §6.

import { encodeText } from '../../kernel/abi/text.ts';
import { program } from '../libc/program.ts';

export const main = program(
  { usage: '[STRING]...\nRepeatedly output a line with all STRING(s), or `y`.', short: '' },
  (tool, options) => {
    const line = encodeText(`${options.operands.length ? options.operands.join(' ') : 'y'}\n`);
    const copies = Math.max(1, Math.floor(16384 / line.length));
    const block = new Uint8Array(copies * line.length);
    for (let at = 0; at < block.length; at += line.length) block.set(line, at);
    for (;;) {
      tool.out.write(block);
      tool.out.flush(); // ends the program when the reader is gone
    }
  },
);
