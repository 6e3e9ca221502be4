// date: the time, now or as asked for (-d, -r, @epoch), in formats (+FORMAT, -I, -R). POSIX.1-2024
// date; the clock runs in UTC.

import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { Timespec } from '../../kernel/abi/stat.ts';
import { decodeText } from '../../kernel/abi/text.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { maybeQuoted, quotedArgument } from '../libc/text/quote.ts';
import { strftime } from '../libc/time/date.ts';
import { parseDate } from '../libc/time/date-parse.ts';

export const main = program(
  {
    usage: '[-uR] [-d STRING] [-f FILE] [-I[FMT]] [-r FILE] [+FORMAT]',
    short: 'd:f:I::r:Rus:',
    long: {
      'date=': 'd',
      'file=': 'f',
      'iso-8601=?': 'I',
      'reference=': 'r',
      'rfc-email': 'R',
      'rfc-3339=': 'rfc3339',
      utc: 'u',
      universal: 'u',
    },
  },
  (tool, options) => {
    const format = formatOf(tool, options);
    const file = options.value('f');
    if (file === undefined) {
      const time = moment(tool, options);
      if (time !== undefined) tool.out.text(`${strftime(format, time)}\n`);
      return;
    }
    tool.eachInput([file], (input) => {
      for (let line = input.line(); line !== undefined; line = input.line())
        show(tool, decodeText(line), format);
    });
  },
);

const isoFormats: Readonly<Record<string, string>> = {
  '': '%Y-%m-%d',
  date: '%Y-%m-%d',
  hours: '%Y-%m-%dT%H%:z',
  minutes: '%Y-%m-%dT%H:%M%:z',
  seconds: '%Y-%m-%dT%H:%M:%S%:z',
  ns: '%Y-%m-%dT%H:%M:%S,%N%:z',
};

function formatOf(tool: Tool, options: Options): string {
  const [operand, extra] = options.operands;
  if (extra !== undefined) tool.misuse(`extra operand ${quotedArgument(extra)}`);
  if (operand !== undefined && !operand.startsWith('+'))
    tool.die(`invalid date ${quotedArgument(operand)}`);
  const iso = options.value('I');
  const rfc = options.value('rfc3339');
  const formats = options.list.filter(({ name }) => ['I', 'R', 'rfc3339'].includes(name)).length;
  if (formats + (operand === undefined ? 0 : 1) > 1) tool.die('multiple output formats specified');
  if (operand !== undefined) return operand.slice(1);
  if (iso !== undefined)
    return (
      isoFormats[iso] ?? tool.misuse(`invalid argument ${quotedArgument(iso)} for '--iso-8601'`)
    );
  if (rfc !== undefined) {
    const format =
      isoFormats[rfc] ?? tool.misuse(`invalid argument ${quotedArgument(rfc)} for '--rfc-3339'`);
    return format.replace('T', ' ').replace(',', '.');
  }
  return options.has('R') ? '%a, %d %b %Y %H:%M:%S %z' : '%a %b %e %H:%M:%S %Z %Y';
}

function moment(tool: Tool, options: Options): Timespec | undefined {
  if (['d', 'r', 'f'].filter((name) => options.has(name)).length > 1)
    tool.misuse('the options to specify dates for printing are mutually exclusive');
  const reference = options.value('r');
  if (reference !== undefined) {
    try {
      return tool.sys.stat(reference).mtime;
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      tool.die(`${maybeQuoted(reference)}: ${strerror(error.errno)}`);
    }
  }
  const text = options.value('d');
  if (text === undefined) return tool.sys.now();
  return parseDate(text, tool.sys.now()) ?? tool.die(`invalid date ${quotedArgument(text)}`);
}

function show(tool: Tool, text: string, format: string): void {
  const time = parseDate(text, tool.sys.now());
  if (time === undefined) tool.warn(`invalid date ${quotedArgument(text)}`);
  else tool.out.text(`${strftime(format, time)}\n`);
}
