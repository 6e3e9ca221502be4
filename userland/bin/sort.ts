// sort: lines in order. POSIX.1-2024 sort -b -c -C -d -f -i -k -m -n -o -r -t -u, with GNU's -g -h -M
// -R-less -s -S -T -V -z. Input beyond the buffer (-S, 16 MiB) is sorted in runs that are merged.

import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { type Comparison, comparison } from '../libc/sort/keys.ts';
import { fileRun, LineReader, mergeRuns, type Run, Sorter } from '../libc/sort/runs.ts';
import { Output } from '../libc/stdio.ts';
import { choose } from '../libc/text/choice.ts';
import { parseSize } from '../libc/text/numbers.ts';
import { maybeQuoted, quotedArgument } from '../libc/text/quote.ts';

/** Below what a file on /tmp may hold, with room for what lines cost besides their bytes. */
const BUFFER_BYTES = 16 * 1024 * 1024;

export const main = program(
  {
    usage: '[-bcCdfghiMmnrsuVz] [-k KEY]... [-o FILE] [-S SIZE] [-t SEP] [-T DIR] [FILE]...',
    short: 'bcCdfghik:mMno:rRsS:t:T:uVyz',
    long: {
      'ignore-leading-blanks': 'b',
      'check=?': 'c',
      'dictionary-order': 'd',
      'ignore-case': 'f',
      'general-numeric-sort': 'g',
      'human-numeric-sort': 'h',
      'ignore-nonprinting': 'i',
      'key=': 'k',
      merge: 'm',
      'month-sort': 'M',
      'numeric-sort': 'n',
      'output=': 'o',
      'parallel=': 'parallel',
      reverse: 'r',
      stable: 's',
      'buffer-size=': 'S',
      'field-separator=': 't',
      'temporary-directory=': 'T',
      unique: 'u',
      'version-sort': 'V',
      'zero-terminated': 'z',
    },
    trouble: 2,
    rewrite: (args) => args.map((arg) => sortWords[arg] ?? arg),
  },
  (tool, options) => {
    const order = comparison(tool, options);
    const delimiter = options.has('z') ? 0 : 10;
    const names = options.operands.length > 0 ? options.operands : ['-'];
    // Each is looked at, the last one counts.
    const sizes = options.values('S').map((size) => budgetOf(tool, size));
    const budget = sizes.at(-1) ?? BUFFER_BYTES;
    for (const workers of options.values('parallel')) {
      if (!/^\d+$/.test(workers))
        tool.die(`invalid --parallel argument ${quotedArgument(workers)}`);
      if (Number(workers) === 0) tool.die('number in parallel must be nonzero');
    }
    const checks = checksOf(tool, options);
    if (checks !== undefined)
      return check(tool, { letter: checks, names, order, delimiter, unique: options.has('u') });
    const directory = options.value('T') ?? tool.sys.env.get('TMPDIR') ?? '/tmp';
    const runs = options.has('m')
      ? openAll(tool, names, delimiter)
      : sorted(tool, names, { order, delimiter, budget: Math.max(65536, budget), directory });
    write(tool, runs, { order, delimiter, to: options.value('o'), unique: options.has('u') });
    return 0;
  },
);

const sortWords: Readonly<Record<string, string>> = {
  '--sort=general-numeric': '-g',
  '--sort=human-numeric': '-h',
  '--sort=month': '-M',
  '--sort=numeric': '-n',
  '--sort=random': '-R',
  '--sort=version': '-V',
};

/** Kilobytes without a letter, bytes by `b`; of shares of the memory there is one size. */
function budgetOf(tool: Tool, size: string): number {
  if (/^\d+%$/.test(size)) return BUFFER_BYTES;
  const bytes = /^(\d+)b$/.exec(size)?.[1];
  return (
    parseSize(bytes ?? (/\d$/.test(size) ? `${size}K` : size)) ??
    tool.die(`invalid -S argument ${quotedArgument(size)}`)
  );
}

function open(tool: Tool, name: string): number {
  try {
    return name === '-' ? 0 : tool.sys.open(name, O_RDONLY);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`cannot read: ${maybeQuoted(name)}: ${strerror(error.errno)}`);
  }
}

/** A fault while reading ends the program, with the file's name. */
function reading<T>(tool: Tool, name: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`read failed: ${maybeQuoted(name)}: ${strerror(error.errno)}`);
  }
}

const openAll = (tool: Tool, names: readonly string[], delimiter: number): Run[] =>
  names.map((name) => fileRun(tool.sys, open(tool, name), delimiter));

interface Plan {
  readonly order: Comparison;
  readonly delimiter: number;
  readonly budget: number;
  readonly directory: string;
}

function sorted(tool: Tool, names: readonly string[], plan: Plan): Run[] {
  const sorter = new Sorter(tool, plan);
  for (const name of names) {
    const fd = open(tool, name);
    reading(tool, name, () => sorter.add(new LineReader(tool.sys, fd, plan.delimiter)));
    if (fd !== 0) tool.sys.close(fd);
  }
  return sorter.finish();
}

interface Target {
  readonly order: Comparison;
  readonly delimiter: number;
  readonly to: string | undefined;
  readonly unique: boolean;
}

/** The output file may be an input file: it is opened when all input is read. */
function write(tool: Tool, runs: readonly Run[], target: Target): void {
  const { to, order, unique } = target;
  const end = String.fromCharCode(target.delimiter);
  // Merging streams its inputs; an output that is one of them must not be cut before.
  const held = to !== undefined && runs.some((run) => run.kind === 'stream');
  const lines = mergeRuns(runs, order);
  const kept: string[] = [];
  if (held) for (const line of lines) kept.push(line);
  let out = tool.out;
  if (to !== undefined) {
    try {
      out = new Output(tool.sys, tool.sys.open(to, O_WRONLY | O_CREAT | O_TRUNC, 0o666), {
        trouble: 2,
      });
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      tool.die(`open failed: ${maybeQuoted(to)}: ${strerror(error.errno)}`);
    }
  }
  let last: string | undefined;
  for (const line of held ? kept : lines) {
    if (unique && last !== undefined && order.keys(last, line) === 0) continue;
    last = line;
    out.latin1(line + end);
  }
  out.flush();
}

/** Which check is asked for: -c tells of the first line out of order, -C does not. */
function checksOf(tool: Tool, options: Options): 'c' | 'C' | undefined {
  const valid = ['quiet', 'silent', 'diagnose-first'] as const;
  const letterOf = (value: string): 'c' | 'C' => {
    if (value === '') return 'c';
    return choose(tool, value, { option: '--check', valid }) === 'diagnose-first' ? 'c' : 'C';
  };
  const letters = new Set(options.values('c').map(letterOf));
  if (options.has('C')) letters.add('C');
  const [letter] = letters;
  if (letters.size > 1) tool.die("options '-cC' are incompatible");
  if (letter !== undefined && options.has('o')) tool.die(`options '-${letter}o' are incompatible`);
  return letter;
}

function check(
  tool: Tool,
  how: {
    readonly letter: 'c' | 'C';
    readonly names: readonly string[];
    readonly order: Comparison;
    readonly delimiter: number;
    readonly unique: boolean;
  },
): number {
  const { letter, unique: strict } = how;
  const [name = '-', extra] = how.names;
  if (extra !== undefined)
    tool.die(`extra operand ${quotedArgument(extra)} not allowed with -${letter}`);
  const reader = new LineReader(tool.sys, open(tool, name), how.delimiter);
  let last = reader.next();
  for (let number = 2; last !== undefined; number++) {
    const line = reader.next();
    if (line === undefined) return 0;
    const order = strict ? how.order.keys(last, line) : how.order.lines(last, line);
    if (order > 0 || (strict && order === 0)) {
      if (letter === 'c') tool.error(`${tool.name}: ${name}:${number}: disorder: ${line}\n`);
      return 1;
    }
    last = line;
  }
  return 0;
}
