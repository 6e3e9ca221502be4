// realpath: absolute paths without symlinks (-e, -m, -s, -L, -P, -z, -q, --relative-to,
// --relative-base). GNU coreutils §18.5.

import { ENOTDIR, fail, PosixError, strerror } from '../../kernel/abi/errno.ts';
import { absolutePath, isDirectory, realpath } from '../libc/files/path.ts';
import { program } from '../libc/program.ts';
import { maybeQuoted } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-emqsz] [--relative-to=DIR] [--relative-base=DIR] FILE...',
    short: 'eLmPqsz',
    long: {
      'canonicalize-existing': 'e',
      'canonicalize-missing': 'm',
      logical: 'L',
      physical: 'P',
      'relative-to=': 'to',
      'relative-base=': 'base',
      quiet: 'q',
      strip: 's',
      'no-symlinks': 's',
      zero: 'z',
    },
  },
  (tool, options) => {
    if (options.operands.length === 0) tool.missingOperand();
    const way = options.last('e', 'm');
    const must = way === 'e' ? 'all' : way === 'm' ? 'none' : 'parent';
    const links = options.last('L', 's', 'P') ?? 'P';
    const resolve = (path: string): string => {
      if (links === 'P') return realpath(tool.sys, path, must);
      const plain = absolutePath(tool.sys, path, must);
      return links === 's' ? plain : realpath(tool.sys, plain, must);
    };
    const directory = (path: string | undefined): string | undefined => {
      if (path === undefined) return undefined;
      const found = tool.attempt(maybeQuoted(path), () => {
        const real = resolve(path);
        if (way === 'e' && !isDirectory(tool.sys.stat(real))) fail(ENOTDIR);
        return real;
      });
      return found ?? tool.die('');
    };
    const base = directory(options.value('base'));
    const to = directory(options.value('to')) ?? base;
    for (const path of options.operands) {
      try {
        tool.out.text(shown(resolve(path), { base, to }));
        tool.out.byte(options.has('z') ? 0 : 10);
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        tool.status = 1;
        if (!options.has('q')) tool.note(`${maybeQuoted(path)}: ${strerror(error.errno)}`);
      }
    }
  },
);

interface Relation {
  /** What lies outside is shown absolute. */
  readonly base: string | undefined;
  readonly to: string | undefined;
}

function shown(path: string, { base, to }: Relation): string {
  if (to === undefined) return path;
  if (base !== undefined && !(isBelow(path, base) && isBelow(to, base))) return path;
  const [from, goal] = [to, path].map((one) => one.split('/').filter(Boolean));
  if (from === undefined || goal === undefined) return path;
  let same = 0;
  while (same < from.length && from[same] === goal[same]) same++;
  return [...from.slice(same).map(() => '..'), ...goal.slice(same)].join('/') || '.';
}

const isBelow = (path: string, base: string): boolean =>
  base === '/' || path === base || path.startsWith(`${base}/`);
