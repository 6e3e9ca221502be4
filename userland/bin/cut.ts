// cut: parts of each line, by bytes, characters or fields. POSIX.1-2024 cut -b -c -f -d -s, with GNU's
// --complement, --output-delimiter and -z.

import { encodeText } from '../../kernel/abi/text.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { complement, parseRanges, type Ranges } from '../libc/text/ranges.ts';

export const main = program(
  {
    usage: '-b LIST | -c LIST | -f LIST [-d DELIM] [-s] [-z] [FILE]...',
    short: 'b:c:f:d:nsz',
    long: {
      'bytes=': 'b',
      'characters=': 'c',
      'fields=': 'f',
      'delimiter=': 'd',
      'only-delimited': 's',
      'zero-terminated': 'z',
      complement: 'complement',
      'output-delimiter=': 'output',
    },
  },
  (tool, options) => {
    const plan = planOf(tool, options);
    const end = options.has('z') ? 0 : 10;
    tool.eachInput(options.operands, (input) => {
      for (let line = input.line(end); line !== undefined; line = input.line(end)) {
        const shown = plan.fields ? cutFields(tool, line, plan) : cutBytes(tool, line, plan);
        if (shown) tool.out.byte(end);
      }
    });
  },
);

interface Plan {
  readonly fields: boolean;
  readonly delimiter: number;
  readonly output: Uint8Array | undefined;
  readonly onlyDelimited: boolean;
  readonly wants: Ranges;
}

function planOf(tool: Tool, options: Options): Plan {
  const lists = options.list.filter(({ name }) => 'bcf'.includes(name) && name.length === 1);
  const [list] = lists;
  if (list === undefined)
    return tool.misuse('you must specify a list of bytes, characters, or fields');
  if (lists.length > 1) tool.misuse('only one list may be specified');
  const fields = list.name === 'f';
  const d = options.value('d');
  if (d !== undefined && !fields)
    tool.misuse('an input delimiter may be specified only when operating on fields');
  if (options.has('s') && !fields)
    tool.misuse('suppressing non-delimited lines makes sense\n\tonly when operating on fields');
  const delimiter = d === undefined ? [9] : d === '' ? [0] : [...encodeText(d)];
  if (delimiter.length > 1) tool.misuse('the delimiter must be a single character');
  const output = options.value('output');
  const ranges = parseRanges(tool, list.value, fields ? 'field' : 'byte');
  return {
    fields,
    delimiter: delimiter[0] ?? 9,
    output:
      output === undefined ? undefined : output === '' ? new Uint8Array(1) : encodeText(output),
    onlyDelimited: options.has('s'),
    wants: options.has('complement') ? complement(ranges) : ranges,
  };
}

function cutBytes(tool: Tool, line: Uint8Array, plan: Plan): boolean {
  let first = true;
  for (const { from, to } of plan.wants) {
    if (from > line.length) break;
    if (!first && plan.output !== undefined) tool.out.write(plan.output);
    first = false;
    tool.out.write(line.subarray(from - 1, Math.min(to, line.length)));
  }
  return true;
}

function cutFields(tool: Tool, line: Uint8Array, plan: Plan): boolean {
  if (!line.includes(plan.delimiter)) {
    if (plan.onlyDelimited) return false;
    tool.out.write(line);
    return true;
  }
  let first = true;
  let range = 0;
  let start = 0;
  for (let number = 1; start <= line.length; number++) {
    const at = line.indexOf(plan.delimiter, start);
    const end = at < 0 ? line.length : at;
    while ((plan.wants[range]?.to ?? Number.POSITIVE_INFINITY) < number) range++;
    const wanted = plan.wants[range];
    if (wanted === undefined) break;
    if (number >= wanted.from) {
      if (!first) {
        if (plan.output !== undefined) tool.out.write(plan.output);
        else tool.out.byte(plan.delimiter);
      }
      first = false;
      tool.out.write(line.subarray(start, end));
    }
    start = end + 1;
  }
  return true;
}
