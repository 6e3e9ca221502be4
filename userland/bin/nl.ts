// nl: numbers lines. POSIX.1-2024 nl -b -i -n -s -v -w; logical pages are not told apart.

import { program } from '../libc/program.ts';
import { parseCount } from '../libc/text/numbers.ts';
import { quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-b a|t|n] [-i STEP] [-n ln|rn|rz] [-s STRING] [-v START] [-w WIDTH] [FILE]...',
    short: 'b:i:n:s:v:w:',
    long: {
      'body-numbering=': 'b',
      'line-increment=': 'i',
      'number-format=': 'n',
      'number-separator=': 's',
      'starting-line-number=': 'v',
      'number-width=': 'w',
    },
  },
  (tool, options) => {
    const count = (name: string, usual: number, what: string): number => {
      const text = options.value(name);
      if (text === undefined) return usual;
      return parseCount(text) ?? tool.die(`invalid ${what}: ${quotedArgument(text)}`);
    };
    const style = options.value('b') ?? 't';
    if (!/^[atn]$/.test(style))
      tool.misuse(`invalid body numbering style: ${quotedArgument(style)}`);
    const width = count('w', 6, 'line number field width');
    const step = count('i', 1, 'line number increment');
    let number = count('v', 1, 'starting line number');
    const separator = options.value('s') ?? '\t';
    const format = options.value('n') ?? 'rn';
    tool.eachInput(options.operands, (input) => {
      for (let line = input.line(); line !== undefined; line = input.line()) {
        if (style === 'a' || (style === 't' && line.length > 0)) {
          const text = String(number);
          const left = format === 'ln';
          const padded = left
            ? text.padEnd(width)
            : text.padStart(width, format === 'rz' ? '0' : ' ');
          tool.out.text(padded + separator);
          number += step;
        } else tool.out.text(' '.repeat(width + separator.length));
        tool.out.write(line);
        tool.out.byte(10);
      }
    });
  },
);
