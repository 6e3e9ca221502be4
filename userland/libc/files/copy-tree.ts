// Copying trees: what cp -r and mv across file systems share. Hard links among the copied files
// stay links when asked for; a tree is never copied into itself.

import {
  DT_DIR,
  O_CREAT,
  O_WRONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from '../../../kernel/abi/constants.ts';
import { ENOENT, fail, PosixError, strerror } from '../../../kernel/abi/errno.ts';
import type { Stat } from '../../../kernel/abi/stat.ts';
import type { Tool } from '../program.ts';
import type { BatchResult } from '../runtime/batch.ts';
import { maybeQuoted, quoted } from '../text/quote.ts';
import type { Backup } from './backup.ts';
import { copyAttributes, copyData, type FileCopy, type Keep, type Sparse } from './copy.ts';
import { SmallCopies } from './copy-many.ts';
import {
  basename,
  dirname,
  isDirectory,
  isSymlink,
  join,
  listDirectory,
  lstatIfThere,
  realpath,
  statIfThere,
} from './path.ts';
import type { Questions } from './question.ts';

export interface CopyPlan {
  readonly recursive: boolean;
  /** Which symlinks of the source are looked through. */
  readonly follow: 'never' | 'root' | 'always';
  readonly keep: Keep;
  readonly keepLinks: boolean;
  readonly force: boolean;
  readonly removeFirst: boolean;
  readonly clobber: 'yes' | 'no' | 'older';
  /** Asked before a file is overwritten. */
  readonly ask?: Questions;
  readonly verbose: boolean;
  readonly sparse: Sparse;
  readonly as: 'copy' | 'link' | 'symlink' | 'attributes';
  readonly oneFileSystem: boolean;
  /** What stands in the way is renamed. */
  readonly backup: Backup;
  readonly umask: number;
  /** dev:ino of what was copied → where to. */
  readonly seen: Map<string, string>;
  /** dev:ino of what this run wrote: two sources must not land on one file. */
  readonly written: Set<string>;
  /** Which names were copied already, where several are: the same is not copied twice. */
  readonly named?: Set<string>;
}

const key = (stat: Stat): string => `${stat.dev}:${stat.ino}`;

/** Copies one operand; whether all of it worked. */
export function copyTree(tool: Tool, from: string, to: string, plan: CopyPlan): boolean {
  const before = tool.status;
  tool.status = 0;
  copyNode(tool, { from, to, depth: 0, dev: undefined, top: { from, to } }, plan);
  const fine = tool.status === 0;
  tool.status = Math.max(before, tool.status);
  return fine;
}

interface Node {
  readonly from: string;
  readonly to: string;
  readonly depth: number;
  /** The file system of the root, with --one-file-system. */
  readonly dev: number | undefined;
  /** The operand and where it goes. */
  readonly top: { readonly from: string; readonly to: string };
  /** What it was seen to be with the others of its directory. */
  readonly seen?: BatchResult | undefined;
  /** Its directory was made by this run: nothing is at `to` yet. */
  readonly fresh?: boolean;
}

const isThrough = (node: Node, plan: CopyPlan): boolean =>
  plan.follow === 'always' || (plan.follow === 'root' && node.depth === 0);

function copyNode(tool: Tool, node: Node, plan: CopyPlan): void {
  const { sys } = tool;
  const { from, to } = node;
  const through = isThrough(node, plan);
  const stat = tool.attempt(`cannot stat ${quoted(from)}`, () => {
    if (through) return sys.stat(from);
    return node.seen ? (node.seen.stat ?? fail(node.seen.errno || ENOENT)) : sys.lstat(from);
  });
  if (stat === undefined) return;
  try {
    if (node.depth === 0 && wasNamed(tool, { from, stat }, plan)) return;
    if (isDirectory(stat)) {
      if (!plan.recursive) tool.warn(`-r not specified; omitting directory ${quoted(from)}`);
      else if (node.dev === undefined || node.dev === stat.dev)
        copyDirectory(tool, { ...node, stat }, plan);
    } else copyLeaf(tool, { ...node, stat }, plan);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    tool.warn(`cannot create ${nounOf(stat)} ${quoted(to)}: ${strerror(error.errno)}`);
  }
}

/** One operand twice is told of and passed over: to copy it again would do nothing. */
function wasNamed(
  tool: Tool,
  { from, stat }: Pick<Leaf, 'from' | 'stat'>,
  plan: CopyPlan,
): boolean {
  if (plan.named === undefined || (isDirectory(stat) && !plan.recursive)) return false;
  const name = join(realpath(tool.sys, dirname(from)), basename(from));
  if (!plan.named.has(name)) {
    plan.named.add(name);
    return false;
  }
  const kind = isDirectory(stat) ? 'directory' : 'file';
  tool.note(`warning: source ${kind} ${quoted(from)} specified more than once`);
  return true;
}

function nounOf(stat: Stat): string {
  const type = stat.mode & S_IFMT;
  if (type === S_IFREG) return 'regular file';
  if (type === S_IFDIR) return 'directory';
  if (isSymlink(stat)) return 'symbolic link';
  return type === S_IFIFO ? 'fifo' : 'special file';
}

type Found = Node & { readonly stat: Stat };

function copyDirectory(tool: Tool, node: Found, plan: CopyPlan): void {
  const { sys } = tool;
  const { from, to, stat } = node;
  const there = node.fresh ? undefined : statIfThere(sys, to);
  if (there !== undefined && !isDirectory(there)) {
    tool.warn(`cannot overwrite non-directory ${quoted(to)} with directory ${quoted(from)}`);
    return;
  }
  // Writable while it is filled; its own mode comes afterwards.
  const mode = stat.mode & 0o777 & ~(plan.keep.mode ? 0 : plan.umask);
  if (there === undefined) sys.mkdir(to, mode | 0o700);
  const made = sys.stat(to);
  plan.written.add(key(made));
  if (there === undefined) {
    if (plan.verbose) tool.out.text(`${quoted(from)} -> ${quoted(to)}\n`);
  }
  const dev = node.dev ?? (plan.oneFileSystem ? stat.dev : undefined);
  const entries =
    tool.attempt(`cannot access ${quoted(from)}`, () => listDirectory(sys, from)) ?? [];
  const seen = sys.batch(entries.map((entry) => ({ call: 'lstat', path: join(from, entry.name) })));
  const small = new SmallCopies(tool, (copy) => settleSmall(tool, copy, plan));
  for (const [i, entry] of entries.entries()) {
    const child = join(from, entry.name);
    const stat = seen[i]?.stat;
    if (there === undefined && stat !== undefined) {
      if (takeSmall(tool, { from: child, to: join(to, entry.name), stat }, { plan, small }))
        continue;
      small.flush();
    }
    if (entry.type === DT_DIR && stat && plan.written.has(key(stat))) {
      const { top } = node;
      tool.warn(`cannot copy a directory, ${quoted(top.from)}, into itself, ${quoted(top.to)}`);
      continue;
    }
    copyNode(
      tool,
      {
        ...{ from: child, to: join(to, entry.name), depth: node.depth + 1, dev, top: node.top },
        ...{ seen: seen[i], fresh: there === undefined },
      },
      plan,
    );
  }
  small.flush();
  copyAttributes(tool, { ...node, keep: plan.keep });
  if (there === undefined && !plan.keep.mode && mode !== (mode | 0o700))
    tool.attempt(`preserving permissions for ${quoted(to)}`, () => sys.chmod(to, mode));
}

type Leaf = Pick<FileCopy, 'from' | 'to' | 'stat'>;

/** Whether it is a file that goes with others of its directory, which this run has made. */
function takeSmall(
  tool: Tool,
  leaf: Leaf,
  { plan, small }: { plan: CopyPlan; small: SmallCopies },
): boolean {
  const { stat } = leaf;
  if ((stat.mode & S_IFMT) !== S_IFREG || plan.as !== 'copy') return false;
  if (plan.keepLinks && stat.nlink > 1) return false;
  const { sparse } = plan;
  if (!small.take({ ...leaf, exists: false, sparse, mode: stat.mode & 0o777 })) return false;
  if (plan.verbose) tool.out.text(`${quoted(leaf.from)} -> ${quoted(leaf.to)}\n`);
  return true;
}

function settleSmall(tool: Tool, leaf: Leaf, plan: CopyPlan): void {
  tool.attempt(`cannot create regular file ${quoted(leaf.to)}`, () =>
    copyAttributes(tool, { ...leaf, keep: plan.keep }),
  );
  plan.seen.set(key(leaf.stat), leaf.to);
}

function copyLeaf(tool: Tool, node: Found, plan: CopyPlan): void {
  const { sys } = tool;
  const { from, to, stat } = node;
  const through = isThrough(node, plan);
  const replacesLink =
    isSymlink(stat) || plan.removeFirst || plan.backup !== undefined || plan.as !== 'copy';
  const there = node.fresh ? undefined : (replacesLink ? lstatIfThere : statIfThere)(sys, to);
  if (there !== undefined && !mayReplace(tool, node, there, plan)) return;
  let exists = there !== undefined;
  if (plan.as === 'attributes' && !isSymlink(stat)) {
    if (!exists) sys.close(sys.open(to, O_WRONLY | O_CREAT, stat.mode & 0o777));
    copyAttributes(tool, { ...node, keep: plan.keep });
    return;
  }
  // A copy of what has gone to its backup would come from nowhere.
  const backup = exists ? plan.backup?.(to) : undefined;
  if (backup !== undefined) {
    sys.rename(to, backup);
    exists = false;
  }
  const earlier = plan.keepLinks && stat.nlink > 1 ? plan.seen.get(key(stat)) : undefined;
  if (there !== undefined && exists && goesFirst({ stat, there, earlier }, plan)) {
    sys.unlink(to);
    exists = false;
  }
  if (plan.verbose) {
    const kept = backup === undefined ? '' : ` (backup: ${quoted(backup)})`;
    tool.out.text(`${quoted(from)} -> ${quoted(to)}${kept}\n`);
  }
  if (earlier !== undefined) sys.link(earlier, to);
  else if (plan.as === 'link' || plan.as === 'symlink') {
    if (!makeLink(tool, { from, to, through }, plan.as)) return;
  } else if (!makeCopy(tool, node, { plan, exists })) return;
  plan.seen.set(key(stat), to);
  if (node.depth > 0) return; // only operands can land on what another operand made
  const made = lstatIfThere(sys, to);
  if (made !== undefined) plan.written.add(key(made));
}

/** Whether what is there is removed before the copy is made; what is copied into stays, with its other names. */
function goesFirst(
  { stat, there, earlier }: { stat: Stat; there: Stat; earlier: string | undefined },
  plan: CopyPlan,
): boolean {
  if (plan.removeFirst || earlier !== undefined) return true;
  if (plan.as !== 'copy') return plan.force;
  if (plan.keepLinks && there.nlink > 1) return true;
  return (stat.mode & S_IFMT) !== S_IFREG && (plan.follow === 'never' || plan.force);
}

/** A link instead of a copy: to what a symlink leads to, where those are looked through. */
function makeLink(
  tool: Tool,
  { from, to, through }: { from: string; to: string; through: boolean },
  as: 'link' | 'symlink',
): boolean {
  const { sys } = tool;
  const kind = as === 'link' ? 'hard' : 'symbolic';
  if (as === 'symlink' && !from.startsWith('/') && realpath(sys, dirname(to)) !== sys.getcwd()) {
    tool.warn(`${maybeQuoted(to)}: can make relative symbolic links only in current directory`);
    return false;
  }
  const made = tool.attempt(`cannot create ${kind} link ${quoted(to)} to ${quoted(from)}`, () => {
    if (as === 'symlink') sys.symlink(from, to);
    else sys.link(through ? realpath(sys, from) : from, to);
    return true;
  });
  return made === true;
}

function mayReplace(tool: Tool, node: Found, there: Stat, plan: CopyPlan): boolean {
  const { from, to, stat } = node;
  if (plan.clobber === 'no') return false;
  const same =
    key(there) === key(stat) && !isSymlink(stat) && plan.as === 'copy' && !plan.removeFirst;
  if (plan.clobber === 'older' && !same) {
    const newer = stat.mtime.sec - there.mtime.sec || stat.mtime.nsec - there.mtime.nsec;
    if (newer <= 0) return false;
  }
  const isAsked = plan.ask !== undefined && key(there) !== key(stat);
  if (isAsked && !plan.ask?.agrees(`overwrite ${quoted(to)}`)) return false;
  if (isDirectory(there)) {
    tool.warn(`cannot overwrite directory ${quoted(to)} with non-directory`);
    return false;
  }
  if (key(there) === key(stat)) {
    if (plan.removeFirst && from !== to) return true;
    if (plan.as === 'link' || plan.as === 'attributes') return plan.as === 'attributes';
    tool.warn(`${quoted(from)} and ${quoted(to)} are the same file`);
    return false;
  }
  if (node.depth === 0 && plan.written.has(key(there))) {
    tool.warn(`will not overwrite just-created ${quoted(to)} with ${quoted(from)}`);
    return false;
  }
  return true;
}

function makeCopy(tool: Tool, node: Found, how: { plan: CopyPlan; exists: boolean }): boolean {
  const { sys } = tool;
  const { from, to, stat } = node;
  const { plan } = how;
  const type = stat.mode & S_IFMT;
  if (isSymlink(stat)) sys.symlink(sys.readlink(from), to);
  else if (type === S_IFREG || !plan.recursive) {
    const copy = { from, to, stat, sparse: plan.sparse, mode: stat.mode & 0o777 };
    let { exists } = how;
    if (exists && plan.force && !writable(tool, to)) {
      sys.unlink(to);
      exists = false;
    }
    if (!copyData(tool, { ...copy, exists })) return false;
  } else if ([S_IFIFO, S_IFCHR, S_IFBLK, S_IFSOCK].includes(type))
    sys.mknod(to, type | (stat.mode & 0o777), stat.rdev);
  copyAttributes(tool, { ...node, keep: plan.keep });
  return true;
}

function writable(tool: Tool, path: string): boolean {
  try {
    tool.sys.access(path, 2);
    return true;
  } catch (error) {
    if (error instanceof PosixError) return false;
    throw error;
  }
}
