// printf (POSIX.1-2024 XCU printf, XBD §5).

import { raise } from '../errors.ts';
import type { Shell } from '../shell.ts';
import { unescapeText } from './output.ts';
import type { Io } from './registry.ts';

export function printf(shell: Shell, args: readonly string[], io: Io): number {
  const [format, ...values] = args[0] === '--' ? args.slice(1) : args;
  if (format === undefined) raise('usage: printf format [arg ...]');
  const run = new Printf(shell, values);
  run.all(format ?? '');
  shell.write(io.out, run.out);
  return run.status;
}

const conversion = /%(?:%|([-+ #0]*)(\*|[0-9]+)?(?:\.(\*|[0-9]+)?)?([a-zA-Z]))|\\|[^%\\]+|%/y;

interface Spec {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly letter: string;
}

/** A field cannot be wider: the text must fit in memory. */
const maxWidth = 1_000_000;

class Printf {
  out = '';
  status = 0;
  private readonly shell: Shell;
  private readonly values: readonly string[];
  private next = 0;
  private stopped = false;

  constructor(shell: Shell, values: readonly string[]) {
    this.shell = shell;
    this.values = values;
  }

  /** The format is used again while arguments are left and it takes any. */
  all(format: string): void {
    do {
      const before = this.next;
      this.once(format);
      if (this.next === before) return;
    } while (this.next < this.values.length && !this.stopped);
  }

  private once(format: string): void {
    for (let i = 0; i < format.length && !this.stopped; ) {
      conversion.lastIndex = i;
      const match = conversion.exec(format);
      const piece = match?.[0] ?? format.charAt(i);
      if (piece === '\\') i = this.escape(format, i);
      else {
        i += piece.length;
        if (piece === '%%') this.out += '%';
        else if (match?.[4] === undefined) {
          if (piece === '%') raise(`%${format.charAt(i)}: invalid directive`);
          this.out += piece;
        } else this.convert(this.spec(match), piece);
      }
    }
  }

  private escape(format: string, at: number): number {
    const octal = /\\[0-7]{1,3}/y;
    octal.lastIndex = at;
    const piece = octal.exec(format)?.[0] ?? format.slice(at, at + 2);
    this.out += unescapeText(piece, 'format').text;
    return at + Math.max(piece.length, 1);
  }

  private spec(match: RegExpExecArray): Spec {
    let flags = match[1] ?? '';
    let width = match[2] === '*' ? this.integer() : Number(match[2] ?? 0);
    if (width < 0) {
      flags += '-';
      width = -width;
    }
    const dot = match[0].includes('.');
    const text = match[3];
    let precision = dot ? (text === '*' ? this.integer() : Number(text ?? 0)) : undefined;
    if (precision !== undefined && precision < 0) precision = undefined;
    if (width > maxWidth || (precision ?? 0) > maxWidth) raise('field too wide', 1);
    return { flags, width, precision, letter: match[4] ?? 's' };
  }

  private integer(): number {
    return Number(this.number(this.take() ?? ''));
  }

  private take(): string | undefined {
    const value = this.values[this.next];
    this.next++;
    return value;
  }

  private convert(spec: Spec, piece: string): void {
    switch (spec.letter) {
      case 's':
        this.pad(cut(this.take() ?? '', spec.precision), spec);
        return;
      case 'b': {
        const { text, stop } = unescapeText(this.take() ?? '', 'echo');
        this.pad(cut(text, spec.precision), spec);
        this.stopped = stop;
        return;
      }
      case 'c':
        this.pad([...(this.take() ?? '')][0] ?? '', spec);
        return;
      case 'd':
      case 'i':
      case 'o':
      case 'u':
      case 'x':
      case 'X':
        this.pad(integerText(this.number(this.take() ?? ''), spec), spec);
        return;
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
      case 'a':
      case 'A':
        this.pad(floatText(this.float(this.take() ?? ''), spec), spec);
        return;
      default:
        raise(`${piece}: invalid directive`);
    }
  }

  private pad(text: string, spec: Spec): void {
    const missing = spec.width - [...text].length;
    if (missing <= 0) this.out += text;
    else if (spec.flags.includes('-')) this.out += text + ' '.repeat(missing);
    else if (zeroPads(spec)) {
      const sign = /^[-+ ]?(?:0[xX])?/.exec(text)?.[0] ?? '';
      this.out += sign + '0'.repeat(missing) + text.slice(sign.length);
    } else this.out += ' '.repeat(missing) + text;
  }

  private complain(text: string, words: string): void {
    this.shell.complain(`printf: ${text}: ${words}`);
    this.status = 1;
  }

  /** strtoimax, and the value of a character after a quote. */
  private number(text: string): bigint {
    if (text === '') return 0n;
    if (/^["']/.test(text)) return BigInt([...text][1]?.codePointAt(0) ?? 0);
    const match = /^\s*([-+]?)(0[xX][0-9a-fA-F]+|[0-9]+)/.exec(text);
    if (match === null) {
      this.complain(text, 'expected numeric value');
      return 0n;
    }
    let digits = match[2] ?? '0';
    const octal = /^0[0-9]/.test(digits) ? (/^[0-7]*/.exec(digits)?.[0] ?? '0') : undefined;
    const used = match[0].length - (octal === undefined ? 0 : digits.length - octal.length);
    if (octal !== undefined) digits = `0o${octal}`;
    if (used < text.length) this.complain(text, 'not completely converted');
    const value = match[1] === '-' ? -BigInt(digits) : BigInt(digits);
    if (value > 2n ** 64n - 1n || value < -(2n ** 63n))
      this.complain(text, 'Numerical result out of range');
    return value;
  }

  private float(text: string): number {
    if (/^["']/.test(text)) return [...text][1]?.codePointAt(0) ?? 0;
    if (/^\s*[-+]?0[xX][0-9a-fA-F]+$/.test(text)) return hexValue(text.trim());
    const match = /^\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?/.exec(text);
    const named = /^\s*([-+]?)(inf(?:inity)?|nan)$/i.exec(text);
    if (named !== null) {
      const value = /^i/i.test(named[2] ?? '') ? Infinity : NaN;
      return named[1] === '-' ? -value : value;
    }
    if (match === null) {
      if (text !== '') this.complain(text, 'expected numeric value');
      return 0;
    }
    if (match[0].length < text.length) this.complain(text, 'not completely converted');
    return Number(match[0]);
  }
}

const hexValue = (text: string): number =>
  text.startsWith('-') ? -Number(text.slice(1)) : Number(text.replace('+', ''));

const cut = (text: string, precision: number | undefined): string =>
  precision === undefined ? text : [...text].slice(0, precision).join('');

const zeroPads = (spec: Spec): boolean =>
  spec.flags.includes('0') &&
  !/[sbc]/.test(spec.letter) &&
  (spec.precision === undefined || /[eEfFgGaA]/.test(spec.letter));

function integerText(value: bigint, spec: Spec): string {
  const signed = spec.letter === 'd' || spec.letter === 'i';
  const wrapped = signed ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
  const size = wrapped < 0n ? -wrapped : wrapped;
  const radix = spec.letter === 'o' ? 8 : /[xX]/.test(spec.letter) ? 16 : 10;
  let digits = size.toString(radix);
  if (spec.precision === 0 && size === 0n) digits = '';
  digits = digits.padStart(spec.precision ?? 0, '0');
  if (spec.flags.includes('#')) {
    if (radix === 8 && !digits.startsWith('0')) digits = `0${digits}`;
    if (radix === 16 && size !== 0n) digits = `0x${digits}`;
  }
  if (spec.letter === 'X') digits = digits.toUpperCase();
  return (signed ? signOf(wrapped < 0n, spec.flags) : '') + digits;
}

const signOf = (negative: boolean, flags: string): string =>
  negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';

function floatText(value: number, spec: Spec): string {
  const negative = value < 0 || Object.is(value, -0);
  const size = Math.abs(value);
  const kind = spec.letter.toLowerCase();
  let text: string;
  if (!Number.isFinite(size)) text = Number.isNaN(size) ? 'nan' : 'inf';
  else if (kind === 'f') text = fixed(size, spec.precision ?? 6);
  else if (kind === 'e') text = exponential(size, spec.precision ?? 6);
  else if (kind === 'g') text = general(size, spec);
  else text = hexFloat(size, spec.precision);
  if (spec.flags.includes('#') && /^[0-9]+(e|$)/.test(text)) text = text.replace(/^[0-9]+/, '$&.');
  const sign = signOf(negative && !Number.isNaN(size), spec.flags);
  return sign + (spec.letter === kind ? text : text.toUpperCase());
}

function fixed(size: number, precision: number): string {
  const digits = Math.min(precision, 100);
  const text = size < 1e21 ? toEven(size, digits) : BigInt(size).toString();
  const point = size < 1e21 || digits === 0 ? text : `${text}.${'0'.repeat(digits)}`;
  return point + '0'.repeat(precision - digits);
}

/** toFixed rounds a tie up, C to the even digit. All digits of a tie fit into toFixed(100). */
function toEven(size: number, digits: number): string {
  const text = size.toFixed(digits);
  if (digits >= 99 || !/[13579]$/.test(text)) return text;
  const exact = size.toFixed(100);
  const cut = exact.length - 100 + digits;
  if (!/^50*$/.test(exact.slice(cut))) return text;
  return exact.slice(0, digits === 0 ? cut - 1 : cut);
}

function exponential(size: number, precision: number): string {
  const digits = Math.min(precision, 100);
  const [mantissa, exponent] = size.toExponential(digits).split('e');
  const power = Number(exponent);
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

function general(size: number, spec: Spec): string {
  const precision = Math.min(Math.max(spec.precision ?? 6, 1), 100);
  const power = size === 0 ? 0 : Number(size.toExponential(precision - 1).split('e')[1]);
  const scientific = power < -4 || power >= precision;
  const text = scientific ? exponential(size, precision - 1) : fixed(size, precision - 1 - power);
  if (spec.flags.includes('#') || !text.includes('.')) return text;
  const [mantissa, exponent] = text.split('e');
  const short = (mantissa ?? '').replace(/\.?0+$/, '');
  return exponent === undefined ? short : `${short}e${exponent}`;
}

function hexFloat(size: number, precision: number | undefined): string {
  if (size === 0) return precision ? `0x0.${'0'.repeat(precision)}p+0` : '0x0p+0';
  let power = Math.floor(Math.log2(size));
  let mantissa = size / 2 ** power;
  if (mantissa >= 2) {
    mantissa /= 2;
    power++;
  }
  let fraction = BigInt(Math.round((mantissa - 1) * 2 ** 52));
  let digits = fraction.toString(16).padStart(13, '0');
  if (precision === undefined) digits = digits.replace(/0+$/, '');
  else if (precision < 13) {
    const drop = BigInt(4 * (13 - precision));
    fraction = (fraction + (1n << (drop - 1n))) >> drop;
    const lead = 1n + (fraction >> BigInt(4 * precision));
    digits =
      precision === 0
        ? ''
        : (fraction % (1n << BigInt(4 * precision))).toString(16).padStart(precision, '0');
    return `0x${lead}${digits === '' ? '' : `.${digits}`}p${power < 0 ? '-' : '+'}${Math.abs(power)}`;
  } else digits = digits.padEnd(precision, '0');
  return `0x1${digits === '' ? '' : `.${digits}`}p${power < 0 ? '-' : '+'}${Math.abs(power)}`;
}
