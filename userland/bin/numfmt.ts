// numfmt: numbers with and without the letters of their scale (1.5K, 2Mi). The options of GNU coreutils;
// --grouping has nothing to do in the C locale.

import { encodeText } from '../../kernel/abi/text.ts';
import {
  type Extended,
  ofInteger,
  over,
  type Rounding,
  times,
  toNumber,
} from '../libc/numfmt/extended.ts';
import { type NumberFormat, parseFormat, plainFormat } from '../libc/numfmt/format.ts';
import { parseScaled, type Scale, scaledText, tooLarge } from '../libc/numfmt/scale.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { Input } from '../libc/stdio.ts';
import { choose } from '../libc/text/choice.ts';
import { directive, formatFloat } from '../libc/text/format.ts';
import { toLatin1 } from '../libc/text/latin1.ts';
import { parseCount } from '../libc/text/numbers.ts';
import { quotedArgument } from '../libc/text/quote.ts';
import { included, parseRanges, type Ranges } from '../libc/text/ranges.ts';

const usage = `[OPTION]... [NUMBER]...
  -d, --delimiter=X   fields end at X, not at blanks      --field=LIST       which fields (1)
  --from=UNIT --to=UNIT  none, auto, si, iec, iec-i       --from-unit=N --to-unit=N   their size
  --format=FORMAT     as of printf's %f                   --padding=N        width, to the left if negative
  --round=METHOD      up, down, from-zero, towards-zero, nearest
  --invalid=MODE      abort, fail, warn, ignore           --header[=N]       so many lines stay as they are
  --suffix=TEXT       stands behind the numbers           -z                 lines end with NUL
  --debug             tells of what has no effect         --grouping`;

export const main = program(
  {
    usage,
    short: 'd:z',
    long: {
      'delimiter=': 'd',
      'field=': 'field',
      'format=': 'format',
      'from=': 'from',
      'from-unit=': 'from-unit',
      'to=': 'to',
      'to-unit=': 'to-unit',
      'padding=': 'padding',
      'round=': 'round',
      'invalid=': 'invalid',
      'header=?': 'header',
      'suffix=': 'suffix',
      'zero-terminated': 'z',
      debug: 'debug',
      grouping: 'grouping',
    },
  },
  (tool, options) => {
    const plan = planOf(tool, options);
    const end = options.has('z') ? 0 : 10;
    if (options.operands.length > 0) {
      if (plan.debug && options.has('header'))
        tool.note('--header ignored with command-line input');
      for (const operand of options.operands) {
        convertLine(tool, toLatin1(encodeText(operand)), plan);
        tool.out.byte(end);
      }
    } else convertInput(tool, plan, end);
    if (plan.debug && tool.status !== 0) tool.note('failed to convert some of the input numbers');
  },
);

const INVALID = ['abort', 'fail', 'warn', 'ignore'] as const;
const ROUNDINGS: readonly Rounding[] = ['up', 'down', 'from-zero', 'towards-zero', 'nearest'];

interface Plan {
  readonly delimiter: string | undefined;
  readonly fields: Ranges;
  readonly format: NumberFormat;
  readonly from: Scale;
  readonly to: Scale;
  readonly fromUnit: Extended;
  readonly toUnit: Extended;
  readonly isScaled: boolean;
  readonly padding: number;
  readonly rounding: Rounding;
  readonly invalid: (typeof INVALID)[number];
  readonly headerLines: number;
  readonly suffix: string;
  readonly debug: boolean;
}

function planOf(tool: Tool, options: Options): Plan {
  const pick = <T extends string>(name: string, valid: readonly T[], usual: T): T => {
    const text = options.value(name);
    return text === undefined ? usual : choose(tool, text, { option: `--${name}`, valid });
  };
  const unit = (name: string): Extended => {
    const text = options.value(name) ?? '1';
    return unitOf(text) ?? tool.die(`invalid unit size: ${quotedArgument(text)}`);
  };
  const from = pick<Scale>('from', ['none', 'auto', 'si', 'iec', 'iec-i'], 'none');
  const to = pick<Scale>('to', ['none', 'si', 'iec', 'iec-i'], 'none');
  const [fromUnit, toUnit] = [unit('from-unit'), unit('to-unit')];
  const rounding = pick<Rounding>('round', ROUNDINGS, 'from-zero');
  const padding = paddingOf(tool, options.value('padding'));
  const fields = parseFields(tool, options.value('field') ?? '1');
  const d = options.value('d');
  const delimiter = d === undefined ? undefined : toLatin1(encodeText(d));
  if (delimiter !== undefined && delimiter.length > 1)
    tool.die('the delimiter must be a single character');
  const headerLines = headerOf(tool, options);
  const format = options.value('format');
  const debug = options.has('debug');
  const invalid = pick('invalid', INVALID, 'abort');
  if (format !== undefined && options.has('grouping'))
    tool.die('--grouping cannot be combined with --format');
  const converts = from !== 'none' || to !== 'none' || options.has('grouping', 'padding', 'format');
  if (debug && !converts) tool.note('no conversion option specified');
  const shape = format === undefined ? plainFormat : parseFormat(tool, format);
  if ((shape.isGrouped || options.has('grouping')) && to !== 'none')
    tool.die('grouping cannot be combined with --to');
  if (debug && (shape.isGrouped || options.has('grouping')))
    tool.note('grouping has no effect in this locale');
  return {
    ...{ delimiter, fields, from, to, fromUnit, toUnit, rounding, headerLines, debug, invalid },
    isScaled: options.has('from-unit', 'to-unit'),
    format: shape,
    padding: shape.width !== 0 ? shape.width : padding,
    suffix: toLatin1(encodeText(options.value('suffix') ?? '')),
  };
}

/** `1`, `1000`, `K` = 1000, `Ki` = 1024, `4M`. */
function unitOf(text: string): Extended | undefined {
  const match = /^(\d*)(?:([KMGTPEZY])(i?))?$/.exec(text);
  if (match === null || text === '') return undefined;
  const [, digits = '', letter = '', i = ''] = match;
  const base = BigInt(i === '' ? 1000 : 1024);
  const value = BigInt(digits || '1') * base ** BigInt(' KMGTPEZY'.indexOf(letter || ' '));
  return value === 0n || value >> 64n !== 0n ? undefined : ofInteger(value);
}

function paddingOf(tool: Tool, text: string | undefined): number {
  if (text === undefined) return 0;
  const value = /^[-+]?\d+$/.test(text) ? Number(text) : 0;
  return value === 0 ? tool.die(`invalid padding value ${quotedArgument(text)}`) : value;
}

const parseFields = (tool: Tool, text: string): Ranges =>
  text === '-' ? [{ from: 1, to: Number.POSITIVE_INFINITY }] : parseRanges(tool, text, 'field');

function headerOf(tool: Tool, options: Options): number {
  const text = options.value('header');
  if (text === undefined || text === '') return text === undefined ? 0 : 1;
  return parseCount(text) || tool.die(`invalid header value ${quotedArgument(text)}`);
}

function convertInput(tool: Tool, plan: Plan, end: number): void {
  const input = new Input(tool.sys, 0);
  let headerLines = plan.headerLines;
  for (let line = input.line(end); line !== undefined; line = input.line(end)) {
    if (headerLines-- > 0) tool.out.write(line);
    else convertLine(tool, toLatin1(line), plan);
    if (input.terminated) tool.out.byte(end);
  }
}

/** A field keeps the blanks in front of it; behind each but the last is one delimiter. */
function convertLine(tool: Tool, line: string, plan: Plan): void {
  const isBlank = (c: string | undefined): boolean => c === ' ' || c === '\t' || c === '\n';
  for (let at = 0, number = 1; ; number++) {
    let to = at;
    if (plan.delimiter === undefined) {
      while (isBlank(line[to])) to++;
      while (to < line.length && !isBlank(line[to])) to++;
    } else {
      to = line.indexOf(plan.delimiter, at);
      if (to < 0) to = line.length;
    }
    const field = line.slice(at, to);
    tool.out.latin1(
      included(plan.fields, number) ? converted(tool, field, { plan, number }) : field,
    );
    if (to >= line.length) return;
    tool.out.latin1(plan.delimiter ?? ' ');
    at = to + 1;
  }
}

function converted(tool: Tool, given: string, at: { plan: Plan; number: number }): string {
  const { plan } = at;
  const { suffix, format } = plan;
  const hasSuffix = suffix !== '' && given.length > suffix.length && given.endsWith(suffix);
  const text = hasSuffix ? given.slice(0, -suffix.length) : given;
  const bare = text.replace(/^[ \t]+/, '');
  const parsed = parseScaled(bare, plan.from);
  if (typeof parsed === 'string') return refuse(tool, plan, { text, message: parsed });
  if (plan.debug && !parsed.isExact)
    tool.note(`large input value ${quotedArgument(bare)}: possible precision loss`);
  const value = plan.isScaled
    ? over(times(parsed.value, plan.fromUnit), plan.toUnit)
    : parsed.value;
  const places = format.places ?? parsed.places;
  const why = tooLarge(value, places, plan.to);
  if (why !== undefined) {
    const message = largeWords(value, places, why);
    return refuse(tool, plan, { text, message });
  }
  const shape = {
    to: plan.to,
    rounding: plan.rounding,
    places: format.places,
    zeros: format.zeros,
  };
  const number = `${scaledText(value, parsed.places, shape)}${suffix}`;
  const isAligned = plan.padding === 0 && plan.delimiter === undefined;
  const width = isAligned ? (bare !== text || at.number > 1 ? text.length : 0) : plan.padding;
  const padded = width < 0 ? number.padEnd(-width) : number.padStart(width);
  return format.before + padded + format.behind;
}

function largeWords(value: Extended, places: number, why: string): string {
  const shown = formatFloat(directive({ conversion: 'g' }), toNumber(value));
  if (why === 'at all')
    return `value too large to be printed: '${shown}' (cannot handle values > 999Y)`;
  return why === 'alone'
    ? `value too large to be printed: '${shown}' (consider using --to)`
    : `value/precision too large to be printed: '${shown}/${places}' (consider using --to)`;
}

function refuse(tool: Tool, plan: Plan, what: { text: string; message: string }): string {
  if (plan.invalid === 'abort') tool.die(what.message, 2);
  if (plan.invalid === 'fail') tool.warn(what.message, 2);
  if (plan.invalid === 'warn') tool.note(what.message);
  return what.text;
}
