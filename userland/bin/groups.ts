// groups: the groups that the caller, or each user named, is in. GNU coreutils §20.3.

import { program } from '../libc/program.ts';
import { quotedArgument } from '../libc/text/quote.ts';
import { Users } from '../libc/users.ts';

export const main = program({ usage: '[USER]...', short: '' }, (tool, options) => {
  const { sys } = tool;
  const users = new Users(sys);
  const named = (ids: readonly number[]): string =>
    [...new Set(ids)].map((gid) => users.groupName(gid) ?? String(gid)).join(' ');
  if (options.operands.length === 0)
    tool.out.text(`${named([sys.getegid(), ...sys.resources.getgroups()])}\n`);
  for (const who of options.operands) {
    const account = users.account(who);
    if (account === undefined) tool.warn(`${quotedArgument(who)}: no such user`);
    else tool.out.text(`${who} : ${named(users.groupsOf(account))}\n`);
  }
});
