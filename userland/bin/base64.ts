// base64 and base32: encode and decode (-d) by RFC 4648; -w wraps, -i passes over other bytes.

import { program, type Tool } from '../libc/program.ts';
import type { Input } from '../libc/stdio.ts';
import { parseCount } from '../libc/text/numbers.ts';
import { quotedArgument } from '../libc/text/quote.ts';
import { type Alphabet, base32, base64, Decoder, Encoder } from '../libc/text/radix.ts';

export const main = program(
  {
    usage: `[-di] [-w COLUMNS] [FILE]
Encode FILE, or standard input, to standard output.
  -d, --decode          decode
  -i, --ignore-garbage  pass over what is no letter of the alphabet
  -w, --wrap=COLUMNS    the length of lines, 76 by default; 0 = one line without end`,
    short: 'diw:',
    long: { decode: 'd', 'ignore-garbage': 'i', 'wrap=': 'w' },
  },
  (tool, options) => {
    const alphabet = tool.name === 'base32' ? base32 : base64;
    const [name = '-', extra] = options.operands;
    if (extra !== undefined) tool.misuse(`extra operand ${quotedArgument(extra)}`);
    const text = options.value('w') ?? '76';
    const wrap = parseCount(text) ?? tool.die(`invalid wrap size: ${quotedArgument(text)}`);
    tool.eachInput([name], (input) => {
      if (options.has('d'))
        decode(tool, input, new Decoder(alphabet, options.has('i') ? 'skip' : 'refuse'));
      else encode(tool, input, { alphabet, wrap });
    });
  },
);

function encode(tool: Tool, input: Input, how: { alphabet: Alphabet; wrap: number }): void {
  const { alphabet, wrap } = how;
  const encoder = new Encoder(alphabet);
  let column = 0;
  const put = (letters: Uint8Array): void => {
    for (let at = 0; at < letters.length; ) {
      const piece = wrap > 0 ? letters.subarray(at, at + wrap - column) : letters;
      tool.out.write(piece);
      at += piece.length;
      column += piece.length;
      if (column !== wrap) continue;
      tool.out.byte(10);
      column = 0;
    }
  };
  for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk())
    put(encoder.encode(chunk));
  put(encoder.finish());
  if (wrap > 0 && column > 0) tool.out.byte(10);
}

function decode(tool: Tool, input: Input, decoder: Decoder): void {
  for (let chunk = input.chunk(); chunk !== undefined && !decoder.invalid; chunk = input.chunk())
    tool.out.write(decoder.decode(chunk));
  if (!decoder.invalid) tool.out.write(decoder.finish());
  if (decoder.invalid) tool.die('invalid input');
}
