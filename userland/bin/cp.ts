// cp: copies files and trees. POSIX.1-2024 cp -f -H -L -P -p -R -r, with GNU's -a -b -d -l -n -s -t -T
// -u -v -x, --preserve, --sparse, --attributes-only, --remove-destination, --parents.

import { backupLong, backupOf, refuseBackupWithNoClobber } from '../libc/files/backup.ts';
import type { Keep } from '../libc/files/copy.ts';
import { type CopyPlan, copyTree } from '../libc/files/copy-tree.ts';
import { destinations } from '../libc/files/destinations.ts';
import { currentUmask } from '../libc/files/mode.ts';
import { dirname, isDirectoryAt, join, trimmed } from '../libc/files/path.ts';
import { Questions } from '../libc/files/question.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { quoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[OPTION]... SOURCE DEST\n  or: cp [OPTION]... SOURCE... DIRECTORY',
    short: 'abdfHilLnprPRsS:t:Tuvx',
    long: {
      ...backupLong,
      archive: 'a',
      'attributes-only': 'attributes',
      'copy-contents': 'contents',
      force: 'f',
      interactive: 'i',
      link: 'l',
      dereference: 'L',
      'no-clobber': 'n',
      'no-dereference': 'P',
      'preserve=?': 'preserve',
      'no-preserve=': 'no-preserve',
      parents: 'parents',
      recursive: 'R',
      'reflink=?': 'reflink',
      'remove-destination': 'remove',
      'sparse=': 'sparse',
      'strip-trailing-slashes': 'strip',
      'symbolic-link': 's',
      'target-directory=': 't',
      'no-target-directory': 'T',
      update: 'u',
      verbose: 'v',
      'one-file-system': 'x',
    },
  },
  (tool, options) => {
    const plan = planOf(tool, options);
    const pairs = options.has('parents') ? withParents(tool, options) : destinations(tool, options);
    for (const { from, to } of pairs)
      copyTree(tool, options.has('strip') ? trimmed(from) : from, to, plan);
  },
);

function planOf(tool: Tool, options: Options): CopyPlan {
  const recursive = options.has('r', 'R', 'a');
  const link = options.last('H', 'L', 'P', 'd', 'a');
  const sparse = options.value('sparse') ?? 'auto';
  if (sparse !== 'auto' && sparse !== 'always' && sparse !== 'never')
    tool.misuse(`invalid argument ${quotedArgument(sparse)} for '--sparse'`);
  const kept = keptOf(tool, options);
  refuseBackupWithNoClobber(tool, options, ['n', 'i']);
  const backup = backupOf(tool, options);
  const follow =
    link === 'H' ? 'root' : link === 'L' ? 'always' : link !== undefined ? 'never' : undefined;
  return {
    recursive,
    follow: follow ?? (recursive && !options.has('l') ? 'never' : 'always'),
    keep: kept,
    keepLinks: kept.links,
    force: options.has('f'),
    removeFirst: options.has('remove'),
    backup,
    ...(options.last('n', 'i') === 'i' ? { ask: new Questions(tool) } : {}),
    clobber: options.last('n', 'i') === 'n' ? 'no' : options.has('u') ? 'older' : 'yes',
    verbose: options.has('v'),
    sparse: sparse as CopyPlan['sparse'],
    as: options.has('l')
      ? 'link'
      : options.has('s')
        ? 'symlink'
        : options.has('attributes')
          ? 'attributes'
          : 'copy',
    oneFileSystem: options.has('x'),
    umask: currentUmask(tool.sys),
    seen: new Map(),
    written: new Set(),
    ...(options.operands.length > 2 && backup === undefined ? { named: new Set() } : {}),
  };
}

/** -p, -d, -a and --preserve add, --no-preserve takes away, in the order given. */
function keptOf(tool: Tool, options: Options): Keep & { links: boolean } {
  const kept = { mode: false, ownership: false, times: false, xattrs: false, links: false };
  const set = (list: string, to: boolean): void => {
    for (const word of list.split(',')) {
      if (word === 'timestamps') kept.times = to;
      else if (word === 'mode' || word === 'ownership' || word === 'links') kept[word] = to;
      else if (word === 'xattr') kept.xattrs = to;
      else if (word === 'all') for (const key of keys) kept[key] = to;
      else if (word !== 'context')
        tool.misuse(`invalid argument ${quotedArgument(word)} for '--preserve'`);
    }
  };
  const keys = ['mode', 'ownership', 'times', 'xattrs', 'links'] as const;
  const usual = 'mode,ownership,timestamps';
  for (const { name, value } of options.list) {
    if (name === 'p') set(usual, true);
    if (name === 'd') set('links', true);
    if (name === 'a') set('all', true);
    if (name === 'preserve') set(value || usual, true);
    if (name === 'no-preserve') set(value, false);
  }
  return kept;
}

/** --parents: the whole source path below the directory. */
function withParents(tool: Tool, options: Options): { from: string; to: string }[] {
  const sources = [...options.operands];
  const directory = options.value('t') ?? sources.pop() ?? tool.misuse('missing file operand');
  if (sources.length === 0)
    tool.misuse(`missing destination file operand after ${quoted(directory)}`);
  if (!isDirectoryAt(tool.sys, directory)) {
    if (sources.length > 1 || options.value('t') !== undefined) destinations(tool, options);
    tool.misuse('with --parents, the destination must be a directory');
  }
  return sources.map((from) => {
    const to = join(directory, from.replace(/^\/+/, ''));
    const steps: string[] = [];
    for (let up = dirname(to); up.length > directory.length && !isDirectoryAt(tool.sys, up); ) {
      steps.push(up);
      up = dirname(up);
    }
    for (const step of steps.reverse())
      tool.attempt(`cannot make directory ${quoted(step)}`, () => tool.sys.mkdir(step, 0o777));
    return { from, to };
  });
}
