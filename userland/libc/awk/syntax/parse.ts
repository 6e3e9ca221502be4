// awk's grammar (POSIX.1-2024 XCU awk, "Grammar"): rules, functions and statements. Expressions are
// in parse-expression.ts.

import type {
  Expr,
  FunctionDefinition,
  Name,
  Pattern,
  Redirection,
  Rule,
  Script,
  Statement,
} from './ast.ts';
import { Expressions } from './parse-expression.ts';
import { Tokens } from './tokens.ts';

/** Reads a program. Throws AwkError with the line. */
export function parseScript(text: string): Script {
  return new Parser(text).script();
}

class Parser {
  readonly #tokens: Tokens;
  readonly #expressions: Expressions;
  readonly #begin: Statement[] = [];
  readonly #end: Statement[] = [];
  readonly #rules: Rule[] = [];
  readonly #functions = new Map<string, FunctionDefinition>();
  #loops = 0;
  #inFunction = false;

  constructor(text: string) {
    this.#tokens = new Tokens(text);
    this.#expressions = new Expressions(this.#tokens);
  }

  script(): Script {
    this.#tokens.skipNewlines(';');
    while (this.#tokens.token.kind !== 'end') {
      this.#item();
      this.#tokens.skipNewlines(';');
    }
    const script = { begin: this.#begin, rules: this.#rules, end: this.#end };
    this.#expressions.checkCalls(this.#functions);
    return { ...script, functions: this.#functions };
  }

  #item(): void {
    if (this.#tokens.accept('function')) this.#function();
    else if (this.#tokens.accept('BEGIN')) this.#begin.push(this.#action());
    else if (this.#tokens.accept('END')) this.#end.push(this.#action());
    else {
      const pattern = this.#pattern();
      this.#rules.push({
        pattern,
        body: this.#tokens.token.kind === '{' ? this.#action() : undefined,
      });
    }
  }

  #pattern(): Pattern {
    if (this.#tokens.token.kind === '{') return { kind: 'always' };
    const first = this.#expressions.expression();
    if (!this.#tokens.accept(',')) return { kind: 'expr', expr: first };
    this.#tokens.skipNewlines();
    return { kind: 'range', first, last: this.#expressions.expression() };
  }

  #function(): void {
    const { text: name, kind } = this.#tokens.token;
    if (kind !== 'name' && kind !== 'function name') this.#tokens.unexpected();
    if (this.#functions.has(name)) this.#tokens.fail(`function ${name} is defined twice`);
    this.#tokens.advance();
    this.#tokens.expect('(');
    const params: string[] = [];
    while (this.#tokens.token.kind !== ')') {
      if (params.length > 0) {
        this.#tokens.expect(',');
        this.#tokens.skipNewlines();
      }
      const param = this.#tokens.name();
      if (params.includes(param) || param === name)
        this.#tokens.fail(`parameter ${param} stands twice`);
      params.push(param);
    }
    this.#tokens.advance();
    this.#tokens.skipNewlines();
    this.#inFunction = true;
    const body = this.#action();
    this.#inFunction = false;
    this.#functions.set(name, { name, params, body });
  }

  #action(): Statement {
    if (this.#tokens.token.kind !== '{') this.#tokens.unexpected();
    this.#tokens.advance();
    return this.#blockRest();
  }

  #blockRest(): Statement {
    const body: Statement[] = [];
    for (this.#tokens.skipNewlines(';'); !this.#tokens.accept('}'); this.#tokens.skipNewlines(';'))
      body.push(this.#statement());
    return { kind: 'block', body };
  }

  #statement(): Statement {
    const { kind } = this.#tokens.token;
    switch (kind) {
      case '{':
        return this.#action();
      case 'if':
        return this.#if();
      case 'while': {
        this.#tokens.advance();
        const test = this.#condition();
        if (this.#tokens.accept(';'))
          return { kind: 'while', test, body: { kind: 'block', body: [] } };
        return { kind: 'while', test, body: this.#loopBody() };
      }
      case 'for':
        return this.#for();
      case 'do':
        return this.#do();
      case ';':
        this.#tokens.advance();
        return { kind: 'block', body: [] };
      default: {
        const statement = this.#simple();
        this.#endOfStatement();
        return statement;
      }
    }
  }

  #endOfStatement(): void {
    if (this.#tokens.accept(';') || this.#tokens.accept('newline')) return;
    if (this.#tokens.token.kind !== '}' && this.#tokens.token.kind !== 'end')
      this.#tokens.unexpected();
  }

  #condition(): Expr {
    this.#tokens.expect('(');
    const test = this.#expressions.expression();
    this.#tokens.expect(')');
    return test;
  }

  #branch(): Statement {
    this.#tokens.skipNewlines();
    if (this.#tokens.accept(';')) return { kind: 'block', body: [] };
    return this.#statement();
  }

  #if(): Statement {
    this.#tokens.advance();
    const test = this.#condition();
    const yes = this.#branch();
    const before = this.#tokens.mark();
    this.#tokens.skipNewlines(';');
    if (!this.#tokens.accept('else')) {
      this.#tokens.reset(before);
      return { kind: 'if', test, yes, no: undefined };
    }
    return { kind: 'if', test, yes, no: this.#branch() };
  }

  #loopBody(): Statement {
    this.#loops++;
    const body = this.#branch();
    this.#loops--;
    return body;
  }

  #do(): Statement {
    this.#tokens.advance();
    const body = this.#loopBody();
    this.#tokens.skipNewlines(';');
    this.#tokens.expect('while');
    const test = this.#condition();
    this.#endOfStatement();
    return { kind: 'do', test, body };
  }

  #for(): Statement {
    this.#tokens.advance();
    this.#tokens.expect('(');
    const over = this.#forIn();
    if (over) return { kind: 'forIn', ...over, body: this.#loopBody() };
    const first = this.#tokens.token.kind === ';' ? undefined : this.#simple();
    this.#tokens.expect(';');
    this.#tokens.skipNewlines();
    const test = this.#tokens.token.kind === ';' ? undefined : this.#expressions.expression();
    this.#tokens.expect(';');
    this.#tokens.skipNewlines();
    const next = this.#tokens.token.kind === ')' ? undefined : this.#simple();
    this.#tokens.expect(')');
    if (this.#tokens.accept(';'))
      return { kind: 'for', first, test, next, body: { kind: 'block', body: [] } };
    return { kind: 'for', first, test, next, body: this.#loopBody() };
  }

  /** `for (NAME in ARRAY)`, which no expression begins like. */
  #forIn(): { variable: Name; array: Name } | undefined {
    const before = this.#tokens.mark();
    const variable = this.#tokens.acceptName();
    if (variable !== undefined && this.#tokens.accept('in')) {
      const array = this.#tokens.acceptName();
      if (array !== undefined && this.#tokens.accept(')')) {
        return { variable: { kind: 'name', name: variable }, array: { kind: 'name', name: array } };
      }
    }
    this.#tokens.reset(before);
    return undefined;
  }

  #simple(): Statement {
    const { kind } = this.#tokens.token;
    switch (kind) {
      case 'print':
      case 'printf':
        this.#tokens.advance();
        return this.#print(kind);
      case 'break':
      case 'continue':
        if (this.#loops === 0) this.#tokens.fail(`${kind} outside of a loop`);
        this.#tokens.advance();
        return { kind };
      case 'next':
      case 'nextfile':
        this.#tokens.advance();
        return { kind };
      case 'return':
        if (!this.#inFunction) this.#tokens.fail('return outside of a function');
        this.#tokens.advance();
        return { kind, value: this.#optional() };
      case 'exit':
        this.#tokens.advance();
        return { kind, value: this.#optional() };
      case 'delete': {
        this.#tokens.advance();
        const array: Name = { kind: 'name', name: this.#tokens.name() };
        return {
          kind,
          array,
          subscripts: this.#tokens.accept('[') ? this.#expressions.listUntil(']') : undefined,
        };
      }
      default:
        return { kind: 'expr', expr: this.#expressions.expression() };
    }
  }

  #optional(): Expr | undefined {
    return ['newline', ';', '}', 'end'].includes(this.#tokens.token.kind)
      ? undefined
      : this.#expressions.expression();
  }

  #print(kind: 'print' | 'printf'): Statement {
    const ends = ['newline', ';', '}', 'end', '>', '>>', '|', ')'];
    let args: readonly Expr[] = ends.includes(this.#tokens.token.kind)
      ? []
      : this.#expressions.printed();
    const [only] = args;
    if (args.length === 1 && only?.kind === 'list') args = only.items;
    if (kind === 'printf' && args.length === 0) this.#tokens.fail('printf without a format');
    return { kind, args, redirection: this.#redirection() };
  }

  #redirection(): Redirection | undefined {
    const { kind } = this.#tokens.token;
    if (kind !== '>' && kind !== '>>' && kind !== '|') return undefined;
    this.#tokens.advance();
    return { how: kind, to: this.#expressions.outputTarget() };
  }
}
