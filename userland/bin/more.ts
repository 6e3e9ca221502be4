// more: text on a terminal, a screenful at a time. POSIX.1-2024 XCU more; the options and the output
// into a pipe are util-linux's. At the end of the last file it leaves.

import { O_RDONLY, O_RDWR, S_IFDIR, S_IFMT } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { runCommands, setPattern } from '../libc/more/commands.ts';
import { More } from '../libc/more/more.ts';
import { program, type Tool } from '../libc/program.ts';
import { Input } from '../libc/stdio.ts';
import type { Sys } from '../libc/sys.ts';
import { parseCount } from '../libc/text/numbers.ts';
import { quotedArgument } from '../libc/text/quote.ts';

const usage = `[-cdefilpsu] [-n LINES] [-LINES] [+LINE] [+/PATTERN] FILE...
Shows FILEs, or standard input, on the terminal; h lists the keys.
  -c -p  clear the screen, do not scroll     -d  say what keys there are, do not ring
  -n     rows of a screenful                 -s  squeeze blank lines      +  where to begin
  -e -f -l -u  as it is anyway`;

export const main = program(
  {
    usage,
    short: 'cdefilpsun:',
    long: {
      silent: 'd',
      logical: 'f',
      'no-pause': 'l',
      'print-over': 'c',
      'clean-print': 'p',
      'exit-on-eof': 'e',
      squeeze: 's',
      plain: 'u',
      'lines=': 'n',
      'plus=': 'plus',
    },
    rewrite: (args) =>
      args.map((arg) =>
        arg.startsWith('+') ? `--plus=${arg.slice(1)}` : arg.replace(/^-(\d+)$/, '-n$1'),
      ),
  },
  (tool, options) => {
    const { sys } = tool;
    const names = options.operands;
    if (names.length === 0 && sys.isatty(0)) return tool.misuse('bad usage');
    if (!sys.isatty(1)) return copy(tool, names);
    const lines = options.value('n') ?? '0';
    const more = new More(tool, {
      files: names.length > 0 ? names : ['-'],
      terminal: openTerminal(sys),
      lines: parseCount(lines) ?? tool.die(`failed to parse number: ${quotedArgument(lines)}`),
      squeeze: options.has('s'),
      clear: options.has('c', 'p'),
      helps: options.has('d'),
    });
    return page(more, options.value('plus') ?? '');
  },
);

/** The keys: standard input is often what is to be shown. */
function openTerminal(sys: Sys): number {
  try {
    return sys.open('/dev/tty', O_RDWR);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return 2;
  }
}

function page(more: More, first: string): number {
  more.enter();
  try {
    if (!more.open(0)) return 1;
    begin(more, first);
    more.show(more.screenful);
    runCommands(more);
  } finally {
    more.leave();
  }
  return more.tool.status;
}

function begin(more: More, first: string): void {
  const line = parseCount(first);
  if (line !== undefined) more.next = more.text.line(line);
  else if (first.startsWith('/') && setPattern(more, first.slice(1)) && more.finder) {
    const found = more.text.find(more.finder, 0, 1);
    if (found === undefined) more.message = 'Pattern not found';
    else more.next = more.text.back(found, 2);
  }
}

/** Without a screen it is cat, with the names of several files, or of all that are named. */
function copy(tool: Tool, names: readonly string[]): undefined {
  for (const name of names.length === 0 ? ['-'] : names) {
    try {
      const fd = name === '-' ? 0 : tool.sys.open(name, O_RDONLY);
      if ((tool.sys.fstat(fd).mode & S_IFMT) === S_IFDIR)
        tool.out.text(`\n*** ${name}: directory ***\n\n`);
      else copyFile(tool, name, fd);
      if (fd !== 0) tool.sys.close(fd);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      tool.out.flush();
      tool.note(`cannot open ${name}: ${strerror(error.errno)}`);
    }
  }
}

function copyFile(tool: Tool, name: string, fd: number): void {
  const line = ':'.repeat(14);
  if (name !== '-') tool.out.text(`${line}\n${name}\n${line}\n`);
  const input = new Input(tool.sys, fd);
  for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk()) tool.out.write(chunk);
}
