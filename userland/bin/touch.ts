// touch: times of files, which are made when missing. POSIX.1-2024 touch -a -c -d -m -r -t, with
// GNU's -h and --time.

import { O_CREAT, O_NONBLOCK, O_WRONLY } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { Timespec } from '../../kernel/abi/stat.ts';
import { lstatIfThere, statIfThere } from '../libc/files/path.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { quoted, quotedArgument } from '../libc/text/quote.ts';
import { parseDate, parseStamp } from '../libc/time/date-parse.ts';

export const main = program(
  {
    usage: '[-acmh] [-d TIME | -r FILE | -t STAMP] FILE...',
    short: 'acd:fhmr:t:',
    long: {
      'no-create': 'c',
      'date=': 'd',
      'no-dereference': 'h',
      'reference=': 'r',
      'time=': 'time',
    },
  },
  (tool, options) => {
    if (options.operands.length === 0) tool.misuse('missing file operand');
    const { atime, mtime } = timesOf(tool, options);
    const kind = options.value('time') ?? '';
    const access = options.has('a') || ['access', 'atime', 'use'].includes(kind);
    const modify = options.has('m') || ['modify', 'mtime'].includes(kind);
    const both = access === modify;
    const times = {
      atime: both || access ? atime : ('omit' as const),
      mtime: both || modify ? mtime : ('omit' as const),
      followSymlinks: !options.has('h'),
    };
    for (const path of options.operands) {
      try {
        if (path === '-') continue;
        const there = (options.has('h') ? lstatIfThere : statIfThere)(tool.sys, path);
        if (there === undefined) {
          if (options.has('c', 'h')) continue;
          tool.sys.close(tool.sys.open(path, O_WRONLY | O_CREAT | O_NONBLOCK, 0o666));
          if (both && atime === 'now') continue;
        }
        tool.sys.utimens(path, times);
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        tool.warn(`cannot touch ${quoted(path)}: ${strerror(error.errno)}`);
      }
    }
  },
);

type Moment = Timespec | 'now';

function timesOf(tool: Tool, options: Options): { atime: Moment; mtime: Moment } {
  const [date, stamp, reference] = [options.value('d'), options.value('t'), options.value('r')];
  if (stamp !== undefined && (date !== undefined || reference !== undefined))
    tool.misuse('cannot specify times from more than one source');
  if (stamp !== undefined) {
    const time =
      parseStamp(stamp, tool.sys.now()) ?? tool.die(`invalid date format ${quotedArgument(stamp)}`);
    return { atime: time, mtime: time };
  }
  let base = { atime: tool.sys.now(), mtime: tool.sys.now() };
  if (reference !== undefined) {
    try {
      base = (options.has('h') ? tool.sys.lstat : tool.sys.stat).call(tool.sys, reference);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      tool.die(`failed to get attributes of ${quoted(reference)}: ${strerror(error.errno)}`);
    }
    if (date === undefined) return { atime: base.atime, mtime: base.mtime };
  }
  if (date === undefined) return { atime: 'now', mtime: 'now' };
  const read = (now: Timespec): Timespec =>
    parseDate(date, now) ?? tool.die(`invalid date format ${quotedArgument(date)}`);
  return { atime: read(base.atime), mtime: read(base.mtime) };
}
