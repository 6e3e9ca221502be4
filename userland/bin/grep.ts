// grep: lines that match. POSIX.1-2024 grep -E -F -c -e -f -i -l -n -q -s -v -x, with GNU's -A -B -C -H
// -h -L -m -o -r -R -w -z -a -b --include --exclude --exclude-dir. egrep and fgrep are names for it.

import { O_RDONLY, S_IFLNK, S_IFMT, S_IFREG } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import { isDirectory } from '../libc/files/path.ts';
import { walk } from '../libc/files/walk.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { Regex } from '../libc/regex/regex.ts';
import { colouredMark, colouredName, Scan, type ScanStyle } from '../libc/regex/scan.ts';
import { PatternError } from '../libc/regex/syntax.ts';
import { Input } from '../libc/stdio.ts';
import { globRegExp } from '../libc/text/glob.ts';
import { toLatin1 } from '../libc/text/latin1.ts';
import { parseCount } from '../libc/text/numbers.ts';

/** What may come where no size tells: as much as a file can have. */
const MOST_BYTES = 2n ** 63n - 1n;

export const main = program(
  {
    usage: '[OPTION]... PATTERNS [FILE]...\nSearch for PATTERNS in each FILE.',
    short: '0123456789A:aB:bC:cd:D:Ee:Ff:GHhiIlLm:noPqRrsTUuvwxyZz',
    long: {
      'after-context=': 'A',
      text: 'a',
      'before-context=': 'B',
      'byte-offset': 'b',
      'context=': 'C',
      count: 'c',
      'extended-regexp': 'E',
      'regexp=': 'e',
      'fixed-strings': 'F',
      'file=': 'f',
      'basic-regexp': 'G',
      'with-filename': 'H',
      'no-filename': 'h',
      'ignore-case': 'i',
      'files-with-matches': 'l',
      'files-without-match': 'L',
      'max-count=': 'm',
      'line-number': 'n',
      'only-matching': 'o',
      quiet: 'q',
      silent: 'q',
      recursive: 'r',
      'dereference-recursive': 'R',
      'no-messages': 's',
      'invert-match': 'v',
      'word-regexp': 'w',
      'line-regexp': 'x',
      null: 'Z',
      'null-data': 'z',
      'include=': 'include',
      'exclude=': 'exclude',
      'exclude-dir=': 'exclude-dir',
      'color=?': 'color',
      'colour=?': 'color',
      'line-buffered': 'line-buffered',
      'group-separator=': 'group',
      'no-group-separator': 'no-group',
      'initial-tab': 'T',
      'label=': 'label',
      'binary-files=': 'binary',
    },
    trouble: 2,
    reminder: 'Usage: grep [OPTION]... PATTERNS [FILE]...',
  },
  (tool, options) => {
    const operands = [...options.operands];
    if (options.has('u')) tool.note('warning: --unix-byte-offsets (-u) is obsolete');
    const regex = compile(tool, options, patternsOf(tool, options, operands));
    const recursive = options.has('r', 'R');
    const search = new Search(tool, options, { regex, style: styleOf(tool, options, operands) });
    if (recursive) {
      const roots = operands.length > 0 ? operands : ['.'];
      for (const root of roots) search.tree(root, operands.length === 0 ? 'bare' : 'prefixed');
    } else for (const name of operands.length > 0 ? operands : ['-']) search.file(name);
    if (search.found && (options.has('q') || tool.status === 0)) return 0;
    return tool.status !== 0 ? 2 : 1;
  },
);

/** From -e and -f, else the first operand; one a line. */
function patternsOf(tool: Tool, options: Options, operands: string[]): string[] {
  const patterns: string[] = [];
  for (const { name, value } of options.list) {
    if (name === 'e') patterns.push(...toLatin1(encodeText(value)).split('\n'));
    if (name === 'f') patterns.push(...readPatterns(tool, value));
  }
  if (options.has('e', 'f')) return patterns;
  const first = operands.shift();
  if (first === undefined) {
    tool.error(
      `Usage: ${tool.name} [OPTION]... PATTERNS [FILE]...\nTry '${tool.name} --help' for more information.\n`,
    );
    return tool.die('', 2);
  }
  return toLatin1(encodeText(first)).split('\n');
}

function readPatterns(tool: Tool, name: string): string[] {
  try {
    const fd = name === '-' ? 0 : tool.sys.open(name, O_RDONLY);
    const input = new Input(tool.sys, fd);
    const lines: string[] = [];
    for (let line = input.line(); line !== undefined; line = input.line())
      lines.push(toLatin1(line));
    if (fd !== 0) tool.sys.close(fd);
    return lines;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`${name}: ${strerror(error.errno)}`);
  }
}

function compile(tool: Tool, options: Options, patterns: readonly string[]): Regex | undefined {
  if (patterns.length === 0) return undefined; // an empty -f file matches nothing
  const kind = options.last('E', 'F', 'G', 'P');
  const fixed = kind === 'F' || (kind === undefined && tool.name === 'fgrep');
  const extended = kind === 'E' || kind === 'P' || tool.name === 'egrep';
  const sources = fixed ? patterns.map((text) => text.replace(/[\\^$.*[]/g, '\\$&')) : patterns;
  const extent = options.has('x') ? 'line' : options.has('w') ? 'word' : undefined;
  try {
    return new Regex(sources, {
      dialect: extended && !fixed ? 'extended' : 'basic',
      ignoreCase: options.has('i', 'y'),
      delimiter: options.has('z') ? 0 : 10,
      ...(extent === undefined ? {} : { extent }),
    });
  } catch (error) {
    if (error instanceof PatternError) return tool.die(error.message);
    throw error;
  }
}

function styleOf(tool: Tool, options: Options, files: readonly string[]): ScanStyle {
  const count = (name: string, what: string): number | undefined => {
    const text = name === 'C' ? contextOf(options) : options.value(name);
    if (text === undefined) return undefined;
    return parseCount(text) ?? tool.die(`${text}: ${what}`);
  };
  const context = count('C', 'invalid context length argument') ?? 0;
  const before = count('B', 'invalid context length argument');
  const after = count('A', 'invalid context length argument');
  const titles = options.last('H', 'h');
  const many = files.length > 1 || options.has('r', 'R');
  const limit = options.value('m')?.startsWith('-') ? undefined : maxCount(tool, options);
  const quiet = options.has('q', 'l', 'L', 'c');
  return {
    invert: options.has('v'),
    numbers: options.has('n'),
    offsets: options.has('b'),
    names: titles === undefined ? many : titles === 'H',
    nameEnd: options.has('Z') ? '\0' : '',
    colours: wantsColours(tool, options),
    tab: options.has('T'),
    groupEnd:
      options.last('group', 'no-group') === 'no-group'
        ? undefined
        : toLatin1(encodeText(options.value('group') ?? '--')),
    only: options.has('o'),
    before: quiet || options.has('o') ? 0 : (before ?? context),
    after: quiet || options.has('o') ? 0 : (after ?? context),
    contextAsked: options.has('A', 'B', 'C', ...'0123456789'),
    limit: limit ?? Number.POSITIVE_INFINITY,
    silent: quiet,
    onBinary: (label) => {
      tool.out.flush();
      tool.note(`${label}: binary file matches`);
    },
    stopAtFirst: options.has('q', 'l', 'L'),
    delimiter: options.has('z') ? 0 : 10,
    binary: options.has('a')
      ? 'text'
      : options.has('I')
        ? 'skip'
        : ((options.value('binary') ?? 'binary').replace(
            'without-match',
            'skip',
          ) as ScanStyle['binary']),
  };
}

function wantsColours(tool: Tool, options: Options): boolean {
  const when = options.value('color');
  if (when === 'always' || when === 'yes' || when === 'force') return true;
  if (when === 'never' || when === 'no' || when === 'none' || when === undefined) return false;
  if (when !== '' && when !== 'auto' && when !== 'tty' && when !== 'if-tty')
    tool.misuse(`invalid color argument: ${when}`);
  return tool.sys.isatty(1) && (tool.sys.env.get('TERM') ?? 'dumb') !== 'dumb';
}

/** -C NUM, or -NUM: its digits are options of their own. */
function contextOf(options: Options): string | undefined {
  const digits = options.list.filter(({ name }) => /^\d$/.test(name)).map(({ name }) => name);
  return digits.length > 0 ? digits.join('') : options.value('C');
}

function maxCount(tool: Tool, options: Options): number | undefined {
  const text = options.value('m');
  return text === undefined ? undefined : (parseCount(text) ?? tool.die('invalid max count'));
}

class Search {
  readonly #tool: Tool;
  readonly #options: Options;
  readonly #what: { regex: Regex | undefined; style: ScanStyle };
  readonly #scan: Scan;
  found = false;

  constructor(tool: Tool, options: Options, what: { regex: Regex | undefined; style: ScanStyle }) {
    this.#tool = tool;
    this.#options = options;
    this.#what = what;
    this.#scan = new Scan(tool.out, what.regex, what.style);
  }

  tree(root: string, names: 'bare' | 'prefixed'): void {
    if (root === '-') {
      this.file(root);
      return;
    }
    const { included, excluded } = this.#filters();
    const visits = walk(this.#tool.sys, {
      root,
      follow: this.#options.has('R') ? 'always' : 'root',
      onFault: (path, error) => this.#fault(path, error),
    });
    for (const visit of visits) {
      if (visit.phase === 'post') continue;
      if (isDirectory(visit.stat)) {
        visit.prune = visit.depth > 0 && excluded(visit.name);
        continue;
      }
      const type = visit.stat.mode & S_IFMT;
      if (visit.depth > 0 && (type === S_IFLNK || type !== S_IFREG)) continue;
      if (!included(visit.name)) continue;
      this.file(names === 'bare' ? visit.path.replace(/^\.\//, '') : visit.path);
    }
  }

  #filters(): { included: (name: string) => boolean; excluded: (name: string) => boolean } {
    const globs = (name: string): RegExp[] => this.#options.values(name).map((g) => globRegExp(g));
    const [include, exclude, directories] = [
      globs('include'),
      globs('exclude'),
      globs('exclude-dir'),
    ];
    const base = (name: string): string => name.slice(name.lastIndexOf('/') + 1);
    return {
      included: (name) =>
        (include.length === 0 || include.some((glob) => glob.test(base(name)))) &&
        !exclude.some((glob) => glob.test(base(name))),
      excluded: (name) => directories.some((glob) => glob.test(base(name))),
    };
  }

  file(name: string): void {
    const { sys, out } = this.#tool;
    const label = name === '-' ? (this.#options.value('label') ?? '(standard input)') : name;
    try {
      const fd = name === '-' ? 0 : sys.open(name, O_RDONLY);
      let count: number;
      try {
        const { mode, size } = sys.fstat(fd);
        const most = (mode & S_IFMT) === S_IFREG ? BigInt(size) : MOST_BYTES;
        count = this.#scan.file(new Input(sys, fd), { label, most });
      } finally {
        if (fd !== 0) sys.close(fd);
      }
      if (count > 0) this.found = true;
      this.#summary(count, label);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      this.#fault(name, error);
    }
    if (this.found && this.#options.has('q')) {
      out.flush();
      this.#tool.die('', 0);
    }
  }

  #summary(count: number, label: string): void {
    const { out } = this.#tool;
    const { style } = this.#what;
    const options = this.#options;
    if (options.has('q')) return;
    const end = options.has('Z') ? '\0' : '\n';
    const name = style.colours ? colouredName(label) : label;
    const lists = options.last('l', 'L');
    if (lists === 'l' ? count > 0 : lists === 'L' && count === 0) out.text(name + end);
    else if (options.has('c') && lists === undefined) {
      const mark = style.colours ? colouredMark(':') : ':';
      if (style.names) out.text(name + (options.has('Z') ? '\0' : mark));
      out.text(`${count}\n`);
    }
  }

  #fault(name: string, error: PosixError): void {
    this.#tool.status = 2;
    if (!this.#options.has('s')) this.#tool.note(`${name}: ${strerror(error.errno)}`);
  }
}
