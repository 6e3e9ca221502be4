// paste: lines of files side by side. POSIX.1-2024 paste -d -s, with GNU's -z.

import { O_RDONLY } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import { program, type Tool } from '../libc/program.ts';
import { Input } from '../libc/stdio.ts';
import { toLatin1 } from '../libc/text/latin1.ts';
import { maybeQuoted } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-sz] [-d LIST] [FILE]...',
    short: 'd:sz',
    long: { 'delimiters=': 'd', serial: 's', 'zero-terminated': 'z' },
  },
  (tool, options) => {
    const list = delimiters(options.value('d') ?? '\t');
    const end = options.has('z') ? 0 : 10;
    const names = options.operands.length > 0 ? options.operands : ['-'];
    if (options.has('s')) tool.eachInput(names, (input) => serial(tool, input, { list, end }));
    else parallel(tool, openAll(tool, names), { list, end });
  },
);

/** One string a delimiter; \0 is the empty one. */
function delimiters(text: string): string[] {
  const letters: Readonly<Record<string, string>> = { n: '\n', t: '\t', 0: '', '\\': '\\' };
  const list = [...toLatin1(encodeText(text)).matchAll(/\\([\s\S])|([\s\S])/g)].map(
    ([, quoted, plain]) => (quoted === undefined ? (plain ?? '') : (letters[quoted] ?? quoted)),
  );
  return list.length > 0 ? list : [''];
}

/** `-` given twice reads standard input in turn. */
function openAll(tool: Tool, names: readonly string[]): Input[] {
  const stdin = new Input(tool.sys, 0);
  return names.map((name) => {
    try {
      return name === '-' ? stdin : new Input(tool.sys, tool.sys.open(name, O_RDONLY));
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      return tool.die(`${maybeQuoted(name)}: ${strerror(error.errno)}`);
    }
  });
}

interface Style {
  readonly list: readonly string[];
  readonly end: number;
}

function serial(tool: Tool, input: Input, { list, end }: Style): void {
  let n = 0;
  for (let line = input.line(end); line !== undefined; line = input.line(end)) {
    if (n > 0) tool.out.latin1(list[(n - 1) % list.length] ?? '');
    tool.out.write(line);
    n++;
  }
  tool.out.byte(end);
}

function parallel(tool: Tool, inputs: readonly Input[], { list, end }: Style): void {
  const done = new Set<number>();
  for (;;) {
    let row = '';
    let some = false;
    for (const [i, input] of inputs.entries()) {
      const line = done.has(i) ? undefined : input.line(end);
      if (line === undefined) done.add(i);
      else {
        some = true;
        row += toLatin1(line);
      }
      if (i < inputs.length - 1) row += list[i % list.length] ?? '';
    }
    if (!some) return;
    tool.out.latin1(row);
    tool.out.byte(end);
  }
}
