// expr: evaluates an expression. POSIX.1-2024 expr, with GNU's match, substr, index and length.

import { encodeText } from '../../kernel/abi/text.ts';
import { helped, programName, Tool } from '../libc/program.ts';
import { Regex } from '../libc/regex/regex.ts';
import { PatternError } from '../libc/regex/syntax.ts';
import { Exit } from '../libc/stdio.ts';
import type { Program } from '../libc/sys.ts';
import { toLatin1 } from '../libc/text/latin1.ts';
import { quotedArgument } from '../libc/text/quote.ts';

const usage = `EXPRESSION
  |  &  <  <=  =  !=  >=  >  +  -  *  /  %  STRING : PATTERN  ( … ), each an argument of its own
  match STRING PATTERN    substr STRING FROM LENGTH    index STRING CHARACTERS    length STRING`;

/** Every argument is a part of the expression: nothing here is an option. */
export const main: Program = (sys) => {
  if (helped(sys, usage)) return 0;
  const tool = new Tool(sys, programName(sys), 2);
  const words = sys.argv.slice(1).map((word) => toLatin1(encodeText(word)));
  if (words[0] === '--') words.shift();
  try {
    if (words.length === 0) tool.misuse('missing operand');
    const value = new Evaluator(tool, words).evaluate();
    tool.out.latin1(`${value}\n`);
    tool.out.flush();
    return isNull(value) ? 1 : 0;
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    tool.note(error.message);
    return error.status;
  }
};

const isNull = (value: string): boolean => value === '' || /^-?0+$/.test(value);
const isInteger = (value: string): boolean => /^-?\d+$/.test(value);

const levels: readonly (readonly string[])[] = [
  ['|'],
  ['&'],
  ['<', '<=', '=', '==', '!=', '>=', '>'],
  ['+', '-'],
  ['*', '/', '%'],
  [':'],
];

class Evaluator {
  readonly #tool: Tool;
  readonly #words: readonly string[];
  #at = 0;

  constructor(tool: Tool, words: readonly string[]) {
    this.#tool = tool;
    this.#words = words;
  }

  evaluate(): string {
    const value = this.#level(0);
    const extra = this.#words[this.#at];
    if (extra !== undefined)
      this.#tool.die(`syntax error: unexpected argument ${quotedArgument(extra)}`);
    return value;
  }

  #level(level: number): string {
    const operators = levels[level];
    if (operators === undefined) return this.#primary();
    let left = this.#level(level + 1);
    for (;;) {
      const operator = this.#words[this.#at];
      if (operator === undefined || !operators.includes(operator)) return left;
      this.#at++;
      left = this.#apply(left, operator, this.#level(level + 1));
    }
  }

  #apply(left: string, operator: string, right: string): string {
    switch (operator) {
      case '|':
        return isNull(left) ? (isNull(right) ? '0' : right) : left;
      case '&':
        return isNull(left) || isNull(right) ? '0' : left;
      case ':':
        return this.#match(left, right);
      case '+':
      case '-':
      case '*':
      case '/':
      case '%':
        return this.#arithmetic(left, operator, right);
      default:
        return compare(left, operator, right) ? '1' : '0';
    }
  }

  #arithmetic(left: string, operator: string, right: string): string {
    if (!isInteger(left) || !isInteger(right)) this.#tool.die('non-integer argument');
    const [a, b] = [BigInt(left), BigInt(right)];
    if (operator === '+') return String(a + b);
    if (operator === '-') return String(a - b);
    if (operator === '*') return String(a * b);
    if (b === 0n) this.#tool.die('division by zero');
    return String(operator === '/' ? a / b : a % b);
  }

  #match(text: string, pattern: string): string {
    try {
      const regex = new Regex([`^\\(${pattern}\\)`], { dialect: 'basic', whole: true });
      const match = regex.longest(text, 0);
      const hasGroup = /(^|[^\\])(\\\\)*\\\(/.test(pattern);
      if (hasGroup) return match?.groups[1] ?? '';
      return match === undefined || match.start !== 0 ? '0' : String(match.end);
    } catch (error) {
      if (error instanceof PatternError) return this.#tool.die(error.message);
      throw error;
    }
  }

  #primary(): string {
    const word = this.#take();
    switch (word) {
      case '(': {
        const value = this.#level(0);
        const close = this.#words[this.#at++];
        if (close === undefined)
          this.#tool.die(
            `syntax error: expecting ')' after ${quotedArgument(this.#words.at(-1) ?? '')}`,
          );
        if (close !== ')')
          this.#tool.die(`syntax error: expecting ')' instead of ${quotedArgument(close ?? '')}`);
        return value;
      }
      case ')':
        return this.#tool.die("syntax error: unexpected ')'");
      case '+':
        return this.#take();
      case 'length':
        return String(this.#level(6).length);
      case 'match':
        return this.#match(this.#level(6), this.#level(6));
      case 'index': {
        const [text, set] = [this.#level(6), this.#level(6)];
        return String([...text].findIndex((c) => set.includes(c)) + 1);
      }
      case 'substr':
        return substring(this.#level(6), this.#level(6), this.#level(6));
      default:
        return word;
    }
  }

  #take(): string {
    const word = this.#words[this.#at++];
    if (word === undefined)
      return this.#tool.die(
        `syntax error: missing argument after ${quotedArgument(this.#words.at(-1) ?? '')}`,
      );
    return word;
  }
}

function substring(text: string, from: string, count: string): string {
  if (!isInteger(from) || !isInteger(count)) return '';
  const [start, length] = [Number(from), Number(count)];
  return start < 1 || length < 1 ? '' : text.slice(start - 1, start - 1 + length);
}

function compare(left: string, operator: string, right: string): boolean {
  const numbers = isInteger(left) && isInteger(right);
  const [a, b] = numbers ? [BigInt(left), BigInt(right)] : [left, right];
  switch (operator) {
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    case '!=':
      return a !== b;
    default:
      return a === b;
  }
}
