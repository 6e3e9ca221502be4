// Puts hunks into a file: each where it says, or as near to there as its lines are found, with less and
// less of its context where they are not (POSIX.1-2024 XCU patch, "Patch Application").

import type { Hunk, HunkLine } from './hunks.ts';

export interface Applied {
  readonly lines: readonly string[];
  readonly unterminated: boolean;
  readonly results: readonly HunkResult[];
}

export interface HunkResult {
  readonly hunk: Hunk;
  /** The line where it was looked for first, after those before it. */
  readonly wanted: number;
  /** undefined: it does not fit anywhere. */
  readonly place:
    | { readonly line: number; readonly offset: number; readonly fuzz: number }
    | undefined;
}

export interface ApplyOptions {
  readonly fuzz: number;
  /** Blanks match any blanks (patch -l). */
  readonly loose: boolean;
}

export function applyHunks(
  file: { lines: readonly string[]; unterminated: boolean },
  hunks: readonly Hunk[],
  options: ApplyOptions,
): Applied {
  const out: string[] = [];
  const results: HunkResult[] = [];
  let taken = 0; // lines of the file that are in `out`
  let drift = 0; // how far the last hunk was from where it should have been
  let unterminated = file.unterminated;
  for (const hunk of hunks) {
    const wanted = hunk.oldStart + 1 + out.length - taken;
    const found = locate(file.lines, hunk, { ...options, from: taken, drift });
    if (found === undefined) {
      results.push({ hunk, wanted, place: undefined });
      continue;
    }
    const { at, fuzz, lines } = found;
    drift = found.drift;
    out.push(...file.lines.slice(taken, at));
    const line = out.length - found.skipped + 1;
    let next = at;
    for (const { mark, text } of lines) {
      if (mark === ' ') out.push(file.lines[next++] ?? text);
      else if (mark === '-') next++;
      else out.push(text);
    }
    taken = next;
    if (taken >= file.lines.length) unterminated = endsOpen(lines);
    results.push({ hunk, wanted, place: { line, offset: drift, fuzz } });
  }
  out.push(...file.lines.slice(taken));
  return { lines: out, unterminated: unterminated && out.length > 0, results };
}

/** Where all lines of the hunk go, the line before them is the last: it had its newline. */
function endsOpen(lines: readonly HunkLine[]): boolean {
  return lines.findLast((line) => line.mark !== '-')?.unterminated ?? false;
}

interface Found {
  readonly at: number;
  readonly drift: number;
  readonly fuzz: number;
  /** Lines of context at the start that fuzz left out. */
  readonly skipped: number;
  readonly lines: readonly HunkLine[];
}

function locate(
  file: readonly string[],
  hunk: Hunk,
  how: ApplyOptions & { from: number; drift: number },
): Found | undefined {
  const { lines } = hunk;
  const prefix = lines.findIndex((line) => line.mark !== ' ');
  const suffix = lines.length - 1 - lines.findLastIndex((line) => line.mark !== ' ');
  const context = Math.max(prefix, suffix);
  for (let fuzz = 0; fuzz <= Math.min(how.fuzz, context); fuzz++) {
    const skipped = Math.max(0, fuzz + prefix - context);
    const cut = Math.max(0, fuzz + suffix - context);
    const part = lines.slice(skipped, lines.length - cut);
    const old = part.filter((line) => line.mark !== '+').map((line) => line.text);
    const wanted = hunk.oldStart + skipped + how.drift;
    // Less context before than behind: the hunk was at the start of its file; the other way, at its end.
    const anchor =
      fuzz + prefix < context && hunk.oldStart === 0
        ? 'start'
        : fuzz + suffix < context
          ? 'end'
          : 'none';
    const at = nearest({ file, old, wanted, from: how.from, loose: how.loose, anchor });
    if (at !== undefined)
      return { at, drift: at - skipped - hunk.oldStart, fuzz, skipped, lines: part };
  }
  return undefined;
}

interface Search {
  readonly file: readonly string[];
  readonly old: readonly string[];
  readonly wanted: number;
  readonly from: number;
  readonly loose: boolean;
  readonly anchor: 'start' | 'end' | 'none';
}

function nearest(search: Search): number | undefined {
  const { file, old, wanted, from, anchor } = search;
  const last = file.length - old.length;
  if (anchor === 'start') return from === 0 && matches(search, 0) ? 0 : undefined;
  if (anchor === 'end') return last >= from && matches(search, last) ? last : undefined;
  if (old.length === 0) return wanted >= from && wanted <= file.length ? wanted : undefined;
  const most = Math.max(wanted - from, last - wanted);
  for (let distance = 0; distance <= most; distance++) {
    for (const at of distance === 0 ? [wanted] : [wanted + distance, wanted - distance]) {
      if (at >= from && at <= last && matches(search, at)) return at;
    }
  }
  return undefined;
}

function matches({ file, old, loose }: Search, at: number): boolean {
  const same = (a: string, b: string): boolean => a === b || (loose && squeezed(a) === squeezed(b));
  return (
    at >= 0 && old.every((line, i) => file[at + i] !== undefined && same(file[at + i] ?? '', line))
  );
}

const squeezed = (line: string): string => line.replace(/[ \t]+/g, ' ').trimEnd();
