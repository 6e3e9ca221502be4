// Command lines as getopt_long(3) reads them: options and operands in any order, clusters (-la),
// `--`, --long=value, unique abbreviations. POSIX.1-2024 §12.2 with GNU's long options.

import { Exit } from './stdio.ts';

export interface OptionSpec {
  /** getopt's string: `ab:c::`; a colon = takes a value, two = takes one only when attached. */
  readonly short: string;
  /** Long name (`name`, `name=`, `name=?`) → the name under which it is reported. */
  readonly long?: Readonly<Record<string, string>>;
  /** Options end at the first operand (env, xargs). */
  readonly stopAtOperand?: true;
  /** Shown between the message of a wrong option and the pointer to help (grep). */
  readonly reminder?: string;
}

export interface Option {
  readonly name: string;
  readonly value: string; // '' when it has none
  /** How many operands stand before it. */
  readonly before?: number;
}

export class Options {
  /** In the order given. */
  readonly list: readonly Option[];
  readonly operands: string[];

  constructor(list: readonly Option[], operands: string[]) {
    this.list = list;
    this.operands = operands;
  }

  has(...names: string[]): boolean {
    return this.list.some((option) => names.includes(option.name));
  }

  /** The value of the last one given. */
  value(name: string): string | undefined {
    return this.list.findLast((option) => option.name === name)?.value;
  }

  values(name: string): string[] {
    return this.list.filter((option) => option.name === name).map((option) => option.value);
  }

  /** Which of these came last: for options that override each other. */
  last(...names: string[]): string | undefined {
    return this.list.findLast((option) => names.includes(option.name))?.name;
  }
}

/** Throws Exit with getopt's message on a wrong command line; its status is the caller's business. */
export function parseOptions(spec: OptionSpec, args: readonly string[]): Options {
  const list: Option[] = [];
  const operands: string[] = [];
  const longs = longTable(spec);
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    const next = (): string | undefined => args[++i];
    if (arg === '--') {
      operands.push(...args.slice(i + 1));
      break;
    }
    const before = operands.length;
    if (arg.startsWith('--')) list.push({ ...longOption(longs, arg.slice(2), next), before });
    else if (arg.startsWith('-') && arg !== '-')
      for (const option of cluster(spec.short, arg, next)) list.push({ ...option, before });
    else if (spec.stopAtOperand) {
      operands.push(...args.slice(i));
      break;
    } else operands.push(arg);
  }
  return new Options(list, operands);
}

interface LongOption {
  readonly long: string;
  readonly name: string;
  readonly takes: '' | '=' | '=?';
}

function longTable(spec: OptionSpec): LongOption[] {
  const table: LongOption[] = [
    { long: 'help', name: 'help', takes: '' },
    { long: 'version', name: 'version', takes: '' },
  ];
  for (const [key, name] of Object.entries(spec.long ?? {})) {
    const takes = key.endsWith('=?') ? '=?' : key.endsWith('=') ? '=' : '';
    table.push({ long: key.slice(0, key.length - takes.length), name, takes });
  }
  return table;
}

function longOption(
  table: readonly LongOption[],
  text: string,
  next: () => string | undefined,
): Option {
  const equals = text.indexOf('=');
  const given = equals < 0 ? text : text.slice(0, equals);
  const option = findLong(table, given);
  if (equals >= 0) {
    if (option.takes === '')
      throw new Exit(-1, `option '--${option.long}' doesn't allow an argument`);
    return { name: option.name, value: text.slice(equals + 1) };
  }
  if (option.takes !== '=') return { name: option.name, value: '' };
  const value = next();
  if (value === undefined) throw new Exit(-1, `option '--${option.long}' requires an argument`);
  return { name: option.name, value };
}

function findLong(table: readonly LongOption[], given: string): LongOption {
  const exact = table.find((option) => option.long === given);
  if (exact !== undefined) return exact;
  const matches = table.filter((option) => option.long.startsWith(given));
  const [first] = matches;
  if (first === undefined) throw new Exit(-1, `unrecognized option '--${given}'`);
  if (matches.some((option) => option.name !== first.name)) {
    const names = matches.map((option) => `'--${option.long}'`).join(' ');
    throw new Exit(-1, `option '--${given}' is ambiguous; possibilities: ${names}`);
  }
  return first;
}

function cluster(short: string, arg: string, next: () => string | undefined): Option[] {
  const out: Option[] = [];
  for (let i = 1; i < arg.length; i++) {
    const name = arg[i] ?? '';
    const at = name === ':' ? -1 : short.indexOf(name);
    if (at < 0) throw new Exit(-1, `invalid option -- '${name}'`);
    if (short[at + 1] !== ':') {
      out.push({ name, value: '' });
      continue;
    }
    const attached = arg.slice(i + 1);
    const value = attached !== '' || short[at + 2] === ':' ? attached : next();
    if (value === undefined) throw new Exit(-1, `option requires an argument -- '${name}'`);
    out.push({ name, value });
    break;
  }
  return out;
}
