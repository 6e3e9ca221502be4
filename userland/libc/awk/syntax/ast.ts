// The tree of an awk program, as the parser makes it (POSIX.1-2024 XCU awk, "Grammar").

export type Expr =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  /** A pattern between slashes; alone it is matched with $0. */
  | { readonly kind: 'regex'; readonly source: string }
  /** `(a, b)`: subscripts before `in`, or all that is printed. */
  | { readonly kind: 'list'; readonly items: readonly Expr[] }
  | { readonly kind: 'group'; readonly body: Expr }
  | Lvalue
  | { readonly kind: 'assign'; readonly op: string; readonly target: Lvalue; readonly value: Expr }
  | {
      readonly kind: 'step';
      readonly by: 1 | -1;
      readonly prefix: boolean;
      readonly target: Lvalue;
    }
  | { readonly kind: 'unary'; readonly op: '!' | '-' | '+'; readonly body: Expr }
  | { readonly kind: 'binary'; readonly op: string; readonly left: Expr; readonly right: Expr }
  | { readonly kind: 'match'; readonly negated: boolean; readonly left: Expr; readonly right: Expr }
  | { readonly kind: 'in'; readonly subscripts: readonly Expr[]; readonly array: Name }
  | { readonly kind: 'choice'; readonly test: Expr; readonly yes: Expr; readonly no: Expr }
  | { readonly kind: 'builtin'; readonly name: string; readonly args: readonly Expr[] }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expr[] }
  | Getline;

export type Name = { readonly kind: 'name'; readonly name: string };
export type Lvalue =
  | Name
  | { readonly kind: 'field'; readonly index: Expr }
  | { readonly kind: 'element'; readonly array: Name; readonly subscripts: readonly Expr[] };

export interface Getline {
  readonly kind: 'getline';
  readonly target: Lvalue | undefined;
  /** From the main input, a file, or a command's output. */
  readonly from: 'main' | 'file' | 'command';
  readonly source: Expr | undefined;
}

export interface Redirection {
  readonly how: '>' | '>>' | '|';
  readonly to: Expr;
}

export type Statement =
  | { readonly kind: 'block'; readonly body: readonly Statement[] }
  | { readonly kind: 'expr'; readonly expr: Expr }
  | {
      readonly kind: 'print' | 'printf';
      readonly args: readonly Expr[];
      readonly redirection: Redirection | undefined;
    }
  | {
      readonly kind: 'if';
      readonly test: Expr;
      readonly yes: Statement;
      readonly no: Statement | undefined;
    }
  | { readonly kind: 'while'; readonly test: Expr; readonly body: Statement }
  | { readonly kind: 'do'; readonly test: Expr; readonly body: Statement }
  | {
      readonly kind: 'for';
      readonly first: Statement | undefined;
      readonly test: Expr | undefined;
      readonly next: Statement | undefined;
      readonly body: Statement;
    }
  | {
      readonly kind: 'forIn';
      readonly variable: Name;
      readonly array: Name;
      readonly body: Statement;
    }
  | {
      readonly kind: 'delete';
      readonly array: Name;
      readonly subscripts: readonly Expr[] | undefined;
    }
  | { readonly kind: 'break' | 'continue' | 'next' | 'nextfile' }
  | { readonly kind: 'exit' | 'return'; readonly value: Expr | undefined };

export type Pattern =
  | { readonly kind: 'always' }
  | { readonly kind: 'expr'; readonly expr: Expr }
  | { readonly kind: 'range'; readonly first: Expr; readonly last: Expr };

export interface Rule {
  readonly pattern: Pattern;
  /** Without a body the record is printed. */
  readonly body: Statement | undefined;
}

export interface FunctionDefinition {
  readonly name: string;
  readonly params: readonly string[];
  readonly body: Statement;
}

export interface Script {
  readonly begin: readonly Statement[];
  readonly rules: readonly Rule[];
  readonly end: readonly Statement[];
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
}

/** What is wrong with a program, and in which of its lines. */
export class AwkError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}
