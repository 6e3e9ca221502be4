// fmt: fills paragraphs, with GNU's -c -g -p -s -t -u -w. A paragraph is the lines of one prefix and margin;
// where its lines break is chosen in libc/text/paragraph.ts.

import { EOVERFLOW, ERANGE, strerror } from '../../kernel/abi/errno.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import type { Input, Output } from '../libc/stdio.ts';
import { fromLatin1, toLatin1 } from '../libc/text/latin1.ts';
import { parseCount } from '../libc/text/numbers.ts';
import { type Breaks, breaksOf, splitPoint, type Word, wordOf } from '../libc/text/paragraph.ts';
import { quoted, quotedArgument } from '../libc/text/quote.ts';

const [TAB, NEWLINE, BLANK, EOF] = [9, 10, 32, -1] as const;
const MOST_INT = 2 ** 31 - 1;
const MOST_WIDTH = 2500;
/** What one paragraph may hold: the lines of a longer one are settled piece by piece. */
const [MOST_WORDS, MOST_BYTES] = [998, 5000] as const;
const TAB_WIDTH = 8;
const TAGGED_INDENT = 3;

export const main = program(
  {
    usage: '[-WIDTH] [-cstu] [-w WIDTH] [-g GOAL] [-p PREFIX] [FILE]...',
    short: 'cg:p:stuw:',
    long: {
      'crown-margin': 'c',
      'goal=': 'g',
      'prefix=': 'p',
      'split-only': 's',
      'tagged-paragraph': 't',
      'uniform-spacing': 'u',
      'width=': 'w',
    },
    // As the first word only.
    rewrite: ([first, ...rest]) =>
      first === undefined ? [] : [/^-\d/.test(first) ? `-w${first.slice(1)}` : first, ...rest],
  },
  (tool, options) => {
    const words = {
      open: (name: string) => `cannot open ${quoted(name)} for reading`,
      read: () => 'read error',
    };
    const plan = planOf(tool, options);
    tool.eachInput(
      options.operands,
      (input) => new Filler(tool.out, new Bytes(input), plan).run(),
      words,
    );
  },
);

interface Plan {
  readonly width: number;
  readonly goal: number;
  /** Blanks before the prefix, then it as it is compared, with the blanks at its end, and without. */
  readonly lead: number;
  readonly prefix: string;
  readonly wholePrefix: number;
  readonly uniform: boolean;
  readonly margins: 'same' | 'split' | 'crown' | 'tagged';
}

function planOf(tool: Tool, options: Options): Plan {
  const number = (name: string, most: number): number | undefined => {
    const text = options.value(name);
    if (text === undefined) return undefined;
    const value = parseCount(text);
    if (value === undefined) return tool.die(`invalid width: ${quotedArgument(text)}`);
    if (value > most) {
      const errno = value > MOST_INT / 2 ? EOVERFLOW : ERANGE;
      return tool.die(`invalid width: ${quotedArgument(text)}: ${strerror(errno)}`);
    }
    return value;
  };
  const given = number('w', MOST_WIDTH);
  const aim = number('g', given ?? 75);
  const width = given ?? (aim === undefined ? 75 : aim + 10);
  const text = toLatin1(encodeText(options.value('p') ?? ''));
  const whole = text.replace(/^ +/, '');
  return {
    width,
    goal: aim ?? Math.floor((width * 187) / 200),
    lead: text.length - whole.length,
    prefix: whole.replace(/ +$/, ''),
    wholePrefix: whole.length,
    uniform: options.has('u'),
    margins: options.has('s')
      ? 'split'
      : options.has('c')
        ? 'crown'
        : options.has('t')
          ? 'tagged'
          : 'same',
  };
}

/** Bytes one by one. */
class Bytes {
  readonly #input: Input;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(input: Input) {
    this.#input = input;
  }

  next(): number {
    while (this.#at === this.#chunk.length) {
      const chunk = this.#input.chunk();
      if (chunk === undefined) return EOF;
      this.#chunk = chunk;
      this.#at = 0;
    }
    return this.#chunk[this.#at++] ?? EOF;
  }
}

class Filler {
  readonly #out: Output;
  readonly #bytes: Bytes;
  readonly #plan: Plan;
  /** The next byte that was not taken, and the column it stands in. */
  #c: number = EOF;
  #column = 0;
  /** Where the prefix of the line at hand begins, and where the paragraph's did. */
  #lead = 0;
  #paragraphLead = 0;
  #first = 0;
  #other = 0;
  #words: Word[] = [];
  #size = 0;
  #lastLength = 0;
  #outColumn = 0;
  /** Blanks are written as tabs once there was a tab. */
  #tabs = false;

  constructor(out: Output, bytes: Bytes, plan: Plan) {
    this.#out = out;
    this.#bytes = bytes;
    this.#plan = plan;
  }

  run(): void {
    this.#beginLine();
    while (this.#readParagraph()) this.#put(this.#breaks(), this.#words.length);
  }

  /** False at the end of the file. */
  #readParagraph(): boolean {
    const { lead, wholePrefix, margins } = this.#plan;
    this.#lastLength = 0;
    while (this.#isLineEnd() || this.#lead < lead || this.#column < this.#lead + wholePrefix) {
      this.#copyRest();
      if (this.#c === EOF) return false;
      this.#out.byte(NEWLINE);
      this.#beginLine();
    }
    this.#paragraphLead = this.#lead;
    this.#first = this.#column;
    this.#words = [];
    this.#size = 0;
    this.#readLine();
    const goesOn = this.#isSame();
    this.#setOther(goesOn);
    // The second line of a crown sets the margin; that of a tagged paragraph must have another one.
    const second = margins === 'crown' || (margins === 'tagged' && this.#column !== this.#first);
    if (margins !== 'split' && goesOn && (second || margins === 'same')) {
      if (margins !== 'same') this.#readLine();
      while (this.#isSame() && this.#column === this.#other) this.#readLine();
    }
    const last = this.#words.at(-1);
    if (last) last.period = last.final = true;
    return true;
  }

  #isLineEnd = (): boolean => this.#c === NEWLINE || this.#c === EOF;

  /** The line at hand may go on with the paragraph. */
  #isSame(): boolean {
    return (
      this.#lead === this.#paragraphLead &&
      this.#column >= this.#lead + this.#plan.wholePrefix &&
      !this.#isLineEnd()
    );
  }

  /** Takes the blanks and the prefix that a line begins with. */
  #beginLine(): void {
    const { prefix, lead } = this.#plan;
    this.#column = 0;
    this.#c = this.#bytes.next();
    this.#skipBlanks();
    this.#lead = prefix === '' ? Math.min(lead, this.#column) : this.#column;
    if (prefix === '') return;
    for (const byte of fromLatin1(prefix)) {
      if (this.#c !== byte) return;
      this.#column++;
      this.#c = this.#bytes.next();
    }
    this.#skipBlanks();
  }

  #skipBlanks(): void {
    for (; this.#c === BLANK || this.#c === TAB; this.#c = this.#bytes.next()) {
      if (this.#c === TAB) this.#tabs = true;
      this.#column = this.#c === TAB ? nextTab(this.#column) : this.#column + 1;
    }
  }

  /** A line that is no part of a paragraph: as it is, as far as it is not only blanks. */
  #copyRest(): void {
    const { prefix } = this.#plan;
    this.#outColumn = 0;
    if (this.#column > this.#lead || !this.#isLineEnd()) {
      this.#blanks(this.#lead);
      const shown = prefix.slice(0, Math.max(0, this.#column - this.#outColumn));
      this.#out.latin1(shown);
      this.#outColumn += shown.length;
      if (!this.#isLineEnd()) this.#blanks(this.#column - this.#outColumn);
      if (this.#c === EOF && this.#column >= this.#lead + prefix.length) this.#out.byte(NEWLINE);
    }
    for (; !this.#isLineEnd(); this.#c = this.#bytes.next()) this.#out.byte(this.#c);
  }

  /** The words of a line, and the beginning of the next. */
  #readLine(): void {
    do {
      const word = this.#readWord();
      const start = this.#column;
      this.#skipBlanks();
      word.space = this.#column - start;
      const isLast = this.#isLineEnd();
      word.final = this.#c === EOF || (word.period && (this.#c === NEWLINE || word.space > 1));
      if (isLast || this.#plan.uniform) word.space = word.final ? 2 : 1;
      if (this.#words.length === MOST_WORDS) this.#settle();
      this.#words.push(word);
    } while (!this.#isLineEnd());
    this.#beginLine();
  }

  #readWord(): Word {
    let text = '';
    do {
      if (this.#size + text.length === MOST_BYTES) {
        if (this.#words.length > 0) this.#settle();
        else {
          this.#out.latin1(text);
          text = '';
          this.#size = 0;
        }
      }
      text += String.fromCharCode(this.#c);
      this.#c = this.#bytes.next();
    } while (this.#c !== EOF && !isSpace(this.#c));
    this.#column += text.length;
    this.#size += text.length;
    return wordOf(text);
  }

  #setOther(goesOn: boolean): void {
    const { margins } = this.#plan;
    const first = this.#first;
    if (margins === 'crown') this.#other = goesOn ? this.#column : first;
    else if (margins !== 'tagged') this.#other = first;
    else if (goesOn && this.#column !== first) this.#other = this.#column;
    // One line alone: its others are indented so that they would be read as such.
    else if (this.#other === first) this.#other = first === 0 ? TAGGED_INDENT : 0;
  }

  #breaks(): Breaks {
    const { width, goal } = this.#plan;
    const margins = { first: this.#first, other: this.#other, before: this.#lastLength };
    return breaksOf(this.#words, { width, goal, ...margins });
  }

  /** Writes the lines of a paragraph that is too long to be held, up to a good break. */
  #settle(): void {
    this.#setOther(true);
    const breaks = this.#breaks();
    const split = splitPoint(this.#words.length, breaks);
    this.#put(breaks, split);
    this.#words = this.#words.slice(split);
    this.#size = this.#words.reduce((sum, { text }) => sum + text.length, 0);
  }

  #put({ ends }: Breaks, until: number): void {
    for (let start = 0; start < until; ) {
      const end = ends[start] ?? until;
      this.#putLine(this.#words.slice(start, end), start === 0 ? this.#first : this.#other);
      start = end;
    }
  }

  #putLine(words: readonly Word[], indent: number): void {
    const { prefix } = this.#plan;
    this.#outColumn = 0;
    this.#blanks(this.#paragraphLead);
    this.#out.latin1(prefix);
    this.#outColumn += prefix.length;
    this.#blanks(indent - this.#outColumn);
    for (const [i, { text, space }] of words.entries()) {
      this.#out.latin1(text);
      this.#outColumn += text.length;
      if (i + 1 < words.length) this.#blanks(space);
    }
    this.#lastLength = this.#outColumn;
    this.#out.byte(NEWLINE);
  }

  #blanks(count: number): void {
    const target = this.#outColumn + count;
    const stop = target - (target % TAB_WIDTH);
    if (this.#tabs && this.#outColumn + 1 < stop)
      for (; this.#outColumn < stop; this.#outColumn = nextTab(this.#outColumn))
        this.#out.byte(TAB);
    for (; this.#outColumn < target; this.#outColumn++) this.#out.byte(BLANK);
  }
}

const nextTab = (column: number): number => column + TAB_WIDTH - (column % TAB_WIDTH);

const isSpace = (byte: number): boolean => byte === BLANK || (byte >= TAB && byte <= 13);
