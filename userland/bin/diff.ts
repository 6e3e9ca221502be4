// diff: what parts two files or two trees. POSIX.1-2024 diff -b -c -C -e -f -r -u -U, with GNU's
// -a -B -E -i -n -N -q -s -w -x -Z --label and --strip-trailing-cr. Status 0 equal, 1 different, 2 trouble.

import { O_RDONLY, S_IFDIR, S_IFMT, S_IFREG } from '../../kernel/abi/constants.ts';
import { ENOENT, PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { Stat } from '../../kernel/abi/stat.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import { compareTexts, type Equality, type Text, textOf } from '../libc/diff/lines.ts';
import { printChanges, type Shape, type Style } from '../libc/diff/print.ts';
import { basename, isDirectory, join, listDirectory, statIfThere } from '../libc/files/path.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { globRegExp } from '../libc/text/glob.ts';
import { toLatin1 } from '../libc/text/latin1.ts';
import { parseCount } from '../libc/text/numbers.ts';
import { maybeQuoted, quotedArgument } from '../libc/text/quote.ts';
import { strftime } from '../libc/time/date.ts';

export const main = program(
  {
    usage: `[-abBcefEinNpqrstuwyZ] [-C LINES] [-U LINES] [-W COLUMNS] [-x PATTERN] [--label TEXT]... FILE1 FILE2
Writes what changes FILE1 into FILE2. Of two directories it compares the files of the same names.`,
    short: 'abBcC:efEdinNpqrstuU:wW:x:yL:Z',
    long: {
      text: 'a',
      'ignore-space-change': 'b',
      'ignore-blank-lines': 'B',
      'context=?': 'C',
      ed: 'e',
      'forward-ed': 'f',
      'ignore-tab-expansion': 'E',
      'ignore-trailing-space': 'Z',
      minimal: 'd',
      'ignore-case': 'i',
      rcs: 'n',
      'new-file': 'N',
      brief: 'q',
      recursive: 'r',
      'report-identical-files': 's',
      'unified=?': 'U',
      'ignore-all-space': 'w',
      'exclude=': 'x',
      'label=': 'L',
      'strip-trailing-cr': 'cr',
      normal: 'normal',
      'side-by-side': 'y',
      'width=': 'W',
      'expand-tabs': 't',
      'suppress-common-lines': 'no-common',
      'left-column': 'left-column',
      'show-c-function': 'p',
    },
    trouble: 2,
  },
  (tool, options) => {
    const [first, second, extra] = options.operands;
    if (first === undefined || second === undefined)
      return misuse(tool, `missing operand after '${first ?? tool.name}'`);
    if (extra !== undefined) return misuse(tool, `extra operand ${quotedArgument(extra)}`);
    const comparison = new Comparison(tool, planOf(tool, options));
    comparison.operands(first, second);
    return Math.max(comparison.status, tool.status);
  },
);

/** The diffutils put their name before the second line, too. */
function misuse(tool: Tool, message: string): never {
  tool.note(message);
  return tool.die(`Try '${tool.name} --help' for more information.`);
}

interface Plan {
  readonly shape: Shape;
  /** Tabs are shown as the blanks that they stand for. */
  readonly expandsTabs: boolean;
  readonly equality: Equality;
  readonly brief: boolean;
  readonly reportSame: boolean;
  readonly recursive: boolean;
  readonly newFile: boolean;
  readonly asText: boolean;
  readonly exclude: readonly RegExp[];
  readonly labels: readonly string[];
  /** The options, as the line before a pair of files in a tree repeats them. */
  readonly words: string;
}

const styles: Readonly<Record<string, Style>> = {
  c: 'context',
  C: 'context',
  u: 'unified',
  U: 'unified',
  e: 'ed',
  f: 'forward',
  n: 'rcs',
  y: 'sides',
  normal: 'normal',
};

function planOf(tool: Tool, options: Options): Plan {
  const given = options.list.flatMap(({ name }) => styles[name] ?? []);
  if (new Set(given).size > 1) misuse(tool, 'conflicting output style options');
  const chosen = options.last(...Object.keys(styles)) ?? (options.has('p') ? 'c' : 'normal');
  const columns = options.value('W') ?? '130';
  const width = parseCount(columns) || misuse(tool, `invalid width ${quotedArgument(columns)}`);
  const lines = options.value(chosen === 'C' || chosen === 'U' ? chosen : '');
  const context =
    parseCount(lines || '3') ??
    misuse(tool, `invalid context length ${quotedArgument(lines ?? '')}`);
  const blanks = options.has('w')
    ? 'none'
    : options.has('b')
      ? 'amount'
      : options.has('Z')
        ? 'end'
        : options.has('E')
          ? 'tabs'
          : 'count';
  const words = tool.sys.argv.slice(1).filter((word) => !options.operands.includes(word));
  return {
    shape: {
      style: styles[chosen] ?? 'normal',
      context,
      functions: options.has('p'),
      sides: {
        width,
        expandsTabs: options.has('t'),
        common: options.has('no-common') ? 'none' : options.has('left-column') ? 'left' : 'both',
      },
    },
    expandsTabs: options.has('t'),
    equality: {
      ignoreCase: options.has('i'),
      blanks,
      ignoreEmpty: options.has('B'),
      stripCr: options.has('cr'),
      countsEnd: styles[chosen] !== 'ed' && styles[chosen] !== 'forward',
    },
    brief: options.has('q'),
    reportSame: options.has('s'),
    recursive: options.has('r'),
    newFile: options.has('N'),
    asText: options.has('a'),
    exclude: options.values('x').map((pattern) => globRegExp(pattern)),
    labels: options.values('L'),
    words: words.map((word) => `${maybeQuoted(word)} `).join(''),
  };
}

interface Side {
  readonly path: string;
  /** undefined: not there, which -N takes for empty. */
  readonly stat: Stat | undefined;
}

class Comparison {
  readonly #tool: Tool;
  readonly #plan: Plan;
  status = 0;

  constructor(tool: Tool, plan: Plan) {
    this.#tool = tool;
    this.#plan = plan;
  }

  operands(first: string, second: string): void {
    let [a, b] = [this.#side(first), this.#side(second)];
    if (a === undefined || b === undefined) return;
    const [aDirectory, bDirectory] = [isTree(a), isTree(b)];
    if (aDirectory && bDirectory) {
      this.#directories(first, second);
      return;
    }
    if (aDirectory) a = this.#side(join(first, basename(second)));
    else if (bDirectory) b = this.#side(join(second, basename(first)));
    if (a && b) this.#files(a, b);
  }

  #side(path: string): Side | undefined {
    if (path === '-') return { path, stat: this.#tool.sys.fstat(0) };
    try {
      return { path, stat: this.#tool.sys.stat(path) };
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      if (this.#plan.newFile && error.errno === ENOENT) return { path, stat: undefined };
      this.#tool.warn(`${maybeQuoted(path)}: ${strerror(error.errno)}`, 2);
      return undefined;
    }
  }

  #differ(): void {
    this.status = Math.max(this.status, 1);
  }

  #directories(first: string, second: string): void {
    const { out } = this.#tool;
    const left = this.#names(first);
    const right = this.#names(second);
    const all = [...new Set([...left, ...right])].sort((a, b) => (a < b ? -1 : 1));
    for (const name of all) {
      const missing = !left.has(name) ? second : !right.has(name) ? first : undefined;
      if (missing !== undefined && !this.#plan.newFile) {
        out.text(`Only in ${missing}: ${name}\n`);
        this.#differ();
        continue;
      }
      const a = this.#side(join(first, name));
      const b = this.#side(join(second, name));
      if (a && b) this.#pair(a, b);
    }
  }

  #pair(a: Side, b: Side): void {
    const { out } = this.#tool;
    const missing = a.stat === undefined || b.stat === undefined; // an empty tree, with -N
    if (missing ? isTree(a) || isTree(b) : isTree(a) && isTree(b)) {
      if (this.#plan.recursive) this.#directories(a.path, b.path);
      else out.text(`Common subdirectories: ${a.path} and ${b.path}\n`);
      return;
    }
    if (a.stat && b.stat && kindOf(a.stat) !== kindOf(b.stat)) {
      const tell = (side: Side): string => `${kindOf(side.stat as Stat)}`;
      out.text(`File ${a.path} is a ${tell(a)} while file ${b.path} is a ${tell(b)}\n`);
      this.#differ();
      return;
    }
    this.#files(a, b, `diff ${this.#plan.words}${maybeQuoted(a.path)} ${maybeQuoted(b.path)}\n`);
  }

  #names(directory: string): Set<string> {
    const names = new Set<string>();
    const { sys } = this.#tool;
    if (this.#plan.newFile && statIfThere(sys, directory) === undefined) return names;
    const list = this.#tool.attempt(maybeQuoted(directory), () => listDirectory(sys, directory));
    if (list === undefined) this.status = 2;
    for (const { name } of list ?? []) {
      if (!this.#plan.exclude.some((pattern) => pattern.test(name))) names.add(name);
    }
    return names;
  }

  #files(a: Side, b: Side, head = ''): void {
    const { out } = this.#tool;
    const plan = this.#plan;
    const besides = plan.shape.style === 'sides' && !plan.brief; // what is common is shown, too
    if (!besides && isOneFile(a, b)) {
      if (plan.reportSame) out.text(`Files ${a.path} and ${b.path} are identical\n`);
      return;
    }
    const [left, right] = [this.#read(a), this.#read(b)];
    if (left === undefined || right === undefined) return;
    const same = left.length === right.length && left.every((byte, i) => byte === right[i]);
    const { shape } = plan;
    const put = (text: string): void =>
      out.latin1(plan.expandsTabs ? withoutTabs(text, shape.style) : text);
    if (same && !(besides && !isBinary(left))) {
      if (plan.reportSame) out.text(`Files ${a.path} and ${b.path} are identical\n`);
      return;
    }
    const binary = !plan.asText && (isBinary(left) || isBinary(right));
    if (binary) {
      this.#differ();
      const what = plan.brief ? 'Files' : 'Binary files';
      out.text(`${what} ${a.path} and ${b.path} differ\n`);
      return;
    }
    const pair = { a: this.#text(a, left, 0), b: this.#text(b, right, 1) };
    const changes = compareTexts(pair.a, pair.b, plan.equality);
    if (!plan.equality.countsEnd && !plan.brief) this.#tellEnds(pair);
    if (changes.length === 0) {
      if (besides) printChanges(pair, changes, { ...shape, put });
      if (plan.reportSame) out.text(`Files ${a.path} and ${b.path} are identical\n`);
      return;
    }
    this.#differ();
    if (plan.brief) {
      out.text(`Files ${a.path} and ${b.path} differ\n`);
      return;
    }
    out.text(head);
    printChanges(pair, changes, { ...shape, put });
  }

  /** A script of ed cannot tell that a last line has no end. */
  #tellEnds(pair: { a: Text; b: Text }): void {
    for (const { name, unterminated } of [pair.a, pair.b])
      if (unterminated) this.#tool.warn(`${name}: No newline at end of file\n`, 2);
  }

  #text(side: Side, bytes: Uint8Array, index: number) {
    const label = this.#plan.labels[index];
    const { stat } = side;
    const time = stat?.mtime ?? { sec: 0, nsec: 0 };
    const form = this.#plan.shape.style === 'context' ? CONTEXT_TIME : TIME;
    const stamp = label === undefined ? strftime(form, time) : '';
    return textOf({ name: toLatin1(encodeText(label ?? side.path)), stamp, bytes });
  }

  /** Both files are held in memory: any line may equal any other. */
  #read({ path, stat }: Side): Uint8Array | undefined {
    if (stat === undefined) return new Uint8Array();
    const { sys } = this.#tool;
    try {
      const fd = path === '-' ? 0 : sys.open(path, O_RDONLY);
      const parts: Uint8Array[] = [];
      for (let size = 0; ; ) {
        const part = new Uint8Array(256 * 1024);
        const count = sys.read(fd, part);
        if (count === 0) break;
        parts.push(part.subarray(0, count));
        size += count;
        if (size > MOST_BYTES) return this.#tool.die(`${path}: file too large`, 2);
      }
      if (fd > 2) sys.close(fd);
      return joined(parts);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      this.#tool.warn(`${maybeQuoted(path)}: ${strerror(error.errno)}`, 2);
      return undefined;
    }
  }
}

/** Two names of one file: no need to read it. */
const isOneFile = ({ stat: a }: Side, { stat: b }: Side): boolean =>
  a !== undefined && a.dev === b?.dev && a.ino === b.ino && (a.mode & S_IFMT) === S_IFREG;

const MOST_BYTES = 512 * 1024 * 1024;
const TIME = '%Y-%m-%d %H:%M:%S.%N %z';
/** As POSIX has it. */
const CONTEXT_TIME = '%a %b %e %T %Y';

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Columns count behind the mark that stands in front of a line. */
function withoutTabs(text: string, style: Style): string {
  if (!text.includes('\t') || /^(---|\+\+\+|\*\*\*) /.test(text)) return text;
  const marks = style === 'unified' ? 1 : style === 'normal' || style === 'context' ? 2 : 0;
  let out = '';
  for (const c of text.slice(marks)) out += c === '\t' ? ' '.repeat(8 - (out.length % 8)) : c;
  return text.slice(0, marks) + out;
}

const isBinary = (bytes: Uint8Array): boolean => bytes.subarray(0, 32768).includes(0);
const isTree = ({ stat }: Side): boolean => stat !== undefined && isDirectory(stat);

function kindOf(stat: Stat): string {
  const kind = stat.mode & S_IFMT;
  if (kind === S_IFDIR) return 'directory';
  if (kind !== S_IFREG) return 'special file';
  return stat.size === 0 ? 'regular empty file' : 'regular file';
}
