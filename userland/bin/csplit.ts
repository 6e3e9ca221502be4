// csplit: splits a file at line numbers and patterns. POSIX.1-2024 csplit -f -k -n -s, with GNU's -b -z
// --suppress-matched and {*}.

import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import { program, type Tool } from '../libc/program.ts';
import { Regex } from '../libc/regex/regex.ts';
import { PatternError } from '../libc/regex/syntax.ts';
import { Exit, Input, Output } from '../libc/stdio.ts';
import { directive, directiveFlags, formatInteger } from '../libc/text/format.ts';
import { toLatin1 } from '../libc/text/latin1.ts';
import { parseCount } from '../libc/text/numbers.ts';
import { maybeQuoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: `[-ksz] [-b FORMAT] [-f PREFIX] [-n DIGITS] FILE PATTERN...
Write the pieces of FILE between the PATTERNs to xx00, xx01, …, and their sizes.
  INTEGER        up to, not including, that line
  /REGEXP/[±N]   up to, not including, a line that matches
  %REGEXP%[±N]   the same, but passed over
  {N}, {*}       the pattern before N times more, or as often as it can be
  -b, --suffix-format=FORMAT  a printf format in place of %02d
  -f, --prefix=PREFIX         in place of xx
  -k, --keep-files            leave the pieces when something fails
      --suppress-matched      leave out the lines that match
  -n, --digits=DIGITS         in place of 2
  -s, --silent, --quiet       no sizes
  -z, --elide-empty-files     no empty pieces`,
    short: 'b:f:kn:sqz',
    long: {
      'suffix-format=': 'b',
      'prefix=': 'f',
      'keep-files': 'k',
      'digits=': 'n',
      silent: 's',
      quiet: 's',
      'elide-empty-files': 'z',
      'suppress-matched': 'suppress',
    },
  },
  (tool, options) => {
    const [name, ...words] = options.operands;
    if (name === undefined) return tool.missingOperand();
    if (words.length === 0) tool.misuse(`missing operand after ${quotedArgument(name)}`);
    const digits = options.value('n') ?? '2';
    const format = options.value('b') ?? `%0${digitCount(tool, digits)}d`;
    const splitter = new Splitter(tool, {
      nameOf: suffixer(tool, options.value('f') ?? 'xx', format),
      keep: options.has('k'),
      silent: options.has('s', 'q'),
      elide: options.has('z'),
      suppress: options.has('suppress'),
    });
    const pieces = words.length > 0 ? readPatterns(tool, words) : [];
    splitter.run(open(tool, name), pieces);
    return undefined;
  },
);

function digitCount(tool: Tool, text: string): number {
  return parseCount(text) ?? tool.die(`${text}: invalid number`);
}

function open(tool: Tool, name: string): Input {
  try {
    return new Input(tool.sys, name === '-' ? 0 : tool.sys.open(name, O_RDONLY));
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`cannot open ${quotedArgument(name)} for reading: ${strerror(error.errno)}`);
  }
}

/** The name of piece N: the prefix, and a suffix by a format with one integer directive. */
function suffixer(tool: Tool, prefix: string, format: string): (n: number) => string {
  const match = /^((?:[^%]|%%)*)%([-0#' ]*)(\d*)(?:\.(\d+))?([diuoxX])((?:[^%]|%%)*)$/.exec(format);
  if (match === null) {
    if (!/(?:^|[^%])(?:%%)*%[^%]/.test(format))
      tool.die('missing % conversion specification in suffix');
    return tool.die(`invalid conversion specifier in suffix: ${format.replace(/^.*%/, '')}`);
  }
  const [, before = '', flags = '', width = '', precision, conversion = 'd', after = ''] = match;
  const shape = directive({
    ...directiveFlags(flags),
    width: Number(width),
    precision: precision === undefined ? undefined : Number(precision),
    conversion,
  });
  const plain = (text: string): string => text.replaceAll('%%', '%');
  return (n) => prefix + plain(before) + formatInteger(shape, BigInt(n)) + plain(after);
}

interface Pattern {
  /** As written, for messages. */
  readonly text: string;
  readonly line?: number;
  readonly regex?: Regex;
  readonly offset: number;
  readonly skip: boolean; // %…%
  repeat: number;
}

function readPatterns(tool: Tool, words: readonly string[]): Pattern[] {
  const patterns: Pattern[] = [];
  let before = 0; // the line number before
  for (const text of words) {
    const last = patterns.at(-1);
    if (text.startsWith('{')) {
      const count = /^\{(\d+|\*)\}$/.exec(text)?.[1];
      if (count === undefined)
        tool.die(`${quotedArgument(text)}: integer required between '{' and '}'`);
      if (last === undefined) tool.die(`${quotedArgument(text)}: invalid pattern`);
      else last.repeat = count === '*' ? Number.POSITIVE_INFINITY : Number(count);
      continue;
    }
    const delimiter = text[0] ?? '';
    if (delimiter === '/' || delimiter === '%') patterns.push(regexPattern(tool, text, delimiter));
    else {
      const line = parseCount(text) ?? tool.die(`${quotedArgument(text)}: invalid pattern`);
      if (line === 0) tool.die(`${text}: line number must be greater than zero`);
      if (line < before)
        tool.die(`line number '${text}' is smaller than preceding line number, ${before}`);
      if (line === before)
        tool.note(`warning: line number '${text}' is the same as preceding line number`);
      before = line;
      patterns.push({ text, line, offset: 0, skip: false, repeat: 0 });
    }
  }
  return patterns;
}

function regexPattern(tool: Tool, text: string, delimiter: string): Pattern {
  const end = text.lastIndexOf(delimiter);
  if (end === 0) tool.die(`${quotedArgument(text)}: closing delimiter '${delimiter}' missing`);
  const offset = text.slice(end + 1);
  if (!/^([-+]?\d+)?$/.test(offset))
    tool.die(`${quotedArgument(text)}: integer expected after delimiter`);
  try {
    const source = toLatin1(encodeText(text.slice(1, end)));
    const regex = new Regex([source], { dialect: 'basic', whole: true });
    return { text, regex, offset: Number(offset), skip: delimiter === '%', repeat: 0 };
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return tool.die(`${quotedArgument(text)}: invalid regular expression: ${error.message}`);
  }
}

interface Style {
  readonly nameOf: (n: number) => string;
  readonly keep: boolean;
  readonly silent: boolean;
  readonly elide: boolean;
  readonly suppress: boolean;
}

/** Lines go to the piece that is open; a pattern with a negative offset holds some of them back. */
class Splitter {
  readonly #tool: Tool;
  readonly #style: Style;
  readonly #held: string[] = []; // read, not written
  readonly #names: string[] = [];
  #input: Input | undefined;
  #number = 1; // of the first line not written
  #piece: { out: Output; fd: number; name: string; bytes: number } | undefined;
  #made = 0;
  /** The last line that a search has found. */
  #searched = 0;
  /** The pattern before was a search. */
  #found = false;

  constructor(tool: Tool, style: Style) {
    this.#tool = tool;
    this.#style = style;
  }

  run(input: Input, patterns: readonly Pattern[]): void {
    this.#input = input;
    try {
      for (const pattern of patterns)
        for (let n = 0; n <= pattern.repeat; n++) {
          if (pattern.regex === undefined) this.#byNumber(pattern, n);
          else if (!this.#byRegex(pattern, n, pattern.regex)) return;
          this.#found = pattern.regex !== undefined;
        }
      this.#begin();
      this.#rest();
      this.#end();
    } catch (error) {
      if (error instanceof Exit && !this.#style.keep) this.#remove();
      throw error;
    }
  }

  /** The line `ahead` lines behind the next one, its newline included. */
  #look(ahead: number): string | undefined {
    while (this.#held.length <= ahead) {
      const line = this.#input?.line();
      if (line === undefined) return undefined;
      this.#held.push(toLatin1(line) + (this.#input?.terminated ? '\n' : ''));
    }
    return this.#held[ahead];
  }

  /** Up to the line `end`, written or passed over; false when there are not so many. */
  #upTo(end: number, to: 'write' | 'skip'): boolean {
    for (; this.#number < end; this.#number++) {
      const line = this.#look(0);
      if (line === undefined) return false;
      this.#held.shift();
      if (to === 'write') this.#write(line);
    }
    return true;
  }

  #rest(): void {
    this.#upTo(Number.POSITIVE_INFINITY, 'write');
  }

  #byNumber(pattern: Pattern, n: number): void {
    const target = (pattern.line ?? 0) * (n + 1);
    const from = this.#number;
    this.#begin();
    const reached = this.#upTo(target, 'write');
    // GNU's takes the line that a search has found for one that is there already.
    const found = this.#found && this.#number === from;
    const more = this.#look(found ? 1 : 0) !== undefined;
    this.#end();
    if (!reached || (!more && !this.#style.elide)) this.#outOfRange(pattern, n);
    if (this.#style.suppress) this.#upTo(this.#number + 1, 'skip');
  }

  #outOfRange(pattern: Pattern, n: number): never {
    const again = n > 0 ? ` on repetition ${n}` : '';
    return this.#tool.die(`${quotedArgument(pattern.text)}: line number out of range${again}`);
  }

  /** False when a pattern for all the rest matches no more: then everything is done. */
  #byRegex(pattern: Pattern, n: number, regex: Regex): boolean {
    if (!pattern.skip) this.#begin();
    // The line that ended the piece before is not looked at again.
    let ahead = Math.max(0, this.#searched + 1 - this.#number);
    for (let line = this.#look(ahead); ; line = this.#look(++ahead)) {
      if (line === undefined) return this.#noMatch(pattern, n);
      if (regex.find(line.replace(/\n$/, ''), 0) !== undefined) break;
      if (pattern.offset >= 0) {
        this.#upTo(this.#number + 1, pattern.skip ? 'skip' : 'write');
        ahead--;
      }
    }
    this.#searched = this.#number + ahead;
    const target = this.#searched + pattern.offset;
    if (target < this.#number) this.#outOfRange(pattern, n);
    this.#searched = Math.max(this.#searched, target);
    const reached = this.#upTo(target, pattern.skip ? 'skip' : 'write');
    if (!pattern.skip) this.#end();
    if (!reached) this.#outOfRange(pattern, n);
    if (this.#style.suppress) this.#upTo(this.#number + 1, 'skip');
    return true;
  }

  #noMatch(pattern: Pattern, n: number): false {
    if (pattern.repeat === Number.POSITIVE_INFINITY) {
      if (pattern.skip) this.#upTo(Number.POSITIVE_INFINITY, 'skip');
      else {
        this.#rest();
        this.#end();
      }
      return false;
    }
    if (!pattern.skip) {
      this.#rest();
      this.#end();
    }
    const again = n > 0 ? ` on repetition ${n}` : '';
    return this.#tool.die(`${quotedArgument(pattern.text)}: match not found${again}`);
  }

  #begin(): void {
    const name = this.#style.nameOf(this.#made++);
    try {
      const fd = this.#tool.sys.open(name, O_WRONLY | O_CREAT | O_TRUNC, 0o666);
      const out = new Output(this.#tool.sys, fd, { what: maybeQuoted(name) });
      this.#piece = { out, fd, name, bytes: 0 };
      this.#names.push(name);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      this.#tool.die(`${maybeQuoted(name)}: ${strerror(error.errno)}`);
    }
  }

  #write(line: string): void {
    if (this.#piece === undefined) return;
    this.#piece.out.latin1(line);
    this.#piece.bytes += line.length;
  }

  #end(): void {
    const piece = this.#piece;
    if (piece === undefined) return;
    piece.out.flush();
    this.#tool.sys.close(piece.fd);
    this.#piece = undefined;
    if (piece.bytes === 0 && this.#style.elide) {
      this.#tool.sys.unlink(piece.name);
      this.#names.pop();
      this.#made--;
    } else if (!this.#style.silent) this.#tool.out.text(`${piece.bytes}\n`);
  }

  #remove(): void {
    this.#end();
    for (const name of this.#names) this.#tool.attempt(name, () => this.#tool.sys.unlink(name));
  }
}
