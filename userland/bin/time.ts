// time: runs a command and tells how long it took, and how much of that was its own. POSIX.1-2024
// time -p; -f FORMAT, -o FILE, -a, -v after GNU time.

import { O_APPEND, O_CREAT, O_TRUNC, O_WRONLY } from '../../kernel/abi/constants.ts';
import { ENOENT } from '../../kernel/abi/errno.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import { program, type Tool } from '../libc/program.ts';
import { startProgram, waitFor } from '../libc/spawn.ts';

const DEFAULT = '%Uuser %Ssystem %Eelapsed %PCPU';
const PORTABLE = 'real %e\nuser %U\nsys %S';
const VERBOSE = [
  '\tCommand being timed: "%C"',
  '\tUser time (seconds): %U',
  '\tSystem time (seconds): %S',
  '\tPercent of CPU this job got: %P',
  '\tElapsed (wall clock) time (h:mm:ss or m:ss): %E',
  '\tExit status: %x',
].join('\n');

export const main = program(
  {
    usage: '[-apqv] [-f FORMAT] [-o FILE] COMMAND [ARG]...',
    short: 'apqvf:o:',
    long: {
      append: 'a',
      portability: 'p',
      quiet: 'q',
      verbose: 'v',
      'format=': 'f',
      'output=': 'o',
    },
    stopAtOperand: true,
    trouble: 125,
  },
  (tool, options) => {
    const { sys } = tool;
    const argv = options.operands;
    if (argv.length === 0) return tool.misuse('missing program to run');
    const file = options.value('o');
    const flags = O_WRONLY | O_CREAT | (options.has('a') ? O_APPEND : O_TRUNC);
    const output = file === undefined ? 2 : sys.open(file, flags, 0o666);
    if (file !== undefined) sys.setCloexec(output, true);
    const beganMs = sys.monotonicMs();
    const started = startProgram(tool, argv, (name) => `cannot run ${name}`);
    if (typeof started !== 'number') return started.errno === ENOENT ? 127 : 126;
    const { status } = waitFor(tool, started);
    const { userMs, systemMs } = sys.resources.getrusage('children');
    const last = options.last('p', 'v', 'f');
    const own = options.value('f') ?? sys.env.get('TIME') ?? DEFAULT;
    const format = last === 'p' ? PORTABLE : last === 'v' ? VERBOSE : own;
    const realMs = sys.monotonicMs() - beganMs;
    if (status !== 0 && last !== 'p' && !options.has('q'))
      put(tool, output, `Command exited with non-zero status ${status}\n`);
    put(tool, output, `${fill(format, { argv, realMs, userMs, systemMs, status })}\n`);
    return status;
  },
);

const put = (tool: Tool, fd: number, text: string): void => {
  tool.sys.write(fd, encodeText(text));
};

interface Used {
  readonly argv: readonly string[];
  readonly realMs: number;
  readonly userMs: number;
  readonly systemMs: number;
  readonly status: number;
}

/** Words of GNU time's format; what is not measured here is 0. */
function fill(format: string, used: Used): string {
  const seconds = (ms: number): string => (ms / 1000).toFixed(2);
  return format.replace(/%(.)|\\(.)/gs, (whole, word: string | undefined, after: string) => {
    if (word === undefined) return { n: '\n', t: '\t', '\\': '\\' }[after] ?? `?\\${after}`;
    switch (word) {
      case '%':
        return '%';
      case 'C':
        return used.argv.join(' ');
      case 'e':
        return seconds(used.realMs);
      case 'E':
        return clock(used.realMs);
      case 'U':
        return seconds(used.userMs);
      case 'S':
        return seconds(used.systemMs);
      case 'P':
        return used.realMs > 0
          ? `${Math.floor((100 * (used.userMs + used.systemMs)) / used.realMs)}%`
          : '?%';
      case 'x':
        return String(used.status);
      default:
        return /[DFIKMORWXZcikprstw]/.test(word) ? '0' : `?${whole.slice(1)}`;
    }
  });
}

function clock(ms: number): string {
  const hundredths = Math.floor(ms / 10);
  const seconds = Math.floor(hundredths / 100);
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 60) return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
  return `${minutes}:${two(seconds % 60)}.${two(hundredths % 100)}`;
}
