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
    const account = who === undefined ? undefined : users.account(who);
    if (who !== undefined && account === undefined)
      tool.die(`${quotedArgument(who)}: no such user`);
    const uid = account?.uid ?? sys[options.has('r') ? 'getuid' : 'geteuid']();
    const gid = account?.gid ?? sys[options.has('r') ? 'getgid' : 'getegid']();
    const more = account ? users.groupsOf(account) : sys.resources.getgroups();
    const groups = [...new Set([gid, ...more])];
    const names = options.has('n');
    const end = options.has('z') ? '\0' : '\n';
    if (options.has('z') && !options.has('u', 'g', 'G'))
      tool.die('option --zero not permitted in default format');
    const user = (id: number): string => users.userName(id) ?? String(id);
    const group = (id: number): string => users.groupName(id) ?? String(id);
    if (options.has('u')) tool.out.text((names ? user(uid) : String(uid)) + end);
    else if (options.has('g')) tool.out.text((names ? group(gid) : String(gid)) + end);
    else if (options.has('G')) {
      const list = names ? groups.map(group) : groups.map(String);
      tool.out.text(list.join(options.has('z') ? '\0' : ' ') + end);
    } else if (names) tool.die('cannot print only names or real IDs in default format');
    else {
      const label = (id: number, name: string | undefined): string =>
        name === undefined ? String(id) : `${id}(${name})`;
      const g = (id: number): string => label(id, users.groupName(id));
      const list = groups.map(g).join(',');
      tool.out.text(`uid=${label(uid, users.userName(uid))} gid=${g(gid)} groups=${list}${end}`);
    }
  },
);
