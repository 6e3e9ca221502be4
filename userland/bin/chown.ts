// chown: owners and groups. POSIX.1-2024 chown -h -R, with GNU's -c -f -v --reference; OWNER, OWNER:,
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
    const ids = text === undefined ? sys.stat(reference ?? '') : parseOwner(tool, text);
    const how: How = {
      uid: ids.uid,
      gid: ids.gid,
      link: options.has('h'),
      quiet: options.has('f'),
    };
    for (const path of operands) {
      if (!options.has('R')) {
        const stat = look(tool, path, how);
        if (stat !== undefined) change(tool, path, how);
        continue;
      }
      const visits = walk(sys, {
        root: path,
        follow: options.last('H', 'L', 'P') === 'L' ? 'always' : 'never',
        onFault: (at, error) => fault(tool, `cannot access ${quoted(at)}`, { error, how }),
      });
      for (const visit of visits)
        if (visit.phase === 'pre') change(tool, visit.path, { ...how, link: true });
    }
  },
);

interface How {
  readonly uid: number; // -1 = as it is
  readonly gid: number;
  readonly link: boolean;
  readonly quiet: boolean;
}

function parseOwner(tool: Tool, text: string): { uid: number; gid: number } {
  const users = new Users(tool.sys);
  const [owner = '', group] = tool.name === 'chgrp' ? ['', text] : text.split(':', 2);
  const uid = owner === '' ? -1 : users.uid(owner);
  if (uid === undefined) return tool.die(`invalid user: ${quotedArgument(text)}`);
  if (group === undefined) return { uid, gid: -1 };
  // `owner:` gives the owner's own group, which here has the owner's number.
  const gid = group === '' ? (owner === '' ? -1 : uid) : users.gid(group);
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

function change(tool: Tool, path: string, how: How): void {
  try {
    if (how.link) tool.sys.lchown(path, how.uid, how.gid);
    else tool.sys.chown(path, how.uid, how.gid);
  } catch (error) {
    fault(tool, `changing ownership of ${quoted(path)}`, { error, how });
  }
}

function fault(tool: Tool, what: string, at: { error: unknown; how: How }): void {
  if (!(at.error instanceof PosixError)) throw at.error;
  tool.status = 1;
  if (!at.how.quiet) tool.note(`${what}: ${strerror(at.error.errno)}`);
}
