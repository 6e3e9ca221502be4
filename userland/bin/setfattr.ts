// setfattr: sets (-n NAME -v VALUE) or removes (-x NAME) an extended attribute.

import { encodeText } from '../../kernel/abi/text.ts';
import { program } from '../libc/program.ts';
import { maybeQuoted } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '-n NAME [-v VALUE] FILE...\n  or: setfattr -x NAME FILE...',
    short: 'n:v:x:h',
    long: { 'name=': 'n', 'value=': 'v', 'remove=': 'x' },
  },
  (tool, options) => {
    const name = options.value('n');
    const gone = options.value('x');
    if ((name === undefined) === (gone === undefined)) tool.misuse('one of -n and -x is needed');
    const value = bytesOf(options.value('v') ?? '');
    for (const path of options.operands)
      tool.attempt(maybeQuoted(path), () => {
        if (gone !== undefined) tool.sys.removexattr(path, gone);
        else tool.sys.setxattr(path, name ?? '', value, 0);
      });
  },
);

/** `0x…` is hexadecimal, everything else text. */
function bytesOf(text: string): Uint8Array {
  const hex = /^0x((?:[0-9a-f]{2})*)$/i.exec(text);
  if (hex === null) return encodeText(text.replace(/^"([\s\S]*)"$/, '$1'));
  return Uint8Array.from(hex[1]?.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
