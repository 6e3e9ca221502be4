// Variables, fields and array elements as pairs of closures: how to read one and how to set it. What
// lies inside (an index, a subscript) is evaluated once for a reading and a setting together.

import type { Machine } from './machine.ts';
import { NF, SUBSEP } from './scope.ts';
import type { Expr, FunctionDefinition, Lvalue, Name } from './syntax/ast.ts';
import { AwkError } from './syntax/ast.ts';
import { type AwkArray, store, toNumber, toText, type Value } from './value.ts';

export type Thunk = () => Value;

export interface Context {
  readonly machine: Machine;
  readonly inside: FunctionDefinition | undefined;
  readonly expression: (expr: Expr) => Thunk;
}

/** A place that can be read and set. */
export interface Reference {
  readonly get: Thunk;
  readonly set: (value: Value) => Value;
  /** Sets it to what `change` makes of its value; `result` says which of the two is the answer. */
  readonly update: (change: (old: number) => number, result: 'old' | 'new') => number;
}

export function compileReference(context: Context, target: Lvalue): Reference {
  switch (target.kind) {
    case 'name':
      return variable(context, target);
    case 'field':
      return field(context, target.index);
    case 'element':
      return element(context, target);
  }
}

function variable({ machine, inside }: Context, { name }: Name): Reference {
  const { where, slot, isArray } = machine.scope.place(name, inside);
  if (isArray) throw new AwkError(`${name} is an array and stands where a value is needed`);
  const { record, cells } = machine;
  if (where === 'frame')
    return reference(
      () => machine.frame[slot] as Value,
      (value) => {
        machine.frame[slot] = value;
      },
    );
  if (slot === NF)
    return reference(
      () => record.count,
      (value) => {
        record.count = toNumber(value);
      },
    );
  return reference(
    () => cells[slot],
    (value) => {
      cells[slot] = value;
    },
  );
}

function reference(get: Thunk, put: (value: Value) => void): Reference {
  return {
    get,
    set: (value) => {
      put(value);
      return value;
    },
    update: (change, result) => {
      const old = toNumber(get());
      const value = change(old);
      put(value);
      return result === 'old' ? old : value;
    },
  };
}

function field({ machine, expression }: Context, index: Expr): Reference {
  const { record } = machine;
  const at = expression(index);
  const where = (): number => Math.trunc(toNumber(at()));
  const constant = index.kind === 'number' ? index.value : undefined;
  return {
    get: constant === undefined ? () => record.field(where()) : () => record.field(constant),
    set: (value) => {
      record.setField(where(), value);
      return value;
    },
    update: (change, result) => {
      const i = where();
      const old = toNumber(record.field(i));
      const value = change(old);
      record.setField(i, value);
      return result === 'old' ? old : value;
    },
  };
}

function element(context: Context, target: Lvalue & { kind: 'element' }): Reference {
  const array = compileArray(context, target.array);
  const key = compileSubscript(context, target.subscripts);
  return {
    get: () => {
      const map = array();
      const at = key();
      const value = map.get(at);
      if (value === undefined && !map.has(at)) store(map, at, undefined); // to name it is to make it
      return value;
    },
    set: (value) => {
      store(array(), key(), value);
      return value;
    },
    update: (change, result) => {
      const map = array();
      const at = key();
      const old = toNumber(map.get(at));
      const value = change(old);
      store(map, at, value);
      return result === 'old' ? old : value;
    },
  };
}

export function compileArray({ machine, inside }: Context, { name }: Name): () => AwkArray {
  const { where, slot, isArray } = machine.scope.place(name, inside);
  if (!isArray) throw new AwkError(`${name} is no array`);
  if (where === 'frame') return () => machine.frame[slot] as AwkArray;
  const array = machine.array(slot);
  return () => array;
}

export function compileSubscript(context: Context, subscripts: readonly Expr[]): () => string {
  const { machine } = context;
  const parts = subscripts.map((one) => context.expression(one));
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) {
    return () => {
      const value = only();
      return typeof value === 'string' ? value : toText(value, machine.convfmt);
    };
  }
  return () => parts.map((part) => toText(part(), machine.convfmt)).join(machine.text(SUBSEP));
}
