// tee: standard input to standard output and files. POSIX.1-2024 tee -a -i.

import { O_APPEND, O_CREAT, O_TRUNC, O_WRONLY, SIGINT } from '../../kernel/abi/constants.ts';
import { program } from '../libc/program.ts';
import { COPY_BYTES } from '../libc/stdio.ts';
import { maybeQuoted } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-ai] [FILE]...\nCopy standard input to each FILE and to standard output.',
    short: 'aip',
    long: { append: 'a', 'ignore-interrupts': 'i', 'output-error=?': 'p' },
  },
  (tool, options) => {
    const { sys } = tool;
    if (options.has('i')) sys.sigaction(SIGINT, 'ignore');
    const flags = O_WRONLY | O_CREAT | (options.has('a') ? O_APPEND : O_TRUNC);
    const sinks = [{ fd: 1, name: 'standard output' }];
    for (const name of options.operands) {
      const fd = tool.attempt(maybeQuoted(name), () => sys.open(name, flags, 0o666));
      if (fd !== undefined) sinks.push({ fd, name: maybeQuoted(name) });
    }
    const buffer = new Uint8Array(COPY_BYTES);
    for (let count = sys.read(0, buffer); count > 0; count = sys.read(0, buffer)) {
      for (const sink of [...sinks]) {
        const done = tool.attempt(sink.name, () => sys.write(sink.fd, buffer.subarray(0, count)));
        if (done === undefined) sinks.splice(sinks.indexOf(sink), 1);
      }
      if (sinks.length === 0) break;
    }
    for (const sink of sinks) if (sink.fd !== 1) sys.close(sink.fd);
  },
);
