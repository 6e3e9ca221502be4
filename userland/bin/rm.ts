// rm: removes files and trees. POSIX.1-2024 rm -f -i -r -R -d -v; refuses `/`, `.` and `..`.

import { DT_DIR } from '../../kernel/abi/constants.ts';
import { EISDIR, ENOENT, ENOTDIR, PosixError, strerror } from '../../kernel/abi/errno.ts';
import { typeName } from '../libc/files/mode.ts';
import { basename, isDirectory, join, listDirectory, realpath } from '../libc/files/path.ts';
import { Questions } from '../libc/files/question.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { choose } from '../libc/text/choice.ts';
import { quoted } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-dfiIrRv] [FILE]...\nRemove (unlink) the FILE(s).',
    short: 'dfiIrRv',
    long: {
      force: 'f',
      'interactive=?': 'i',
      'one-file-system': 'x',
      'no-preserve-root': 'norootcheck',
      'preserve-root=?': 'rootcheck',
      recursive: 'r',
      dir: 'd',
      verbose: 'v',
    },
  },
  (tool, options) => {
    const asks = asksOf(tool, options);
    const force = asks === 'f';
    const { operands } = options;
    if (operands.length === 0 && !force) tool.missingOperand();
    const recursive = options.has('r', 'R');
    if (asks === 'once' && (recursive || operands.length > 3)) {
      const what = `${operands.length} argument${operands.length === 1 ? '' : 's'}`;
      const question = `remove ${what}${recursive ? ' recursively' : ''}`;
      if (!new Questions(tool).agrees(question)) return;
    }
    const how: How = {
      force,
      ask: asks === 'always' ? new Questions(tool) : undefined,
      recursive,
      directories: options.has('d'),
      verbose: options.has('v'),
    };
    for (const path of operands) removeOperand(tool, path, how);
  },
);

/** The last of -f, -i, -I and --interactive. */
function asksOf(tool: Tool, options: Options): 'f' | 'always' | 'once' | 'never' {
  let asks: 'f' | 'always' | 'once' | 'never' = 'never';
  for (const { name, value } of options.list) {
    if (name === 'f') asks = 'f';
    else if (name === 'I') asks = 'once';
    else if (name === 'i') asks = value === '' ? 'always' : WHEN[chosen(tool, value)];
  }
  return asks;
}

const WHEN = {
  never: 'never',
  no: 'never',
  none: 'never',
  once: 'once',
  always: 'always',
  yes: 'always',
} as const;

const chosen = (tool: Tool, value: string): keyof typeof WHEN =>
  choose(tool, value, {
    option: '--interactive',
    valid: ['never', 'no', 'none', 'once', 'always', 'yes'] as const,
  });

interface How {
  readonly force: boolean;
  readonly ask: Questions | undefined;
  readonly recursive: boolean;
  readonly directories: boolean;
  readonly verbose: boolean;
}

function removeOperand(tool: Tool, path: string, how: How): void {
  const base = basename(path);
  if (how.recursive && (base === '.' || base === '..')) {
    tool.warn(`refusing to remove '.' or '..' directory: skipping ${quoted(path)}`);
    return;
  }
  try {
    const stat = tool.sys.lstat(path);
    if (!isDirectory(stat)) {
      if (agreed(path, `remove ${typeName(stat.mode, stat.size)}`, how)) unlink(tool, path, how);
    } else if (how.recursive) {
      if (realpath(tool.sys, path) === '/') {
        tool.warn(`it is dangerous to operate recursively on ${quoted(path)}`);
        tool.note('use --no-preserve-root to override this failsafe');
      } else removeTree(tool, path, how);
    } else if (how.directories) removeDirectory(tool, path, how);
    else tool.warn(`cannot remove ${quoted(path)}: Is a directory`);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    if (how.force && (error.errno === ENOENT || error.errno === ENOTDIR)) return;
    tool.warn(`cannot remove ${quoted(path)}: ${strerror(error.errno)}`);
  }
}

/** With an explicit stack: a tree may be deeper than the call stack. */
function removeTree(tool: Tool, root: string, how: How): void {
  const stack: { path: string; left: { name: string; type: number }[] }[] = [];
  const enter = (path: string): void => {
    const list = tool.attempt(`cannot remove ${quoted(path)}`, () => listDirectory(tool.sys, path));
    if (list === undefined) return;
    if (list.length > 0 && !agreed(path, 'descend into directory', how)) return;
    stack.push({ path, left: list.reverse() });
  };
  enter(root);
  for (let level = stack.at(-1); level !== undefined; level = stack.at(-1)) {
    const entry = level.left.pop();
    if (entry === undefined) {
      stack.pop();
      removeDirectory(tool, level.path, how);
      continue;
    }
    const path = join(level.path, entry.name);
    if (entry.type === DT_DIR) enter(path);
    else if (how.ask) removeEntry(tool, path, how, enter);
    else {
      const { left } = level;
      const paths = [path];
      while (paths.length < MOST_AT_ONCE && left.length > 0 && left.at(-1)?.type !== DT_DIR)
        paths.push(join(level.path, left.pop()?.name ?? ''));
      removeAll(tool, paths, how, enter);
    }
  }
}

const MOST_AT_ONCE = 128;

/** Many entries of one directory in one submission; what is not that simple has its own turn. */
function removeAll(
  tool: Tool,
  paths: readonly string[],
  how: How,
  enter: (directory: string) => void,
): void {
  const results = tool.sys.batch(paths.map((path) => ({ call: 'unlink', path })));
  for (const [i, { errno }] of results.entries()) {
    const path = paths[i] ?? '';
    if (errno !== 0) removeEntry(tool, path, how, enter);
    else if (how.verbose) tool.out.text(`removed ${quoted(path)}\n`);
  }
}

/** An entry that is no directory, or whose type the file system does not tell. */
function removeEntry(tool: Tool, path: string, how: How, enter: (directory: string) => void): void {
  try {
    if (how.ask !== undefined) {
      const stat = tool.sys.lstat(path);
      if (!agreed(path, `remove ${typeName(stat.mode, stat.size)}`, how)) return;
    }
    unlink(tool, path, how);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    if (error.errno === EISDIR && isDirectory(tool.sys.lstat(path))) enter(path);
    else tool.warn(`cannot remove ${quoted(path)}: ${strerror(error.errno)}`);
  }
}

function unlink(tool: Tool, path: string, how: How): void {
  tool.sys.unlink(path);
  if (how.verbose) tool.out.text(`removed ${quoted(path)}\n`);
}

function removeDirectory(tool: Tool, path: string, how: How): void {
  if (!agreed(path, 'remove directory', how)) return;
  const done = tool.attempt(`cannot remove ${quoted(path)}`, () => {
    tool.sys.rmdir(path);
    return true;
  });
  if (done && how.verbose) tool.out.text(`removed directory ${quoted(path)}\n`);
}

function agreed(path: string, what: string, how: How): boolean {
  return how.ask?.agrees(`${what} ${quoted(path)}`) ?? true;
}
