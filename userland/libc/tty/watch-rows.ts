// A program's output as rows of a screen: lines wrapped, tabs as blanks, control characters left out,
// and what differs from an earlier screen in reverse video.

import { reverse } from './screen.ts';
import { charWidth, clusters, clusterWidth } from './width.ts';

const TAB = 8;

/** What follows ESC (ECMA-48 §5.3, §5.4): of these, SGR alone is ever shown. */
const behindEscape = /\[[0-?]*[ -/]*[@-~]|[@-Z\\-_]/y;

export function rowsOf(output: string, how: { columns: number; colours: boolean }): string[] {
  const rows: string[] = [];
  const lines = output.split('\n');
  if (lines.at(-1) === '') lines.pop();
  for (const line of lines) {
    rows.push(...wrapped(line, how));
    if (rows.length > 1000) break; // no screen has more
  }
  return rows;
}

function wrapped(
  line: string,
  { columns, colours }: { columns: number; colours: boolean },
): string[] {
  const rows: string[] = [];
  let row = '';
  let used = 0;
  for (const { text, isEscape } of pieces(line)) {
    if (isEscape) {
      if (colours && text.endsWith('m')) row += text;
      continue;
    }
    for (const cluster of clusters(text)) {
      const blanks = cluster === '\t' ? TAB - (used % TAB) : 0;
      if (blanks === 0 && cluster < ' ') continue;
      const width = blanks || Math.max(clusterWidth(cluster), charWidth(cluster));
      if (used + width > columns) {
        rows.push(row);
        [row, used] = ['', 0];
        if (blanks > 0) continue;
      }
      row += blanks > 0 ? ' '.repeat(blanks) : cluster;
      used += width;
    }
  }
  rows.push(row);
  return rows;
}

function* pieces(line: string): Generator<{ text: string; isEscape: boolean }> {
  let at = 0;
  for (let i = line.indexOf('\x1b'); i >= 0; i = line.indexOf('\x1b', at)) {
    yield { text: line.slice(at, i), isEscape: false };
    behindEscape.lastIndex = i + 1;
    const found = `\x1b${behindEscape.exec(line)?.[0] ?? ''}`;
    yield { text: found, isEscape: true };
    at = i + found.length;
  }
  yield { text: line.slice(at), isEscape: false };
}

/** Cells that differ from `before`, or did earlier (`marks`, a set for each row), in reverse video. */
export function marked(
  rows: readonly string[],
  before: readonly string[],
  marks: Set<number>[],
): string[] {
  return rows.map((row, y) => {
    const cells = clusters(row);
    const old = clusters(before[y] ?? '');
    marks[y] ??= new Set();
    const here = marks[y];
    const length = Math.max(cells.length, old.length);
    let out = '';
    for (let x = 0; x < length; x++) {
      const cell = cells[x] ?? ' ';
      if (cell !== (old[x] ?? ' ')) here.add(x);
      if (here.has(x)) out += reverse(cell);
      else if (x < cells.length) out += cell;
      else out += ' ';
    }
    return out;
  });
}

/** Two texts at the ends of a row; the left one gives way. */
export function titleOf(columns: number, { left, right }: { left: string; right: string }): string {
  const ends = clusters(right);
  const room = columns - ends.length - 1;
  if (room < 1) return ends.slice(0, columns).join('');
  const begins = clusters(left);
  const kept = begins.length > room ? [...begins.slice(0, Math.max(0, room - 3)), '...'] : begins;
  return `${kept.join('').padEnd(room)} ${right}`;
}
