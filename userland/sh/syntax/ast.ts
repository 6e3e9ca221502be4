// The syntax tree of the shell (POSIX.1-2024 XCU §2.10). Plain data: it travels to child shells as
// JSON, so a node holds no functions and no caches.

/** A word before expansion. */
export interface Word {
  readonly parts: readonly Part[];
  /** The text, when the word needs no expansion at all. */
  readonly lit?: string;
}

export type ParamOp = '' | 'length' | '-' | '=' | '?' | '+' | '%' | '%%' | '#' | '##';

export interface ParamPart {
  readonly type: 'param';
  readonly name: string;
  readonly quoted: boolean;
  readonly op: ParamOp;
  /** `:-` and its kin treat an empty value as unset. */
  readonly colon: boolean;
  readonly word?: Word;
}

export interface CommandPart {
  readonly type: 'command';
  readonly quoted: boolean;
  readonly body?: Command;
}

export type Part =
  | { readonly type: 'lit'; readonly text: string }
  | { readonly type: 'quoted'; readonly text: string }
  | { readonly type: 'tilde'; readonly user: string }
  | ParamPart
  | CommandPart
  | { readonly type: 'arith'; readonly quoted: boolean; readonly expr: Word }
  | { readonly type: 'bad'; readonly text: string };

export interface Assign {
  readonly name: string;
  readonly value: Word;
}

export type RedirOp = '<' | '>' | '>>' | '>|' | '<>' | '<&' | '>&' | '<<';

export interface Redir {
  readonly op: RedirOp;
  readonly fd: number;
  /** The file, the descriptor, or for a here-document its body. */
  readonly target: Word;
}

export interface Simple {
  readonly type: 'simple';
  readonly line: number;
  readonly assigns: readonly Assign[];
  readonly words: readonly Word[];
  readonly redirs: readonly Redir[];
}

export interface Pipeline {
  readonly type: 'pipeline';
  readonly bang: boolean;
  readonly commands: readonly Command[];
}

export interface AndOr {
  readonly type: 'andor';
  readonly first: Command;
  readonly rest: readonly { readonly op: '&&' | '||'; readonly command: Command }[];
}

export interface ListItem {
  readonly command: Command;
  /** Set on an asynchronous item (`&`): its source text, for `jobs`. */
  readonly async?: string;
}

export interface List {
  readonly type: 'list';
  readonly items: readonly ListItem[];
}

interface Redirected {
  readonly redirs?: readonly Redir[];
  readonly line: number;
}

export interface Group extends Redirected {
  readonly type: 'subshell' | 'brace';
  readonly body: Command;
}

export interface IfClause extends Redirected {
  readonly type: 'if';
  readonly arms: readonly { readonly condition: Command; readonly body: Command }[];
  readonly otherwise?: Command;
}

export interface Loop extends Redirected {
  readonly type: 'while' | 'until';
  readonly condition: Command;
  readonly body: Command;
}

export interface ForLoop extends Redirected {
  readonly type: 'for';
  readonly name: string;
  /** Absent: over "$@". */
  readonly words?: readonly Word[];
  readonly body: Command;
}

export interface CaseItem {
  readonly patterns: readonly Word[];
  readonly body?: Command;
  /** Ended by `;&`: the next item's body runs as well. */
  readonly fallThrough: boolean;
}

export interface CaseClause extends Redirected {
  readonly type: 'case';
  readonly subject: Word;
  readonly items: readonly CaseItem[];
}

export interface FunctionDef {
  readonly type: 'function';
  readonly name: string;
  readonly line: number;
  readonly body: Command;
}

export type Compound = Group | IfClause | Loop | ForLoop | CaseClause;
export type Command = Simple | Pipeline | AndOr | List | Compound | FunctionDef;
