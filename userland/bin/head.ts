// head: the first lines or bytes. POSIX.1-2024 head, with GNU's -c, -q, -v, -z and counts from the end.

import { restOf, startOfLastLines } from '../libc/files/seek.ts';
import { program, type Tool } from '../libc/program.ts';
import type { Input } from '../libc/stdio.ts';
import { parseSize } from '../libc/text/numbers.ts';
import { quoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-n [-]NUM] [-c [-]NUM] [-qvz] [FILE]...\nPrint the first 10 lines of each FILE.',
    short: 'n:c:qvz',
    long: {
      'lines=': 'n',
      'bytes=': 'c',
      quiet: 'q',
      silent: 'q',
      verbose: 'v',
      'zero-terminated': 'z',
    },
    rewrite: (args) =>
      /^-\d/.test(args[0] ?? '')
        ? [
            /c/.test(args[0] ?? '') ? '-c' : '-n',
            (args[0] ?? '').replace(/\D/g, ''),
            ...args.slice(1),
          ]
        : [...args],
  },
  (tool, options) => {
    const unit = options.last('n', 'c') === 'c' ? 'c' : 'n';
    const text = options.value(unit) ?? '10';
    const allBut = text.startsWith('-');
    const count =
      parseSize(allBut ? text.slice(1) : text) ??
      tool.die(`invalid number of ${unit === 'c' ? 'bytes' : 'lines'}: ${quotedArgument(text)}`);
    const delimiter = options.has('z') ? 0 : 10;
    const { operands } = options;
    const titles = options.last('q', 'v') === 'v' || (operands.length > 1 && !options.has('q'));
    let first = true;
    const words = {
      open: (name: string) => `cannot open ${quoted(name)} for reading`,
      read: (name: string) => `error reading ${quoted(name)}`,
    };
    const show = (input: Input, name: string): void => {
      if (titles) {
        const shown = name === '-' ? 'standard input' : name;
        tool.out.text(`${first ? '' : '\n'}==> ${shown} <==\n`);
      }
      first = false;
      if (unit === 'c') (allBut ? allButBytes : firstBytes)(tool, input, count);
      else (allBut ? allButLines : firstLines)(tool, input, { count, delimiter });
    };
    tool.eachInput(operands, show, words);
  },
);

function firstBytes(tool: Tool, input: Input, count: number): void {
  for (let left = count; left > 0; ) {
    const chunk = input.chunk();
    if (chunk === undefined) return;
    tool.out.write(chunk.subarray(0, left));
    left -= chunk.length;
    if (left < 0) input.giveBack(-left);
  }
}

interface Lines {
  readonly count: number;
  readonly delimiter: number;
}

function firstLines(tool: Tool, input: Input, { count, delimiter }: Lines): void {
  for (let left = count; left > 0; ) {
    const chunk = input.chunk();
    if (chunk === undefined) return;
    let at = 0;
    while (left > 0 && at < chunk.length) {
      const end = chunk.indexOf(delimiter, at);
      at = end < 0 ? chunk.length : end + 1;
      if (end >= 0) left--;
    }
    tool.out.write(chunk.subarray(0, at));
    if (left === 0) input.giveBack(chunk.length - at);
  }
}

/** All but the last `count` bytes: by the size of the file, or by holding so many back. */
function allButBytes(tool: Tool, input: Input, count: number): void {
  const rest = restOf(tool.sys, input.fd);
  if (rest !== undefined) {
    firstBytes(tool, input, rest.length - count);
    return;
  }
  const held: Uint8Array[] = [];
  let size = 0;
  for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk()) {
    held.push(chunk.slice());
    size += chunk.length;
    while (held[0] !== undefined && size - held[0].length >= count) {
      size -= held[0].length;
      tool.out.write(held.shift() ?? new Uint8Array());
    }
  }
  for (const piece of held) {
    const keep = Math.max(0, size - count);
    tool.out.write(piece.subarray(0, keep));
    size -= piece.length;
    if (keep <= piece.length) break;
  }
}

/** All but the last `count` lines: searched from the end of the file, or held back in a ring. */
function allButLines(tool: Tool, input: Input, { count, delimiter }: Lines): void {
  const rest = restOf(tool.sys, input.fd);
  if (rest !== undefined) {
    const end = startOfLastLines(tool.sys, input.fd, { ...rest, count, delimiter });
    firstBytes(tool, input, end - rest.at);
    return;
  }
  const ring: Uint8Array[] = [];
  let next = 0;
  for (let line = input.line(delimiter); line !== undefined; line = input.line(delimiter)) {
    const whole = new Uint8Array(line.length + (input.terminated ? 1 : 0));
    whole.set(line);
    if (input.terminated) whole[line.length] = delimiter;
    if (count === 0) tool.out.write(whole);
    else if (ring.length < count) ring.push(whole);
    else {
      tool.out.write(ring[next] ?? whole);
      ring[next] = whole;
      next = (next + 1) % count;
    }
  }
}
