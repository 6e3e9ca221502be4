// The s command of ed on one line: which matches are replaced, and by what.

import type { Match, Regex } from '../regex/regex.ts';

export interface Substitution {
  readonly regex: Regex;
  /** As written: `&`, `\1`, `\n` are not yet what they stand for. */
  readonly replacement: string;
  /** The number of the match that is replaced; 0 = all. */
  readonly which: number;
}

/** The new text, in which a newline ends a line; undefined when nothing matched. */
export function substitute(text: string, how: Substitution): string | undefined {
  let out = '';
  let at = 0; // what is before was copied
  let from = 0;
  let count = 0;
  let replaced = false;
  while (from <= text.length) {
    const match = how.regex.longest(text, from);
    if (match === undefined) break;
    // An empty match directly behind the one before is none.
    if (match.end > match.start || match.start !== at || count === 0) {
      count++;
      if (how.which === 0 || how.which === count) {
        out += text.slice(at, match.start) + expand(how.replacement, text, match);
        at = match.end;
        replaced = true;
        if (how.which > 0) break;
      }
    }
    from = match.end > match.start ? match.end : match.end + 1;
  }
  return replaced ? out + text.slice(at) : undefined;
}

function expand(replacement: string, text: string, match: Match): string {
  let out = '';
  for (let i = 0; i < replacement.length; i++) {
    const c = replacement[i] ?? '';
    if (c === '&') out += text.slice(match.start, match.end);
    else if (c === '\\') {
      const next = replacement[++i] ?? '';
      out += /[1-9]/.test(next) ? (match.groups[Number(next) - 1] ?? '') : next;
    } else out += c;
  }
  return out;
}
