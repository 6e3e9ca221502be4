// pathchk: whether names are possible and portable (POSIX.1-2024 pathchk, with GNU's -P).

import { NAME_MAX, PATH_MAX } from '../../kernel/abi/constants.ts';
import { ENOENT, PosixError, strerror } from '../../kernel/abi/errno.ts';
import { textSize } from '../../kernel/abi/text.ts';
import { program, type Tool } from '../libc/program.ts';
import { maybeQuoted, quoted } from '../libc/text/quote.ts';

/** _POSIX_PATH_MAX and _POSIX_NAME_MAX (XBD limits.h): what every system has. */
const PORTABLE = { path: 256, name: 14 } as const;

export const main = program(
  {
    usage: '[-pP] NAME...\n  -p  for any POSIX system    -P  no empty names, no leading -',
    short: 'pP',
    long: { portability: 'both' },
  },
  (tool, options) => {
    if (options.operands.length === 0) return tool.missingOperand();
    const rules = {
      portable: options.has('p', 'both'),
      careful: options.has('P', 'both'),
    };
    for (const path of options.operands) {
      const wrong = complaint(tool, path, rules);
      if (wrong !== undefined) tool.warn(wrong);
    }
  },
);

function complaint(
  tool: Tool,
  path: string,
  { portable, careful }: { portable: boolean; careful: boolean },
): string | undefined {
  const parts = path.split('/').filter((part) => part !== '');
  const hyphen = parts.some((part) => part.startsWith('-'));
  if (careful && hyphen) return `leading '-' in a component of file name ${quoted(path)}`;
  if ((portable || careful) && path === '') return 'empty file name';
  const odd = portable ? [...path].find((c) => !/[A-Za-z0-9._/-]/.test(c)) : undefined;
  if (odd !== undefined) return `nonportable character ${quoted(odd)} in file name ${quoted(path)}`;
  const impossible = portable ? undefined : cannotBe(tool, path);
  if (impossible !== undefined) return impossible;
  const most = portable ? PORTABLE.path : PATH_MAX;
  if (textSize(path) >= most)
    return `limit ${most - 1} exceeded by length ${textSize(path)} of file name ${quoted(path)}`;
  const nameMost = portable ? PORTABLE.name : NAME_MAX;
  const long = parts.find((part) => textSize(part) > nameMost);
  if (long === undefined) return undefined;
  return `limit ${nameMost} exceeded by length ${textSize(long)} of file name component ${quoted(long)}`;
}

/** What is not there may still come; what may not be looked for, or goes through a file, may not. */
function cannotBe({ sys }: Tool, path: string): string | undefined {
  try {
    sys.lstat(path);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    if (error.errno !== ENOENT || path === '')
      return `${maybeQuoted(path)}: ${strerror(error.errno)}`;
  }
  return undefined;
}
