// The current record and its fields. Splitting waits until a field is asked for, joining until $0 is
// (POSIX.1-2024 XCU awk, "Regular Expressions", "Variables and Special Variables").

import { regexOf } from './pattern.ts';
import { FS, OFS, RS } from './scope.ts';
import { AwkError } from './syntax/ast.ts';
import { Outside, toText, type Value } from './value.ts';

/** A field that is not there is an empty string: gawk and mawk do not compare it as a number. */
const missing = new Outside('');

/** The fields that a script can make. */
const MOST_FIELDS = 1 << 22;
const TOO_MANY = `more than ${MOST_FIELDS} fields`;

/** What the record needs of the machine's variables. */
export interface Variables {
  text(slot: number): string;
  readonly convfmt: string;
}

export class Record {
  readonly #variables: Variables;
  #text = '';
  /** FS when the record was read. */
  #separator = ' ';
  #paragraph = false;
  #fields: Value[] = [];
  #split = true;
  #joined = true;

  constructor(variables: Variables) {
    this.#variables = variables;
  }

  set(text: string): void {
    this.#text = text;
    this.#separator = this.#variables.text(FS);
    this.#paragraph = this.#variables.text(RS) === '';
    this.#split = false;
    this.#joined = true;
  }

  get text(): string {
    if (!this.#joined) {
      const format = this.#variables.convfmt;
      const texts = this.#fields.map((field) => toText(field, format));
      this.#text = texts.join(this.#variables.text(OFS));
      this.#joined = true;
    }
    return this.#text;
  }

  get count(): number {
    return this.#all().length;
  }

  set count(count: number) {
    const fields = this.#all();
    if (!(count >= 0 && count <= MOST_FIELDS)) throw new AwkError(`NF set to ${count}`);
    const before = fields.length;
    fields.length = Math.trunc(count);
    if (before < fields.length) fields.fill('', before);
    this.#joined = false;
  }

  field(index: number): Value {
    if (index === 0) return new Outside(this.text);
    return this.#all()[checked(index) - 1] ?? missing;
  }

  setField(index: number, value: Value): void {
    if (index === 0) {
      this.set(toText(value, this.#variables.convfmt));
      return;
    }
    const fields = this.#all();
    if (checked(index) > fields.length) this.count = index;
    fields[index - 1] = value;
    this.#joined = false;
  }

  #all(): Value[] {
    if (!this.#split) {
      const texts = splitText(this.#text, this.#separator, this.#paragraph);
      this.#fields = texts.map((text) => new Outside(text));
      this.#split = true;
    }
    return this.#fields;
  }
}

function checked(index: number): number {
  if (index < 1 || index > MOST_FIELDS || Number.isNaN(index))
    throw new AwkError(`there is no field ${index}`);
  return index;
}

/** The parts of a text between separators; in a paragraph a newline always separates. */
export function splitText(text: string, separator: string, newlines = false): string[] {
  if (text === '') return [];
  // A shorter text cannot have too many; one array of them all could end more than the program.
  if (text.length > MOST_FIELDS) checkCount(text, separator);
  if (separator === ' ') return text.match(/[^ \t\n]+/g) ?? [];
  if (separator === '') return newlines ? [...text.replaceAll('\n', '')] : [...text];
  if (separator.length === 1 && !newlines) return text.split(separator === '\\' ? '\\' : separator);
  return splitByPattern(text, newlines ? `(${patternOf(separator)})|\n` : separator);
}

/** Counts what separates in a long text, without keeping it. */
function checkCount(text: string, separator: string): void {
  if (separator.length > 1) return; // splitByPattern counts
  let left = separator === '' ? MOST_FIELDS - text.length : MOST_FIELDS;
  const words = /[^ \t\n]+/g;
  const next = (from: number): number => {
    if (separator !== ' ') return text.indexOf(separator, from);
    words.lastIndex = from;
    return words.test(text) ? words.lastIndex - 1 : -1;
  };
  if (separator !== '') for (let at = next(0); at >= 0 && left >= 0; at = next(at + 1)) left--;
  if (left < 0) throw new AwkError(TOO_MANY);
}

/** A single character stands for itself. */
const patternOf = (separator: string): string =>
  separator.length === 1
    ? `[${separator === '\\' ? '\\\\' : separator}]`.replace('[^]', '\\^')
    : separator;

export function splitByPattern(text: string, pattern: string): string[] {
  if (text === '') return [];
  const regex = regexOf(pattern);
  const parts: string[] = [];
  let start = 0;
  for (let from = 0; from <= text.length; ) {
    const found = regex.longest(text, from);
    if (found === undefined) break;
    if (found.end === found.start) {
      from = found.end + 1; // nothing separates nothing
      continue;
    }
    parts.push(text.slice(start, found.start));
    if (parts.length > MOST_FIELDS) throw new AwkError(TOO_MANY);
    start = found.end;
    from = found.end;
  }
  parts.push(text.slice(start));
  return parts;
}
