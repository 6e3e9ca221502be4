// awk's built-in functions (POSIX.1-2024 XCU awk, "Arithmetic Functions", "String Functions",
// "Input/Output and General Functions").

import { type Context, compileArray, compileReference, type Thunk } from './compile-lvalue.ts';
import { regexOf } from './pattern.ts';
import { sprintf } from './printf.ts';
import { splitByPattern, splitText } from './record.ts';
import { FS, RLENGTH, RSTART } from './scope.ts';
import type { Expr, Lvalue } from './syntax/ast.ts';
import { AwkError } from './syntax/ast.ts';
import { isLvalue } from './syntax/parse-expression.ts';
import { Outside, toNumber, toText } from './value.ts';

const numeric: Readonly<Record<string, (x: number) => number>> = {
  cos: Math.cos,
  sin: Math.sin,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  int: Math.trunc,
};

export function compileBuiltin(context: Context, name: string, exprs: readonly Expr[]): Thunk {
  const { machine } = context;
  switch (name) {
    case 'length':
      return length(context, exprs[0]);
    case 'split':
      return split(context, exprs);
    case 'match':
      return match(context, exprs);
    case 'sub':
    case 'gsub':
      return substitute(context, exprs, name);
    default:
  }
  const args = exprs.map((one) => context.expression(one));
  const number = (i: number): number => toNumber(args[i]?.());
  const text = (i: number): string => toText(args[i]?.(), machine.convfmt);
  const compute = numeric[name];
  if (compute) return () => compute(number(0));
  switch (name) {
    case 'atan2':
      return () => Math.atan2(number(0), number(1));
    case 'rand':
      return () => machine.random.next();
    case 'srand':
      return () => {
        const before = machine.random.seed;
        machine.random.reseed(args.length > 0 ? number(0) : machine.tool.sys.now().sec);
        return before;
      };
    case 'index':
      return () => text(0).indexOf(text(1)) + 1;
    case 'sprintf':
      return () =>
        sprintf(
          text(0),
          args.slice(1).map((arg) => arg()),
          machine.convfmt,
        );
    case 'substr':
      return () => substring(text(0), number(1), args[2] ? number(2) : Number.POSITIVE_INFINITY);
    case 'tolower':
      return () => text(0).replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
    case 'toupper':
      return () => text(0).replace(/[a-z]+/g, (letters) => letters.toUpperCase());
    case 'close':
      return () => machine.streams.close(text(0));
    case 'system':
      return () => machine.streams.system(text(0));
    case 'fflush':
      return () => {
        if (args.length > 0) return machine.streams.flushOne(text(0));
        machine.streams.flush();
        return 0;
      };
    default:
      throw new AwkError(`${name} is no function`);
  }
}

function length(context: Context, arg: Expr | undefined): Thunk {
  const { machine, inside } = context;
  if (arg === undefined) return () => machine.record.text.length;
  if (arg.kind === 'name' && machine.scope.place(arg.name, inside).isArray) {
    const array = compileArray(context, arg);
    return () => array().size;
  }
  const value = context.expression(arg);
  return () => toText(value(), machine.convfmt).length;
}

/** At most `count` characters from position `start` on; a position before the first is the first. */
function substring(text: string, start: number, count: number): string {
  if (Number.isNaN(start) || Number.isNaN(count)) return '';
  const first = Math.max(Math.trunc(start), 1) - 1;
  return text.slice(first, first + Math.max(Math.trunc(count), 0));
}

function split(context: Context, [source, target, separator]: readonly Expr[]): Thunk {
  const { machine } = context;
  const value = context.expression(source as Expr);
  if (target?.kind !== 'name') throw new AwkError('split: the second argument must be an array');
  const array = compileArray(context, target);
  const by = separator && separator.kind !== 'regex' ? context.expression(separator) : undefined;
  const pattern = separator?.kind === 'regex' ? separator.source : undefined;
  return () => {
    const text = toText(value(), machine.convfmt);
    const parts =
      pattern === undefined
        ? splitText(text, by ? toText(by(), machine.convfmt) : machine.text(FS))
        : splitByPattern(text, pattern);
    const map = array();
    map.clear();
    for (const [i, part] of parts.entries()) map.set(String(i + 1), new Outside(part));
    return parts.length;
  };
}

/** The source of a pattern argument: fixed, or made of a value. */
function patternSource(context: Context, pattern: Expr): () => string {
  if (pattern.kind === 'regex') return () => pattern.source;
  const value = context.expression(pattern);
  return () => toText(value(), context.machine.convfmt);
}

function match(context: Context, [source, pattern]: readonly Expr[]): Thunk {
  const { machine } = context;
  const value = context.expression(source as Expr);
  const regex = patternSource(context, pattern as Expr);
  return () => {
    const text = toText(value(), machine.convfmt);
    const found = regexOf(regex()).longest(text, 0);
    machine.cells[RSTART] = found ? found.start + 1 : 0;
    machine.cells[RLENGTH] = found ? found.end - found.start : -1;
    return found ? found.start + 1 : 0;
  };
}

const record: Lvalue = { kind: 'field', index: { kind: 'number', value: 0 } };

function substitute(context: Context, args: readonly Expr[], name: 'sub' | 'gsub'): Thunk {
  const { machine } = context;
  const [pattern, replacement, third] = args;
  const regex = patternSource(context, pattern as Expr);
  const by = context.expression(replacement as Expr);
  // What is no variable is changed, and forgotten.
  const target = third === undefined ? record : isLvalue(third) ? third : undefined;
  const place = target && compileReference(context, target);
  const get = place?.get ?? context.expression(third as Expr);
  return () => {
    const source = regex();
    const template = replacementOf(toText(by(), machine.convfmt));
    const text = toText(get(), machine.convfmt);
    const done = replaced({ text, source, template, all: name === 'gsub' });
    if (done.count > 0) place?.set(done.text);
    return done.count;
  };
}

/** Literal pieces; between two of them stands what matched. */
function replacementOf(text: string): string[] {
  const pieces = [''];
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? '';
    const next = text[i + 1];
    if (c === '&') pieces.push('');
    else if (c === '\\' && (next === '&' || next === '\\')) {
      pieces[pieces.length - 1] += next;
      i++;
    } else pieces[pieces.length - 1] += c;
  }
  return pieces;
}

function replaced(request: {
  text: string;
  source: string;
  template: readonly string[];
  all: boolean;
}): { text: string; count: number } {
  const { text, source, template, all } = request;
  const regex = regexOf(source);
  const out: string[] = [];
  let count = 0;
  let copied = 0;
  let behind = -1; // the end of the last match that was not empty
  for (let from = 0; from <= text.length; ) {
    const found = regex.longest(text, from);
    if (found === undefined) break;
    const { start, end } = found;
    const empty = start === end;
    from = empty ? end + 1 : end;
    if (empty && start === behind) continue; // nothing right behind a match is none
    out.push(text.slice(copied, start), template.join(text.slice(start, end)));
    copied = end;
    behind = empty ? -1 : end;
    count++;
    if (!all) break;
  }
  out.push(text.slice(copied));
  return { text: out.join(''), count };
}
