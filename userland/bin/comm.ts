// comm: lines of two sorted files, in three columns. POSIX.1-2024 comm -1 -2 -3, with GNU's order check.

import { O_RDONLY } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { program, type Tool } from '../libc/program.ts';
import { Input } from '../libc/stdio.ts';
import { toLatin1 } from '../libc/text/latin1.ts';
import { maybeQuoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage:
      '[-123z] [--check-order | --nocheck-order] [--output-delimiter=STR] [--total] FILE1 FILE2',
    short: '123z',
    long: {
      'check-order': 'check',
      'nocheck-order': 'nocheck',
      'output-delimiter=': 'delimiter',
      total: 'total',
      'zero-terminated': 'z',
    },
  },
  (tool, options) => {
    const [first, second, extra] = options.operands;
    if (first === undefined) return tool.missingOperand();
    if (second === undefined) return tool.misuse(`missing operand after ${quotedArgument(first)}`);
    if (extra !== undefined) tool.misuse(`extra operand ${quotedArgument(extra)}`);
    const delimiter = options.value('delimiter') ?? '\t';
    const end = options.has('z') ? 0 : 10;
    const hidden = (column: number): boolean => options.has(String(column));
    const indent = (column: number): string =>
      delimiter.repeat([1, 2, 3].filter((n) => n < column && !hidden(n)).length);
    const totals = [0, 0, 0, 0];
    const put = (column: number, line: string): void => {
      totals[column] = (totals[column] ?? 0) + 1;
      if (hidden(column)) return;
      tool.out.text(indent(column));
      tool.out.latin1(line + String.fromCharCode(end));
    };
    const order = options.last('check', 'nocheck') ?? 'usual';
    const unpaired = merge(tool, [open(tool, first), open(tool, second)], { put, end, order });
    if (options.has('total'))
      tool.out.text(`${totals.slice(1).join(delimiter)}${delimiter}total\n`);
    if (unpaired === 'disorder' && order !== 'nocheck') tool.warn('input is not in sorted order');
    return tool.status;
  },
);

function open(tool: Tool, name: string): Input {
  try {
    return new Input(tool.sys, name === '-' ? 0 : tool.sys.open(name, O_RDONLY));
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`${maybeQuoted(name)}: ${strerror(error.errno)}`);
  }
}

interface Merge {
  readonly put: (column: number, line: string) => void;
  readonly end: number;
  readonly order: string;
}

/** Disorder counts once a line had no partner, unless --check-order asks for it always. */
function merge(tool: Tool, inputs: readonly [Input, Input], how: Merge): 'sorted' | 'disorder' {
  let unpaired = false;
  const told = [false, false];
  const last: (string | undefined)[] = [undefined, undefined];
  const next = (file: 0 | 1): string | undefined => {
    const line = inputs[file].line(how.end);
    const text = line === undefined ? undefined : toLatin1(line);
    const before = last[file];
    if (text !== undefined && before !== undefined && text < before && !told[file]) {
      if (how.order === 'check') tool.die(`file ${file + 1} is not in sorted order`);
      if (how.order === 'usual' && unpaired) {
        told[file] = true;
        tool.warn(`file ${file + 1} is not in sorted order`);
      }
    }
    if (text !== undefined) last[file] = text;
    return text;
  };
  let [a, b] = [next(0), next(1)];
  while (a !== undefined || b !== undefined) {
    if (a !== undefined && (b === undefined || a < b)) {
      unpaired = true;
      how.put(1, a);
      a = next(0);
    } else if (b !== undefined && (a === undefined || b < a)) {
      unpaired = true;
      how.put(2, b);
      b = next(1);
    } else {
      how.put(3, a ?? '');
      [a, b] = [next(0), next(1)];
    }
  }
  return told.includes(true) ? 'disorder' : 'sorted';
}
