// Shows prompt and line on as many rows as they take: goes back to their first row, clears what is
// below, and writes them anew (ECMA-48 CUU, CUF, ED). The cursor is where it should be at the end.

import { clusters, clusterWidth, shown } from '../../libc/tty/width.ts';

export interface View {
  readonly prompt: string;
  readonly chars: readonly string[];
  readonly cursor: number;
  readonly columns: number;
}

interface Place {
  row: number;
  column: number;
}

/** The row that the cursor stands on, counted from the first one of the prompt. */
export class Screen {
  private row = 0;

  /** What to write so that the view is seen. */
  refresh(view: View): string {
    const { text, cursor, end } = layout(view);
    const up = end.row - cursor.row;
    const out =
      `${this.toTop()}\x1b[J${text}` +
      (up > 0 ? `\x1b[${up}A` : '') +
      `\r${cursor.column > 0 ? `\x1b[${cursor.column}C` : ''}`;
    this.row = cursor.row;
    return out;
  }

  /** The line is done: goes below it. */
  leave(view: View): string {
    const { end } = layout(view);
    // A line that fills its row has led to the next one already.
    const below = end.column === 0 && end.row > 0 && view.chars.at(-1) !== '\n';
    const out = `${this.toEnd(view)}${below ? '' : '\r\n'}`;
    this.row = 0;
    return out;
  }

  /** Goes behind the line, if the cursor is not there. */
  toEnd(view: View): string {
    const { length } = view.chars;
    return view.cursor === length ? '' : this.refresh({ ...view, cursor: length });
  }

  /** Something else was written meanwhile: the view begins on a row of its own. */
  forget(): void {
    this.row = 0;
  }

  private toTop(): string {
    return `\r${this.row > 0 ? `\x1b[${this.row}A` : ''}`;
  }
}

interface Layout {
  readonly text: string;
  readonly cursor: Place;
  readonly end: Place;
}

function layout({ prompt, chars, cursor, columns }: View): Layout {
  const width = Math.max(columns, 4);
  const place: Place = { row: 0, column: 0 };
  let text = '';
  for (const [i, piece] of prompt.split('\x1b').entries()) {
    const sequence = i > 0 ? (/^\[[0-?]*[ -/]*[@-~]/.exec(piece)?.[0] ?? '') : '';
    if (i > 0) text += `\x1b${sequence}`; // takes no room
    for (const cluster of clusters(piece.slice(sequence.length)))
      text += put(place, cluster, width);
  }
  let at = { ...place };
  chars.forEach((cluster, i) => {
    if (i === cursor) at = { ...place };
    text += put(place, cluster, width);
  });
  if (cursor >= chars.length) at = { ...place };
  return { text, cursor: at, end: place };
}

/** One cluster at a place; says how to write it. Rows end where we say, not where the terminal does. */
function put(place: Place, cluster: string, columns: number): string {
  if (cluster === '\n') {
    place.row++;
    place.column = 0;
    return '\r\n';
  }
  const width = clusterWidth(cluster);
  const wraps = place.column + width > columns;
  if (wraps) {
    place.row++;
    place.column = 0;
  }
  place.column += width;
  let out = (wraps ? '\r\n' : '') + shown(cluster);
  if (place.column === columns) {
    place.row++;
    place.column = 0;
    out += '\r\n'; // most terminals wait with this until another character comes
  }
  return out;
}
