// Addresses of ex: numbers, `.`, `$`, marks, patterns, and what is added to them; lines count from 0 here.

import type { Editor } from '../editor.ts';

export interface Range {
  readonly from: number;
  readonly to: number;
}

interface Parsed {
  readonly line: number | undefined;
  readonly rest: string;
}

/** `wrong` has been told of; undefined when none was given. */
export function addressRange(
  vi: Editor,
  text: string,
): { range: Range | 'wrong' | undefined; rest: string } {
  const last = vi.buffer.lines.length - 1;
  if (text.startsWith('%'))
    return { range: { from: 0, to: last }, rest: text.slice(1).trimStart() };
  let rest = text;
  const lines: number[] = [];
  for (let at = vi.cursor.line; ; ) {
    const parsed = address(vi, rest, at);
    if (parsed === 'wrong') return { range: 'wrong', rest };
    rest = parsed.rest.trimStart();
    const separator = /^[,;]/.exec(rest)?.[0];
    if (parsed.line === undefined && separator === undefined && lines.length === 0) {
      return { range: undefined, rest };
    }
    lines.push(parsed.line ?? at);
    if (separator === undefined) break;
    if (separator === ';') at = parsed.line ?? at;
    rest = rest.slice(1).trimStart();
  }
  const [from = 0, to = from] = lines.slice(-2);
  if (from > to || to > last || from < -1) {
    vi.complain(from > to ? 'The first address is behind the second' : 'Not so many lines');
    return { range: 'wrong', rest };
  }
  return { range: { from, to }, rest };
}

function address(vi: Editor, text: string, current: number): Parsed | 'wrong' {
  let rest = text.trimStart();
  let line: number | undefined;
  const number = /^\d+/.exec(rest)?.[0];
  if (number !== undefined) {
    line = Number(number) - 1;
    rest = rest.slice(number.length);
  } else if (rest.startsWith('.')) [line, rest] = [current, rest.slice(1)];
  else if (rest.startsWith('$')) [line, rest] = [vi.buffer.lines.length - 1, rest.slice(1)];
  else if (rest.startsWith("'")) {
    line = rest[1] === '<' ? undefined : vi.buffer.marks.get(rest[1] ?? '')?.line;
    if (line === undefined) return wrong(vi, 'Mark not set');
    rest = rest.slice(2);
  } else if (/^[/?]/.test(rest)) {
    const found = searched(vi, rest, current);
    if (found === 'wrong') return found;
    ({ line, rest } = found);
  }
  for (
    let more = /^\s*([-+]+)(\d*)/.exec(rest);
    more !== null;
    more = /^\s*([-+]+)(\d*)/.exec(rest)
  ) {
    const signs = more[1] ?? '';
    const step = signs.endsWith('-') ? -1 : 1;
    const by = more[2] === '' ? signs.length : Number(more[2]);
    line = (line ?? current) + step * by;
    rest = rest.slice(more[0].length);
  }
  return { line, rest };
}

function searched(vi: Editor, text: string, current: number): Parsed | 'wrong' {
  const mark = text.charAt(0);
  let end = 1;
  while (end < text.length && text[end] !== mark) end += text[end] === '\\' ? 2 : 1;
  const pattern = text.slice(1, end);
  if (pattern !== '' && !vi.setPattern(pattern)) return 'wrong';
  const way = mark === '/' ? 'forward' : 'backward';
  const from = { line: current, column: way === 'forward' ? vi.buffer.line(current).length : 0 };
  const found = vi.search(from, way);
  if (found === undefined) return wrong(vi, 'Pattern not found');
  return { line: found.line, rest: text.slice(end + 1) };
}

function wrong(vi: Editor, message: string): 'wrong' {
  vi.complain(message);
  return 'wrong';
}
