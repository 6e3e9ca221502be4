// Texts that are data by their shape: JSON (RFC 8259), lines of it, and values between commas (RFC 4180).

import type { Kind } from './magic.ts';

export function describeData(text: string): Kind | undefined {
  const json = jsonOf(text);
  if (json === 'whole') return { description: 'JSON text data', mime: 'application/json' };
  if (json === 'lines')
    return { description: 'New Line Delimited JSON text data', mime: 'application/x-ndjson' };
  return isCsv(text) ? { description: 'CSV text', mime: 'text/csv' } : undefined;
}

/** Objects and arrays only: a number alone is any text. */
function jsonOf(text: string): 'whole' | 'lines' | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined;
  if (isJson(text)) return 'whole';
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.length > 1 && lines.every(isJson) ? 'lines' : undefined;
}

function isJson(text: string): boolean {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Lines that are enough to be sure. */
const ENOUGH = 10;

/** At least three lines with as many commas each; none within quotes counts. */
function isCsv(text: string): boolean {
  const lines = text.replace(/"(?:[^"]|"")*"/g, '').split('\n');
  const whole = lines.slice(0, -1); // what follows the last newline is no line
  const counts = whole.slice(0, ENOUGH).map((line) => line.split(',').length - 1);
  const [first = 0] = counts;
  return first > 0 && counts.length > 2 && counts.every((count) => count === first);
}
