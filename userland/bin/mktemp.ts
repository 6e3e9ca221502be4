// mktemp: makes a file or directory (-d) with a name nobody has. GNU coreutils §18.4.

import { O_CREAT, O_EXCL, O_RDWR } from '../../kernel/abi/constants.ts';
import { EEXIST, PosixError, strerror } from '../../kernel/abi/errno.ts';
import { join } from '../libc/files/path.ts';
import { program } from '../libc/program.ts';
import { quoted, quotedArgument } from '../libc/text/quote.ts';

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const ATTEMPTS = 100;

export const main = program(
  {
    usage: '[-dqut] [-p DIR] [TEMPLATE]',
    short: 'dqup:t',
    long: { directory: 'd', quiet: 'q', 'dry-run': 'u', 'tmpdir=?': 'p', 'suffix=': 'suffix' },
  },
  (tool, options) => {
    const { sys } = tool;
    const [given, extra] = options.operands;
    if (extra !== undefined) tool.misuse('too many templates');
    const template = (given ?? 'tmp.XXXXXXXXXX') + (options.value('suffix') ?? '');
    const match = /^([\s\S]*?)(X{3,})([^X/]*)$/.exec(template);
    if (match === null) return tool.die(`too few X's in template ${quotedArgument(template)}`);
    const [, head = '', marks = '', tail = ''] = match;
    const usual = sys.env.get('TMPDIR') || '/tmp';
    const inDirectory = given === undefined || options.has('p', 't');
    const directory = options.value('p') || usual;
    const random = new Uint8Array(marks.length);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      sys.getrandom(random);
      const middle = [...random].map((byte) => letters[byte % letters.length]).join('');
      const path = inDirectory ? join(directory, head + middle + tail) : head + middle + tail;
      try {
        if (options.has('u')) sys.umask(sys.umask(0));
        else if (options.has('d')) sys.mkdir(path, 0o700);
        else sys.close(sys.open(path, O_RDWR | O_CREAT | O_EXCL, 0o600));
        tool.out.text(`${path}\n`);
        return 0;
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        if (error.errno === EEXIST) continue;
        const kind = options.has('d') ? 'directory' : 'file';
        const shown = inDirectory ? join(directory, template) : template;
        if (options.has('q')) return 1;
        return tool.die(
          `failed to create ${kind} via template ${quoted(shown)}: ${strerror(error.errno)}`,
        );
      }
    }
    return tool.die(`failed to create a unique name from ${quotedArgument(template)}`);
  },
);
