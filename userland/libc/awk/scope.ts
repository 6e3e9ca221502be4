// Which names of an awk program are arrays, and where its variables lie: parameters in their frame,
// all others global. A name is an array where it is used as one, or passed to whom uses it as one.

import { AwkError, type Expr, type FunctionDefinition, type Script } from './syntax/ast.ts';

/** The variables that awk itself reads or sets, in their slots. */
export const NF = 0;
export const NR = 1;
export const FNR = 2;
export const FS = 3;
export const OFS = 4;
export const ORS = 5;
export const RS = 6;
export const FILENAME = 7;
export const SUBSEP = 8;
export const RSTART = 9;
export const RLENGTH = 10;
export const CONVFMT = 11;
export const OFMT = 12;
export const ARGC = 13;
const specials = [
  ...['NF', 'NR', 'FNR', 'FS', 'OFS', 'ORS', 'RS', 'FILENAME', 'SUBSEP', 'RSTART', 'RLENGTH'],
  ...['CONVFMT', 'OFMT', 'ARGC'],
];

export interface Place {
  readonly where: 'global' | 'frame';
  readonly slot: number;
  readonly isArray: boolean;
}

export class Scope {
  readonly #script: Script;
  readonly #slots = new Map<string, number>(specials.map((name, slot) => [name, slot]));
  /** `name` of a global, `function/name` of a parameter. */
  readonly #arrays = new Set<string>(['ENVIRON', 'ARGV']);
  readonly #scalars = new Set<string>(specials);

  constructor(script: Script) {
    this.#script = script;
    const links: [string, string][] = [];
    for (const code of [script.begin, script.rules, script.end])
      each(code, (node) => this.#note(node, undefined, links));
    for (const defined of script.functions.values())
      each(defined.body, (node) => this.#note(node, defined, links));
    this.#spread(links);
    for (const name of this.#arrays) {
      const [inFunction = '', param] = name.split('/');
      if (this.#scalars.has(name) || (param === undefined && script.functions.has(name)))
        throw new AwkError(`${param ?? inFunction} is used as an array and as something else`);
    }
  }

  get globals(): ReadonlyMap<string, number> {
    return this.#slots;
  }

  place(name: string, inside: FunctionDefinition | undefined): Place {
    const param = inside?.params.indexOf(name) ?? -1;
    const isArray = this.#arrays.has(keyOf(name, inside));
    if (param >= 0) return { where: 'frame', slot: param, isArray };
    if (this.#script.functions.has(name))
      throw new AwkError(`function ${name} is used as a variable`);
    return { where: 'global', slot: this.slot(name), isArray };
  }

  /** The slot of a global; a name from the command line may be new. */
  slot(name: string): number {
    const slot = this.#slots.get(name) ?? this.#slots.size;
    this.#slots.set(name, slot);
    return slot;
  }

  isArrayParam(defined: FunctionDefinition, index: number): boolean {
    return this.#arrays.has(`${defined.name}/${defined.params[index]}`);
  }

  isGlobalArray(name: string): boolean {
    return this.#arrays.has(name);
  }

  #note(node: Node, inside: FunctionDefinition | undefined, links: [string, string][]): void {
    const array = arrayIn(node);
    if (array !== undefined) this.#arrays.add(keyOf(array, inside));
    if (node.kind === 'assign' || node.kind === 'step') {
      const { target } = node as Expr & { kind: 'assign' };
      if (target.kind === 'name') this.#scalars.add(keyOf(target.name, inside));
    }
    if (node.kind !== 'call') return;
    const { name, args } = node as Expr & { kind: 'call' };
    const params = this.#script.functions.get(name)?.params ?? [];
    args.forEach((arg, i) => {
      if (arg.kind === 'name') links.push([keyOf(arg.name, inside), `${name}/${params[i]}`]);
    });
  }

  /** What is passed to an array parameter is an array, and the other way round. */
  #spread(links: readonly [string, string][]): void {
    for (let before = -1; before !== this.#arrays.size; ) {
      before = this.#arrays.size;
      for (const [from, to] of links) {
        if (this.#arrays.has(from)) this.#arrays.add(to);
        if (this.#arrays.has(to)) this.#arrays.add(from);
      }
    }
  }
}

interface Node {
  readonly kind: string;
}

const keyOf = (name: string, inside: FunctionDefinition | undefined): string =>
  inside?.params.includes(name) ? `${inside.name}/${name}` : name;

/** The name that a node uses as an array. */
function arrayIn(node: Node): string | undefined {
  if ('array' in node) return (node.array as { name: string }).name;
  if (node.kind !== 'builtin') return undefined;
  const { name, args } = node as Expr & { kind: 'builtin' };
  const second = args[1];
  return name === 'split' && second?.kind === 'name' ? second.name : undefined;
}

/** Every node of a tree; what has no kind is passed through. */
function each(tree: unknown, action: (node: Node) => void): void {
  if (Array.isArray(tree)) for (const item of tree) each(item, action);
  else if (typeof tree === 'object' && tree !== null) {
    if ('kind' in tree) action(tree as Node);
    for (const part of Object.values(tree)) each(part, action);
  }
}
