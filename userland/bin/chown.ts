// chown: owners and groups. POSIX.1-2024 chown -h -R, with GNU's -c -f -v --from --reference; OWNER, OWNER:,
// OWNER:GROUP, :GROUP. Called as chgrp it takes a group.

import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { Stat } from '../../kernel/abi/stat.ts';
import { isDirectory, isRoot, isSymlink } from '../libc/files/path.ts';
import { walk } from '../libc/files/walk.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { quoted, quotedArgument } from '../libc/text/quote.ts';
import { Users } from '../libc/users.ts';

export const main = program(
  {
    usage: '[-cfhRv] [OWNER][:[GROUP]] FILE...\n  or: chown [-cfhRv] --reference=FILE FILE...',
    short: 'cfhHLPRv',
    long: {
      changes: 'c',
      silent: 'f',
      quiet: 'f',
      verbose: 'v',
      'no-dereference': 'h',
      dereference: 'deref',
      recursive: 'R',
      'preserve-root': 'keep',
      'no-preserve-root': 'root',
      'reference=': 'reference',
      'from=': 'from',
    },
  },
  (tool, options) => {
    const { sys } = tool;
    const operands = [...options.operands];
    const reference = options.value('reference');
    const text = reference === undefined ? operands.shift() : undefined;
    if (reference === undefined && text === undefined) tool.missingOperand();
    if (operands.length === 0)
      tool.misuse(
        text === undefined ? 'missing operand' : `missing operand after ${quotedArgument(text)}`,
      );
    const users = new Users(sys);
    const ids = text === undefined ? idsOf(tool, reference ?? '') : parseOwner(tool, users, text);
    const how: How = {
      ...{ uid: ids.uid, gid: ids.gid, users, ...reachOf(tool, options) },
      words: text === undefined ? undefined : wordsOf(tool, users, text),
      from: fromOf(tool, users, options.values('from')),
      quiet: options.has('f'),
      rootToo: options.last('keep', 'root') !== 'keep',
      talk: talks[options.last('c', 'v') ?? ''] ?? 'none',
    };
    for (const path of operands) {
      if (options.has('R')) changeTree(tool, path, how);
      else changeOperand(tool, path, how);
    }
  },
);

const talks: Readonly<Record<string, How['talk']>> = { v: 'all', c: 'changes' };

interface How {
  readonly uid: number; // -1 = as it is
  readonly gid: number;
  /** As they were given, for what is told. */
  readonly words: Words | undefined;
  /** Only what belongs to these; -1 = anybody. */
  readonly from: { readonly uid: number; readonly gid: number };
  readonly users: Users;
  /** A symlink is changed, not what it leads to. */
  readonly link: boolean;
  readonly follow: 'never' | 'root' | 'always';
  readonly quiet: boolean;
  /** / may be the root of a tree. */
  readonly rootToo: boolean;
  readonly talk: 'all' | 'changes' | 'none';
}

interface Words {
  readonly owner: string;
  readonly group: string | undefined;
}

/** What a later one does not tell, an earlier one does. */
function fromOf(tool: Tool, users: Users, texts: readonly string[]): How['from'] {
  const found = { uid: -1, gid: -1 };
  for (const text of texts) {
    const { uid, gid } = parseOwner(tool, users, text);
    if (uid >= 0) found.uid = uid;
    if (gid >= 0) found.gid = gid;
  }
  return found;
}

function idsOf(tool: Tool, reference: string): { uid: number; gid: number } {
  const found = tool.attempt(`failed to get attributes of ${quoted(reference)}`, () =>
    tool.sys.stat(reference),
  );
  if (found === undefined) return tool.die('');
  return { uid: tool.name === 'chgrp' ? -1 : found.uid, gid: found.gid };
}

/** Below a directory a symlink itself is changed, unless -H or -L is there. */
function reachOf(tool: Tool, options: Options): Pick<How, 'link' | 'follow'> {
  const way = options.last('h', 'deref');
  const walks = options.has('R') ? (options.last('H', 'L', 'P') ?? 'P') : undefined;
  if (walks === 'P' && way === 'deref') tool.die('-R --dereference requires either -H or -L');
  const follow = walks === 'L' ? 'always' : walks === 'H' ? 'root' : 'never';
  return { follow, link: way === 'h' || walks === 'P' };
}

function wordsOf(tool: Tool, users: Users, text: string): Words {
  if (tool.name === 'chgrp') return { owner: '', group: text };
  const [owner = '', group] = halves(users, text);
  const plain = (word: string): string => word.replace(/^\+/, '');
  return { owner: plain(owner), group: group === undefined ? undefined : plain(group || owner) };
}

/** OWNER:GROUP, or OWNER.GROUP as it was written before there were dots in names. */
const halves = (users: Users, text: string): string[] =>
  isDotted(users, text) ? text.split('.', 2) : text.split(':', 2);

const isDotted = (users: Users, text: string): boolean =>
  text.includes('.') && !text.includes(':') && users.uid(text) === undefined;

function parseOwner(tool: Tool, users: Users, text: string): { uid: number; gid: number } {
  const isGroup = tool.name === 'chgrp';
  const isOld = !isGroup && isDotted(users, text);
  const [owner = '', group] = isGroup ? ['', text] : halves(users, text);
  const uid = owner === '' ? -1 : users.uid(owner);
  if (uid === undefined) return tool.die(`invalid user: ${quotedArgument(text)}`);
  if (group === undefined) return { uid, gid: -1 };
  // `owner:` gives the group that the owner has in /etc/passwd.
  if (group === '' && /^\+?\d/.test(owner))
    tool.die(`invalid ${isOld ? 'user' : 'spec'}: ${quotedArgument(text)}`);
  const gid = group === '' ? (owner === '' ? -1 : users.account(owner)?.gid) : users.gid(group);
  if (gid === undefined)
    return tool.die(`invalid ${isOld ? 'user' : 'group'}: ${quotedArgument(text)}`);
  if (isOld) tool.note(`warning: '.' should be ':': ${quotedArgument(text)}`);
  return { uid, gid };
}

function changeOperand(tool: Tool, path: string, how: How): void {
  const stat = look(tool, path, how);
  if (stat !== undefined) change(tool, { path, stat }, how);
}

/** A directory after what it holds. */
function changeTree(tool: Tool, root: string, how: How): void {
  const { follow } = how;
  if (!how.rootToo && isRoot(tool.sys, root)) {
    tool.warn(
      `it is dangerous to operate recursively on ${quoted(root)}\n${tool.name}: use --no-preserve-root to override this failsafe`,
    );
    return;
  }
  const onFault = (path: string, error: PosixError, what: string): void =>
    what === 'open'
      ? fault(tool, `cannot read directory ${quoted(path)}`, { error, how })
      : unseen(tool, path, { error, how });
  for (const { path, phase, stat: seen } of walk(tool.sys, { root, follow, onFault })) {
    if (phase === 'pre' && isDirectory(seen)) continue;
    const stat = !how.link && isSymlink(seen) ? look(tool, path, how) : seen;
    if (stat !== undefined) change(tool, { path, stat }, how);
  }
}

function look(tool: Tool, path: string, how: How): Stat | undefined {
  try {
    return how.link ? tool.sys.lstat(path) : tool.sys.stat(path);
  } catch (error) {
    return unseen(tool, path, { error, how });
  }
}

function unseen(tool: Tool, path: string, at: { error: unknown; how: How }): undefined {
  fault(tool, `cannot access ${quoted(path)}`, at);
  const { how } = at;
  if (how.talk === 'all')
    tool.out.text(`failed to change ${nounOf(how)} of ${quoted(path)} to ${newOwner(how)}\n`);
}

function change(tool: Tool, at: { path: string; stat: Stat }, how: How): void {
  const { path, stat } = at;
  const { from, talk } = how;
  if ((from.uid >= 0 && from.uid !== stat.uid) || (from.gid >= 0 && from.gid !== stat.gid)) {
    if (talk === 'all') tool.out.text(`${nounOf(how)} of ${quoted(path)} ${kept(stat, how)}\n`);
    return;
  }
  try {
    if (how.link) tool.sys.lchown(path, how.uid, how.gid);
    else tool.sys.chown(path, how.uid, how.gid);
  } catch (error) {
    fault(tool, `changing ${nounOf(how)} of ${quoted(path)}`, { error, how });
    return;
  }
  const changed = (how.uid >= 0 && how.uid !== stat.uid) || (how.gid >= 0 && how.gid !== stat.gid);
  const old = oldOwner(stat, how);
  if (changed && talk !== 'none')
    tool.out.text(`changed ${nounOf(how)} of ${quoted(path)} from ${old} to ${newOwner(how)}\n`);
  else if (talk === 'all') tool.out.text(`${nounOf(how)} of ${quoted(path)} ${kept(stat, how)}\n`);
}

const nounOf = ({ uid, gid }: How): string => (uid < 0 && gid >= 0 ? 'group' : 'ownership');

const kept = (stat: Stat, how: How): string =>
  how.uid < 0 && how.gid < 0 ? 'retained' : `retained as ${oldOwner(stat, how)}`;

/** Owner, group or both, as much as was to be changed. */
function oldOwner(stat: Stat, { uid, gid, users }: How): string {
  const group = users.groupName(stat.gid) ?? String(stat.gid);
  if (uid < 0) return group;
  const owner = users.userName(stat.uid) ?? String(stat.uid);
  return gid < 0 ? owner : `${owner}:${group}`;
}

function newOwner({ uid, gid, words, users }: How): string {
  const owner = words?.owner ?? users.userName(uid) ?? String(uid);
  const group = words === undefined ? (users.groupName(gid) ?? String(gid)) : words.group;
  if (owner === '' || uid < 0) return group ?? '';
  return group === undefined ? owner : `${owner}:${group}`;
}

function fault(tool: Tool, what: string, at: { error: unknown; how: How }): void {
  if (!(at.error instanceof PosixError)) throw at.error;
  tool.status = 1;
  if (!at.how.quiet) tool.note(`${what}: ${strerror(at.error.errno)}`);
}
