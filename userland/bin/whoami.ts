// whoami: the name of the effective user.

import { program } from '../libc/program.ts';
import { quotedArgument } from '../libc/text/quote.ts';
import { Users } from '../libc/users.ts';

export const main = program({ usage: '', short: '' }, (tool, options) => {
  const [extra] = options.operands;
  if (extra !== undefined) tool.misuse(`extra operand ${quotedArgument(extra)}`);
  const uid = tool.sys.geteuid();
  const name = new Users(tool.sys).userName(uid);
  if (name === undefined) tool.die(`cannot find name for user ID ${uid}`);
  tool.out.text(`${name}\n`);
});
