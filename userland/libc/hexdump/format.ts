// The format strings of hexdump -e, as BSD's manual describes them: a string is a list of units
// `[iterations][/[bytes]] "text"`, the text a printf format with _a, _A, _c, _p and _u.

import { readEscape } from '../text/escapes.ts';
import { type Directive, directive, directiveFlags } from '../text/format.ts';

export type PrintKind =
  | 'text'
  | 'address'
  | 'char' // %c
  | 'signed'
  | 'unsigned'
  | 'double'
  | 'string'
  | 'escaped' // %_c
  | 'printable' // %_p
  | 'named'; // %_u

/** A directive and the text before it, or text alone. */
export interface Print {
  readonly kind: PrintKind;
  readonly before: string;
  readonly directive: Directive;
  readonly bytes: number;
  /** The text without the blank at its end, which the last repetition does not show. */
  readonly lastText?: string;
}

export interface Unit {
  repeat: number;
  readonly repeatGiven: boolean;
  readonly bytes: number;
  prints: readonly Print[];
  /** It holds %_A: shown once, at the end. */
  readonly atEnd: boolean;
}

export interface Format {
  readonly units: readonly Unit[];
  readonly bytes: number;
}

/** A format string that is none; the message says why. */
export class FormatError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** Reads `text`, one character a byte. */
export function parseFormat(text: string): Format {
  const units: Unit[] = [];
  let rest = text.trimStart();
  while (rest !== '') {
    const match = /^(\d+)?\s*(?:\/\s*(\d+)?\s*)?"([^"]*)"\s*/.exec(rest);
    if (match === null) throw new FormatError(`bad format {${text}}`);
    const [whole, repeat, bytes, body = ''] = match;
    units.push(parseUnit(body, repeat, bytes));
    rest = rest.slice(whole.length);
  }
  return { units, bytes: units.reduce((sum, unit) => sum + unit.repeat * unit.bytes, 0) };
}

function parseUnit(body: string, repeat: string | undefined, count: string | undefined): Unit {
  const prints: Print[] = [];
  const given = count === undefined ? undefined : Number(count);
  let text = '';
  let atEnd = false;
  for (let i = 0; i < body.length; ) {
    const c = body[i] ?? '';
    if (c === '\\') {
      const sequence = readEscape(body, i, 'format');
      text += /^\\[^\\]/.test(sequence.text) ? sequence.text.slice(1) : sequence.text;
      i = sequence.end;
      continue;
    }
    if (c !== '%') {
      text += c;
      i++;
      continue;
    }
    const match = /^%([-0 +#]*)(\d*)(?:\.(\d*))?(_[aA][dox]|_?.)/.exec(body.slice(i));
    if (match === null) throw new FormatError(`bad format {${body}}`);
    const [whole, flags = '', width = '', precision, conversion = ''] = match;
    const shape = directive({
      ...directiveFlags(flags),
      width: Number(width),
      precision: precision === undefined ? undefined : Number(precision),
    });
    if (given !== undefined && prints.some(({ bytes }) => bytes > 0))
      throw new FormatError('byte count with multiple conversion characters');
    prints.push(parsePrint(conversion, { before: text, shape, given }));
    if (conversion.startsWith('_A')) atEnd = true;
    text = '';
    i += whole.length;
  }
  if (text !== '') prints.push({ kind: 'text', before: text, directive: directive({}), bytes: 0 });
  return {
    repeat: repeat === undefined ? 1 : Number(repeat),
    repeatGiven: repeat !== undefined,
    bytes: given ?? prints.reduce((sum, print) => sum + print.bytes, 0),
    prints,
    atEnd,
  };
}

interface PrintParts {
  readonly before: string;
  readonly shape: Directive;
  readonly given: number | undefined;
}

function parsePrint(conversion: string, { before, shape, given }: PrintParts): Print {
  const make = (kind: PrintKind, bytes: number, letter: string): Print => ({
    kind,
    before,
    directive: { ...shape, conversion: letter },
    bytes,
  });
  const sized = (allowed: readonly number[], usual: number): number => {
    const bytes = given ?? usual;
    if (allowed.includes(bytes)) return bytes;
    throw new FormatError(`bad byte count for conversion character ${conversion}`);
  };
  switch (conversion) {
    case 'c':
      return make('char', sized([1], 1), 's');
    case 'd':
    case 'i':
      return make('signed', sized([1, 2, 4, 8], 4), 'd');
    case 'o':
    case 'u':
    case 'x':
    case 'X':
      return make('unsigned', sized([1, 2, 4, 8], 4), conversion);
    case 'e':
    case 'E':
    case 'f':
    case 'g':
    case 'G':
      return make('double', sized([4, 8], 8), conversion);
    case 's':
      if (given === undefined && shape.precision === undefined)
        throw new FormatError('%s requires a precision or a byte count');
      return make('string', given ?? shape.precision ?? 0, 's');
    case '_c':
      return make('escaped', sized([1], 1), 's');
    case '_p':
      return make('printable', sized([1], 1), 's');
    case '_u':
      return make('named', sized([1], 1), 's');
    default:
      if (/^_[aA][dox]$/.test(conversion)) return make('address', 0, conversion[2] ?? 'x');
      throw new FormatError(`bad conversion character %${conversion}`);
  }
}

/** The size of the block that all formats see (0 = they show no data); units without a count repeated to fill it. */
export function fitFormats(formats: readonly Format[]): number {
  const block = Math.max(...formats.map(({ bytes }) => bytes));
  for (const format of formats)
    for (const [index, unit] of format.units.entries()) {
      const isLast = index === format.units.length - 1;
      if (isLast && format.bytes < block && !unit.repeatGiven && unit.bytes > 0)
        unit.repeat += Math.floor((block - format.bytes) / unit.bytes);
      const last = unit.prints.at(-1);
      if (unit.repeat > 1 && last?.kind === 'text' && /\s$/.test(last.before))
        unit.prints = [
          ...unit.prints.slice(0, -1),
          { ...last, lastText: last.before.slice(0, -1) },
        ];
    }
  return block;
}
