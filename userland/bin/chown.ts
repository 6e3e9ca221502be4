// chown: owners and groups. POSIX.1-2024 chown -h -R, with GNU's -c -f -v --from --reference; OWNER, OWNER:,
// OWNER:GROUP, :GROUP. Called as chgrp it takes a group.

import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { Stat } from '../../kernel/abi/stat.ts';
import { walk } from '../libc/files/walk.ts';
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
    const ids = text === undefined ? sys.stat(reference ?? '') : parseOwner(tool, users, text);
    const from = options.value('from');
    const how: How = {
      ...{ uid: ids.uid, gid: ids.gid, users },
      words: text === undefined ? undefined : wordsOf(tool, text),
      from: from === undefined ? { uid: -1, gid: -1 } : parseOwner(tool, users, from),
      link: options.has('h'),
      quiet: options.has('f'),
      talk: options.has('v') ? 'all' : options.has('c') ? 'changes' : 'none',
    };
    for (const path of operands) {
      if (!options.has('R')) {
        const stat = look(tool, path, how);
        if (stat !== undefined) change(tool, { path, stat }, how);
        else if (how.talk === 'all')
          tool.out.text(`failed to change ${nounOf(how)} of ${quoted(path)} to ${newOwner(how)}\n`);
        continue;
      }
      const visits = walk(sys, {
        root: path,
        follow: options.last('H', 'L', 'P') === 'L' ? 'always' : 'never',
        onFault: (at, error) => fault(tool, `cannot access ${quoted(at)}`, { error, how }),
      });
      for (const visit of visits)
        if (visit.phase === 'pre') change(tool, visit, { ...how, link: true });
    }
  },
);

interface How {
  readonly uid: number; // -1 = as it is
  readonly gid: number;
  /** As they were given, for what is told. */
  readonly words: Words | undefined;
  /** Only what belongs to these; -1 = anybody. */
  readonly from: { readonly uid: number; readonly gid: number };
  readonly users: Users;
  readonly link: boolean;
  readonly quiet: boolean;
  readonly talk: 'all' | 'changes' | 'none';
}

interface Words {
  readonly owner: string;
  readonly group: string | undefined;
}

function wordsOf(tool: Tool, text: string): Words {
  const plain = (word: string): string => word.replace(/^\+/, '');
  if (tool.name === 'chgrp') return { owner: '', group: plain(text) };
  const [owner = '', group] = text.split(/[:.]/, 2);
  return { owner: plain(owner), group: group === undefined ? undefined : plain(group || owner) };
}

function parseOwner(tool: Tool, users: Users, text: string): { uid: number; gid: number } {
  const [owner = '', group] = tool.name === 'chgrp' ? ['', text] : text.split(/[:.]/, 2);
  const uid = owner === '' ? -1 : users.uid(owner);
  if (uid === undefined) return tool.die(`invalid user: ${quotedArgument(text)}`);
  if (group === undefined) return { uid, gid: -1 };
  // `owner:` gives the group that the owner has in /etc/passwd.
  if (group === '' && /^\+?\d/.test(owner)) tool.die(`invalid spec: ${quotedArgument(text)}`);
  const gid = group === '' ? (owner === '' ? -1 : users.account(owner)?.gid) : users.gid(group);
  return { uid, gid: gid ?? tool.die(`invalid group: ${quotedArgument(text)}`) };
}

function look(tool: Tool, path: string, how: How): Stat | undefined {
  try {
    return how.link ? tool.sys.lstat(path) : tool.sys.stat(path);
  } catch (error) {
    fault(tool, `cannot access ${quoted(path)}`, { error, how });
    return undefined;
  }
}

function change(tool: Tool, at: { path: string; stat: Stat }, how: How): void {
  const { path, stat } = at;
  const { from, talk } = how;
  if ((from.uid >= 0 && from.uid !== stat.uid) || (from.gid >= 0 && from.gid !== stat.gid)) {
    if (talk === 'all')
      tool.out.text(`${nounOf(how)} of ${quoted(path)} retained as ${oldOwner(stat, how)}\n`);
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
  else if (talk === 'all') tool.out.text(`${nounOf(how)} of ${quoted(path)} retained as ${old}\n`);
}

const nounOf = (how: How): string => (how.uid < 0 ? 'group' : 'ownership');

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
