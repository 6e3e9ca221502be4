// `:s` and `:g`: replacing what a pattern finds, and commands for the lines that have it.

import { next } from '../chars.ts';
import type { Editor } from '../editor.ts';
import type { Found } from '../search.ts';
import type { ExCall } from './commands.ts';
import { runLine } from './line.ts';

/** `s/pattern/replacement/flags`; without a pattern, the last one again. */
export function substitute({ vi, range, args }: ExCall): undefined {
  const parts = divided(args);
  const flags = (parts === undefined ? args : parts[2]).trim();
  if (!/^[gcip&r\s]*$/.test(flags)) return vi.complain('Trailing characters');
  if (parts !== undefined) {
    if (parts[0] !== '' && !vi.setPattern(parts[0])) return;
    if (vi.pattern === undefined) return vi.complain('No previous pattern');
    const old = vi.substitution?.replacement ?? '';
    const replacement = parts[1].replace(/\\?~/g, (tilde) => (tilde === '~' ? old : '~'));
    vi.substitution = { pattern: vi.pattern, replacement };
  }
  if (vi.substitution === undefined) return vi.complain('No previous substitution');
  const counts = { changes: 0, lines: 0 };
  let { to } = range;
  for (let line = range.from; line <= to; line++) {
    const { text, changes, stop } = replaced(vi, line, flags);
    if (changes > 0) {
      const lines = text.split(/\r|\n/);
      vi.buffer.splice(line, 1, lines);
      line += lines.length - 1;
      to += lines.length - 1;
      counts.changes += changes;
      counts.lines++;
      vi.toLine(line);
    }
    if (stop) break;
  }
  if (counts.changes === 0) vi.complain('Pattern not found');
  else if (counts.changes > 2) {
    vi.tell(`${counts.changes} substitutions on ${counts.lines} lines`);
  }
}

/** `/a/b/c` in its parts; what divides them may stand behind a backslash. */
function divided(text: string): [string, string, string] | undefined {
  const mark = text.charAt(0);
  if (mark === '' || /[\w\s"|\\&]/.test(mark)) return undefined;
  const parts = [''];
  for (let i = 1; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === '\\' && text[i + 1] === mark) parts.push(`${parts.pop()}${text.charAt(++i)}`);
    else if (char === '\\') parts.push(`${parts.pop()}${char}${text.charAt(++i)}`);
    else if (char === mark && parts.length < 3) parts.push('');
    else parts.push(`${parts.pop()}${char}`);
  }
  return [parts[0] ?? '', parts[1] ?? '', parts[2] ?? ''];
}

function replaced(
  vi: Editor,
  line: number,
  flags: string,
): { text: string; changes: number; stop: boolean } {
  const text = vi.buffer.line(line);
  const { substitution } = vi;
  let out = '';
  let [at, changes] = [0, 0];
  let stop = false;
  for (let search = 0; search <= text.length && substitution !== undefined && !stop; ) {
    const match = substitution.pattern.in(text, search);
    if (match === undefined) break;
    const answer = flags.includes('c') ? confirmed(vi, line, match) : 'y';
    if (answer === 'q') stop = true;
    else if (answer === 'y') {
      const found = text.slice(match.start, match.end);
      out += text.slice(at, match.start) + expanded(substitution.replacement, found, match);
      at = match.end;
      changes++;
    }
    search = match.end > match.start ? match.end : next(text, match.end) || match.end + 1;
    if (match.end === match.start && match.end >= text.length) break;
    if (!flags.includes('g')) break;
  }
  return { text: out + text.slice(at), changes, stop };
}

function confirmed(vi: Editor, line: number, match: Found): 'y' | 'n' | 'q' {
  vi.cursor = { line, column: match.start };
  vi.selection = {
    from: vi.cursor,
    to: { line, column: Math.max(match.end, match.start + 1) },
    lines: false,
  };
  vi.tell('Replace this? (y/n/q)');
  const key = vi.key();
  vi.selection = undefined;
  if (key === 'y') return 'y';
  return key === 'q' || key === 'code' || key === '^C' || key === 'end' ? 'q' : 'n';
}

/** & and \1 … \9; \u \l for the next character, \U \L up to \E; \n and \r are ends of lines. */
function expanded(template: string, found: string, { groups }: Found): string {
  let out = '';
  let [once, all] = ['', ''];
  const add = (text: string): void => {
    if (text === '') return;
    let cased = all === 'U' ? text.toUpperCase() : all === 'L' ? text.toLowerCase() : text;
    if (once !== '') {
      const first = [...cased][0] ?? '';
      const to = once === 'u' ? first.toUpperCase() : first.toLowerCase();
      cased = to + cased.slice(first.length);
    }
    once = '';
    out += cased;
  };
  for (let i = 0; i < template.length; i++) {
    const char = template.charAt(i);
    if (char === '&') add(found);
    else if (char !== '\\') add(char);
    else {
      const code = template.charAt(++i);
      if (/[1-9]/.test(code)) add(groups[Number(code) - 1] ?? '');
      else if (code === '0') add(found);
      else if (code === 'u' || code === 'l') once = code;
      else if (code === 'U' || code === 'L') all = code;
      else if (code === 'E' || code === 'e') all = '';
      else if (code === 'n' || code === 'r') add('\n');
      else if (code === 't') add('\t');
      else add(code);
    }
  }
  return out;
}

/** `g/pattern/command`: the lines are found first, then the command runs for each that is still there. */
export function everywhere({ vi, range, args, bang, given, name }: ExCall): undefined {
  const parts = divided(args);
  if (parts === undefined) return vi.complain('A pattern is wanted');
  if (parts[0] !== '' && !vi.setPattern(parts[0])) return;
  const { pattern, buffer } = vi;
  if (pattern === undefined) return vi.complain('No previous pattern');
  const wants = bang || name.startsWith('v') ? 'none' : 'match';
  const [from, to] = given ? [range.from, range.to] : [0, buffer.lines.length - 1];
  const found: string[] = [];
  for (let line = from; line <= to; line++) {
    if ((pattern.in(buffer.line(line), 0) !== undefined) === (wants === 'match')) {
      const mark = `global ${found.length}`;
      buffer.marks.set(mark, { line, column: 0 });
      found.push(mark);
    }
  }
  const command = [parts[1], parts[2]].filter((part) => part !== '').join(args.charAt(0)) || 'p';
  for (const mark of found) {
    const at = buffer.marks.get(mark);
    buffer.marks.delete(mark);
    if (at === undefined || at.line >= buffer.lines.length) continue;
    vi.toLine(at.line);
    runLine(vi, command);
  }
  if (found.length === 0) vi.complain('Pattern not found');
}
