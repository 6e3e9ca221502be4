// rev: each line backwards, by characters of UTF-8; a byte that is part of none stands for itself.

import { program } from '../libc/program.ts';

export const main = program({ usage: '[FILE]...', short: '' }, (tool, options) => {
  tool.eachInput(options.operands, (input) => {
    for (let line = input.line(); line !== undefined; line = input.line()) {
      tool.out.write(backwards(line));
      if (input.terminated) tool.out.byte(10);
    }
  });
});

function backwards(line: Uint8Array): Uint8Array {
  const out = new Uint8Array(line.length);
  let at = 0;
  for (let end = line.length; end > 0; ) {
    const start = end - sizeBefore(line, end);
    for (let i = start; i < end; i++) out[at++] = line[i] ?? 0;
    end = start;
  }
  return out;
}

/** Bytes of the character that ends before `end` (Unicode 15, table 3-6). */
function sizeBefore(line: Uint8Array, end: number): number {
  let start = end - 1;
  while (start > 0 && end - start < 4 && ((line[start] ?? 0) & 0xc0) === 0x80) start--;
  const lead = line[start] ?? 0;
  const size = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return size === end - start ? size : 1;
}
