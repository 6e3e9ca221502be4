// tac: lines, the last first. GNU coreutils §3.2 (-s with a fixed separator).

import { program } from '../libc/program.ts';
import { toLatin1 } from '../libc/text/latin1.ts';

export const main = program(
  { usage: '[-s SEPARATOR] [FILE]...', short: 's:', long: { 'separator=': 's' } },
  (tool, options) => {
    const separator = options.value('s') ?? '\n';
    tool.eachInput(options.operands, (input) => {
      let text = '';
      for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk())
        text += toLatin1(chunk);
      let end = text.length;
      while (end > 0) {
        const at =
          end - separator.length - 1 < 0
            ? -1
            : text.lastIndexOf(separator, end - separator.length - 1);
        const start = at < 0 ? 0 : at + separator.length;
        tool.out.latin1(text.slice(start, end));
        end = start;
      }
    });
  },
);
