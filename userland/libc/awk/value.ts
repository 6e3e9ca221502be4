// Values of awk: numbers, strings, strings from outside that may look like numbers, and nothing at all
// (POSIX.1-2024 XCU awk, "Expressions in awk").

import { directive, formatFloat, formatInteger } from '../text/format.ts';
import { sprintf } from './printf.ts';
import { AwkError } from './syntax/ast.ts';

/** undefined: never set, both 0 and ''. */
export type Value = number | string | Outside | undefined;
export type AwkArray = Map<string, Value>;

/**
 * A map that grows beyond takes a table so large that V8, when there is no memory for it, ends the whole
 * machine and not the worker alone.
 */
const MOST_ELEMENTS = 1 << 22;

export function store(array: AwkArray, key: string, value: Value): void {
  if (array.size >= MOST_ELEMENTS && !array.has(key))
    throw new AwkError(`an array of more than ${MOST_ELEMENTS} elements`);
  array.set(key, value);
}

const numeric = /^[ \t\n\v\f\r]*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?[ \t\n\v\f\r]*$/;
const prefix = /^[ \t\n\v\f\r]*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)/;

/** A string from the input, a field, an argument: compared as a number where it looks like one. */
export class Outside {
  readonly text: string;
  #number: number | null | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** Its number, null when it does not look like one. */
  get number(): number | null {
    if (this.#number === undefined)
      this.#number = numeric.test(this.text) ? Number(this.text) : null;
    return this.#number;
  }
}

export function toNumber(value: Value): number {
  if (typeof value === 'number') return value;
  if (value === undefined) return 0;
  if (typeof value === 'string') return leadingNumber(value);
  return value.number ?? leadingNumber(value.text);
}

const leadingNumber = (text: string): number => Number(prefix.exec(text)?.[1] ?? 0);

/** `format` is CONVFMT, or OFMT for what print writes. */
export function toText(value: Value, format: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return numberText(value, format);
  return value === undefined ? '' : value.text;
}

function numberText(value: number, format: string): string {
  if (Number.isInteger(value)) {
    if (Number.isSafeInteger(value)) return String(value === 0 ? 0 : value);
    return formatInteger(directive({ conversion: 'd' }), BigInt(value));
  }
  if (format === '%.6g') return formatFloat(directive({ conversion: 'g' }), value);
  return sprintf(format, [value]);
}

export function toBoolean(value: Value): boolean {
  if (typeof value === 'number') return value !== 0;
  if (typeof value === 'string') return value !== '';
  if (value === undefined) return false;
  return value.number === null ? value.text !== '' : value.number !== 0;
}

/** Below, at or above 0; NaN when the two numbers cannot be compared. */
export function compareValues(left: Value, right: Value, format: string): number {
  const a = comparable(left);
  const b = comparable(right);
  if (a !== undefined && b !== undefined) return a === b ? 0 : a - b;
  const textA = toText(left, format);
  const textB = toText(right, format);
  return textA < textB ? -1 : textA > textB ? 1 : 0;
}

/** Its number if it is to be compared as one. */
function comparable(value: Value): number | undefined {
  if (typeof value === 'number') return value;
  if (value === undefined) return 0;
  return typeof value === 'string' ? undefined : (value.number ?? undefined);
}
