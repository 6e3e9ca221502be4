// id: who runs this. POSIX.1-2024 id -u -g -G -n -r.

import { program } from '../libc/program.ts';
import { quotedArgument } from '../libc/text/quote.ts';
import { Users } from '../libc/users.ts';

export const main = program(
  {
    usage: '[-u | -g | -G] [-nrz] [USER]',
    short: 'aguGnrz',
    long: { user: 'u', group: 'g', groups: 'G', name: 'n', real: 'r', zero: 'z' },
  },
  (tool, options) => {
    const { sys } = tool;
    const users = new Users(sys);
    const [who] = options.operands;
    const own = sys[options.has('r') ? 'getuid' : 'geteuid']();
    const uid =
      (who === undefined ? own : users.uid(who)) ??
      tool.die(`${quotedArgument(who ?? '')}: no such user`);
    const gid = who === undefined ? sys[options.has('r') ? 'getgid' : 'getegid']() : uid;
    const names = options.has('n');
    const end = options.has('z') ? '\0' : '\n';
    const user = users.userName(uid);
    const group = users.groupName(gid);
    if (options.has('z') && !options.has('u', 'g', 'G'))
      tool.die('option --zero not permitted in default format');
    if (options.has('u')) tool.out.text((names ? (user ?? String(uid)) : String(uid)) + end);
    else if (options.has('g', 'G'))
      tool.out.text((names ? (group ?? String(gid)) : String(gid)) + end);
    else if (names) tool.die('cannot print only names or real IDs in default format');
    else {
      const label = (id: number, name: string | undefined): string =>
        name === undefined ? String(id) : `${id}(${name})`;
      const g = label(gid, group);
      tool.out.text(`uid=${label(uid, user)} gid=${g} groups=${g}${end}`);
    }
  },
);
