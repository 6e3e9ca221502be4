// tee: standard input to standard output and files. POSIX.1-2024 tee -a -i, with GNU's -p and --output-error.

import {
  O_APPEND,
  O_CREAT,
  O_TRUNC,
  O_WRONLY,
  SIGINT,
  SIGPIPE,
} from '../../kernel/abi/constants.ts';
import { EPIPE, PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { COPY_BYTES } from '../libc/stdio.ts';
import { choose } from '../libc/text/choice.ts';
import { maybeQuoted } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: `[-aip] [--output-error[=MODE]] [FILE]...
Copy standard input to each FILE and to standard output.
  MODE  warn, exit: of each output that fails; warn-nopipe (-p), exit-nopipe: pipes left out`,
    short: 'aip',
    long: { append: 'a', 'ignore-interrupts': 'i', 'output-error=?': 'p' },
  },
  (tool, options) => {
    const { sys } = tool;
    if (options.has('i')) sys.sigaction(SIGINT, 'ignore');
    const mode = modeOf(tool, options);
    if (mode !== undefined) sys.sigaction(SIGPIPE, 'ignore');
    const flags = O_WRONLY | O_CREAT | (options.has('a') ? O_APPEND : O_TRUNC);
    const sinks = [{ fd: 1, name: maybeQuoted('standard output') }];
    for (const name of options.operands) {
      const fd = tool.attempt(maybeQuoted(name), () => sys.open(name, flags, 0o666));
      if (fd !== undefined) sinks.push({ fd, name: maybeQuoted(name) });
    }
    const buffer = new Uint8Array(COPY_BYTES);
    for (let count = sys.read(0, buffer); count > 0; count = sys.read(0, buffer)) {
      for (const sink of [...sinks]) {
        if (wrote(tool, sink, { bytes: buffer.subarray(0, count), mode })) continue;
        sinks.splice(sinks.indexOf(sink), 1);
      }
      if (sinks.length === 0) break;
    }
    for (const sink of sinks) if (sink.fd !== 1) sys.close(sink.fd);
  },
);

const MODES = ['warn', 'warn-nopipe', 'exit', 'exit-nopipe'] as const;
type Mode = (typeof MODES)[number];

function modeOf(tool: Tool, options: Options): Mode | undefined {
  const text = options.value('p');
  if (text === undefined) return undefined;
  return choose(tool, text || 'warn-nopipe', { option: '--output-error', valid: MODES });
}

/** False when the output takes nothing more. */
function wrote(
  tool: Tool,
  sink: { fd: number; name: string },
  { bytes, mode }: { bytes: Uint8Array; mode: Mode | undefined },
): boolean {
  try {
    tool.sys.write(sink.fd, bytes);
    return true;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    if (error.errno === EPIPE && mode?.endsWith('nopipe')) return false;
    const what = `${sink.name}: ${strerror(error.errno)}`;
    if (mode?.startsWith('exit')) return tool.die(what);
    tool.warn(what);
    return false;
  }
}
