// tset, reset: puts a terminal in order (4.4BSD tset(1), as ncurses has it). `reset` also undoes what a
// program that died left behind: raw keys, no echo, another character set, the alternate screen.

import { O_RDWR } from '../../kernel/abi/constants.ts';
import { PosixError } from '../../kernel/abi/errno.ts';
import { TCSADRAIN, VERASE, VINTR, VKILL } from '../../kernel/abi/termios.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import { program, programName, type Tool } from '../libc/program.ts';
import { quoted } from '../libc/text/quote.ts';
import { RESET, sane, withKeys } from '../libc/tty/reset.ts';
import { readControl } from '../libc/tty/show.ts';

const usage = `[-IQcqrsw] [-e CHARACTER] [-i CHARACTER] [-k CHARACTER] [TERMINAL]
Sets the erase (^?), interrupt (^C) and kill (^U) characters; as 'reset', all settings, and the screen.
  -I  without the sequences that reset the screen     -Q  without a word about the characters
  -c  the settings alone      -q  tells the type of the terminal and does nothing else
  -r  tells the type          -s  prints the shell command that sets TERM
  -w  the size, too (it is always known here)`;

export const main = program({ usage, short: 'IQVce:i:k:m:qrsw' }, (tool, options) => {
  const { sys } = tool;
  const type = options.operands[0] ?? sys.env.get('TERM') ?? 'xterm-256color';
  if (options.has('q')) {
    tool.out.text(`${type}\n`);
    return;
  }
  const fd = terminalOf(tool);
  const before = sys.tty.getattr(fd);
  const character = (name: string): number | undefined => {
    const text = options.value(name);
    if (text === undefined) return undefined;
    return readControl(text) ?? tool.misuse(`invalid character ${quoted(text)}`);
  };
  const isReset = programName(sys) === 'reset';
  const keys = { erase: character('e'), interrupt: character('i'), kill: character('k') };
  const after = withKeys(isReset ? sane(before) : before, keys);
  sys.tty.setattr(fd, TCSADRAIN, after);
  if (isReset && !options.has('I', 'c')) sys.write(fd, encodeText(RESET));
  if (options.has('r')) tool.error(`Terminal type is ${type}.\n`);
  if (options.has('s')) tool.out.text(`TERM=${type};\nexport TERM;\n`);
  if (!options.has('Q')) {
    const told: readonly [string, number][] = [
      ['Erase', VERASE],
      ['Kill', VKILL],
      ['Interrupt', VINTR],
    ];
    for (const [name, at] of told) {
      const [old, now] = [before.cc[at] ?? 0, after.cc[at] ?? 0];
      if (old !== now) tool.error(`${name} is ${keyName(now)}.\n`);
    }
  }
});

/** Standard error, as tset has it, or whichever is a terminal. */
function terminalOf(tool: Tool): number {
  const { sys } = tool;
  for (const fd of [2, 1, 0]) if (sys.isatty(fd)) return fd;
  try {
    return sys.open('/dev/tty', O_RDWR);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die('standard error: not a terminal');
  }
}

function keyName(code: number): string {
  if (code === 127) return 'delete';
  if (code === 8) return 'backspace';
  return code < 32
    ? `control-${String.fromCharCode(code ^ 0x40)} (^${String.fromCharCode(code ^ 0x40)})`
    : String.fromCharCode(code);
}
