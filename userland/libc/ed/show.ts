// Lines as p, n and l of ed show them.

import { refuse, type Scanner } from './scanner.ts';

export type Style = Readonly<Record<'p' | 'n' | 'l', boolean>>;

export const PLAIN: Style = { p: false, n: false, l: false };

const COLUMNS = 72;
const escapes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\\': '\\\\',
  $: '\\$',
};

export function shownLine(text: string, number: number, style: Style): string {
  const head = style.n ? `${number}\t` : '';
  return `${head}${style.l ? unambiguous(text, style.n ? 8 : 0) : text}\n`;
}

/** Escapes for what does not print, lines folded by a backslash, `$` at the end. */
function unambiguous(text: string, startColumn: number): string {
  let out = '';
  let column = startColumn;
  for (const c of text) {
    const piece =
      escapes[c] ??
      (c >= ' ' && c <= '~' ? c : `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
    if (column + piece.length > COLUMNS) {
      out += '\\\n';
      column = 0;
    }
    out += piece;
    column += piece.length;
  }
  return `${out}$`;
}

/** p, n and l behind a command, which must end here. */
export function readSuffix(scanner: Scanner): Style {
  let style = PLAIN;
  for (let c = scanner.peek(); c === 'p' || c === 'n' || c === 'l'; c = scanner.peek()) {
    if (style[c]) refuse('Invalid command suffix');
    style = { ...style, [c]: true };
    scanner.take();
  }
  if (scanner.peek() !== '') refuse('Invalid command suffix');
  return style;
}
