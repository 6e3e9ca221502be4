// Statements as closures. Each returns how it ended: a loop looks for break and continue, a rule for
// next; out of a function next and exit are thrown (POSIX.1-2024 XCU awk, "Actions").

import { type Bodies, compileMatch, expressionCompiler } from './compile-expression.ts';
import {
  type Context,
  compileArray,
  compileReference,
  compileSubscript,
  type Thunk,
} from './compile-lvalue.ts';
import { Jump, type Machine } from './machine.ts';
import { sprintf } from './printf.ts';
import { OFMT, OFS, ORS } from './scope.ts';
import type {
  Expr,
  FunctionDefinition,
  Redirection,
  Rule,
  Script,
  Statement,
} from './syntax/ast.ts';
import { toBoolean, toNumber, toText, type Value } from './value.ts';

const DONE = 0;
const BREAK = 1;
const CONTINUE = 2;
const NEXT = 3;
const NEXTFILE = 4;
const EXIT = 5;
const RETURN = 6;
type Ending = 0 | 1 | 2 | 3 | 4 | 5 | 6;

type Run = () => Ending;

export interface Program {
  readonly begin: () => 'done' | 'exit';
  /** Runs the rules on the record that is set. */
  readonly record: () => 'done' | 'nextfile' | 'exit';
  readonly end: () => void;
  readonly readsInput: boolean;
}

export function compileScript(machine: Machine, script: Script): Program {
  const bodies: Bodies = new Map();
  for (const [name, defined] of script.functions) {
    const run = statement(expressionCompiler(machine, defined, bodies), defined.body);
    bodies.set(name, run);
  }
  const context = expressionCompiler(machine, undefined, bodies);
  const begin = sequence(script.begin.map((body) => statement(context, body)));
  const end = sequence(script.end.map((body) => statement(context, body)));
  const rules = sequence(script.rules.map((rule) => compileRule(context, rule)));
  return {
    begin: () => (landing(begin) === EXIT ? 'exit' : 'done'),
    record: () => {
      const ending = landing(rules);
      return ending === EXIT ? 'exit' : ending === NEXTFILE ? 'nextfile' : 'done';
    },
    end: () => void landing(end),
    readsInput: script.rules.length + script.end.length > 0,
  };
}

/** A jump out of a function ends here. */
function landing(run: Run): Ending {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof Jump)) throw error;
    return error.kind === 'exit' ? EXIT : error.kind === 'next' ? NEXT : NEXTFILE;
  }
}

function sequence(parts: readonly Run[]): Run {
  const [first, second] = parts;
  if (first === undefined) return () => DONE;
  if (second === undefined) return first;
  return () => {
    for (const part of parts) {
      const ending = part();
      if (ending !== DONE) return ending;
    }
    return DONE;
  };
}

function compileRule(context: Context, rule: Rule): Run {
  const { pattern } = rule;
  const body = statement(context, rule.body ?? { kind: 'print', args: [], redirection: undefined });
  if (pattern.kind === 'always') return body;
  if (pattern.kind === 'expr') {
    const holds = condition(context, pattern.expr);
    return () => (holds() ? body() : DONE);
  }
  const first = condition(context, pattern.first);
  const last = condition(context, pattern.last);
  let inside = false;
  return () => {
    if (!inside && !first()) return DONE;
    inside = !last();
    return body();
  };
}

function condition(context: Context, expr: Expr): () => boolean {
  if (expr.kind === 'regex') {
    const matches = compileMatch(context, expr);
    const { record } = context.machine;
    return () => matches(record.text);
  }
  const value = context.expression(expr);
  return () => toBoolean(value());
}

function statement(context: Context, node: Statement): Run {
  const { machine, expression } = context;
  switch (node.kind) {
    case 'block':
      return sequence(node.body.map((one) => statement(context, one)));
    case 'expr': {
      const value = expression(node.expr);
      return () => {
        value();
        return DONE;
      };
    }
    case 'print':
    case 'printf':
      return output(context, node);
    case 'if': {
      const test = condition(context, node.test);
      const yes = statement(context, node.yes);
      const no = node.no ? statement(context, node.no) : () => DONE as Ending;
      return () => (test() ? yes() : no());
    }
    case 'while':
      return loop({ test: condition(context, node.test), body: statement(context, node.body) });
    case 'do':
      return doLoop(condition(context, node.test), statement(context, node.body));
    case 'for':
      return forLoop(context, node);
    case 'forIn':
      return forIn(context, node);
    case 'delete':
      return remove(context, node);
    case 'break':
      return () => BREAK;
    case 'continue':
      return () => CONTINUE;
    case 'next':
    case 'nextfile':
      return jump(context.inside, node.kind);
    case 'exit': {
      const value = node.value && expression(node.value);
      const leave = jump(context.inside, 'exit');
      return () => {
        if (value) machine.exitStatus = toNumber(value()) & 0xff;
        return leave();
      };
    }
    case 'return': {
      const value: Thunk = node.value ? expression(node.value) : () => undefined;
      return () => {
        machine.returned = value();
        return RETURN;
      };
    }
  }
}

function jump(inside: FunctionDefinition | undefined, kind: Jump['kind']): Run {
  if (inside)
    return () => {
      throw new Jump(kind);
    };
  const ending = kind === 'exit' ? EXIT : kind === 'next' ? NEXT : NEXTFILE;
  return () => ending;
}

function loop(parts: { test: () => boolean; body: Run; next?: Run }): Run {
  const { test, body, next } = parts;
  return () => {
    while (test()) {
      const ending = body();
      if (ending === BREAK) break;
      if (ending !== DONE && ending !== CONTINUE) return ending;
      next?.();
    }
    return DONE;
  };
}

function doLoop(test: () => boolean, body: Run): Run {
  return () => {
    do {
      const ending = body();
      if (ending === BREAK) break;
      if (ending !== DONE && ending !== CONTINUE) return ending;
    } while (test());
    return DONE;
  };
}

function forLoop(context: Context, node: Statement & { kind: 'for' }): Run {
  const first = node.first && statement(context, node.first);
  const run = loop({
    test: node.test ? condition(context, node.test) : () => true,
    body: statement(context, node.body),
    ...(node.next && { next: statement(context, node.next) }),
  });
  return () => {
    first?.();
    return run();
  };
}

/** Over the keys that there are at the start. */
function forIn(context: Context, node: Statement & { kind: 'forIn' }): Run {
  const { set } = compileReference(context, node.variable);
  const array = compileArray(context, node.array);
  const body = statement(context, node.body);
  return () => {
    for (const key of [...array().keys()]) {
      set(key);
      const ending = body();
      if (ending === BREAK) break;
      if (ending !== DONE && ending !== CONTINUE) return ending;
    }
    return DONE;
  };
}

function remove(context: Context, node: Statement & { kind: 'delete' }): Run {
  const array = compileArray(context, node.array);
  const key = node.subscripts && compileSubscript(context, node.subscripts);
  return () => {
    if (key) array().delete(key());
    else array().clear();
    return DONE;
  };
}

type Out = Statement & { kind: 'print' | 'printf' };

function output(context: Context, node: Out): Run {
  const { machine, expression } = context;
  const args = node.args.map((arg) => expression(arg));
  const put = sink(context, node.redirection);
  if (node.kind === 'printf') {
    return () => {
      const [format, ...rest] = args.map((arg) => arg());
      put(sprintf(toText(format, machine.convfmt), rest, machine.convfmt));
      return DONE;
    };
  }
  if (args.length === 0) {
    return () => {
      put(machine.record.text + machine.text(ORS));
      return DONE;
    };
  }
  const shown = (value: Value): string =>
    typeof value === 'string' ? value : toText(value, machine.text(OFMT));
  return () => {
    let line = '';
    for (const [i, arg] of args.entries()) {
      const text = shown(arg());
      line += i === 0 ? text : machine.text(OFS) + text;
    }
    put(line + machine.text(ORS));
    return DONE;
  };
}

function sink(context: Context, redirection: Redirection | undefined): (text: string) => void {
  const { machine } = context;
  const { out } = machine.tool;
  if (redirection === undefined) return (text) => out.latin1(text);
  const name = context.expression(redirection.to);
  const { how } = redirection;
  return (text) => {
    const to = machine.streams.output(how, toText(name(), machine.convfmt));
    to.latin1(text);
  };
}
