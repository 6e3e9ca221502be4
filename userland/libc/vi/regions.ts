// Places that belong together: brackets and their partners, the ends of paragraphs.

import type { Buffer } from './buffer.ts';
import type { Place } from './chars.ts';

const partners: Readonly<Record<string, string>> = {
  ...{ '(': ')', '[': ']', '{': '}' },
  ...{ ')': '(', ']': '[', '}': '{' },
};

/** The partner of the first bracket at or behind the cursor in its line. */
export function bracketMatch(buffer: Buffer, from: Place): Place | undefined {
  const rest = buffer
    .line(from.line)
    .slice(from.column)
    .search(/[()[\]{}]/);
  if (rest < 0) return undefined;
  let { line, column } = { line: from.line, column: from.column + rest };
  const own = buffer.line(line).charAt(column);
  const partner = partners[own];
  const step = '([{'.includes(own) ? 1 : -1;
  let depth = 0;
  while (line >= 0 && line < buffer.lines.length) {
    const text = buffer.line(line);
    for (; column >= 0 && column < text.length; column += step) {
      const char = text.charAt(column);
      if (char === own) depth++;
      else if (char === partner && --depth === 0) return { line, column };
    }
    line += step;
    column = step > 0 ? 0 : buffer.line(line).length - 1;
  }
  return undefined;
}

/** The empty line behind the paragraph, or before it; the end of the text otherwise. */
export function paragraph(buffer: Buffer, from: Place, step: 1 | -1): Place | undefined {
  const end = step > 0 ? buffer.lines.length - 1 : 0;
  let { line } = from;
  while (line !== end && buffer.line(line) === '') line += step;
  while (line !== end && buffer.line(line) !== '') line += step;
  const column = step > 0 && buffer.line(line) !== '' ? buffer.line(line).length : 0;
  return line === from.line && column === from.column ? undefined : { line, column };
}
