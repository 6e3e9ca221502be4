// uniq: runs of equal lines. POSIX.1-2024 uniq -c -d -u -f -s, with GNU's -i -w -D -z --group.

import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { Input } from '../libc/stdio.ts';
import { choose } from '../libc/text/choice.ts';
import { fromLatin1, toLatin1 } from '../libc/text/latin1.ts';
import { parseCount } from '../libc/text/numbers.ts';
import { maybeQuoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-cdDiuz] [-f N] [-s N] [-w N] [INPUT [OUTPUT]]',
    short: 'cdDiuzf:s:w:',
    long: {
      count: 'c',
      repeated: 'd',
      'all-repeated=?': 'D',
      'group=?': 'group',
      'ignore-case': 'i',
      unique: 'u',
      'zero-terminated': 'z',
      'skip-fields=': 'f',
      'skip-chars=': 's',
      'check-chars=': 'w',
    },
  },
  (tool, options) => {
    const [from = '-', to = '-', extra] = options.operands;
    if (extra !== undefined) tool.misuse(`extra operand ${quotedArgument(extra)}`);
    const count = (name: string, what: string): number | undefined => {
      const text = options.value(name);
      if (text === undefined) return undefined;
      return parseCount(text) ?? tool.die(`${text}: invalid number of ${what}`);
    };
    const fields = count('f', 'fields to skip') ?? 0;
    const skip = count('s', 'bytes to skip') ?? 0;
    const width = count('w', 'bytes to compare') ?? Number.POSITIVE_INFINITY;
    const key = (line: string): string => {
      let at = 0;
      for (let n = fields; n > 0; n--) {
        while (/[ \t\n]/.test(line[at] ?? '')) at++;
        while (at < line.length && !/[ \t\n]/.test(line[at] ?? '')) at++;
      }
      const text = line.slice(at + skip, at + skip + width);
      return options.has('i') ? text.replace(/[a-z]+/g, (s) => s.toUpperCase()) : text;
    };
    const gaps = gapsOf(tool, options);
    const end = options.has('z') ? '\0' : '\n';
    const write = (line: string): void => tool.out.write(fromLatin1(line + end));
    const close = redirect(tool, from, to);
    const input = new Input(tool.sys, close.fd);
    const shown = {
      once: !options.has('d', 'D'),
      many: !options.has('u'),
      all: options.has('D', 'group'),
      gaps,
      count: options.has('c'),
    };
    tool.attempt(maybeQuoted(from), () => group(input, { key, write, shown, end }));
  },
);

/** Where empty lines stand between groups. */
type Gaps = 'none' | 'prepend' | 'append' | 'separate' | 'both';

function gapsOf(tool: Tool, options: Options): Gaps {
  const group = options.value('group');
  if (group !== undefined) {
    const valid = ['prepend', 'append', 'separate', 'both'] as const;
    const gaps = choose(tool, group || 'separate', { option: '--group', valid });
    if (options.has('c', 'd', 'D', 'u'))
      tool.misuse('--group is mutually exclusive with -c/-d/-D/-u');
    return gaps;
  }
  const valid = ['none', 'prepend', 'separate'] as const;
  if (options.has('D') && options.has('c'))
    tool.misuse('printing all duplicated lines and repeat counts is meaningless');
  return choose(tool, options.value('D') || 'none', { option: '--all-repeated', valid });
}

/** Opens input and, in place of standard output, the output file. */
function redirect(tool: Tool, from: string, to: string): { fd: number } {
  const { sys } = tool;
  const open = (name: string, flags: number): number => {
    try {
      return sys.open(name, flags, 0o666);
    } catch (error) {
      if (error instanceof PosixError)
        return tool.die(`${maybeQuoted(name)}: ${strerror(error.errno)}`);
      throw error;
    }
  };
  const fd = from === '-' ? 0 : open(from, O_RDONLY);
  if (to !== '-') sys.dup2(open(to, O_WRONLY | O_CREAT | O_TRUNC), 1);
  return { fd };
}

interface Grouping {
  readonly key: (line: string) => string;
  readonly write: (line: string) => void;
  readonly shown: { once: boolean; many: boolean; all: boolean; count: boolean; gaps: Gaps };
  readonly end: string;
}

function group(input: Input, { key, write, shown, end }: Grouping): void {
  const delimiter = end.charCodeAt(0);
  let first: string | undefined;
  let firstKey = '';
  let count = 0;
  let groups = 0;
  /** A group that is shown whole begins. */
  const begin = (line: string): void => {
    const { gaps } = shown;
    if (gaps === 'prepend' || gaps === 'both' || (gaps !== 'none' && groups > 0)) write('');
    groups++;
    write(line);
  };
  const finish = (): void => {
    if (first === undefined || shown.all) return;
    if (count === 1 ? shown.once : shown.many)
      write(shown.count ? `${String(count).padStart(7)} ${first}` : first);
  };
  for (let line = input.line(delimiter); line !== undefined; line = input.line(delimiter)) {
    const text = toLatin1(line);
    const textKey = key(text);
    if (first !== undefined && textKey === firstKey) {
      count++;
      if (!shown.all || !shown.many) continue;
      if (count === 2 && !shown.once) begin(first);
      write(text);
      continue;
    }
    finish();
    first = text;
    firstKey = textKey;
    count = 1;
    if (shown.all && shown.once) begin(text);
  }
  finish();
  if (groups > 0 && (shown.gaps === 'append' || shown.gaps === 'both')) write('');
}
