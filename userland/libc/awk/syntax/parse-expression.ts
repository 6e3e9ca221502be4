// Expressions of awk by descending precedence (POSIX.1-2024 XCU awk, Table 4-1). `>` is no operator
// in what print writes outside of parentheses, and a list in parentheses stands before `in`.

import { AwkError, type Expr, type FunctionDefinition, type Lvalue } from './ast.ts';
import type { Tokens } from './tokens.ts';

const assignments = new Set(['=', '+=', '-=', '*=', '/=', '%=', '^=']);
const comparisons = new Set(['<', '<=', '==', '!=', '>', '>=']);
/** What an operand of a concatenation begins with: signs would be taken for additions. */
const operandStarts = new Set([
  'number',
  'string',
  'name',
  'function name',
  'builtin',
  '$',
  '!',
  '(',
  '++',
  '--',
]);
/** Depth of nesting, so that a hostile program cannot exhaust the stack. */
const MOST_DEPTH = 800;

export class Expressions {
  readonly #tokens: Tokens;
  /** `>` ends the expression. */
  #printing = false;
  #depth = 0;
  readonly #calls: { name: string; count: number; at: number }[] = [];

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
  }

  expression(): Expr {
    if (++this.#depth > MOST_DEPTH) this.#tokens.fail('expression nested too deep');
    const expr = this.#ternary();
    this.#depth--;
    if (assignments.has(this.#tokens.token.kind))
      this.#tokens.fail('assignment to what is no variable');
    return expr;
  }

  /** The expressions of print. */
  printed(): Expr[] {
    const before = this.#printing;
    this.#printing = true;
    const list = [this.expression()];
    while (this.#tokens.accept(',')) {
      this.#tokens.skipNewlines();
      list.push(this.expression());
    }
    this.#printing = before;
    return list;
  }

  /** Where print writes to: up to concatenations. */
  outputTarget(): Expr {
    return this.#concatenation();
  }

  listUntil(end: string): Expr[] {
    return this.#inside(() => {
      const list: Expr[] = [];
      this.#tokens.skipNewlines();
      while (!this.#tokens.accept(end)) {
        if (list.length > 0) {
          this.#tokens.expect(',');
          this.#tokens.skipNewlines();
        }
        list.push(this.expression());
        this.#tokens.skipNewlines();
      }
      return list;
    });
  }

  /** Functions may be called before they are defined, so this comes last. */
  checkCalls(functions: ReadonlyMap<string, FunctionDefinition>): void {
    for (const { name, count, at } of this.#calls) {
      const defined = functions.get(name);
      const place = this.#tokens.place(at);
      if (defined === undefined) throw new AwkError(`${place}: function ${name} is not defined`);
      if (count > defined.params.length)
        throw new AwkError(`${place}: function ${name} takes ${defined.params.length} arguments`);
    }
  }

  /** Inside brackets and parentheses `>` compares again. */
  #inside<T>(read: () => T): T {
    const before = this.#printing;
    this.#printing = false;
    const result = read();
    this.#printing = before;
    return result;
  }

  #ternary(): Expr {
    const test = this.#or();
    if (!this.#tokens.accept('?')) return test;
    this.#tokens.skipNewlines();
    const yes = this.expression();
    this.#tokens.skipNewlines();
    this.#tokens.expect(':');
    this.#tokens.skipNewlines();
    return { kind: 'choice', test, yes, no: this.expression() };
  }

  #or(): Expr {
    let left = this.#and();
    while (this.#tokens.accept('||')) {
      this.#tokens.skipNewlines();
      left = { kind: 'binary', op: '||', left, right: this.#and() };
    }
    return left;
  }

  #and(): Expr {
    let left = this.#in();
    while (this.#tokens.accept('&&')) {
      this.#tokens.skipNewlines();
      left = { kind: 'binary', op: '&&', left, right: this.#in() };
    }
    return left;
  }

  #in(): Expr {
    let left = this.#match();
    while (this.#tokens.accept('in')) {
      const subscripts = left.kind === 'list' ? left.items : [left];
      left = { kind: 'in', subscripts, array: { kind: 'name', name: this.#tokens.name() } };
    }
    return left;
  }

  #match(): Expr {
    let left = this.#comparison();
    for (;;) {
      const negated = this.#tokens.token.kind === '!~';
      if (!negated && this.#tokens.token.kind !== '~') return left;
      this.#tokens.advance();
      left = { kind: 'match', negated, left, right: this.#comparison() };
    }
  }

  #comparison(): Expr {
    let left = this.#concatenation();
    for (;;) {
      const op = this.#tokens.token.kind;
      if (op === '|' && this.#peekIsGetline()) {
        this.#tokens.advance();
        this.#tokens.advance();
        left = { kind: 'getline', target: this.#maybeLvalue(), from: 'command', source: left };
      } else if (comparisons.has(op) && !(op === '>' && this.#printing)) {
        this.#tokens.advance();
        left = { kind: 'binary', op, left, right: this.#concatenation() };
      } else return left;
    }
  }

  #peekIsGetline(): boolean {
    const before = this.#tokens.mark();
    this.#tokens.advance();
    const is = this.#tokens.token.kind === 'getline';
    this.#tokens.reset(before);
    return is;
  }

  #concatenation(): Expr {
    let left = this.#additive();
    while (operandStarts.has(this.#tokens.token.kind)) {
      left = { kind: 'binary', op: ' ', left, right: this.#additive() };
    }
    return left;
  }

  #additive(): Expr {
    let left = this.#multiplicative();
    for (let op = this.#tokens.token.kind; op === '+' || op === '-'; op = this.#tokens.token.kind) {
      this.#tokens.advance();
      left = { kind: 'binary', op, left, right: this.#multiplicative() };
    }
    return left;
  }

  #multiplicative(): Expr {
    let left = this.#unary();
    for (
      let op = this.#tokens.token.kind;
      op === '*' || op === '/' || op === '%';
      op = this.#tokens.token.kind
    ) {
      this.#tokens.advance();
      left = { kind: 'binary', op, left, right: this.#unary() };
    }
    return left;
  }

  #unary(): Expr {
    const op = this.#tokens.token.kind;
    if (op !== '!' && op !== '-' && op !== '+') return this.#power();
    this.#tokens.advance();
    if (++this.#depth > MOST_DEPTH) this.#tokens.fail('expression nested too deep');
    const body = this.#unary();
    this.#depth--;
    return { kind: 'unary', op, body };
  }

  #power(): Expr {
    const left = this.#step();
    if (!this.#tokens.accept('^')) return left;
    // Right-associative, and a sign may follow.
    const sign = this.#tokens.token.kind;
    if (sign !== '-' && sign !== '+' && sign !== '!')
      return { kind: 'binary', op: '^', left, right: this.#power() };
    this.#tokens.advance();
    return {
      kind: 'binary',
      op: '^',
      left,
      right: { kind: 'unary', op: sign, body: this.#power() },
    };
  }

  #step(): Expr {
    const op = this.#tokens.token.kind;
    if (op === '++' || op === '--') {
      this.#tokens.advance();
      const target = this.#primary();
      if (!isLvalue(target)) return this.#tokens.fail(`${op} before what is no variable`);
      return { kind: 'step', by: op === '++' ? 1 : -1, prefix: true, target };
    }
    const target = this.#primary();
    if (!isLvalue(target)) return target;
    const after = this.#tokens.token.kind;
    // Whatever stands to its left, a variable before `=` is assigned to: a && b = 1.
    if (assignments.has(after)) return this.#assignment(target, after);
    if (after !== '++' && after !== '--') return target;
    this.#tokens.advance();
    return { kind: 'step', by: after === '++' ? 1 : -1, prefix: false, target };
  }

  #assignment(target: Lvalue, op: string): Expr {
    this.#tokens.advance();
    this.#tokens.skipNewlines();
    return { kind: 'assign', op: op.slice(0, -1), target, value: this.expression() };
  }

  #primary(): Expr {
    const { kind, text, value, at } = this.#tokens.token;
    switch (kind) {
      case 'number':
        this.#tokens.advance();
        return { kind, value };
      case 'string':
        this.#tokens.advance();
        return { kind, value: text };
      case '/':
      case '/=':
        return this.#regex();
      case '$':
        this.#tokens.advance();
        return { kind: 'field', index: this.#fieldIndex() };
      case '(':
        return this.#parenthesised();
      case 'getline':
        this.#tokens.advance();
        return this.#getline();
      case 'builtin':
        this.#tokens.advance();
        return this.#builtin(text);
      case 'function name':
        this.#tokens.advance();
        return this.#call(text, at);
      case 'name':
        this.#tokens.advance();
        return this.#variable(text);
      default:
        return this.#tokens.unexpected();
    }
  }

  #regex(): Expr {
    return { kind: 'regex', source: this.#tokens.regex() };
  }

  /** `$i++` steps the field, `$++i` the variable. */
  #fieldIndex(): Expr {
    const op = this.#tokens.token.kind;
    if (op === '++' || op === '--') return this.#step();
    if (op === '-' || op === '+' || op === '!') {
      this.#tokens.advance();
      return { kind: 'unary', op, body: this.#fieldIndex() };
    }
    return this.#primary();
  }

  #parenthesised(): Expr {
    this.#tokens.advance();
    if (++this.#depth > MOST_DEPTH) this.#tokens.fail('expression nested too deep');
    const items = this.listUntil(')');
    this.#depth--;
    const [body] = items;
    if (body === undefined) return this.#tokens.unexpected();
    if (items.length === 1) return { kind: 'group', body };
    return { kind: 'list', items };
  }

  #variable(name: string): Lvalue {
    if (!this.#tokens.accept('[')) return { kind: 'name', name };
    const subscripts = this.listUntil(']');
    if (subscripts.length === 0) this.#tokens.fail(`${name}[] without a subscript`);
    return { kind: 'element', array: { kind: 'name', name }, subscripts };
  }

  #call(name: string, at: number): Expr {
    this.#tokens.expect('(');
    const args = this.listUntil(')');
    this.#calls.push({ name, count: args.length, at });
    return { kind: 'call', name, args };
  }

  #builtin(name: string): Expr {
    if (!this.#tokens.accept('(')) {
      if (name !== 'length') this.#tokens.unexpected('(');
      return { kind: 'builtin', name, args: [] };
    }
    const args = this.listUntil(')');
    const [least, most] = arity[name] ?? [0, 1];
    if (args.length < least || args.length > most)
      this.#tokens.fail(`${name}: wrong number of arguments`);
    return { kind: 'builtin', name, args };
  }

  #getline(): Expr {
    const target = this.#maybeLvalue();
    if (!this.#tokens.accept('<'))
      return { kind: 'getline', target, from: 'main', source: undefined };
    return { kind: 'getline', target, from: 'file', source: this.#step() };
  }

  #maybeLvalue(): Lvalue | undefined {
    if (this.#tokens.token.kind !== 'name' && this.#tokens.token.kind !== '$') return undefined;
    const target = this.#primary();
    return isLvalue(target) ? target : undefined;
  }
}

const arity: Readonly<Record<string, readonly [number, number]>> = {
  atan2: [2, 2],
  rand: [0, 0],
  gsub: [2, 3],
  index: [2, 2],
  match: [2, 2],
  split: [2, 3],
  sprintf: [1, Number.POSITIVE_INFINITY],
  sub: [2, 3],
  substr: [2, 3],
  cos: [1, 1],
  sin: [1, 1],
  exp: [1, 1],
  log: [1, 1],
  sqrt: [1, 1],
  int: [1, 1],
  tolower: [1, 1],
  toupper: [1, 1],
  close: [1, 1],
  system: [1, 1],
};

export function isLvalue(expr: Expr): expr is Lvalue {
  return expr.kind === 'name' || expr.kind === 'field' || expr.kind === 'element';
}
