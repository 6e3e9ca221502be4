// stty: shows and sets what a terminal is set to (POSIX.1-2024 XCU stty).

import { O_NONBLOCK, O_RDONLY } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { NCCS, raw, SANE, TCSADRAIN, type Termios } from '../../kernel/abi/termios.ts';
import { program, type Tool } from '../libc/program.ts';
import { quoted } from '../libc/text/quote.ts';
import { characters, flags, numbers } from '../libc/tty/settings.ts';
import { readControl, show, showAll } from '../libc/tty/show.ts';

const usage = `[-F DEVICE] [-a|-g] [SETTING]...
  -a   all settings; -g   all of them in a form that stty takes back
  SETTING: a flag (echo, icanon, isig, ixon, ...), -flag to take it away; a character and its key
  (intr ^C, erase ^?); min N, time N; rows N, cols N, size; sane, raw, cooked, cbreak, ek`;

export const main = program(
  {
    usage,
    short: 'agF:',
    long: { all: 'a', save: 'g', 'file=': 'F' },
    rewrite: (args) => protectFlags(args),
  },
  (tool, options) => {
    const device = options.value('F');
    const fd = device === undefined ? 0 : openDevice(tool, device);
    const words = options.operands;
    const before = attributes(tool, fd, device ?? 'standard input');
    if (options.has('g')) tool.out.text(`${saved(before)}\n`);
    else if (options.has('a')) tool.out.text(showAll(before, tool.sys.tty.getwinsize(fd)));
    else if (words.length === 0) tool.out.text(show(before));
    else change(tool, fd, { before, words });
  },
);

/** `-echo` is an operand and no option. */
function protectFlags(args: readonly string[]): string[] {
  const at = args.findIndex((arg, i) => !/^-[agF]|^--/.test(arg) && args[i - 1] !== '-F');
  return at < 0 ? [...args] : [...args.slice(0, at), '--', ...args.slice(at)];
}

function openDevice(tool: Tool, device: string): number {
  try {
    return tool.sys.open(device, O_RDONLY | O_NONBLOCK);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`${device}: ${strerror(error.errno)}`);
  }
}

function attributes(tool: Tool, fd: number, name: string): Termios {
  try {
    return tool.sys.tty.getattr(fd);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`${quoted(name)}: ${strerror(error.errno)}`);
  }
}

/** iflag:oflag:cflag:lflag and the characters, in hexadecimal. */
const saved = ({ iflag, oflag, cflag, lflag, cc }: Termios): string =>
  [iflag, oflag, cflag, lflag, ...cc].map((n) => n.toString(16)).join(':');

function restored(text: string): Termios | undefined {
  if (!/^[0-9a-f]+(:[0-9a-f]+)+$/.test(text)) return undefined;
  const [iflag = 0, oflag = 0, cflag = 0, lflag = 0, ...cc] = text
    .split(':')
    .map((hex) => Number.parseInt(hex, 16));
  return cc.length === NCCS ? { iflag, oflag, cflag, lflag, cc } : undefined;
}

function change(tool: Tool, fd: number, from: { before: Termios; words: readonly string[] }): void {
  let termios = from.before;
  const words = [...from.words];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const next =
      (takesArgument(word)
        ? withArgument(tool, { fd, termios, word, argument: words.shift() })
        : undefined) ?? withFlag(termios, word);
    if (word === 'size') {
      const { rows, columns } = tool.sys.tty.getwinsize(fd);
      tool.out.text(`${rows} ${columns}\n`);
    } else if (next === undefined) tool.misuse(`invalid argument ${quoted(word)}`);
    else termios = next;
  }
  if (termios !== from.before) tool.sys.tty.setattr(fd, TCSADRAIN, termios);
}

const SIZES = ['rows', 'cols', 'columns'];

const takesArgument = (word: string): boolean =>
  word in characters || word in numbers || SIZES.includes(word);

function withArgument(
  tool: Tool,
  from: { fd: number; termios: Termios; word: string; argument: string | undefined },
): Termios {
  const { fd, termios, word, argument } = from;
  if (argument === undefined) tool.misuse(`missing argument to ${quoted(word)}`);
  const control = characters[word] ?? -1;
  const value = control >= 0 ? readControl(argument) : readNumber(argument);
  if (value === undefined) return tool.die(`invalid integer argument: ${quoted(argument)}`);
  if (SIZES.includes(word)) {
    const size = tool.sys.tty.getwinsize(fd);
    tool.sys.tty.setwinsize(
      fd,
      word === 'rows' ? { ...size, rows: value } : { ...size, columns: value },
    );
    return termios;
  }
  return withControl(termios, control >= 0 ? control : (numbers[word] ?? 0), value);
}

const readNumber = (text: string): number | undefined =>
  /^\d{1,5}$/.test(text) ? Number(text) : undefined;

const withControl = (termios: Termios, index: number, value: number): Termios => ({
  ...termios,
  cc: termios.cc.map((c, i) => (i === index ? value : c)),
});

/** A flag, one taken away, or a word for several; undefined when it is none. */
function withFlag(termios: Termios, word: string): Termios | undefined {
  const off = word.startsWith('-');
  const name = off ? word.slice(1) : word;
  if (word === 'sane') return { ...SANE, cflag: termios.cflag };
  if (word === 'ek') return ek(termios);
  if (word === 'raw' || word === '-cooked') return raw(termios);
  if (word === 'cooked' || word === '-raw') {
    return { ...termios, iflag: SANE.iflag, oflag: SANE.oflag, lflag: SANE.lflag, cc: SANE.cc };
  }
  if (name === 'cbreak') return set(termios, { name: 'icanon', off: !off });
  return flags[name] === undefined ? restored(word) : set(termios, { name, off });
}

function set(termios: Termios, { name, off }: { name: string; off: boolean }): Termios | undefined {
  const flag = flags[name];
  if (flag === undefined) return undefined;
  const before = termios[flag.field];
  return { ...termios, [flag.field]: off ? before & ~flag.bit : before | flag.bit };
}

const ek = (termios: Termios): Termios => ({
  ...termios,
  cc: termios.cc.map((c, i) =>
    i === characters['erase'] || i === characters['kill'] ? (SANE.cc[i] ?? c) : c,
  ),
});
