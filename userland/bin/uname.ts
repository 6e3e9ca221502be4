// uname: what system this is. POSIX.1-2024 uname, with GNU's -o -p -i.

import { program } from '../libc/program.ts';
import { quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-asnrvmpio]\nPrint system information.',
    short: 'asnrvmpio',
    long: {
      all: 'a',
      'kernel-name': 's',
      nodename: 'n',
      'kernel-release': 'r',
      'kernel-version': 'v',
      machine: 'm',
      processor: 'p',
      'hardware-platform': 'i',
      'operating-system': 'o',
    },
  },
  (tool, options) => {
    const [extra] = options.operands;
    if (extra !== undefined) tool.misuse(`extra operand ${quotedArgument(extra)}`);
    const name = tool.sys.uname();
    const all = options.has('a');
    const wanted = (letter: string): boolean => all || options.has(letter);
    const parts: string[] = [];
    if (wanted('s') || options.list.length === 0) parts.push(name.sysname);
    if (wanted('n')) parts.push(name.nodename);
    if (wanted('r')) parts.push(name.release);
    if (wanted('v')) parts.push(name.version);
    if (wanted('m')) parts.push(name.machine);
    if (options.has('p')) parts.push('unknown');
    if (options.has('i')) parts.push('unknown');
    if (wanted('o')) parts.push('Atoll');
    tool.out.text(`${parts.join(' ')}\n`);
  },
);
