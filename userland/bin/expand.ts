// expand and unexpand: tabs into blanks and back. POSIX.1-2024 expand -t, unexpand -a -t, with GNU's -i,
// --first-only and stops of the forms +N and /N. The files are one text: a line may go on in the next.

import type { Options } from '../libc/options.ts';
import { program, programName, type Tool } from '../libc/program.ts';
import type { Output } from '../libc/stdio.ts';
import type { Program } from '../libc/sys.ts';
import { type TabStops, tabStops } from '../libc/text/tabs.ts';

const [BACKSPACE, TAB, NEWLINE, BLANK] = [8, 9, 10, 32] as const;

const expand = program(
  {
    usage: '[-i] [-t LIST] [FILE]...',
    short: 'it:',
    long: { initial: 'i', 'tabs=': 't' },
    rewrite: (args) => numbersAre(args, 't'),
  },
  (tool, options) => {
    const stops = tabStops(tool, options.values('t'));
    const expander = new Expander(tool.out, { stops, all: !options.has('i') });
    eachByte(tool, options, expander);
  },
);

const unexpand = program(
  {
    usage: '[-a] [--first-only] [-t LIST] [FILE]...',
    short: 'aN:t:',
    long: { all: 'a', 'first-only': 'first', 'tabs=': 't' },
    rewrite: (args) => numbersAre(args, 'N'),
  },
  (tool, options) => {
    const stops = tabStops(tool, [...options.values('N'), ...options.values('t')]);
    const all = options.has('a', 't') && !options.has('first');
    const unexpander = new Unexpander(tool.out, { stops, all });
    eachByte(tool, options, unexpander);
    unexpander.end();
  },
);

export const main: Program = (sys) => (programName(sys) === 'unexpand' ? unexpand : expand)(sys);

/** `-4,8` as it was before there was -t. */
const numbersAre = (args: readonly string[], option: string): string[] =>
  args.map((arg) => (/^-\d[\d,]*$/.test(arg) ? `-${option}${arg.slice(1)}` : arg));

interface Changer {
  put(byte: number): void;
}

function eachByte(tool: Tool, options: Options, to: Changer): void {
  tool.eachInput(options.operands, (input) => {
    for (let bytes = input.chunk(); bytes !== undefined; bytes = input.chunk())
      for (const byte of bytes) to.put(byte);
  });
}

interface Way {
  readonly stops: TabStops;
  /** Behind the first character that is no blank, too. */
  readonly all: boolean;
}

class Expander implements Changer {
  readonly #out: Output;
  readonly #stops: TabStops;
  readonly #all: boolean;
  #column = 0;
  #active = true;

  constructor(out: Output, { stops, all }: Way) {
    this.#out = out;
    this.#stops = stops;
    this.#all = all;
  }

  put(byte: number): void {
    if (byte === NEWLINE) {
      this.#column = 0;
      this.#active = true;
    } else if (this.#active) {
      if (byte === TAB) {
        this.#tab();
        return;
      }
      if (byte === BACKSPACE) this.#column = Math.max(0, this.#column - 1);
      else this.#column++;
      if (byte !== BLANK) this.#active = this.#all;
    }
    this.#out.byte(byte);
  }

  #tab(): void {
    const stop = this.#stops(this.#column) ?? this.#column + 1;
    for (; this.#column < stop; this.#column++) this.#out.byte(BLANK);
  }
}

class Unexpander implements Changer {
  readonly #out: Output;
  readonly #stops: TabStops;
  readonly #all: boolean;
  #column = 0;
  #active = true;
  #afterBlank = true;
  /** Blanks that wait for what comes: a tab may stand for them, or for all but the first. */
  #held = 0;
  #heldBegins: typeof BLANK | typeof TAB = BLANK;
  /** The first that is held stood alone before a stop: it is not worth a tab unless more follow. */
  #heldLone = false;

  constructor(out: Output, { stops, all }: Way) {
    this.#out = out;
    this.#stops = stops;
    this.#all = all;
  }

  put(byte: number): void {
    if (this.#active) {
      const isBlank = byte === BLANK || byte === TAB;
      if (isBlank) {
        const shown = this.#blank(byte);
        if (shown !== undefined) this.#out.byte(shown);
        return;
      }
      if (byte === BACKSPACE) this.#column = Math.max(0, this.#column - 1);
      else this.#column++;
      this.end();
      this.#afterBlank = false;
      this.#active = this.#all;
    }
    this.#out.byte(byte);
    if (byte === NEWLINE) this.#begin();
  }

  /** Writes what is held. */
  end(): void {
    if (this.#held === 0) return;
    this.#out.byte(this.#held > 1 && this.#heldLone ? TAB : this.#heldBegins);
    for (; this.#held > 1; this.#held--) this.#out.byte(BLANK);
    this.#held = 0;
    this.#heldLone = false;
  }

  #begin(): void {
    this.#column = 0;
    this.#active = true;
    this.#afterBlank = true;
  }

  /** What is to be written now; undefined when the blank is held. */
  #blank(byte: typeof BLANK | typeof TAB): number | undefined {
    const stop = this.#stops(this.#column);
    if (stop === undefined) {
      this.#active = false;
      this.end();
      return byte;
    }
    this.#column = byte === TAB ? stop : this.#column + 1;
    const isAtStop = this.#column === stop;
    if (byte === BLANK && !(isAtStop && this.#afterBlank)) {
      if (isAtStop) this.#heldLone = true;
      if (this.#held === 0) this.#heldBegins = BLANK;
      this.#held++;
      this.#afterBlank = true;
      return undefined;
    }
    // One tab for all of them, and one before it for the lone blank, which ends at a stop itself.
    if (this.#held > 0) this.#heldBegins = TAB;
    this.#held = this.#heldLone ? 1 : 0;
    this.end();
    this.#afterBlank = true;
    return TAB;
  }
}
