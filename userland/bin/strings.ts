// strings: the printable text in files. POSIX.1-2024 strings -a -n -t, with GNU's -f -o -w.

import { program } from '../libc/program.ts';
import { parseCount } from '../libc/text/numbers.ts';

export const main = program(
  {
    usage: '[-afow] [-n LENGTH] [-t d|o|x] [FILE]...',
    short: 'afn:ot:w',
    long: {
      all: 'a',
      'print-file-name': 'f',
      'bytes=': 'n',
      'radix=': 't',
      'include-all-whitespace': 'w',
    },
    rewrite: (args) => args.map((arg) => (/^-\d+$/.test(arg) ? `-n${arg.slice(1)}` : arg)),
  },
  (tool, options) => {
    const text = options.value('n') ?? '4';
    const least = parseCount(text) || tool.die(`invalid minimum string length ${text}`);
    const radix = options.has('o') ? 'o' : options.value('t');
    if (radix !== undefined && !/^[dox]$/.test(radix)) tool.misuse(`invalid radix ${radix}`);
    const base = { d: 10, o: 8, x: 16 }[radix ?? 'd'] ?? 10;
    const shown = (c: number): boolean =>
      (c >= 32 && c < 127) || c === 9 || (options.has('w') && (c === 10 || (c >= 11 && c <= 13)));
    tool.eachInput(options.operands, (input, name) => {
      const emit = (found: string, at: number): void => {
        if (found.length < least) return;
        if (options.has('f')) tool.out.text(`${name === '-' ? '{standard input}' : name}: `);
        if (radix !== undefined) tool.out.text(`${at.toString(base).padStart(7)} `);
        tool.out.latin1(`${found}\n`);
      };
      let run = '';
      let offset = 0;
      for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk()) {
        for (const c of chunk) {
          if (shown(c)) run += String.fromCharCode(c);
          else if (run !== '') {
            emit(run, offset - run.length);
            run = '';
          }
          offset++;
        }
      }
      emit(run, offset - run.length);
    });
  },
);
