// chmod: permissions. POSIX.1-2024 chmod -R, with GNU's -c -f -v --reference.

import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { applyMode, currentUmask, formatMode, parseMode } from '../libc/files/mode.ts';
import { isRoot, isSymlink, statIfThere } from '../libc/files/path.ts';
import { walk } from '../libc/files/walk.ts';
import { program, type Tool } from '../libc/program.ts';
import { quoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-cfRv] MODE[,MODE]... FILE...\n  or: chmod [-cfRv] --reference=FILE FILE...',
    short: 'cfRv',
    long: {
      changes: 'c',
      silent: 'f',
      quiet: 'f',
      verbose: 'v',
      recursive: 'R',
      'preserve-root': 'keep',
      'no-preserve-root': 'root',
      'reference=': 'reference',
    },
    // `-w`, `-rwx,u+x` are modes, not options.
    rewrite: (args) => {
      const at = args.findIndex((arg) => /^-[rwxXstugoa0-7]/.test(arg));
      const end = args.indexOf('--');
      if (at < 0 || (end >= 0 && end < at)) return [...args];
      const rest = args.filter((_, i) => i !== at && i !== end);
      const before = rest.filter((arg) => /^-[cfRv]+$|^--[a-z]/.test(arg));
      return [...before, '--', args[at] ?? '', ...rest.filter((arg) => !before.includes(arg))];
    },
  },
  (tool, options) => {
    const { sys } = tool;
    const operands = [...options.operands];
    if (options.has('reference') && /^-/.test(operands[0] ?? ''))
      tool.misuse('cannot combine mode and --reference options');
    const reference = options.value('reference');
    const text = reference === undefined ? operands.shift() : undefined;
    if (reference === undefined && text === undefined) tool.missingOperand();
    if (operands.length === 0)
      tool.misuse(
        text === undefined ? 'missing operand' : `missing operand after ${quotedArgument(text)}`,
      );
    const octal =
      reference === undefined ? (text ?? '') : (sys.stat(reference).mode & 0o7777).toString(8);
    const change = parseMode(octal) ?? tool.misuse(`invalid mode: ${quotedArgument(octal)}`);
    const umask = currentUmask(sys);
    const how: How = {
      next: (mode) => applyMode(change, mode, umask),
      talk: talks[options.last('c', 'v') ?? ''] ?? 'none',
      quiet: options.has('f'),
      rootToo: options.last('keep', 'root') !== 'keep',
    };
    for (const path of operands) {
      if (options.has('R')) changeTree(tool, path, how);
      else changeOperand(tool, path, how);
    }
  },
);

const talks: Readonly<Record<string, How['talk']>> = { v: 'all', c: 'changes' };

interface How {
  readonly next: (mode: number) => number;
  readonly talk: 'all' | 'changes' | 'none';
  readonly quiet: boolean;
  /** / may be the root of a tree. */
  readonly rootToo: boolean;
}

function guarded(
  tool: Tool,
  at: { path: string; how: How; what: string },
  action: () => void,
): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    tool.status = 1;
    if (!at.how.quiet) tool.note(`${at.what} ${quoted(at.path)}: ${strerror(error.errno)}`);
    if (at.how.talk === 'all' && at.what === 'cannot access')
      tool.out.text(`${quoted(at.path)} could not be accessed\n`);
  }
}

function changeOperand(tool: Tool, path: string, how: How): void {
  guarded(tool, { path, how, what: 'cannot access' }, () => {
    const stat = statIfThere(tool.sys, path);
    if (stat !== undefined) changeOne(tool, path, stat.mode, how);
    else if (isSymlink(tool.sys.lstat(path))) dangling(tool, path, how);
  });
}

function dangling(tool: Tool, path: string, how: How): void {
  tool.status = 1;
  if (!how.quiet) tool.note(`cannot operate on dangling symlink ${quoted(path)}`);
  if (how.talk === 'all') tool.out.text(`${quoted(path)} could not be accessed\n`);
}

function changeTree(tool: Tool, root: string, how: How): void {
  if (!how.rootToo && isRoot(tool.sys, root)) {
    tool.warn(
      `it is dangerous to operate recursively on ${quoted(root)}\n${tool.name}: use --no-preserve-root to override this failsafe`,
    );
    return;
  }
  const visits = walk(tool.sys, {
    root,
    follow: 'root',
    onFault: (path, error, what) =>
      guarded(
        tool,
        { path, how, what: what === 'open' ? 'cannot read directory' : 'cannot access' },
        () => {
          throw error;
        },
      ),
  });
  for (const { phase, stat, path, depth } of visits) {
    if (phase === 'post') continue;
    if (!isSymlink(stat)) changeOne(tool, path, stat.mode, how);
    else if (depth === 0) dangling(tool, path, how);
    else if (how.talk === 'all')
      tool.out.text(`neither symbolic link ${quoted(path)} nor referent has been changed\n`);
  }
}

function changeOne(tool: Tool, path: string, mode: number, how: How): void {
  guarded(tool, { path, how, what: 'changing permissions of' }, () => {
    const next = how.next(mode);
    tool.sys.chmod(path, next);
    report(tool, { path, from: mode & 0o7777, to: next }, how);
  });
}

function report(tool: Tool, change: { path: string; from: number; to: number }, how: How): void {
  const label = (mode: number): string =>
    `${mode.toString(8).padStart(4, '0')} (${formatMode(mode).slice(1)})`;
  const { path, from, to } = change;
  if (how.talk === 'none' || (how.talk === 'changes' && from === to)) return;
  tool.out.text(
    from === to
      ? `mode of ${quoted(path)} retained as ${label(to)}\n`
      : `mode of ${quoted(path)} changed from ${label(from)} to ${label(to)}\n`,
  );
}
