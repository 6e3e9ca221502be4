// The script of sed (POSIX.1-2024 sed, "Editing Commands in sed"), with GNU's one-line a, i, c, the
// addresses first~step, addr,+N and 0,/re/, and the flags I and M-less of s.

import { Regex } from '../regex/regex.ts';
import { type Dialect, PatternError } from '../regex/syntax.ts';
import type { WrittenFiles } from './files.ts';

/** A wrong script: `sed: -e expression #1, char 3: …`. */
export class ScriptError {
  readonly message: string;
  readonly status: number;

  constructor(message: string, status = 1) {
    this.message = message;
    this.status = status;
  }
}

export type Address =
  | { readonly kind: 'line'; readonly line: number }
  | { readonly kind: 'last' }
  | { readonly kind: 'step'; readonly first: number; readonly step: number }
  | { readonly kind: 'regex'; readonly regex: Regex | undefined } // undefined: the last one used
  | { readonly kind: 'more' | 'multiple'; readonly count: number };

export interface Substitution {
  readonly regex: Regex | undefined;
  readonly replacement: readonly Piece[];
  readonly every: boolean;
  readonly from: number;
  readonly print: boolean;
  readonly file: string | undefined;
}

export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'group'; readonly index: number }
  | { readonly kind: 'case'; readonly to: string }; // L U l u E

export interface Command {
  readonly name: string;
  readonly from: Address | undefined;
  readonly to: Address | undefined;
  readonly negated: boolean;
  /** a i c: the text; b t T : the label; r w: the file; q Q l: the number. */
  readonly text: string;
  readonly substitution: Substitution | undefined;
  readonly map: ReadonlyMap<string, string> | undefined;
  /** `{` : the index of its `}`; b t T: the index of the label. */
  target: number;
  /** Whether its range is open, and until which line it goes. */
  open: boolean;
  until: number;
}

interface How {
  readonly dialect: Dialect;
  /** What a script writes is opened as it is read; without this, files may not be named at all. */
  readonly files: WrittenFiles | undefined;
}

export function parseScript(source: string, how: How): Command[] {
  return new Parser(source, how).parse();
}

class Parser {
  readonly #source: string;
  readonly #dialect: Dialect;
  readonly #files: WrittenFiles | undefined;
  #at = 0;

  constructor(source: string, how: How) {
    this.#source = source;
    this.#dialect = how.dialect;
    this.#files = how.files;
  }

  parse(): Command[] {
    const commands: Command[] = [];
    const open: number[] = [];
    for (;;) {
      this.#skip(/[\s;]*/y);
      if (this.#at >= this.#source.length) break;
      if (this.#peek() === '#') {
        this.#skip(/[^\n]*/y);
        continue;
      }
      const command = this.#command();
      if (command.name === '{') open.push(commands.length);
      if (command.name === '}') {
        const start = commands[open.pop() ?? this.#fail("unexpected `}'")];
        if (start !== undefined) start.target = commands.length;
      }
      commands.push(command);
    }
    if (open.length > 0) throw new ScriptError("-e expression #1, char 0: unmatched `{'");
    this.#link(commands);
    return commands;
  }

  #link(commands: readonly Command[]): void {
    for (const command of commands) {
      if (!/^[btT]$/.test(command.name)) continue;
      const at = commands.findIndex((other) => other.name === ':' && other.text === command.text);
      if (command.text !== '' && at < 0)
        throw new ScriptError(`can't find label for jump to \`${command.text}'`, 4);
      command.target = command.text === '' ? commands.length : at;
    }
  }

  #fail(message: string): never {
    throw new ScriptError(`-e expression #1, char ${this.#at}: ${message}`);
  }

  #peek(): string {
    return this.#source[this.#at] ?? '';
  }

  #skip(what: RegExp): string {
    what.lastIndex = this.#at;
    const text = what.exec(this.#source)?.[0] ?? '';
    this.#at += text.length;
    return text;
  }

  #command(): Command {
    const from = this.#address('first');
    let to: Address | undefined;
    this.#skip(/[ \t]*/y);
    if (from !== undefined && this.#peek() === ',') {
      this.#at++;
      this.#skip(/[ \t]*/y);
      to = this.#address('second') ?? this.#fail("unexpected `,'");
    }
    if (from?.kind === 'line' && from.line === 0 && to?.kind !== 'regex')
      this.#fail('invalid usage of line address 0');
    this.#skip(/[ \t]*/y);
    const negated = this.#skip(/(?:![ \t]*)*/y) !== '';
    const name = this.#peek();
    if (name === '') this.#fail('missing command');
    this.#at++;
    if (!'{}=aicdDgGhHlnNpPqQrRstTbvwWxyzF:'.includes(name))
      this.#fail(`unknown command: \`${name}'`);
    if (name === '}' && from !== undefined) this.#fail("} doesn't want any addresses");
    if ('qQ'.includes(name) && to !== undefined) this.#fail('command only uses one address');
    if (name === ':' && from !== undefined) this.#fail(": doesn't want any addresses");
    const base = { name, from, to, negated, target: 0, open: false, until: 0 };
    if (name === 's')
      return { ...base, text: '', map: undefined, substitution: this.#substitution() };
    if (name === 'y')
      return { ...base, text: '', map: this.#translation(), substitution: undefined };
    return { ...base, text: this.#argument(name), map: undefined, substitution: undefined };
  }

  #address(which: 'first' | 'second'): Address | undefined {
    const c = this.#peek();
    if (c === '$') {
      this.#at++;
      return { kind: 'last' };
    }
    const relative = which === 'second' ? this.#skip(/[+~]\d+/y) : '';
    if (relative !== '')
      return { kind: relative[0] === '+' ? 'more' : 'multiple', count: Number(relative.slice(1)) };
    const number = this.#skip(/\d+(?:~\d+)?/y);
    if (number !== '') {
      const [line = 0, step] = number.split('~').map(Number);
      return step ? { kind: 'step', first: line, step } : { kind: 'line', line };
    }
    if (c !== '/' && c !== '\\') return undefined;
    if (c === '\\') this.#at++;
    const delimiter = this.#peek();
    this.#at++;
    const pattern = this.#delimited(delimiter, 'unterminated address regex', 'pattern');
    const flags = this.#skip(/[IM]*/y);
    return { kind: 'regex', regex: this.#regex(pattern, flags) };
  }

  /** Up to the delimiter, which a backslash makes an ordinary character; brackets protect it too. */
  #delimited(delimiter: string, missing: string, kind: 'pattern' | 'text'): string {
    let out = '';
    for (; this.#at < this.#source.length; this.#at++) {
      const c = this.#peek();
      if (c === delimiter) {
        this.#at++;
        return out;
      }
      if (c === '\\') {
        const next = this.#source[++this.#at] ?? '';
        if (next === delimiter)
          out += kind === 'pattern' && /[.*[\]^$]/.test(next) ? `\\${next}` : next;
        else if (next === 'n' && kind === 'pattern') out += '\n';
        else out += `\\${next}`;
      } else if (c === '[' && kind === 'pattern') {
        const set = this.#skip(/\[\^?\]?(?:\[[:.=][^\]]*[:.=]\]|[^\]])*\]/y);
        out += set.replaceAll('\\n', '\n').replaceAll('\\t', '\t') || c;
        if (set !== '') this.#at--;
      } else if (c === '\n' && kind === 'pattern') break;
      else out += c;
    }
    return this.#fail(missing);
  }

  #regex(pattern: string, flags: string): Regex | undefined {
    if (pattern === '') return undefined;
    try {
      const special = this.#dialect === 'basic' ? /[.*[\]^$\\]/ : /[.*[\]^$\\+?(){}|]/;
      const source = pattern.replace(ESCAPE, (text: string) => {
        const c = control[text[1] ?? ''] ?? numbered(text);
        return c === undefined ? text : special.test(c) ? `\\${c}` : c;
      });
      const ignoreCase = /[iI]/.test(flags);
      return new Regex([source], {
        dialect: this.#dialect,
        ignoreCase,
        ...(/[mM]/.test(flags) ? { block: true as const } : { whole: true as const }),
      });
    } catch (error) {
      if (error instanceof PatternError) return this.#fail(error.message);
      throw error;
    }
  }

  #substitution(): Substitution {
    const delimiter = this.#peek();
    this.#at++;
    const missing = "unterminated `s' command";
    const pattern = this.#delimited(delimiter, missing, 'pattern');
    const text = this.#delimited(delimiter, missing, 'text');
    const flags = this.#skip(/[gpiImMe0-9 \t]*/y);
    for (const [twice, what] of REPEATED) if (twice.test(flags)) this.#fail(what);
    const file = this.#skip(/w/y) === '' ? undefined : this.#writtenFile();
    this.#end("unknown option to `s'");
    const regex = this.#regex(pattern, flags);
    const replacement = replacementOf(text);
    const most = Math.max(0, ...replacement.map((one) => (one.kind === 'group' ? one.index : 0)));
    if (regex !== undefined && most > regex.groupCount)
      this.#fail(`invalid reference \\${most} on \`s' command's RHS`);
    const number = Number(/\d+/.exec(flags)?.[0] ?? 1);
    if (number === 0) this.#fail("number option to `s' command may not be zero");
    return {
      regex,
      replacement,
      every: flags.includes('g'),
      from: number,
      print: flags.includes('p'),
      file,
    };
  }

  #writtenFile(): string {
    if (this.#files === undefined) this.#fail(DISABLED);
    return this.#named(this.#skip(/[^\n]*/y).trim(), 'to write');
  }

  #named(path: string, use: 'to read' | 'to write'): string {
    if (this.#files === undefined) this.#fail(DISABLED);
    if (use === 'to write') this.#files?.open(path);
    return path;
  }

  #translation(): Map<string, string> {
    const delimiter = this.#peek();
    this.#at++;
    const missing = "unterminated `y' command";
    const plain = (text: string): string =>
      text.replace(ESCAPE, (whole: string) => {
        const c = whole[1] ?? '';
        return control[c] ?? numbered(whole) ?? (c === 'n' ? '\n' : c);
      });
    const from = plain(this.#delimited(delimiter, missing, 'text'));
    const to = plain(this.#delimited(delimiter, missing, 'text'));
    if (from.length !== to.length) this.#fail("strings for `y' command are different lengths");
    this.#end('extra characters after command');
    return new Map([...from].map((c, i) => [c, to[i] ?? '']));
  }

  #argument(name: string): string {
    if ('aic'.includes(name)) return this.#textArgument();
    if ('rRwW'.includes(name)) {
      this.#skip(/[ \t]*/y);
      const path = this.#skip(/[^\n]*/y) || this.#fail('missing filename in r/R/w/W commands');
      return this.#named(path, 'wW'.includes(name) ? 'to write' : 'to read');
    }
    if (name === ':') {
      const label = this.#skip(/[ \t]*[^\n;]*/y).trim();
      return label || this.#fail('":" lacks a label');
    }
    if (name === 'v') return this.#skip(/[ \t]*[^\n;}]*/y).trim();
    if ('btT'.includes(name)) return this.#skip(/[ \t]*[^\n;}]*/y).trim();
    const number = 'qQlL'.includes(name) ? this.#skip(/[ \t]*\d*/y).trim() : '';
    if (name !== '{') this.#end('extra characters after command');
    return number;
  }

  /** `a\` and lines that a backslash continues, or GNU's `a text`. */
  #textArgument(): string {
    this.#skip(/[ \t]*/y);
    // The backslash that keeps blanks in front of a text is none of it.
    if (this.#skip(/\\$/y) !== '') return ''; // `a\` ends the script: there is no text
    const isBelow = this.#skip(/\\[ \t]*\n/y) !== '';
    this.#skip(isBelow ? /[ \t]*(?=\\)/y : /\\(?!\n)/y);
    let out = '';
    for (; this.#at < this.#source.length; this.#at++) {
      const c = this.#peek();
      if (c === '\n') break;
      if (c === '\\') {
        ESCAPE.lastIndex = this.#at;
        const whole = ESCAPE.exec(this.#source)?.[0] ?? c;
        const next = whole[1] ?? '';
        out += control[next] ?? numbered(whole) ?? (next === 'n' && out !== '' ? '\n' : next);
        this.#at += Math.max(0, whole.length - 1);
      } else out += c;
    }
    if (out === '' && this.#at >= this.#source.length && !isBelow)
      this.#fail("expected \\ after `a', `c' or `i'");
    return `${out}\n`;
  }

  #end(message: string): void {
    this.#skip(/[ \t]*/y);
    const c = this.#peek();
    if (c === '' || c === '\n' || c === ';' || c === '}' || c === '#') return;
    this.#at++;
    this.#fail(message);
  }
}

const control: Readonly<Record<string, string>> = {
  a: '\x07',
  f: '\f',
  r: '\r',
  t: '\t',
  v: '\v',
};

const DISABLED = 'e/r/w commands disabled in sandbox mode';

const REPEATED: readonly (readonly [RegExp, string])[] = [
  [/p.*p/, "multiple `p' options to `s' command"],
  [/g.*g/, "multiple `g' options to `s' command"],
  [/\d\D+\d/, "multiple number options to `s' command"],
];

/** A backslash with what belongs to it; the second half of `\\\\` begins nothing. */
const ESCAPE = /\\(?:x[0-9A-Fa-f]{1,2}|o[0-7]{1,3}|d[0-9]{1,3}|c[\s\S]|[\s\S])/g;

/** `\x41`, `\o101`, `\d065` and `\cA`: one character, whatever it would mean otherwise. */
function numbered(text: string): string | undefined {
  const [kind, digits] = [text[1], text.slice(2)];
  if (digits === '') return undefined;
  if (kind === 'c') return String.fromCharCode(digits.toUpperCase().charCodeAt(0) ^ 0x40);
  const base = kind === 'x' ? 16 : kind === 'o' ? 8 : 10;
  return String.fromCharCode(Number.parseInt(digits, base) & 0xff);
}

function replacementOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let plain = '';
  const push = (piece: Piece): void => {
    if (plain !== '') pieces.push({ kind: 'text', text: plain });
    plain = '';
    pieces.push(piece);
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? '';
    if (c === '&') push({ kind: 'group', index: 0 });
    else if (c !== '\\') plain += c;
    else {
      ESCAPE.lastIndex = i;
      const whole = ESCAPE.exec(text)?.[0] ?? c;
      const next = text[++i] ?? '';
      const single = numbered(whole);
      if (single !== undefined) {
        plain += single;
        i += whole.length - 2;
      } else if (/\d/.test(next)) push({ kind: 'group', index: Number(next) });
      else if (/[LUluE]/.test(next)) push({ kind: 'case', to: next });
      else plain += next === 'n' ? '\n' : (control[next] ?? next);
    }
  }
  if (plain !== '') pieces.push({ kind: 'text', text: plain });
  return pieces;
}
