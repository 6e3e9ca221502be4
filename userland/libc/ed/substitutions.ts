// The s command of ed as it is written: pattern, replacement, flags; and s alone, the last one again.

import { type Patterns, refuse, Scanner } from './scanner.ts';
import { PLAIN, readSuffix, type Style } from './show.ts';
import type { Substitution } from './substitute.ts';

/** Where the next line of commands or text comes from; undefined at the end. */
export type Source = () => string | undefined;

export interface Asked extends Substitution {
  readonly style: Style;
}

export class Substitutions {
  readonly #patterns: Patterns;
  #last: Asked | undefined;

  constructor(patterns: Patterns) {
    this.#patterns = patterns;
  }

  /** What follows the s; a replacement may go on in lines of `source`. */
  read(scanner: Scanner, source: Source): Asked {
    const repeats = /^\d?$|^[gpr]$/.test(scanner.peek());
    this.#last = repeats ? this.#repeated(scanner) : this.#written(scanner, source);
    return this.#last;
  }

  #written(scanner: Scanner, source: Source): Asked {
    const delimiter = scanner.take();
    if (delimiter === ' ') refuse('Invalid pattern delimiter');
    const { text: pattern, closed } = scanner.pattern(delimiter);
    if (!closed) refuse('Missing pattern delimiter');
    const parts = this.#replacement(scanner, delimiter, source);
    if (parts.text === '%')
      parts.text = this.#last?.replacement ?? refuse('No previous substitution');
    let which = 1;
    let ignoreCase = false;
    for (let c = scanner.peek(); /^[gI\d]$/.test(c); c = scanner.peek()) {
      if (/\d/.test(c)) which = Number(scanner.digits()) || refuse('Invalid command suffix');
      else scanner.take();
      if (c === 'g') which = 0;
      if (c === 'I') ignoreCase = true;
    }
    const suffix = readSuffix(scanner);
    // The last delimiter may be left out: then the line is printed.
    const style = parts.closed ? suffix : { ...PLAIN, p: true };
    const regex = this.#patterns.compile(pattern, ignoreCase);
    return { regex, replacement: parts.text, which, style };
  }

  #replacement(
    scanner: Scanner,
    delimiter: string,
    source: Source,
  ): { text: string; closed: boolean } {
    let { text, closed } = scanner.replacement(delimiter);
    while (!closed && /(?:^|[^\\])(?:\\\\)*\\$/.test(text)) {
      const next = source();
      if (next === undefined) break;
      const rest = new Scanner(next);
      const more = rest.replacement(delimiter);
      text += `\n${more.text}`;
      closed = more.closed;
      scanner.append(rest.rest());
    }
    return { text, closed };
  }

  /** s, sg, sp, sr, s3: the last one again, on these lines. */
  #repeated(scanner: Scanner): Asked {
    const last = this.#last ?? refuse('No previous substitution');
    let { regex, which, style } = last;
    for (let c = scanner.peek(); c !== ''; c = scanner.peek()) {
      if (/\d/.test(c)) which = Number(scanner.digits()) || refuse('Invalid command suffix');
      else if (c === 'g') which = which === 0 ? 1 : 0;
      else if (c === 'p') style = { ...style, p: !style.p };
      else if (c === 'r') regex = this.#patterns.last ?? refuse('No previous pattern');
      else refuse('Invalid command suffix');
      if (!/\d/.test(c)) scanner.take();
    }
    return { regex, replacement: last.replacement, which, style };
  }
}
