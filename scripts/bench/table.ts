// The bench as a table: for a terminal, a line a row, and for docs/performance.md.

import type { Figure, Result } from './row.ts';

/** One row for the terminal. */
export function line(result: Result): string {
  const { id, figure, yardstick, ratio } = result;
  const beside = yardstick ? `${yardstick.what}: ${show(yardstick)}` : '';
  return [
    id.padEnd(12),
    show(figure).padStart(14),
    beside.padEnd(40),
    (ratio === undefined ? '' : `× ${significant(ratio)}`).padStart(9),
    verdict(result).padEnd(9),
    result.note ?? '',
  ]
    .join('  ')
    .trimEnd();
}

export const head = (): string =>
  `${'row'.padEnd(12)}  ${'Atoll'.padStart(14)}  ${'yardstick'.padEnd(40)}  ${'ratio'.padStart(9)}  target`;

/** All rows for docs/performance.md. */
export function markdown(results: readonly Result[]): string {
  const rows = results.map((result) => [
    result.what,
    show(result.figure),
    result.yardstick ? `${show(result.yardstick)} (${result.yardstick.what})` : '',
    result.ratio === undefined ? '' : significant(result.ratio),
    result.target === '' ? 'reported' : result.target,
    verdict(result) === 'reported' ? '' : verdict(result),
    result.note ?? '',
  ]);
  const heads = ['row', 'Atoll', 'yardstick', 'ratio', 'target', '', 'besides'];
  const all = [heads, heads.map(() => '---'), ...rows];
  return all.map((cells) => `| ${cells.map(escaped).join(' | ')} |\n`).join('');
}

const escaped = (cell: string): string => cell.replaceAll('|', '\\|');

export const verdict = ({ met }: Result): string =>
  met === undefined ? 'reported' : met ? 'met' : 'NOT MET';

const show = ({ value, unit }: Figure): string => `${significant(value)} ${unit}`;

/** Three digits that mean something, and thousands apart. */
function significant(value: number): string {
  if (!Number.isFinite(value)) return '?';
  if (value >= 1000) return Math.round(value).toLocaleString('en');
  return value.toPrecision(3);
}
