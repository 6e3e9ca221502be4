// Fields under construction: field splitting (POSIX.1-2024 XCU §2.6.5) as text arrives, with a
// pattern beside each field's text in which quoted characters are escaped.

import { hasPattern, quotePattern } from '../pattern.ts';

export interface Field {
  readonly text: string;
  /** Set when unquoted `*`, `?` or `[` ask for pathname expansion. */
  readonly pattern: string | undefined;
}

export class FieldBuilder {
  readonly fields: Field[] = [];
  private readonly ifs: string;
  private readonly white: string;
  private text = '';
  private pattern = '';
  private globs = false;
  private open = false;
  /** The last field was ended by IFS white space; one other delimiter may still belong to it. */
  private afterWhite = false;

  constructor(ifs: string) {
    this.ifs = ifs;
    this.white = [...ifs].filter((c) => c === ' ' || c === '\t' || c === '\n').join('');
  }

  /** Text that is neither split nor a pattern; even '' makes a field. */
  quoted(text: string): void {
    this.text += text;
    this.pattern += quotePattern(text);
    this.open = true;
    this.afterWhite = false;
  }

  /** Unquoted text of the word itself: not split, but a pattern. */
  literal(text: string): void {
    if (text === '') return;
    this.text += text;
    this.pattern += text;
    if (!this.globs) this.globs = hasPattern(text);
    this.open = true;
    this.afterWhite = false;
  }

  /** The result of an unquoted expansion. */
  split(text: string): void {
    let start = 0;
    for (let i = 0; i < text.length; i++) {
      const char = text.charAt(i);
      if (!this.ifs.includes(char)) continue;
      this.literal(text.slice(start, i));
      start = i + 1;
      if (this.white.includes(char)) {
        if (this.open) {
          this.end();
          this.afterWhite = true;
        }
      } else if (this.open) this.end();
      else if (this.afterWhite) this.afterWhite = false;
      else this.end();
    }
    this.literal(start === 0 ? text : text.slice(start));
  }

  /** Ends the field, empty or not. */
  end(): void {
    this.fields.push({ text: this.text, pattern: this.globs ? this.pattern : undefined });
    this.text = '';
    this.pattern = '';
    this.globs = false;
    this.open = false;
    this.afterWhite = false;
  }

  /** Ends the field if one has begun, as white space does if IFS begins with some. */
  flush(): void {
    if (!this.open) return;
    this.end();
    this.afterWhite = this.white.includes(this.ifs.charAt(0));
  }

  /** What stood in double quotes came to nothing: that is an empty field, if none has begun. */
  atLeastEmpty(): void {
    if (!this.open) this.quoted('');
  }
}
