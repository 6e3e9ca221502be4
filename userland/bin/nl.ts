// nl: numbers lines, in logical pages of header, body and footer. POSIX.1-2024 nl
// -b -d -f -h -i -l -n -p -s -v -w.

import { encodeText } from '../../kernel/abi/text.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { Regex } from '../libc/regex/regex.ts';
import { PatternError } from '../libc/regex/syntax.ts';
import type { Input } from '../libc/stdio.ts';
import { toLatin1 } from '../libc/text/latin1.ts';
import { quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: `[OPTION]... [FILE]...
  -b -h -f STYLE  lines of body, header, footer: a all, t that hold something, n none, pREGEX
  -d CC  marks of pages      -i STEP  -v START    -l N  so many empty lines are one
  -n ln|rn|rz  left, right, zeros    -p  pages do not begin anew    -s TEXT  behind it    -w WIDTH`,
    short: 'b:d:f:h:i:l:n:ps:v:w:',
    long: {
      'body-numbering=': 'b',
      'section-delimiter=': 'd',
      'footer-numbering=': 'f',
      'header-numbering=': 'h',
      'line-increment=': 'i',
      'join-blank-lines=': 'l',
      'number-format=': 'n',
      'no-renumber': 'p',
      'number-separator=': 's',
      'starting-line-number=': 'v',
      'number-width=': 'w',
    },
  },
  (tool, options) => {
    const numberer = new Numberer(tool, planOf(tool, options));
    tool.eachInput(options.operands, (input) => numberer.file(input));
  },
);

type Style = 'a' | 't' | 'n' | Regex;

interface Plan {
  /** Of header, body and footer. */
  readonly styles: readonly [Style, Style, Style];
  /** Once, twice, three times: footer, body, header. */
  readonly mark: string;
  readonly start: number;
  readonly step: number;
  readonly join: number;
  readonly format: string;
  readonly width: number;
  readonly separator: string;
  readonly renumber: boolean;
}

function planOf(tool: Tool, options: Options): Plan {
  const number = (name: string, usual: number, on: { what: string; least: number }): number => {
    const text = options.value(name);
    if (text === undefined) return usual;
    if (/^[-+]?\d+$/.test(text) && Number(text) >= on.least) return Number(text);
    return tool.die(`invalid ${on.what}: ${quotedArgument(text)}`);
  };
  const styles = [
    styleOf(tool, options.value('h') ?? 'n', 'header'),
    styleOf(tool, options.value('b') ?? 't', 'body'),
    styleOf(tool, options.value('f') ?? 'n', 'footer'),
  ] as const;
  const any = Number.NEGATIVE_INFINITY;
  const format = options.value('n') ?? 'rn';
  if (!/^(ln|rn|rz)$/.test(format))
    tool.misuse(`invalid line numbering format: ${quotedArgument(format)}`);
  const mark = toLatin1(encodeText(options.value('d') ?? '\\:'));
  return {
    styles,
    format,
    mark: mark.length === 1 ? `${mark}:` : mark,
    start: number('v', 1, { what: 'starting line number', least: any }),
    step: number('i', 1, { what: 'line number increment', least: any }),
    join: number('l', 1, { what: 'line number of blank lines', least: 1 }),
    width: number('w', 6, { what: 'line number field width', least: 1 }),
    separator: toLatin1(encodeText(options.value('s') ?? '\t')),
    renumber: !options.has('p'),
  };
}

function styleOf(tool: Tool, text: string, section: string): Style {
  if (text === 'a' || text === 't' || text === 'n') return text;
  if (!text.startsWith('p'))
    return tool.misuse(`invalid ${section} numbering style: ${quotedArgument(text)}`);
  try {
    return new Regex([toLatin1(encodeText(text.slice(1)))], { dialect: 'basic' });
  } catch (error) {
    if (error instanceof PatternError) return tool.die(error.message);
    throw error;
  }
}

class Numberer {
  readonly #tool: Tool;
  readonly #plan: Plan;
  #style: Style;
  #number: number;
  #blank = 0;

  constructor(tool: Tool, plan: Plan) {
    this.#tool = tool;
    this.#plan = plan;
    this.#style = plan.styles[1];
    this.#number = plan.start;
  }

  file(input: Input): void {
    const { out } = this.#tool;
    for (let line = input.line(); line !== undefined; line = input.line()) {
      const text = toLatin1(line);
      const section = this.#section(text);
      if (section === undefined) out.latin1(this.#head(text) + text);
      else {
        this.#style = this.#plan.styles[section] ?? 'n';
        if (this.#plan.renumber) this.#number = this.#plan.start;
      }
      out.byte(10);
    }
  }

  /** Which section this line begins. */
  #section(text: string): number | undefined {
    const { mark } = this.#plan;
    if (mark === '' || !text.startsWith(mark)) return undefined;
    const at = [mark.repeat(3), mark.repeat(2), mark].indexOf(text);
    return at < 0 ? undefined : at;
  }

  #head(text: string): string {
    const { format, width, separator, step } = this.#plan;
    if (!this.#isNumbered(text)) return ' '.repeat(width + separator.length);
    const number = this.#number;
    this.#number += step;
    const digits = String(Math.abs(number));
    const sign = number < 0 ? '-' : '';
    if (format === 'rz') return sign + digits.padStart(width - sign.length, '0') + separator;
    const plain = sign + digits;
    return (format === 'ln' ? plain.padEnd(width) : plain.padStart(width)) + separator;
  }

  #isNumbered(text: string): boolean {
    if (this.#style === 'n') return false;
    if (this.#style === 't') return text !== '';
    if (this.#style !== 'a') return this.#style.find(text, 0) !== undefined;
    if (this.#plan.join > 1 && text === '' && ++this.#blank < this.#plan.join) return false;
    this.#blank = 0;
    return true;
  }
}
