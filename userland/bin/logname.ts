// logname: who logged in (POSIX.1-2024 logname): LOGNAME or USER of the session, else the user's name.

import { program } from '../libc/program.ts';
import { quotedArgument } from '../libc/text/quote.ts';
import { Users } from '../libc/users.ts';

export const main = program({ usage: '', short: '' }, (tool, options) => {
  const [extra] = options.operands;
  if (extra !== undefined) tool.misuse(`extra operand ${quotedArgument(extra)}`);
  const { sys } = tool;
  const name =
    sys.env.get('LOGNAME') ?? sys.env.get('USER') ?? new Users(sys).userName(sys.getuid());
  if (name === undefined) return tool.die('no login name');
  tool.out.text(`${name}\n`);
});
