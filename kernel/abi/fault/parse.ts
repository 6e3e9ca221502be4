// Reads fault rules: `[name:] on POINT {condition} do action{, action}`. A wrong rule is told with
// its column and with what was expected there.

import { checkActions, checkPoint } from './check.ts';
import { parseAction } from './parse-action.ts';
import { parseCondition } from './parse-condition.ts';
import { pointClass } from './points.ts';
import { RULE_BYTES, type Rule } from './rule.ts';
import { Scanner, SyntaxProblem } from './scanner.ts';

/** What is wrong with a rule, and where: the column counts from 1. */
export interface RuleProblem {
  readonly column: number;
  readonly problem: string;
}

/** A rule, or what is wrong with it. */
export function parseRule(text: string): Rule | RuleProblem {
  if (text.length > RULE_BYTES) {
    return { column: RULE_BYTES + 1, problem: `expected at most ${RULE_BYTES} characters` };
  }
  const scanner = new Scanner(text);
  try {
    return readRule(scanner);
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    return { column: error.column, problem: error.message };
  }
}

export const isProblem = (result: Rule | RuleProblem): result is RuleProblem => 'problem' in result;

/** `column 12: expected …`: for logs and messages. */
export const problemText = ({ column, problem }: RuleProblem): string =>
  `column ${column}: ${problem}`;

/** The rules of a text, a line each; blank lines and what stands behind `#` do not count. */
export function ruleLines(text: string): { line: number; text: string }[] {
  return text
    .split('\n')
    .map((line, i) => ({ line: i + 1, text: line.replace(/(^|\s)#.*$/, '').trimEnd() }))
    .filter((one) => one.text.trim() !== '');
}

function readRule(scanner: Scanner): Rule {
  const name = readName(scanner);
  scanner.keyword('on', name === '' ? "'on', or a name and ':'" : "'on'");
  const at = scanner.mark();
  const point = scanner.word('a point such as blk.sdC0.write', /[\w.*{},-]/);
  const found = checkPoint(point, at);
  const match: Rule['match'][number][] = [];
  let when: Rule['when'] = {};
  const { keys } = pointClass(found.kind) ?? { keys: [] };
  while (!scanner.takeKeyword('do')) {
    const condition = parseCondition(scanner, keys);
    if ('key' in condition) match.push(condition);
    else when = { ...when, ...condition };
  }
  const actions: Rule['actions'][number][] = [];
  do {
    const start = scanner.mark();
    const action = parseAction(scanner);
    checkActions(found, action, start);
    actions.push(action);
  } while (scanner.take(','));
  scanner.end("',' and another action, or the end of the rule");
  return { name, point, match, when, actions };
}

function readName(scanner: Scanner): string {
  const start = scanner.mark();
  const found = scanner.matching(/[A-Za-z_][\w-]*(?=\s*:)/y);
  if (found === undefined) return '';
  if (found.length > 24) scanner.fail('a name of at most 24 characters', start);
  scanner.expect(':');
  return found;
}
