// find: walks trees and evaluates an expression on each file. POSIX.1-2024 find with GNU's -maxdepth
// -mindepth -iname -ipath -regex -fprint -empty -delete -print0 -printf -quit -samefile -not -and -or.

import { DT_DIR } from '../../kernel/abi/constants.ts';
import { strerror } from '../../kernel/abi/errno.ts';
import { lstatIfThere } from '../libc/files/path.ts';
import { type Visit, walk } from '../libc/files/walk.ts';
import { evaluate, finish } from '../libc/find/evaluate.ts';
import { type Expression, parseExpression, type Settings } from '../libc/find/parse.ts';
import { program, type Tool } from '../libc/program.ts';
import { quotedArgument } from '../libc/text/quote.ts';
import { Users } from '../libc/users.ts';

export const main = program(
  {
    usage: '[-H] [-L] [-P] [PATH]... [EXPRESSION]',
    short: '',
    stopAtOperand: true,
    // The expression is no option: everything is an operand.
    rewrite: (args) =>
      args[0] === '--help' || args[0] === '--version' ? [...args] : ['--', ...args],
  },
  (tool, options) => {
    const { roots, follow, words } = split(options.operands);
    const settings: Settings = {
      maxDepth: Number.POSITIVE_INFINITY,
      minDepth: 0,
      depthFirst: false,
      oneFileSystem: false,
      follow,
      now: tool.sys.now(),
      batches: [],
      changesFiles: false,
      users: new Users(tool.sys),
      outputs: new Map(),
      regexType: 'emacs',
    };
    const expression = parseExpression(tool, words, settings);
    for (const root of roots) {
      if (search(tool, root, { expression, settings }) === 'quit') break;
    }
    finish(tool, settings);
  },
);

function split(args: readonly string[]): {
  roots: string[];
  follow: 'never' | 'root' | 'always';
  words: string[];
} {
  let follow: 'never' | 'root' | 'always' = 'never';
  let at = 0;
  for (; /^-[HLP]$/.test(args[at] ?? ''); at++)
    follow = args[at] === '-L' ? 'always' : args[at] === '-H' ? 'root' : 'never';
  if (args[at] === '--') at++;
  const begins = (word: string): boolean => /^(-.|[(!]$)/.test(word);
  const end = args.findIndex((word, i) => i >= at && begins(word));
  const roots = args.slice(at, end < 0 ? args.length : end);
  return { roots: roots.length > 0 ? roots : ['.'], follow, words: end < 0 ? [] : args.slice(end) };
}

function search(
  tool: Tool,
  root: string,
  what: { expression: Expression; settings: Settings },
): 'quit' | 'done' {
  const { expression, settings } = what;
  const visits = walk(tool.sys, {
    root,
    follow: settings.follow,
    oneFileSystem: settings.oneFileSystem,
    lazy: true,
    ahead: !settings.changesFiles,
    statsBefore: settings.changesFiles && settings.depthFirst,
    onFault: (path, error, kind) => {
      if (kind === 'loop') {
        tool.warn(
          `File system loop detected; ${quotedArgument(path)} is part of the same file system loop as its parent.`,
        );
        return;
      }
      // What an action removed before the walk came to it is not missed.
      if (kind === 'open' && lstatIfThere(tool.sys, path) === undefined) return;
      tool.warn(`${quotedArgument(path)}: ${strerror(error.errno)}`);
    },
  });
  for (const visit of visits) {
    const wanted = settings.depthFirst ? lastLook(visit) : visit.phase === 'pre';
    if (visit.phase === 'pre' && visit.depth >= settings.maxDepth) visit.prune = true;
    if (!wanted || visit.depth < settings.minDepth) continue;
    const subject = { visit, root, settings };
    const value = tool.attempt(quotedArgument(visit.path), () =>
      evaluate(tool, expression, subject),
    );
    if (value === 'quit') return 'quit';
  }
  return 'done';
}

/** With -depth a directory comes after what it holds. */
const lastLook = (visit: Visit): boolean => visit.phase === 'post' || visit.type !== DT_DIR;
