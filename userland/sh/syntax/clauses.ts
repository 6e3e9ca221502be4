// The clauses with reserved words inside: if, for, case (POSIX.1-2024 XCU §2.9.4).

import type { CaseClause, CaseItem, Command, ForLoop, IfClause, Word } from './ast.ts';
import type { Parser } from './parser.ts';

const name = /^[A-Za-z_][A-Za-z_0-9]*$/;

/** After `if`. */
export function parseIf(parser: Parser, line: number): IfClause {
  const arms: { condition: Command; body: Command }[] = [];
  let otherwise: Command | undefined;
  do {
    const condition = parser.body();
    parser.expectWord('then');
    arms.push({ condition, body: parser.body() });
  } while (parser.tryWord('elif'));
  if (parser.tryWord('else')) otherwise = parser.body();
  parser.expectWord('fi');
  return { type: 'if', arms, line, ...(otherwise === undefined ? {} : { otherwise }) };
}

/** After `for`. */
export function parseFor(parser: Parser, line: number): ForLoop {
  const token = parser.take();
  const variable = token.type === 'word' ? token.text : undefined;
  if (variable === undefined || !name.test(variable)) {
    return parser.lexer.syntaxError('Bad for loop variable');
  }
  if (parser.tryOp(';')) return forLoop(parser, { variable, line });
  parser.newlines();
  if (!parser.tryWord('in')) return forLoop(parser, { variable, line });
  const words: Word[] = [];
  for (;;) {
    const next = parser.take();
    if (next.type === 'word') words.push(next.word);
    else if (next.type === 'newline' || (next.type === 'op' && next.op === ';')) break;
    else parser.unexpected();
  }
  return forLoop(parser, { variable, line, words });
}

interface ForHead {
  readonly variable: string;
  readonly line: number;
  readonly words?: readonly Word[];
}

function forLoop(parser: Parser, head: ForHead): ForLoop {
  parser.newlines();
  const body = parser.doGroup();
  const { variable, line, words } = head;
  return { type: 'for', name: variable, body, line, ...(words === undefined ? {} : { words }) };
}

/** After `case`. */
export function parseCase(parser: Parser, line: number): CaseClause {
  const token = parser.peek();
  if (token.type !== 'word') return parser.unexpected();
  parser.take();
  parser.newlines();
  parser.expectWord('in');
  parser.newlines();
  const items: CaseItem[] = [];
  while (!parser.tryWord('esac')) {
    const item = caseItem(parser);
    items.push(item.item);
    if (!item.more) {
      parser.expectWord('esac');
      break;
    }
    parser.newlines();
  }
  return { type: 'case', subject: token.word, items, line };
}

function caseItem(parser: Parser): { item: CaseItem; more: boolean } {
  parser.tryOp('(');
  const patterns: Word[] = [];
  do {
    const token = parser.peek();
    if (token.type !== 'word') return parser.unexpected();
    parser.take();
    patterns.push(token.word);
  } while (parser.tryOp('|'));
  parser.expectOp(')');
  const body = parser.list();
  const fallThrough = parser.tryOp(';&');
  const more = fallThrough || parser.tryOp(';;');
  return { item: { patterns, fallThrough, ...(body === undefined ? {} : { body }) }, more };
}
