// join: lines of two sorted files that have a field in common. POSIX.1-2024 join -1 -2 -a -e -o -t -v,
// with GNU's -i -j -z --header --check-order --nocheck-order.

import { O_RDONLY } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { Input } from '../libc/stdio.ts';
import { toLatin1 } from '../libc/text/latin1.ts';
import { parseCount } from '../libc/text/numbers.ts';
import { maybeQuoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage:
      '[-i] [-1 FIELD] [-2 FIELD] [-j FIELD] [-a FILENUM] [-e TEXT] [-o FORMAT] [-t CHAR] [-v FILENUM] FILE1 FILE2',
    short: '1:2:a:e:ij:o:t:v:z',
    long: {
      'ignore-case': 'i',
      header: 'header',
      'check-order': 'check',
      'nocheck-order': 'nocheck',
      'zero-terminated': 'z',
    },
  },
  (tool, options) => {
    const { files: names, formats } = operandsOf(options);
    const [first, second, extra] = names;
    if (first === undefined) return tool.missingOperand();
    if (second === undefined) return tool.misuse(`missing operand after ${quotedArgument(first)}`);
    if (extra !== undefined) return tool.misuse(`extra operand ${quotedArgument(extra)}`);
    if (first === '-' && second === '-') return tool.die('both files cannot be standard input');
    const plan = planOf(tool, options, formats);
    const files = [first, second].map((name, i) => new Side(tool, plan, { name, number: i }));
    new Joiner(tool, plan, files as [Side, Side]).run();
    return tool.status;
  },
);

/** What follows -o may be more of its list, as long as two files are left. */
function operandsOf(options: Options): { files: string[]; formats: string[] } {
  const files = [...options.operands];
  const formats: string[] = [];
  const gaps = options.list.map(({ name, before = 0 }) => ({ name, before }));
  for (let at = 0; files.length > 2 && at < options.operands.length; at++) {
    const earlier = gaps.filter(({ before }) => before <= at);
    if (earlier.at(-1)?.name !== 'o') continue;
    const [word = ''] = files.splice(at - formats.length, 1);
    formats.push(word);
  }
  return { files, formats };
}

/** A field of the output: of file 0 or 1, or the common one. */
interface Column {
  readonly file: number;
  readonly field: number; // from 0; -1 = the common field
}

interface Plan {
  readonly keys: readonly [number, number];
  readonly unpaired: readonly [boolean, boolean];
  readonly paired: boolean;
  readonly columns: readonly Column[] | 'auto' | undefined;
  readonly empty: string;
  readonly separator: string | undefined;
  readonly ignoreCase: boolean;
  readonly end: number;
  readonly header: boolean;
  readonly order: 'check' | 'nocheck' | 'usual';
}

const bytes = (text: string): string => toLatin1(encodeText(text));

function planOf(tool: Tool, options: Options, formats: readonly string[]): Plan {
  // -j says both; what was said twice must be the same.
  const field = (name: string): number => {
    let said: number | undefined;
    for (const option of options.list) {
      if (option.name !== name && option.name !== 'j') continue;
      const value = parseCount(option.value);
      if (!value) return tool.die(`invalid field number: ${quotedArgument(option.value)}`);
      if (said !== undefined && said !== value)
        tool.die(`incompatible join fields ${said}, ${value}`);
      said = value;
    }
    return (said ?? 1) - 1;
  };
  const sides = (name: string): [boolean, boolean] => {
    const given = options.values(name);
    for (const one of given)
      if (one !== '1' && one !== '2') tool.die(`invalid file number: ${quotedArgument(one)}`);
    return [given.includes('1'), given.includes('2')];
  };
  const [also, only] = [sides('a'), sides('v')];
  const tabs = new Set(options.values('t'));
  if (tabs.size > 1) tool.die('incompatible tabs');
  const [separator] = tabs;
  if (separator !== undefined && separator !== '\\0' && bytes(separator).length > 1)
    tool.die(`multi-character tab ${quotedArgument(separator)}`);
  return {
    keys: [field('1'), field('2')],
    unpaired: [also[0] || only[0], also[1] || only[1]],
    paired: !only[0] && !only[1],
    columns: columnsOf(tool, [...options.values('o'), ...formats]),
    empty: bytes(options.value('e') ?? ''),
    separator:
      separator === undefined ? undefined : separator === '\\0' ? '\0' : bytes(separator) || '\n',
    ignoreCase: options.has('i'),
    end: options.has('z') ? 0 : 10,
    header: options.has('header'),
    order: (options.last('check', 'nocheck') ?? 'usual') as Plan['order'],
  };
}

function columnsOf(tool: Tool, formats: readonly string[]): Plan['columns'] {
  if (formats.length === 0) return undefined;
  const lists = formats.filter((format) => format !== 'auto');
  if (lists.length === 0) return 'auto';
  return lists
    .join(',')
    .split(/[ ,\t]+/)
    .map((word) => {
      if (word === '0') return { file: 0, field: -1 };
      const found = /^([12])\.(\d+)$/.exec(word);
      if (/^[^12]/.test(word))
        return tool.die(`invalid file number in field spec: ${quotedArgument(word)}`);
      if (found === null) return tool.die(`invalid field specifier: ${quotedArgument(word)}`);
      return { file: Number(found[1]) - 1, field: Number(found[2]) - 1 };
    });
}

interface Line {
  readonly fields: readonly string[];
  readonly key: string;
}

/** One of the files, a line ahead. */
class Side {
  readonly #tool: Tool;
  readonly #plan: Plan;
  readonly #input: Input;
  readonly #name: string;
  readonly #number: number;
  #count = 0;
  #last: { line: Line; text: string } | undefined;
  #told = false;
  head: Line | undefined;

  constructor(tool: Tool, plan: Plan, from: { name: string; number: number }) {
    this.#tool = tool;
    this.#plan = plan;
    this.#name = from.name;
    this.#number = from.number;
    try {
      this.#input = new Input(tool.sys, from.name === '-' ? 0 : tool.sys.open(from.name, O_RDONLY));
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      tool.die(`${maybeQuoted(from.name)}: ${strerror(error.errno)}`);
    }
    this.head = this.#read();
  }

  /** `unpaired`: some line had no partner, so that disorder matters. */
  advance(unpaired: boolean): void {
    const before = this.#last;
    this.head = this.#read();
    const now = this.#last;
    if (!before || !now || before === now || this.#plan.order === 'nocheck') return;
    if (before.line.key <= now.line.key || this.#told) return;
    const what = `${maybeQuoted(this.#name)}:${this.#count}: is not sorted: ${now.text}`;
    if (this.#plan.order === 'check') this.#tool.die(what);
    if (!unpaired) return;
    this.#told = true;
    this.#tool.out.flush();
    this.#tool.warn(what);
  }

  get disordered(): boolean {
    return this.#told;
  }

  #read(): Line | undefined {
    const raw = this.#input.line(this.#plan.end);
    if (raw === undefined) return undefined;
    this.#count++;
    const text = toLatin1(raw);
    const { separator, keys, ignoreCase } = this.#plan;
    const fields =
      separator === undefined
        ? blankFields(text)
        : separator === '\n'
          ? [text]
          : text.split(separator);
    const key = fields[keys[this.#number] ?? 0] ?? '';
    const line = { fields, key: ignoreCase ? key.toLowerCase() : key };
    this.#last = { line, text };
    return line;
  }
}

/** Blanks at the end have an empty field behind them. */
const blankFields = (text: string): string[] => {
  const body = text.replace(/^[ \t\n]+/, '');
  return body === '' ? [] : body.split(/[ \t\n]+/);
};

class Joiner {
  readonly #tool: Tool;
  readonly #plan: Plan;
  readonly #sides: readonly [Side, Side];
  /** Fields of the first lines, for -o auto. */
  readonly #widths: readonly [number, number];
  #unpaired = false;

  constructor(tool: Tool, plan: Plan, sides: readonly [Side, Side]) {
    this.#tool = tool;
    this.#plan = plan;
    this.#sides = sides;
    this.#widths = [sides[0].head?.fields.length ?? 0, sides[1].head?.fields.length ?? 0];
  }

  run(): void {
    const [left, right] = this.#sides;
    if (this.#plan.header && (left.head || right.head)) {
      this.#put(left.head, right.head);
      left.advance(false);
      right.advance(false);
    }
    while (left.head && right.head) {
      if (left.head.key < right.head.key) this.#single(0);
      else if (left.head.key > right.head.key) this.#single(1);
      else this.#group(left.head.key);
    }
    const unpaired = this.#unpaired;
    while (left.head) this.#single(0, unpaired);
    while (right.head) this.#single(1, unpaired);
    if (left.disordered || right.disordered) this.#tool.warn('input is not in sorted order');
  }

  /** `unpaired`: of the lines so far, some had no partner. */
  #single(number: 0 | 1, unpaired = this.#unpaired): void {
    const side = this.#sides[number];
    if (this.#plan.unpaired[number]) {
      if (number === 0) this.#put(side.head, undefined);
      else this.#put(undefined, side.head);
    }
    side.advance(unpaired);
    this.#unpaired = true;
  }

  /** All lines of one key from both sides, each with each. */
  #group(key: string): void {
    const [left, right] = this.#sides.map((side) => {
      const lines: Line[] = [];
      for (let line = side.head; line && line.key === key; line = side.head) {
        lines.push(line);
        side.advance(this.#unpaired);
      }
      return lines;
    });
    if (!this.#plan.paired) return;
    for (const a of left ?? []) for (const b of right ?? []) this.#put(a, b);
  }

  #put(a: Line | undefined, b: Line | undefined): void {
    const { columns, keys, empty, separator, end } = this.#plan;
    const lines = [a, b];
    const keyText = (a ? a.fields[keys[0]] : b?.fields[keys[1]]) || empty;
    const cell = (file: number, field: number): string => lines[file]?.fields[field] || empty;
    let cells: string[];
    if (columns === undefined) {
      cells = [keyText];
      for (const [file, line] of lines.entries())
        for (const field of line?.fields.keys() ?? [])
          if (field !== keys[file]) cells.push(cell(file, field));
    } else if (columns === 'auto') {
      cells = [keyText];
      for (const [file, width] of this.#widths.entries())
        for (let field = 0; field < width; field++)
          if (field !== keys[file]) cells.push(cell(file, field));
    } else cells = columns.map(({ file, field }) => (field < 0 ? keyText : cell(file, field)));
    const by = separator === undefined || separator === '\n' ? ' ' : separator;
    this.#tool.out.latin1(cells.join(by) + String.fromCharCode(end));
  }
}
