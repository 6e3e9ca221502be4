// Running bc programs: variables, arrays and functions, whose locals hide what had their name
// (POSIX.1-2024 XCU bc, "Operation").

import { arcTangent, bessel, cosine, exponential, logarithm, sine } from './library.ts';
import {
  add,
  BcError,
  compareNumbers,
  divide,
  formatNumber,
  integer,
  lengthOf,
  multiply,
  type Num,
  negated,
  parseNumber,
  raise,
  remainder,
  rescaled,
  squareRoot,
  subtract,
  zero,
} from './number.ts';
import {
  type ArrayArgument,
  type Expr,
  type Local,
  type Place,
  Quit,
  type Statement,
} from './syntax.ts';

type Definition = Statement & { kind: 'define' };
type Ending = 'done' | 'break' | 'continue' | 'return';

const MOST_CALLS = 1500;
const MOST_INDEX = 16_777_215;
const MOST_BASE = 1_000_000_000;
/** Columns of a line of output, the backslash that continues it included. */
const LINE = 69;

const library: Readonly<Record<string, (args: readonly Num[], scale: number) => Num>> = {
  s: ([x = zero], scale) => sine(x, scale),
  c: ([x = zero], scale) => cosine(x, scale),
  a: ([x = zero], scale) => arcTangent(x, scale),
  l: ([x = zero], scale) => logarithm(x, scale),
  e: ([x = zero], scale) => exponential(x, scale),
  j: ([n = zero, x = zero], scale) => bessel(n, x, scale),
};

export class BcMachine {
  readonly #write: (text: string) => void;
  readonly #mathLibrary: boolean;
  readonly #variables = new Map<string, Num>();
  readonly #arrays = new Map<string, Map<number, Num>>();
  readonly #functions = new Map<string, Definition>();
  #scale: number;
  #ibase = 10;
  #obase = 10;
  #last: Num = zero;
  #depth = 0;
  #returned: Num = zero;
  #column = 0;

  constructor(options: { write: (text: string) => void; mathLibrary: boolean }) {
    this.#write = options.write;
    this.#mathLibrary = options.mathLibrary;
    this.#scale = options.mathLibrary ? 20 : 0;
  }

  run(statement: Statement): Ending {
    switch (statement.kind) {
      case 'expr':
        this.#show(statement.expr);
        return 'done';
      case 'string':
        this.#text(statement.text);
        return 'done';
      case 'print':
        for (const item of statement.items) {
          if (typeof item === 'string') this.#text(escaped(item));
          else this.#number(this.#evaluate(item), '');
        }
        return 'done';
      case 'block':
        for (const one of statement.body) {
          const ending = this.run(one);
          if (ending !== 'done') return ending;
        }
        return 'done';
      case 'if': {
        const branch = this.#holds(statement.test) ? statement.yes : statement.no;
        return branch ? this.run(branch) : 'done';
      }
      case 'while':
        return this.#loop({ test: statement.test, body: statement.body, next: undefined });
      case 'for':
        if (statement.first) this.#evaluate(statement.first);
        return this.#loop(statement);
      case 'return':
        this.#returned = statement.value ? this.#evaluate(statement.value) : zero;
        return 'return';
      case 'break':
      case 'continue':
        return statement.kind;
      case 'define':
        this.#functions.set(statement.name, statement);
        return 'done';
      case 'halt':
        throw new Quit();
    }
  }

  #loop(parts: { test: Expr | undefined; body: Statement; next: Expr | undefined }): Ending {
    while (parts.test === undefined || this.#holds(parts.test)) {
      const ending = this.run(parts.body);
      if (ending === 'break') break;
      if (ending === 'return') return ending;
      if (parts.next) this.#evaluate(parts.next);
    }
    return 'done';
  }

  #holds(test: Expr): boolean {
    return this.#evaluate(test).digits !== 0n;
  }

  /** An expression that stands alone shows its value, an assignment does not. */
  #show(expr: Expr): void {
    const value = this.#evaluate(expr);
    if (expr.kind === 'assign') return;
    if (expr.kind === 'call' && this.#functions.get(expr.name)?.isVoid) return;
    this.#last = value;
    this.#number(value, '\n');
  }

  #number(value: Num, end: string): void {
    const text = formatNumber(value, this.#obase);
    let out = '';
    for (const c of text) {
      if (this.#column === LINE - 1) {
        out += '\\\n';
        this.#column = 0;
      }
      out += c;
      this.#column++;
    }
    if (end === '\n') this.#column = 0;
    this.#write(out + end);
  }

  #text(text: string): void {
    this.#write(text);
    const newline = text.lastIndexOf('\n');
    this.#column = newline < 0 ? this.#column + text.length : text.length - newline - 1;
  }

  #evaluate(expr: Expr): Num {
    switch (expr.kind) {
      case 'number':
        return parseNumber(expr.text, this.#ibase);
      case 'group':
        return this.#evaluate(expr.body);
      case 'variable':
      case 'special':
      case 'element':
        return this.#reference(expr).get();
      case 'assign': {
        const place = this.#reference(expr.to);
        const right = this.#evaluate(expr.value);
        place.set(expr.op === '' ? right : this.#compute(expr.op, place.get(), right));
        return place.get();
      }
      case 'step': {
        const place = this.#reference(expr.to);
        const before = place.get();
        place.set(add(before, integer(expr.by)));
        return expr.prefix ? place.get() : before;
      }
      case 'negate':
        return negated(this.#evaluate(expr.body));
      case 'not':
        return integer(this.#holds(expr.body) ? 0 : 1);
      case 'binary': {
        if (expr.op === '&&')
          return integer(this.#holds(expr.left) && this.#holds(expr.right) ? 1 : 0);
        if (expr.op === '||')
          return integer(this.#holds(expr.left) || this.#holds(expr.right) ? 1 : 0);
        const left = this.#evaluate(expr.left);
        return this.#compute(expr.op, left, this.#evaluate(expr.right));
      }
      case 'call':
        return this.#call(expr);
    }
  }

  #compute(op: string, a: Num, b: Num): Num {
    switch (op) {
      case '+':
        return add(a, b);
      case '-':
        return subtract(a, b);
      case '*':
        return multiply(a, b, this.#scale);
      case '/':
        return divide(a, b, this.#scale);
      case '%':
        return remainder(a, b, this.#scale);
      case '^':
        return raise(a, b, this.#scale);
      default: {
        const order = compareNumbers(a, b);
        const holds = { '<': order < 0, '<=': order <= 0, '==': order === 0, '!=': order !== 0 };
        const more = { '>': order > 0, '>=': order >= 0 };
        return integer({ ...holds, ...more }[op] ? 1 : 0);
      }
    }
  }

  #reference(place: Place): { get: () => Num; set: (value: Num) => void } {
    switch (place.kind) {
      case 'variable': {
        const { name } = place;
        return {
          get: () => this.#variables.get(name) ?? zero,
          set: (value) => void this.#variables.set(name, value),
        };
      }
      case 'element': {
        const index = Number(rescaled(this.#evaluate(place.index), 0).digits);
        if (!(index >= 0 && index <= MOST_INDEX))
          throw new BcError(`Array ${place.name} subscript out of bounds.`);
        const array = this.#array(place.name);
        return {
          get: () => array.get(index) ?? zero,
          set: (value) => void array.set(index, value),
        };
      }
      case 'special':
        return this.#special(place.name);
    }
  }

  #special(name: 'scale' | 'ibase' | 'obase' | 'last'): {
    get: () => Num;
    set: (value: Num) => void;
  } {
    const small = (value: Num): number => Number(rescaled(value, 0).digits);
    const clamp = (value: Num, range: { least: number; most: number }): number =>
      Math.min(Math.max(small(value), range.least), range.most);
    switch (name) {
      case 'scale':
        return {
          get: () => integer(this.#scale),
          set: (value) => {
            if (value.digits < 0n) throw new BcError('negative scale, set to 0');
            this.#scale = clamp(value, { least: 0, most: 2 ** 31 - 1 });
          },
        };
      case 'ibase':
        return {
          get: () => integer(this.#ibase),
          set: (value) => {
            this.#ibase = clamp(value, { least: 2, most: 16 });
          },
        };
      case 'obase':
        return {
          get: () => integer(this.#obase),
          set: (value) => {
            this.#obase = clamp(value, { least: 2, most: MOST_BASE });
          },
        };
      case 'last':
        return {
          get: () => this.#last,
          set: (value) => {
            this.#last = value;
          },
        };
    }
  }

  #array(name: string): Map<number, Num> {
    const array = this.#arrays.get(name) ?? new Map<number, Num>();
    this.#arrays.set(name, array);
    return array;
  }

  #call(expr: Expr & { kind: 'call' }): Num {
    const { name, args } = expr;
    const first = args[0];
    const value = (): Num =>
      first === undefined || first.kind === 'array' ? zero : this.#evaluate(first);
    if (name === 'length') return integer(lengthOf(value()));
    if (name === 'scale') return integer(value().scale);
    if (name === 'sqrt') return squareRoot(value(), this.#scale);
    const defined = this.#functions.get(name);
    if (defined) return this.#callDefined(defined, args);
    const known = this.#mathLibrary ? library[name] : undefined;
    if (known === undefined) throw new BcError(`Function ${name} not defined.`);
    const numbers = args.map((arg) => (arg.kind === 'array' ? zero : this.#evaluate(arg)));
    return known(numbers, this.#scale);
  }

  /** What the locals hide comes back afterwards, however the function ends. Arrays go by value. */
  #callDefined(defined: Definition, args: readonly (Expr | ArrayArgument)[]): Num {
    const { params, autos, name } = defined;
    if (args.length !== params.length)
      throw new BcError(`Parameter number mismatch in a call of ${name}`);
    const values = args.map((arg, i) => {
      if ((arg.kind === 'array') !== params[i]?.isArray)
        throw new BcError(`Parameter type mismatch, parameter ${params[i]?.name}.`);
      return arg.kind === 'array' ? new Map(this.#array(arg.name)) : this.#evaluate(arg);
    });
    if (++this.#depth > MOST_CALLS) {
      this.#depth = 0;
      throw new BcError(`calls of ${name} nested too deep`);
    }
    const restore = [...params, ...autos].map((local, i) => this.#hide(local, values[i]));
    try {
      this.#returned = zero;
      this.run(defined.body);
      return this.#returned;
    } finally {
      for (const back of restore.reverse()) back();
      this.#depth--;
    }
  }

  #hide(local: Local, value: Num | Map<number, Num> | undefined): () => void {
    const { name, isArray } = local;
    if (isArray) {
      const before = this.#arrays.get(name);
      this.#arrays.set(name, (value as Map<number, Num> | undefined) ?? new Map());
      return () => this.#arrays.set(name, before ?? new Map());
    }
    const before = this.#variables.get(name);
    this.#variables.set(name, (value as Num | undefined) ?? zero);
    return () => this.#variables.set(name, before ?? zero);
  }
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  q: '"',
  r: '\r',
  t: '\t',
  '\\': '\\',
};

/** The escapes of print. */
const escaped = (text: string): string =>
  text.replace(/\\(.)/gs, (whole, letter) => escapes[letter] ?? whole);
