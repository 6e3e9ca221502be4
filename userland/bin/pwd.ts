// pwd: the working directory. POSIX.1-2024 pwd; -L takes PWD from the environment when it is right.

import { statIfThere } from '../libc/files/path.ts';
import { program } from '../libc/program.ts';

export const main = program(
  {
    usage: '[-L | -P]\nPrint the name of the current working directory.',
    short: 'LP',
    long: { logical: 'L', physical: 'P' },
  },
  (tool, options) => {
    const { sys } = tool;
    if (options.operands.length > 0) tool.note('ignoring non-option arguments');
    let path = sys.getcwd();
    const pwd = sys.env.get('PWD');
    if (options.last('L', 'P') === 'L' && pwd?.startsWith('/') && !/\/\.{1,2}(\/|$)/.test(pwd)) {
      const [here, there] = [sys.stat('.'), statIfThere(sys, pwd)];
      if (there?.ino === here.ino && there.dev === here.dev) path = pwd;
    }
    tool.out.text(`${path}\n`);
  },
);
