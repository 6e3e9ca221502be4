// shuf: lines in a random order. GNU shuf -e -i -n -o -r -z --random-source.

import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '../../kernel/abi/constants.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import { program, type Tool } from '../libc/program.ts';
import { Input, Output } from '../libc/stdio.ts';
import { toLatin1 } from '../libc/text/latin1.ts';
import { parseCount } from '../libc/text/numbers.ts';
import { quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-erz] [-i LO-HI] [-n COUNT] [-o FILE] [--random-source=FILE] [FILE | ARG...]',
    short: 'ei:n:o:rz',
    long: {
      echo: 'e',
      'input-range=': 'i',
      'head-count=': 'n',
      'output=': 'o',
      repeat: 'r',
      'zero-terminated': 'z',
      'random-source=': 'source',
    },
  },
  (tool, options) => {
    const counts = options.values('n').map((text) => {
      return parseCount(text) ?? tool.die(`invalid line count: ${quotedArgument(text)}`);
    });
    const most = Math.min(Number.POSITIVE_INFINITY, ...counts);
    const end = options.has('z') ? 0 : 10;
    const range = options.value('i');
    if (range !== undefined && options.has('e')) tool.misuse('cannot combine -e and -i options');
    const items = options.has('e')
      ? options.operands.map((text) => toLatin1(encodeText(text)))
      : range === undefined
        ? readLines(tool, options.operands, end)
        : rangeOf(tool, range);
    const random = randomFrom(tool, options.value('source'));
    const file = options.value('o');
    const fd = file === undefined ? 1 : tool.sys.open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o666);
    const out = fd === 1 ? tool.out : new Output(tool.sys, fd, { what: file ?? '' });
    const put = (text: string): void => out.latin1(text + String.fromCharCode(end));
    if (options.has('r')) {
      if (items.length === 0 && most > 0) return tool.die('no lines to repeat');
      for (let i = 0; i < most; i++) put(items[random(items.length)] ?? '');
    } else {
      for (let i = 0; i < Math.min(most, items.length); i++) {
        const other = i + random(items.length - i);
        [items[i], items[other]] = [items[other] ?? '', items[i] ?? ''];
        put(items[i] ?? '');
      }
    }
    out.flush();
    return tool.status;
  },
);

function readLines(tool: Tool, operands: readonly string[], end: number): string[] {
  if (operands.length > 1) tool.misuse(`extra operand ${quotedArgument(operands[1] ?? '')}`);
  const lines: string[] = [];
  tool.eachInput(operands, (input) => {
    for (let line = input.line(end); line !== undefined; line = input.line(end))
      lines.push(toLatin1(line));
  });
  if (tool.status !== 0) tool.die('');
  return lines;
}

const MOST_ITEMS = 1 << 26;

function rangeOf(tool: Tool, text: string): string[] {
  const found = /^(\d+)-(\d+)$/.exec(text);
  const [low, high] = [Number(found?.[1]), Number(found?.[2])];
  if (found === null || low > high + 1)
    return tool.die(`invalid input range: ${quotedArgument(text)}`);
  if (high - low > MOST_ITEMS) return tool.die('memory exhausted');
  return Array.from({ length: high - low + 1 }, (_, i) => String(low + i));
}

/** Numbers from 0 to below a limit, each as likely as the other. */
function randomFrom(tool: Tool, source: string | undefined): (limit: number) => number {
  const input =
    source === undefined ? undefined : new Input(tool.sys, tool.sys.open(source, O_RDONLY));
  const buffer = new Uint8Array(4096);
  let ahead: Uint8Array = new Uint8Array();
  const byte = (): number => {
    if (ahead.length === 0) {
      if (input === undefined) tool.sys.getrandom(buffer);
      ahead =
        input === undefined ? buffer : (input.chunk() ?? tool.die('end of the random source'));
    }
    const value = ahead[0] ?? 0;
    ahead = ahead.subarray(1);
    return value;
  };
  return (limit) => {
    const most = Math.floor(2 ** 32 / limit) * limit;
    for (;;) {
      const value = byte() + byte() * 2 ** 8 + byte() * 2 ** 16 + byte() * 2 ** 24;
      if (value < most) return value % limit;
    }
  };
}
