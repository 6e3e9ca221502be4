// pgrep, pkill: processes by name and other attributes; told, or sent a signal. The options of
// procps' pgrep(1); status 0 when any matched, 1 when none did, 2 for a wrong command line.

import { SIGTERM } from '../../kernel/abi/constants.ts';
import { ESRCH, PosixError, strerror } from '../../kernel/abi/errno.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import type { Options } from '../libc/options.ts';
import { numberOf, type ProcessRow, readProcesses } from '../libc/processes.ts';
import { program, type Tool } from '../libc/program.ts';
import { Regex } from '../libc/regex/regex.ts';
import { PatternError } from '../libc/regex/syntax.ts';
import { signalNumber } from '../libc/stdlib.ts';
import { Users } from '../libc/users.ts';

export const main = program(
  {
    usage: `[-acefilnovx] [-SIGNAL] [-d DELIMITER] [-g PGID] [-G GID] [-P PPID] [-s SID] [-t TTY]
         [-u EUID] [-U UID] [PATTERN]

  -c  count them                -n  only the newest      -v  those that do not match
  -d  what stands between them  -o  only the oldest      -x  the whole name must match
  -f  match all arguments       -l  names, too           -a  arguments, too
  -i  ignore case               -e  tell what is killed`,
    short: 'acefilnod:vxg:G:P:s:t:u:U:',
    long: {
      'list-full': 'a',
      count: 'c',
      echo: 'e',
      full: 'f',
      'ignore-case': 'i',
      'list-name': 'l',
      newest: 'n',
      oldest: 'o',
      'delimiter=': 'd',
      inverse: 'v',
      exact: 'x',
      'pgroup=': 'g',
      'group=': 'G',
      'parent=': 'P',
      'session=': 's',
      'terminal=': 't',
      'euid=': 'u',
      'uid=': 'U',
      'signal=': 'signal',
    },
    trouble: 2,
    rewrite: (args) => {
      const at = args.findIndex((arg) => /^-[A-Z0-9]/.test(arg) && asSignal(arg) !== undefined);
      if (at < 0) return [...args];
      return args.flatMap((arg, i) => (i === at ? ['--signal', arg.slice(1)] : [arg]));
    },
  },
  (tool, options) => {
    const found = matching(tool, options);
    if (tool.name === 'pkill') return killAll(tool, options, found);
    if (options.has('c')) tool.out.text(`${found.length}\n`);
    else if (found.length > 0) {
      const lines = found.map((row) => described(row, options));
      tool.out.text(`${lines.join(options.value('d') ?? '\n')}\n`);
    }
    return found.length > 0 ? 0 : 1;
  },
);

/** -u and -U, -g and -G are options of these letters; -KILL and -9 are signals. */
const asSignal = (arg: string): number | undefined =>
  /^-(?:\d+|[A-Z][A-Z0-9]{2,})$/.test(arg) ? signalNumber(arg.slice(1)) : undefined;

function described(row: ProcessRow, options: Options): string {
  const pid = row['Pid'] ?? '';
  if (options.has('a')) return `${pid} ${row['Cmdline'] || row['Name']}`;
  return options.has('l') ? `${pid} ${row['Name']}` : pid;
}

function killAll(tool: Tool, options: Options, found: readonly ProcessRow[]): number {
  const text = options.value('signal') ?? String(SIGTERM);
  const signal = signalNumber(text) ?? tool.misuse(`unknown signal "${text}"`);
  let sent = 0;
  for (const row of found) {
    const pid = numberOf(row, 'Pid');
    try {
      tool.sys.kill(pid, signal);
      if (options.has('e')) tool.out.text(`${row['Name']} killed (pid ${pid})\n`);
      sent++;
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      if (error.errno !== ESRCH) tool.note(`killing pid ${pid} failed: ${strerror(error.errno)}`);
    }
  }
  if (options.has('c')) tool.out.text(`${found.length}\n`);
  return sent > 0 ? 0 : 1;
}

function matching(tool: Tool, options: Options): ProcessRow[] {
  const [pattern, extra] = options.operands;
  if (extra !== undefined) return tool.misuse('only one pattern can be provided');
  const criteria = ['g', 'G', 'P', 's', 't', 'u', 'U'];
  if (pattern === undefined && !options.has(...criteria))
    return tool.misuse('no matching criteria specified');
  const named = nameTest(tool, options, pattern ?? '');
  const tests = criteria.map((name) => criterion(tool, options, name));
  const own = tool.sys.getpid();
  const wanted = !options.has('v');
  const found = readProcesses(tool.sys).filter(
    (row) =>
      numberOf(row, 'Pid') !== own && (named(row) && tests.every((test) => test(row))) === wanted,
  );
  if (!options.has('n', 'o')) return found;
  const byAge = [...found].sort((a, b) => Number(a['Started']) - Number(b['Started']));
  const one = options.has('n') ? byAge.at(-1) : byAge[0];
  return one === undefined ? [] : [one];
}

function nameTest(tool: Tool, options: Options, pattern: string): (row: ProcessRow) => boolean {
  if (pattern === '') return () => true;
  try {
    const regex = new Regex([pattern], {
      dialect: 'extended',
      ignoreCase: options.has('i'),
      whole: true,
      ...(options.has('x') && { extent: 'line' }),
    });
    return (row) => {
      const text = options.has('f') ? row['Cmdline'] || row['Name'] : row['Name'];
      return regex.find(asBytes(text ?? ''), 0) !== undefined;
    };
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return tool.misuse(error.message);
  }
}

/** Patterns work on bytes. */
const asBytes = (text: string): string => String.fromCharCode(...encodeText(text));

/** One of the options that take a list: a process must be in it. */
function criterion(tool: Tool, options: Options, name: string): (row: ProcessRow) => boolean {
  const list = options.values(name).flatMap((text) => text.split(','));
  if (list.length === 0) return () => true;
  if (name === 't') return (row) => list.includes(row['Tty']?.replace(/^\/dev\//, '') ?? '?');
  const users = new Users(tool.sys);
  const own = tool.sys.getpid();
  const numbers = list.map((text) => {
    const user = name === 'u' || name === 'U' ? users.uid(text) : undefined;
    const group = name === 'G' ? users.gid(text) : undefined;
    const number = user ?? group ?? (/^\d+$/.test(text) ? Number(text) : undefined);
    if (number === undefined) return tool.misuse(`invalid value: ${text}`);
    if (number === 0 && name === 'g') return tool.sys.getpgid(own);
    return number === 0 && name === 's' ? tool.sys.getsid(own) : number;
  });
  const fields: Readonly<Record<string, string>> = { g: 'Pgid', G: 'Gid', P: 'PPid', s: 'Sid' };
  return (row) => numbers.includes(numberOf(row, fields[name] ?? 'Uid'));
}
