// Arithmetic expansion (POSIX.1-2024 XCU §2.6.4): C's integer expressions on 64-bit signed values.
// A value is a number while it is exact as one, and a bigint beyond.

import { raise } from './errors.ts';

type Value = number | bigint;

export interface ArithScope {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
}

type Node =
  | { readonly type: 'number'; readonly value: Value }
  | { readonly type: 'variable'; readonly name: string }
  | { readonly type: 'unary'; readonly op: string; readonly of: Node }
  | { readonly type: 'step'; readonly name: string; readonly by: 1 | -1; readonly post: boolean }
  | { readonly type: 'binary'; readonly op: string; readonly left: Node; readonly right: Node }
  | { readonly type: 'assign'; readonly op: string; readonly name: string; readonly value: Node }
  | { readonly type: 'choose'; readonly test: Node; readonly yes: Node; readonly no: Node };

const cache = new Map<string, Node>();
const cacheLimit = 1000;
const maxDepth = 300;

/** The value of the expression, in decimal. An empty expression is 0. */
export function arithmetic(source: string, scope: ArithScope): string {
  let node = cache.get(source);
  if (node === undefined) {
    node = new ArithParser(source).parse();
    if (cache.size >= cacheLimit) cache.clear();
    cache.set(source, node);
  }
  return String(evaluate(node, scope));
}

const precedence: Readonly<Record<string, number>> = {
  '||': 1,
  '&&': 2,
  '|': 3,
  '^': 4,
  '&': 5,
  '==': 6,
  '!=': 6,
  '<': 7,
  '<=': 7,
  '>': 7,
  '>=': 7,
  '<<': 8,
  '>>': 8,
  '+': 9,
  '-': 9,
  '*': 10,
  '/': 10,
  '%': 10,
};

const lexeme =
  /\s*(?:(0[xX][0-9a-fA-F]+|[0-9]+)|([A-Za-z_]\w*)|(<<=|>>=|\+\+|--|\|\||&&|[=!<>]=|<<|>>|[-+*/%&|^]=|[-+*/%&|^<>=!~?:(),]))/y;

class ArithParser {
  private readonly source: string;
  private readonly tokens: string[] = [];
  private at = 0;
  private depth = 0;

  constructor(source: string) {
    this.source = source;
  }

  parse(): Node {
    lexeme.lastIndex = 0;
    const text = this.source.trimEnd();
    while (lexeme.lastIndex < text.length) {
      const match = lexeme.exec(text);
      if (match === null) return this.error();
      this.tokens.push(match[1] ?? match[2] ?? match[3] ?? '');
    }
    if (this.tokens.length === 0) return { type: 'number', value: 0 };
    const node = this.comma();
    if (this.at < this.tokens.length) this.error();
    return node;
  }

  private error(): never {
    return raise(`arithmetic expression: syntax error: "${this.source}"`);
  }

  private take(token: string): boolean {
    if (this.tokens[this.at] !== token) return false;
    this.at++;
    return true;
  }

  private expect(token: string): void {
    if (!this.take(token)) this.error();
  }

  private comma(): Node {
    let node = this.assignment();
    while (this.take(',')) {
      node = { type: 'binary', op: ',', left: node, right: this.assignment() };
    }
    return node;
  }

  private assignment(): Node {
    if (++this.depth > maxDepth) raise('arithmetic expression: nesting too deep');
    const name = this.tokens[this.at] ?? '';
    const op = this.tokens[this.at + 1] ?? '';
    let node: Node;
    if (isName(name) && /^(?:[-+*/%&|^]|<<|>>)?=$/.test(op)) {
      this.at += 2;
      node = { type: 'assign', op: op.slice(0, -1), name, value: this.assignment() };
    } else node = this.conditional();
    this.depth--;
    return node;
  }

  private conditional(): Node {
    const test = this.binary(1);
    if (!this.take('?')) return test;
    const yes = this.comma();
    this.expect(':');
    if (++this.depth > maxDepth) raise('arithmetic expression: nesting too deep');
    const no = this.conditional(); // C has no assignment here without parentheses
    this.depth--;
    return { type: 'choose', test, yes, no };
  }

  private binary(lowest: number): Node {
    let left = this.unary();
    for (;;) {
      this.splitStep();
      const op = this.tokens[this.at] ?? '';
      const level = precedence[op] ?? 0;
      if (level < lowest) return left;
      this.at++;
      left = { type: 'binary', op, left, right: this.binary(level + 1) };
    }
  }

  /** `5--3` is 5 - -3 in a language that need not have `--` (§2.6.4). */
  private splitStep(): void {
    const op = this.tokens[this.at];
    if (op === '++' || op === '--') this.tokens.splice(this.at, 1, op.charAt(0), op.charAt(0));
  }

  private unary(): Node {
    const op = this.tokens[this.at] ?? '';
    if (op === '++' || op === '--') {
      const name = this.tokens[this.at + 1] ?? '';
      if (isName(name)) {
        this.at += 2;
        return { type: 'step', name, by: op === '++' ? 1 : -1, post: false };
      }
    }
    if (!/^(?:[-+!~]|\+\+|--)$/.test(op)) return this.primary();
    this.at++;
    if (++this.depth > maxDepth) raise('arithmetic expression: nesting too deep');
    const of = this.unary();
    this.depth--;
    return op.length === 2 ? of : { type: 'unary', op, of };
  }

  private primary(): Node {
    if (this.take('(')) {
      const node = this.comma();
      this.expect(')');
      return node;
    }
    const token = this.tokens[this.at] ?? '';
    this.at++;
    if (/^[0-9]/.test(token)) return { type: 'number', value: constant(token) ?? this.error() };
    if (!isName(token)) return this.error();
    const after = this.tokens[this.at];
    const next = this.tokens[this.at + 1] ?? '';
    if ((after === '++' || after === '--') && !/^[\w(!~]/.test(next)) {
      this.at++;
      return { type: 'step', name: token, by: after === '++' ? 1 : -1, post: true };
    }
    return { type: 'variable', name: token };
  }
}

const isName = (token: string): boolean => /^[A-Za-z_]/.test(token);

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

/** A decimal, octal or hexadecimal constant; too large ones stop at the ends as strtoimax does. */
function constant(text: string): Value | undefined {
  const match = /^\s*([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)\s*$/.exec(text);
  if (match === null) return undefined;
  const digits = match[2] ?? '0';
  const octal = digits.length > 1 && digits.startsWith('0') && !/[xX]/.test(digits);
  const size = BigInt(octal ? `0o${digits.slice(1)}` : digits);
  const value = match[1] === '-' ? -size : size;
  return settle(value > MAX ? MAX : value < MIN ? MIN : value);
}

const settle = (value: bigint): Value => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
};

const wrap = (value: bigint): Value => settle(BigInt.asIntN(64, value));

function evaluate(node: Node, scope: ArithScope): Value {
  switch (node.type) {
    case 'number':
      return node.value;
    case 'variable':
      return read(node.name, scope);
    case 'unary':
      return unary(node.op, evaluate(node.of, scope));
    case 'binary':
      return binary(node, scope);
    case 'choose':
      return evaluate(truth(evaluate(node.test, scope)) ? node.yes : node.no, scope);
    case 'assign': {
      const right = evaluate(node.value, scope);
      const value = node.op === '' ? right : compute(node.op, read(node.name, scope), right);
      scope.set(node.name, String(value));
      return value;
    }
    case 'step': {
      const before = read(node.name, scope);
      const after = compute('+', before, node.by);
      scope.set(node.name, String(after));
      return node.post ? before : after;
    }
  }
}

const simpleNumber = /^(?:0|-?[1-9][0-9]{0,14})$/;

function read(name: string, scope: ArithScope): Value {
  const text = scope.get(name);
  if (text === undefined || text === '') return 0;
  if (simpleNumber.test(text)) return Number(text);
  return constant(text) ?? (/^\s*$/.test(text) ? 0 : raise(`Illegal number: ${text}`));
}

const truth = (value: Value): boolean => value !== 0;

function unary(op: string, value: Value): Value {
  switch (op) {
    case '-':
      return typeof value === 'number' ? 0 - value : wrap(-value);
    case '!':
      return truth(value) ? 0 : 1;
    case '~':
      return wrap(~BigInt(value));
    default:
      return value;
  }
}

function binary(node: Extract<Node, { type: 'binary' }>, scope: ArithScope): Value {
  const left = evaluate(node.left, scope);
  if (node.op === '&&') return truth(left) && truth(evaluate(node.right, scope)) ? 1 : 0;
  if (node.op === '||') return truth(left) || truth(evaluate(node.right, scope)) ? 1 : 0;
  return compute(node.op, left, evaluate(node.right, scope));
}

function compute(op: string, left: Value, right: Value): Value {
  switch (op) {
    case ',':
      return right;
    case '==':
      return left === right ? 1 : 0;
    case '!=':
      return left !== right ? 1 : 0;
    case '<':
      return left < right ? 1 : 0;
    case '<=':
      return left <= right ? 1 : 0;
    case '>':
      return left > right ? 1 : 0;
    case '>=':
      return left >= right ? 1 : 0;
    case '/':
    case '%':
      if (right === 0) raise('arithmetic expression: division by zero');
  }
  const fast = typeof left === 'number' && typeof right === 'number' ? small(op, left, right) : NaN;
  return Number.isSafeInteger(fast) ? fast : exact(op, BigInt(left), BigInt(right));
}

/** The result by doubles, or NaN when 64 bits are needed. */
function small(op: string, left: number, right: number): number {
  switch (op) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right + 0;
    case '/':
      return Math.trunc(left / right) + 0;
    case '%':
      return (left % right) + 0;
    default:
      if (left !== (left | 0) || right !== (right | 0)) return NaN;
      if (op === '&') return left & right;
      if (op === '|') return left | right;
      return op === '^' ? left ^ right : NaN;
  }
}

function exact(op: string, left: bigint, right: bigint): Value {
  switch (op) {
    case '+':
      return wrap(left + right);
    case '-':
      return wrap(left - right);
    case '*':
      return wrap(left * right);
    case '/':
      return wrap(left / right);
    case '%':
      return wrap(left % right);
    case '&':
      return wrap(left & right);
    case '|':
      return wrap(left | right);
    case '^':
      return wrap(left ^ right);
    case '<<':
      return wrap(left << (right & 63n));
    default:
      return wrap(left >> (right & 63n));
  }
}
