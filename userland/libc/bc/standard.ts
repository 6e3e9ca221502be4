// What bc -s does not take: all that POSIX.1-2024 XCU bc, "Grammar", has not.

import type { ArrayArgument, Expr, Statement } from './syntax.ts';

/** Why each part of it that goes beyond the standard does. */
export function objections(statement: Statement): string[] {
  const found: string[] = [];
  ofStatement(statement, found);
  return found;
}

function ofStatement(statement: Statement, found: string[]): void {
  switch (statement.kind) {
    case 'expr':
      ofExpr(statement.expr, found);
      return;
    case 'print':
      found.push('print statement');
      return;
    case 'block':
      for (const inner of statement.body) ofStatement(inner, found);
      return;
    case 'if':
      ofCondition(statement.test, found);
      ofStatement(statement.yes, found);
      if (statement.no === undefined) return;
      found.push('else clause in if statement');
      ofStatement(statement.no, found);
      return;
    case 'while':
      ofCondition(statement.test, found);
      ofStatement(statement.body, found);
      return;
    case 'for':
      ofFor(statement, found);
      return;
    case 'return':
      if (statement.value === undefined) return;
      if (statement.value.kind !== 'group') found.push('return expression requires parenthesis');
      ofExpr(statement.value, found);
      return;
    case 'continue':
      found.push('Continue statement');
      return;
    case 'define':
      ofDefinition(statement, found);
      return;
    default:
      return;
  }
}

function ofFor(statement: Statement & { kind: 'for' }, found: string[]): void {
  const { first, test, next } = statement;
  for (const part of [first, next])
    if (part === undefined) found.push('Missing expression in for statement');
    else ofExpr(part, found);
  if (test === undefined) found.push('Missing expression in for statement');
  else ofCondition(test, found);
  ofStatement(statement.body, found);
}

function ofDefinition(statement: Statement & { kind: 'define' }, found: string[]): void {
  if (statement.isVoid) found.push('void functions');
  if (!statement.isOnLines) found.push('End of line required');
  for (const { name } of [...statement.params, ...statement.autos]) ofName(name, found);
  ofName(statement.name, found);
  ofStatement(statement.body, found);
}

function ofName(name: string, found: string[]): void {
  if (name.length > 1) found.push(`multiple letter name - ${name}`);
}

const isComparison = (expr: Expr): expr is Expr & { kind: 'binary' } =>
  expr.kind === 'binary' && /^[<>=!]/.test(expr.op);

/** Here, and nowhere else, two values may be compared. */
function ofCondition(expr: Expr, found: string[]): void {
  if (isComparison(expr)) {
    ofCondition(expr.left, found);
    ofExpr(expr.right, found);
  } else ofExpr(expr, found);
}

function ofExpr(expr: Expr | ArrayArgument, found: string[]): void {
  switch (expr.kind) {
    case 'variable':
    case 'array':
      ofName(expr.name, found);
      return;
    case 'special':
      if (expr.name === 'last') found.push('Last variable');
      return;
    case 'element':
      ofName(expr.name, found);
      ofExpr(expr.index, found);
      return;
    case 'group':
    case 'negate':
      ofExpr(expr.body, found);
      return;
    case 'not':
      found.push('! operator');
      ofExpr(expr.body, found);
      return;
    case 'assign':
      ofExpr(expr.to, found);
      ofExpr(expr.value, found);
      return;
    case 'step':
      ofExpr(expr.to, found);
      return;
    case 'binary':
      if (isComparison(expr)) found.push('comparison in expression');
      else if (/^[&|]/.test(expr.op)) found.push(`${expr.op} operator`);
      ofExpr(expr.left, found);
      ofExpr(expr.right, found);
      return;
    case 'call':
      if (!/^(length|sqrt|scale)$/.test(expr.name)) ofName(expr.name, found);
      for (const argument of expr.args) ofExpr(argument, found);
      return;
    default:
      return;
  }
}
