// seq: numbers in order, counted exactly in decimal. GNU coreutils §26.1: -f, -s, -w.

import { program, type Tool } from '../libc/program.ts';
import { directive, directiveFlags, formatFloat } from '../libc/text/format.ts';
import { quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-w] [-f FORMAT] [-s STRING] [FIRST [INCREMENT]] LAST',
    short: 'f:s:w',
    long: { 'format=': 'f', 'separator=': 's', 'equal-width': 'w' },
    // -1 and -.5 are numbers.
    rewrite: (args) => {
      const at = args.findIndex(
        (arg, i) => /^-[\d.]/.test(arg) && !/^-[fs]$/.test(args[i - 1] ?? ''),
      );
      const positional = args.findIndex(
        (arg, i) => !arg.startsWith('-') && !/^-[fs]$/.test(args[i - 1] ?? ''),
      );
      const first = Math.min(at < 0 ? args.length : at, positional < 0 ? args.length : positional);
      return at < 0 || args.includes('--')
        ? [...args]
        : [...args.slice(0, first), '--', ...args.slice(first)];
    },
  },
  (tool, options) => {
    const { operands } = options;
    if (operands.length === 0) tool.missingOperand();
    if (operands.length > 3) tool.misuse(`extra operand ${quotedArgument(operands[3] ?? '')}`);
    const texts =
      operands.length === 1
        ? ['1', '1', operands[0] ?? '']
        : operands.length === 2
          ? [operands[0] ?? '', '1', operands[1] ?? '']
          : operands;
    const [first, step, last] = texts.map((text) => parse(tool, text));
    if (first === undefined || step === undefined || last === undefined) return;
    if (step.digits === 0n)
      tool.misuse(`invalid Zero increment value: ${quotedArgument(texts[1] ?? '')}`);
    const format = options.value('f');
    if (format !== undefined && options.has('w'))
      tool.misuse('format string may not be specified when printing equal width strings');
    print(
      tool,
      { first, step, last },
      {
        separator: options.value('s') ?? '\n',
        show: format === undefined ? undefined : formatter(tool, format),
        equalWidth: options.has('w') ? 'w' : '',
      },
    );
  },
);

/** A decimal: digits × 10^-places; `endless` for infinity. */
interface Decimal {
  readonly digits: bigint;
  readonly places: number;
  readonly endless: -1 | 0 | 1;
}

function parse(tool: Tool, text: string): Decimal {
  const infinite = /^\s*([-+]?)inf(?:inity)?$/i.exec(text);
  if (infinite !== null) return { digits: 1n, places: 0, endless: infinite[1] === '-' ? -1 : 1 };
  const match = /^\s*([-+]?)(?:(\d*)\.?(\d*)(?:[eE]([-+]?\d+))?)$/.exec(text);
  if (match !== null && (match[2] || match[3]) && Math.abs(Number(match[4] ?? 0)) < 1000) {
    const fraction = match[3] ?? '';
    const exponent = Number(match[4] ?? 0);
    let digits = BigInt((match[2] ?? '') + fraction);
    let places = fraction.length - exponent;
    if (places < 0) {
      digits *= 10n ** BigInt(-places);
      places = 0;
    }
    return { digits: match[1] === '-' ? -digits : digits, places, endless: 0 };
  }
  const hex = /^\s*([-+]?)(0[xX][0-9a-fA-F]+)$/.exec(text);
  if (hex !== null) {
    const digits = BigInt(hex[2] ?? '0');
    return { digits: hex[1] === '-' ? -digits : digits, places: 0, endless: 0 };
  }
  return tool.misuse(`invalid floating point argument: ${quotedArgument(text)}`);
}

interface Sequence {
  readonly first: Decimal;
  readonly step: Decimal;
  readonly last: Decimal;
}

interface Look {
  readonly separator: string;
  readonly show: ((value: number) => string) | undefined;
  readonly equalWidth: 'w' | '';
}

function print(tool: Tool, sequence: Sequence, look: Look): void {
  const { first, step, last } = sequence;
  const scale = Math.max(first.places, step.places, last.places);
  const shown = Math.max(first.places, step.places);
  const at = (value: Decimal): bigint => value.digits * 10n ** BigInt(scale - value.places);
  const [from, by, to] = [at(first), at(step), at(last)];
  const beyond = (value: bigint): boolean => {
    if (last.endless !== 0) return last.endless > 0 ? by < 0n : by > 0n;
    return by > 0n ? value > to : value < to;
  };
  const text = (value: bigint): string => decimalText(value / 10n ** BigInt(scale - shown), shown);
  const bound = last.endless === 0 ? to : from;
  const width = look.equalWidth ? Math.max(text(from).length, text(bound).length) : 0;
  let some = false;
  for (let value = from; !beyond(value); value += by) {
    if (some) tool.out.text(look.separator);
    some = true;
    if (look.show !== undefined) tool.out.text(look.show(Number(value) / 10 ** scale));
    else tool.out.text(zeroPadded(text(value), width));
  }
  if (some) tool.out.text('\n');
}

function decimalText(value: bigint, places: number): string {
  const negative = value < 0n;
  const digits = (negative ? -value : value).toString().padStart(places + 1, '0');
  const whole = digits.slice(0, digits.length - places);
  const text = places === 0 ? whole : `${whole}.${digits.slice(digits.length - places)}`;
  return negative ? `-${text}` : text;
}

const zeroPadded = (text: string, width: number): string =>
  text.startsWith('-') ? `-${text.slice(1).padStart(width - 1, '0')}` : text.padStart(width, '0');

/** A format with exactly one floating-point directive. */
function formatter(tool: Tool, format: string): (value: number) => string {
  const match = /^((?:[^%]|%%)*)%([-+ #0']*)(\d*)(?:\.(\d*))?L?([aAeEfFgG])((?:[^%]|%%)*)$/s.exec(
    format,
  );
  if (match === null) {
    const shown = quotedArgument(format);
    if (!/(^|[^%])(%%)*%(?!%)/.test(format)) return tool.die(`format ${shown} has no % directive`);
    const second = /^(?:[^%]|%%)*%[^%]*[aAeEfFgG](?:[^%]|%%)*%(?!%)/.test(format);
    if (second) return tool.die(`format ${shown} has too many % directives`);
    const letter = /%[-+ #0']*\d*(?:\.\d*)?L?(.?)/.exec(format.replaceAll('%%', ''))?.[1] ?? '';
    return tool.die(
      letter === ''
        ? `format ${shown} ends in %`
        : `format ${shown} has unknown %${letter} directive`,
    );
  }
  const [, before = '', flags = '', width = '', precision, conversion = 'f', after = ''] = match;
  const d = directive({
    ...directiveFlags(flags),
    width: Number(width),
    precision: precision === undefined ? undefined : Number(precision),
    conversion,
  });
  const [head, tail] = [before.replaceAll('%%', '%'), after.replaceAll('%%', '%')];
  return (value) => head + formatFloat(d, value) + tail;
}
