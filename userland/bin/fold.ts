// fold: breaks long lines. POSIX.1-2024 fold -b -s -w.

import { program } from '../libc/program.ts';
import { toLatin1 } from '../libc/text/latin1.ts';
import { parseCount } from '../libc/text/numbers.ts';
import { quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-bs] [-w WIDTH] [FILE]...',
    short: 'bsw:',
    long: { bytes: 'b', spaces: 's', 'width=': 'w' },
    rewrite: (args) => args.map((arg) => (/^-\d+$/.test(arg) ? `-w${arg.slice(1)}` : arg)),
  },
  (tool, options) => {
    const text = options.value('w') ?? '80';
    const width =
      parseCount(text) || tool.die(`invalid number of columns: ${quotedArgument(text)}`);
    const style = { width, bytes: options.has('b'), spaces: options.has('s') };
    tool.eachInput(options.operands, (input) => {
      for (let line = input.line(); line !== undefined; line = input.line()) {
        tool.out.latin1(folded(toLatin1(line), style));
        if (input.terminated) tool.out.byte(10);
      }
    });
  },
);

interface Style {
  readonly width: number;
  readonly bytes: boolean;
  readonly spaces: boolean;
}

function advance(column: number, c: string, style: Style): number {
  if (style.bytes) return column + 1;
  if (c === '\b') return Math.max(0, column - 1);
  if (c === '\r') return 0;
  return c === '\t' ? column + 8 - (column % 8) : column + 1;
}

function folded(line: string, style: Style): string {
  let out = '';
  let start = 0;
  let column = 0;
  for (let i = 0; i < line.length; i++) {
    const next = advance(column, line[i] ?? '', style);
    if (next <= style.width || i === start) {
      column = next;
      continue;
    }
    let end = i;
    if (style.spaces) {
      for (let k = i; k > start; k--) {
        if (line[k - 1] !== ' ' && line[k - 1] !== '\t') continue;
        end = k;
        break;
      }
    }
    out += `${line.slice(start, end)}\n`;
    start = end;
    column = 0;
    i = end - 1;
  }
  return out + line.slice(start);
}
