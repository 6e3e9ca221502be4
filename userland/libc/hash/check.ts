// The -c of the checksum programs: lists of lines `HASH  NAME`, `HASH *NAME`, `HASH NAME` (BSD's reversed
// form) and `LABEL (NAME) = HASH`, each file hashed again and compared.

import { PosixError } from '../../../kernel/abi/errno.ts';
import { decodeText } from '../../../kernel/abi/text.ts';
import type { Options } from '../options.ts';
import type { Tool } from '../program.ts';
import type { Input } from '../stdio.ts';
import { maybeQuoted } from '../text/quote.ts';
import { type Digest, hexDigest } from './algorithms.ts';
import { escapeName, readThrough } from './checksum.ts';

/** What a line may be: one digest whose name need not be told, or any of several by its label. */
export interface Expected {
  readonly digests: readonly Digest[];
  readonly bits: number;
}

interface Listed {
  readonly digest: Digest;
  readonly bits: number;
  readonly hash: string;
  readonly name: string;
}

export function checkLists(tool: Tool, options: Options, expected: Expected): void {
  const names = options.operands.length > 0 ? options.operands : ['-'];
  tool.eachInput(names, (input, name) => new List(tool, options, expected).check(input, name));
}

class List {
  readonly #tool: Tool;
  readonly #options: Options;
  readonly #expected: Expected;
  /** Whether names follow one blank; told by the first line that shows it. */
  #reversed: boolean | undefined;
  #proper = 0;
  #malformed = 0;
  #unreadable = 0;
  #mismatched = 0;
  #verified = 0;

  constructor(tool: Tool, options: Options, expected: Expected) {
    this.#tool = tool;
    this.#options = options;
    this.#expected = expected;
  }

  check(input: Input, name: string): void {
    const shown = name === '-' ? "'standard input'" : maybeQuoted(name);
    let number = 0;
    for (let bytes = input.line(); bytes !== undefined; bytes = input.line()) {
      number++;
      const text = decodeText(bytes).replace(/\r$/, '');
      if (text === '' || text.startsWith('#')) continue;
      const line = this.#parse(text);
      if (line !== undefined) this.#verify(line);
      else {
        this.#malformed++;
        const label =
          this.#expected.digests.length === 1 ? this.#expected.digests[0]?.label : 'CRC';
        if (this.#says('w')) {
          this.#tool.out.flush();
          this.#tool.note(`${shown}: ${number}: improperly formatted ${label} checksum line`);
        }
      }
    }
    this.#tool.out.flush();
    this.#summarize(shown);
  }

  #parse(text: string): Listed | undefined {
    const escaped = text.startsWith('\\');
    const line = text.slice(escaped ? 1 : 0).replace(/^[ \t]+/, '');
    const listed = this.#tagged(line) ?? this.#plain(line);
    if (listed === undefined || !escaped) return listed;
    const name = unescapeName(listed.name);
    return name === undefined ? undefined : { ...listed, name };
  }

  #tagged(line: string): Listed | undefined {
    const match = /^(\w+?)(?:-(\d+))? ?\(([\s\S]+)\)[ \t]*=[ \t]*([0-9a-fA-F]+)$/.exec(line);
    const digest = this.#expected.digests.find(({ label }) => label === match?.[1]);
    if (match === null || digest === undefined) return undefined;
    const [, , length, name = '', hash = ''] = match;
    const bits = length === undefined ? digest.bits : Number(length);
    if (length !== undefined && (digest.name !== 'blake2b' || bits > digest.bits)) return undefined;
    return hash.length * 4 === bits ? { digest, bits, hash: hash.toLowerCase(), name } : undefined;
  }

  #plain(line: string): Listed | undefined {
    const { digests } = this.#expected;
    const [digest] = digests;
    if (digests.length !== 1 || digest === undefined) return undefined;
    const match = /^([0-9a-fA-F]+)[ \t]([\s\S]+)$/.exec(line);
    if (match === null) return undefined;
    const [, hash = '', rest = ''] = match;
    const bits = digest.name === 'blake2b' ? hash.length * 4 : digest.bits;
    if (hash.length * 4 !== bits || bits % 8 !== 0 || bits > digest.bits) return undefined;
    const reversed = rest.length === 1 || !/^[ *]/.test(rest);
    if (reversed && this.#reversed === false) return undefined;
    if (reversed || this.#reversed !== true) this.#reversed = reversed;
    const name = this.#reversed === true ? rest : rest.slice(1);
    return { digest, bits, hash: hash.toLowerCase(), name };
  }

  #verify(line: Listed): void {
    this.#proper++;
    const hash = line.digest.create(line.bits);
    try {
      readThrough(this.#tool, line.name, hash);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      if (this.#options.has('ignore-missing')) return;
      this.#tool.fault(maybeQuoted(line.name), error);
      this.#unreadable++;
      if (!this.#says('status')) this.#say(line.name, 'FAILED open or read');
      return;
    }
    const same = hexDigest(hash) === line.hash;
    if (same) this.#verified++;
    else this.#mismatched++;
    if (this.#says('status') || (same && this.#says('quiet'))) return;
    this.#say(line.name, same ? 'OK' : 'FAILED');
  }

  /** The last of them holds. */
  #says(what: 'status' | 'quiet' | 'w'): boolean {
    return this.#options.last('status', 'quiet', 'w') === what;
  }

  #say(name: string, verdict: string): void {
    const shown = name.includes('\n') ? `\\${escapeName(name)}` : name;
    this.#tool.out.text(`${shown}: ${verdict}\n`);
  }

  #summarize(shown: string): void {
    if (this.#proper === 0) {
      this.#tool.warn(`${shown}: no properly formatted checksum lines found`);
      return;
    }
    const say = (count: number, one: string, many: string): void => {
      if (count > 0 && !this.#says('status'))
        this.#tool.note(`WARNING: ${count} ${count === 1 ? one : many}`);
    };
    say(this.#malformed, 'line is improperly formatted', 'lines are improperly formatted');
    say(this.#unreadable, 'listed file could not be read', 'listed files could not be read');
    say(this.#mismatched, 'computed checksum did NOT match', 'computed checksums did NOT match');
    const none = this.#options.has('ignore-missing') && this.#verified === 0;
    if (none && !this.#says('status')) this.#tool.note(`${shown}: no file was verified`);
    const loose = this.#malformed === 0 || !this.#options.has('strict');
    if (none || !loose || this.#unreadable + this.#mismatched > 0) this.#tool.status = 1;
  }
}

const letters: Readonly<Record<string, string>> = { n: '\n', r: '\r', '\\': '\\' };

/** The name behind its escapes; undefined when one of them is none. */
function unescapeName(text: string): string | undefined {
  if (/\\(?![nr\\])/.test(text.replace(/\\\\/g, ''))) return undefined;
  return text.replace(/\\(.)/g, (_, c: string) => letters[c] ?? c);
}
