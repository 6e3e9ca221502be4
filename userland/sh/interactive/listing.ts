// What may be meant, in columns below the line, sorted downwards as `ls` does.

import { clusters, clusterWidth, shown } from '../../libc/tty/width.ts';

/** More are only counted. */
const most = 200;

export function inColumns(names: readonly string[], columns: number): string {
  const cells = names.slice(0, most).map((name) => {
    const parts = clusters(name);
    const width = parts.reduce((sum, part) => sum + clusterWidth(part), 0);
    return { text: parts.map(shown).join(''), width };
  });
  const cell = cells.reduce((widest, { width }) => Math.max(widest, width), 0) + 2;
  const across = Math.max(1, Math.floor(columns / cell));
  const rows = Math.ceil(cells.length / across);
  let out = '';
  for (let row = 0; row < rows; row++) {
    let line = '';
    for (let at = row; at < cells.length; at += rows) {
      const { text, width } = cells[at] ?? { text: '', width: 0 };
      line += text + ' '.repeat(at + rows < cells.length ? cell - width : 0);
    }
    out += `${line}\r\n`;
  }
  return names.length > most ? `${out}… and ${names.length - most} more\r\n` : out;
}
