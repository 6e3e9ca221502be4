// rev: each line backwards, by characters.

import { decodeText } from '../../kernel/abi/text.ts';
import { program } from '../libc/program.ts';

export const main = program({ usage: '[FILE]...', short: '' }, (tool, options) => {
  tool.eachInput(options.operands, (input) => {
    for (let line = input.line(); line !== undefined; line = input.line()) {
      tool.out.text([...decodeText(line)].reverse().join(''));
      if (input.terminated) tool.out.byte(10);
    }
  });
});
