// Whether a rule makes sense: its point names some point of ours, and each action is one that every
// operation it names can do.

import { EIO, errnoName } from '../errno.ts';
import { globPattern, POINTS, pointClass, segmentsOf, spelled } from './points.ts';
import type { Action, PointKind } from './rule.ts';
import { SyntaxProblem } from './scanner.ts';

/** What a point's pattern names. */
export interface NamedPoints {
  readonly kind: PointKind;
  readonly point: string;
  readonly operations: readonly string[];
}

/** Throws a SyntaxProblem that lists what could stand there. */
export function checkPoint(point: string, column: number): NamedPoints {
  const [kind = '', ...rest] = segmentsOf(point);
  const found = pointClass(kind);
  if (found === undefined || unbalanced(point)) {
    const all = POINTS.map((one) => spelled({ ...one, operations: one.operations.slice(0, 1) }));
    throw new SyntaxProblem(column, `no point '${point}': expected ${all.join(', ')}`);
  }
  const length = (found.place === '' ? 0 : 1) + (found.operations[0] === '' ? 0 : 1);
  const last = found.operations[0] === '' ? '' : (rest.at(-1) ?? '');
  const operations = found.operations.filter((name) => globPattern(last).test(name));
  if (rest.length !== length || operations.length === 0 || rest.includes('')) {
    throw new SyntaxProblem(column, `no point '${point}': expected ${spelled(found)}`);
  }
  return { kind: found.kind, point, operations };
}

/** Braces that open and close, one level deep. */
const unbalanced = (point: string): boolean => /[{}]/.test(point.replace(/\{[^{}]*\}/g, ''));

/** Throws a SyntaxProblem that names what the point can do. */
export function checkActions(named: NamedPoints, action: Action, column: number): void {
  const { kind, operations, point } = named;
  const { actions } = pointClass(kind) ?? { actions: () => [] };
  const bad = operations.find((operation) => !actions(operation).includes(action.do));
  if (bad !== undefined) {
    const can = actions(bad).filter((one) => operations.every((o) => actions(o).includes(one)));
    const where = operations.length > 1 && bad !== '' ? `${point} (${bad})` : point;
    throw new SyntaxProblem(
      column,
      `'${action.do}' makes no sense at ${where}: expected ${can.join(', ')}`,
    );
  }
  if (action.do === 'err' && kind === 'blk' && action.errno !== EIO) {
    const name = errnoName(action.errno);
    throw new SyntaxProblem(column, `a disk cannot tell ${name}: expected err EIO`);
  }
  const kernel = kind === 'ipc' && /^ipc\.kernel\./.test(point);
  if (kernel && (action.do === 'hang' || action.do === 'crash')) {
    throw new SyntaxProblem(column, `the kernel itself does not ${action.do}: expected drop, err`);
  }
}
