// Expressions as closures over the machine: what can be decided once is decided here, when the
// program is read (POSIX.1-2024 XCU awk, "Expressions in awk").

import { compileBuiltin } from './builtins.ts';
import {
  type Context,
  compileArray,
  compileReference,
  compileSubscript,
  type Thunk,
} from './compile-lvalue.ts';
import type { Machine } from './machine.ts';
import { regexOf } from './pattern.ts';
import { FNR, NR } from './scope.ts';
import { AwkError, type Expr, type FunctionDefinition, type Getline } from './syntax/ast.ts';
import {
  type AwkArray,
  compareValues,
  Outside,
  toBoolean,
  toNumber,
  toText,
  type Value,
} from './value.ts';

/** Calls of functions inside each other. */
const MOST_CALLS = 2000;

/** How to run a function's body; filled in when the bodies are compiled. */
export type Bodies = Map<string, () => void>;

export function expressionCompiler(
  machine: Machine,
  inside: FunctionDefinition | undefined,
  bodies: Bodies,
): Context {
  const context: Context = {
    machine,
    inside,
    expression: (expr) => compile({ ...context, bodies }, expr),
  };
  return context;
}

type Compiler = Context & { readonly bodies: Bodies };

function compile(context: Compiler, expr: Expr): Thunk {
  const { machine, expression } = context;
  switch (expr.kind) {
    case 'number':
    case 'string': {
      const { value } = expr;
      return () => value;
    }
    case 'regex': {
      const regex = regexOf(expr.source);
      return () => (regex.find(machine.record.text, 0) ? 1 : 0);
    }
    case 'list':
      throw new AwkError('a list in parentheses stands where a value is needed');
    case 'group':
      return expression(expr.body);
    case 'name':
    case 'field':
    case 'element':
      return compileReference(context, expr).get;
    case 'assign':
      return assignment(context, expr);
    case 'step': {
      const { update } = compileReference(context, expr.target);
      const { by } = expr;
      const result = expr.prefix ? 'new' : 'old';
      return () => update((old) => old + by, result);
    }
    case 'unary':
      return unary(expr.op, expression(expr.body));
    case 'binary':
      return binary(context, expr);
    case 'match': {
      const text = expression(expr.left);
      const matches = compileMatch(context, expr.right);
      const { negated } = expr;
      return () => (matches(toText(text(), machine.convfmt)) === negated ? 0 : 1);
    }
    case 'in': {
      const array = compileArray(context, expr.array);
      const key = compileSubscript(context, expr.subscripts);
      return () => (array().has(key()) ? 1 : 0);
    }
    case 'choice': {
      const [test, yes, no] = [expr.test, expr.yes, expr.no].map(expression) as [
        Thunk,
        Thunk,
        Thunk,
      ];
      return () => (toBoolean(test()) ? yes() : no());
    }
    case 'builtin':
      return compileBuiltin(context, expr.name, expr.args);
    case 'call':
      return call(context, expr);
    case 'getline':
      return getline(context, expr);
  }
}

/** Whether a text matches: a pattern known now, or one made of a value each time. */
export function compileMatch(context: Context, pattern: Expr): (text: string) => boolean {
  if (pattern.kind === 'regex') {
    const regex = regexOf(pattern.source);
    return (text) => regex.find(text, 0) !== undefined;
  }
  const value = context.expression(pattern);
  const { machine } = context;
  return (text) => regexOf(toText(value(), machine.convfmt)).find(text, 0) !== undefined;
}

function assignment(context: Context, expr: Expr & { kind: 'assign' }): Thunk {
  const { set, update } = compileReference(context, expr.target);
  const value = context.expression(expr.value);
  if (expr.op === '') return () => set(value());
  const compute = arithmetic[expr.op] as Arithmetic;
  return () => {
    const right = toNumber(value());
    return update((old) => compute(old, right), 'new');
  };
}

function unary(op: '!' | '-' | '+', body: Thunk): Thunk {
  if (op === '!') return () => (toBoolean(body()) ? 0 : 1);
  return op === '-' ? () => -toNumber(body()) : () => toNumber(body());
}

type Arithmetic = (left: number, right: number) => number;

const arithmetic: Readonly<Record<string, Arithmetic>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => (b === 0 ? fail('division by zero') : a / b),
  '%': (a, b) => (b === 0 ? fail('division by zero in %') : a % b),
  '^': (a, b) => a ** b,
};

const comparisons: Readonly<Record<string, (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
  '==': (order) => order === 0,
  '!=': (order) => order !== 0,
};

function fail(message: string): never {
  throw new AwkError(message);
}

function binary({ machine, expression }: Context, expr: Expr & { kind: 'binary' }): Thunk {
  const { op } = expr;
  const left = expression(expr.left);
  const right = expression(expr.right);
  if (op === '&&') return () => (toBoolean(left()) && toBoolean(right()) ? 1 : 0);
  if (op === '||') return () => (toBoolean(left()) || toBoolean(right()) ? 1 : 0);
  if (op === ' ')
    return () => {
      const first = toText(left(), machine.convfmt);
      return first + toText(right(), machine.convfmt);
    };
  const holds = comparisons[op];
  if (holds)
    return () => {
      const a = left();
      const b = right();
      if (typeof a === 'number' && typeof b === 'number') return holds(a - b) ? 1 : 0;
      return holds(compareValues(a, b, machine.convfmt)) ? 1 : 0;
    };
  const compute = arithmetic[op] as Arithmetic;
  return () => {
    const a = toNumber(left());
    return compute(a, toNumber(right()));
  };
}

/** Arrays go by reference; parameters without an argument are fresh. */
function call(context: Compiler, expr: Expr & { kind: 'call' }): Thunk {
  const { machine, bodies } = context;
  const defined = machine.functions.get(expr.name) ?? fail(`function ${expr.name} is not defined`);
  const args = defined.params.map((_, i): (() => Value | AwkArray) => {
    const arg = expr.args[i];
    if (!machine.scope.isArrayParam(defined, i))
      return arg === undefined ? () => undefined : context.expression(arg);
    if (arg === undefined) return () => new Map();
    if (arg.kind !== 'name') return fail(`${expr.name}: argument ${i + 1} must be an array`);
    return compileArray(context, arg);
  });
  const { name } = expr;
  return () => {
    const frame = args.map((arg) => arg());
    const before = machine.frame;
    if (++machine.depth > MOST_CALLS) fail(`function ${name}: calls nested too deep`);
    machine.frame = frame;
    machine.returned = undefined;
    try {
      bodies.get(name)?.();
    } finally {
      machine.frame = before;
      machine.depth--;
    }
    const { returned } = machine;
    machine.returned = undefined;
    return returned;
  };
}

function getline(context: Context, expr: Getline): Thunk {
  const { machine } = context;
  const target = expr.target && compileReference(context, expr.target);
  const put = (text: string): number => {
    if (target) target.set(new Outside(text));
    else machine.record.set(text);
    return 1;
  };
  if (expr.source === undefined)
    return () => {
      const text = machine.nextRecord();
      return text === undefined ? 0 : put(text);
    };
  const source = context.expression(expr.source);
  const from = expr.from === 'file' ? 'file' : 'command';
  return () => {
    const name = toText(source(), machine.convfmt);
    const text = machine.readFrom(from, name);
    if (typeof text === 'number') return text;
    if (from === 'command') machine.count(NR);
    if (from === 'command') machine.count(FNR);
    return put(text);
  };
}
