// base64: encodes and decodes (-d) by RFC 4648 §4; -w wraps, -i passes over other bytes.

import { program, type Tool } from '../libc/program.ts';
import type { Input } from '../libc/stdio.ts';
import { parseCount } from '../libc/text/numbers.ts';
import { quotedArgument } from '../libc/text/quote.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export const main = program(
  {
    usage: '[-di] [-w COLUMNS] [FILE]',
    short: 'diw:',
    long: { decode: 'd', 'ignore-garbage': 'i', 'wrap=': 'w' },
  },
  (tool, options) => {
    const [name = '-', extra] = options.operands;
    if (extra !== undefined) tool.misuse(`extra operand ${quotedArgument(extra)}`);
    const text = options.value('w') ?? '76';
    const wrap = parseCount(text) ?? tool.die(`invalid wrap size: ${quotedArgument(text)}`);
    tool.eachInput([name], (input) => {
      if (options.has('d')) decode(tool, input, options.has('i') ? 'skip' : 'refuse');
      else encode(tool, input, wrap);
    });
  },
);

function encode(tool: Tool, input: Input, wrap: number): void {
  let column = 0;
  const put = (four: string): void => {
    for (const c of four) {
      tool.out.byte(c.charCodeAt(0));
      if (wrap > 0 && ++column === wrap) {
        tool.out.byte(10);
        column = 0;
      }
    }
  };
  let held: number[] = [];
  for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk()) {
    for (const byte of chunk) {
      held.push(byte);
      if (held.length < 3) continue;
      put(quad(held));
      held = [];
    }
  }
  if (held.length > 0)
    put(
      quad(held)
        .slice(0, held.length + 1)
        .padEnd(4, '='),
    );
  if (column > 0) tool.out.byte(10);
}

function quad([a = 0, b = 0, c = 0]: readonly number[]): string {
  const bits = (a << 16) | (b << 8) | c;
  return [18, 12, 6, 0].map((shift) => alphabet[(bits >> shift) & 63]).join('');
}

function decode(tool: Tool, input: Input, garbage: 'skip' | 'refuse'): void {
  const invalid = (): never => {
    tool.out.flush();
    return tool.die('invalid input');
  };
  let held: number[] = [];
  let padding = 0;
  for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk()) {
    for (const byte of chunk) {
      if (byte === 10) continue;
      const value = alphabet.indexOf(String.fromCharCode(byte));
      if (byte === 61) padding++;
      else if (value >= 0 && padding === 0) held.push(value);
      else if (value >= 0 || garbage === 'refuse') invalid();
      if (held.length + padding < 4) continue;
      if (held.length < 2) invalid();
      emit(tool, held);
      held = [];
      padding = 0;
    }
  }
  if (held.length > 0) {
    emit(tool, held);
    if (held.length + padding !== 4) invalid();
  }
}

function emit(tool: Tool, values: readonly number[]): void {
  const [a = 0, b = 0, c = 0, d = 0] = values;
  const bits = (a << 18) | (b << 12) | (c << 6) | d;
  for (let i = 0; i < values.length - 1; i++) tool.out.byte((bits >> (16 - 8 * i)) & 0xff);
}
