// mktemp: makes a file or directory (-d) with a name nobody has. GNU coreutils §18.4.

import { O_CREAT, O_EXCL, O_RDWR } from '../../kernel/abi/constants.ts';
import { EEXIST, PosixError, strerror } from '../../kernel/abi/errno.ts';
import { join } from '../libc/files/path.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
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
    const { directory, head, marks, tail } = placeOf(tool, options);
    const pathOf = (name: string): string => (directory === '' ? name : join(directory, name));
    const shown = pathOf(head + marks + tail);
    const random = new Uint8Array(marks.length);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      sys.getrandom(random);
      const middle = [...random].map((byte) => letters[byte % letters.length]).join('');
      const path = pathOf(head + middle + tail);
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
        if (options.has('q')) return 1;
        return tool.die(
          `failed to create ${kind} via template ${quoted(shown)}: ${strerror(error.errno)}`,
        );
      }
    }
    return tool.die(`failed to create a unique name from ${quotedArgument(shown)}`);
  },
);

/** The directory, '' for what the template says itself, and the template in three parts. */
function placeOf(
  tool: Tool,
  options: Options,
): { directory: string; head: string; marks: string; tail: string } {
  const [given, extra] = options.operands;
  if (extra !== undefined) tool.misuse('too many templates');
  const suffix = options.value('suffix');
  if (suffix !== undefined && given !== undefined && !given.endsWith('X'))
    return tool.die(`with --suffix, template ${quotedArgument(given)} must end in X`);
  const template = (given ?? 'tmp.XXXXXXXXXX') + (suffix ?? '');
  const match = /^([\s\S]*?)(X{3,})([^X]*)$/.exec(template);
  const [, head = '', marks = '', tail = ''] = match ?? [];
  const end = suffix ?? tail;
  if (end.includes('/'))
    tool.die(`invalid suffix ${quotedArgument(end)}, contains directory separator`);
  if (match === null) return tool.die(`too few X's in template ${quotedArgument(template)}`);
  const inDirectory = given === undefined || options.has('p', 't');
  if (!inDirectory) return { directory: '', head, marks, tail };
  const wrong = `invalid template, ${quotedArgument(template)}`;
  if (options.has('t') && template.includes('/'))
    tool.die(`${wrong}, contains directory separator`);
  if (template.startsWith('/')) tool.die(`${wrong}; with --tmpdir, it may not be absolute`);
  const usual = tool.sys.env.get('TMPDIR');
  const asked = options.value('p');
  const directory = (options.has('t') ? usual || asked : asked || usual) || '/tmp';
  return { directory, head, marks, tail };
}
