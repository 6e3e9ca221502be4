// patch: applies what diff wrote. POSIX.1-2024 patch -b -d -i -l -N -o -p -r -R, with GNU's -E -f -F -s
// -t --dry-run. Status 0 all applied, 1 some hunks were not, 2 trouble.

import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '../../kernel/abi/constants.ts';
import { ENOENT, PosixError, strerror } from '../../kernel/abi/errno.ts';
import { decodeText } from '../../kernel/abi/text.ts';
import { type Applied, applyHunks } from '../libc/diff/apply.ts';
import {
  type FilePatch,
  type Hunk,
  type HunkLine,
  PatchError,
  parsePatches,
  reversed,
} from '../libc/diff/hunks.ts';
import { dirname, statIfThere } from '../libc/files/path.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { Input } from '../libc/stdio.ts';
import { fromLatin1, toLatin1 } from '../libc/text/latin1.ts';
import { parseCount } from '../libc/text/numbers.ts';
import { maybeQuoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: `[-bEflNRst] [-d DIR] [-F LINES] [-i PATCHFILE] [-o FILE] [-p COUNT] [-r FILE] [--dry-run] [FILE [PATCHFILE]]
Changes files as a diff says.

  -p COUNT    cuts so many leading directories off the names in the patch
  -R          takes the patch back
  --dry-run   says what would happen, and changes nothing`,
    short: 'bd:EfF:i:lNo:p:r:Rstu',
    long: {
      backup: 'b',
      'directory=': 'd',
      'remove-empty-files': 'E',
      force: 'f',
      'fuzz=': 'F',
      'input=': 'i',
      'ignore-whitespace': 'l',
      forward: 'N',
      'output=': 'o',
      'strip=': 'p',
      'reject-file=': 'r',
      reverse: 'R',
      quiet: 's',
      silent: 's',
      batch: 't',
      'dry-run': 'dry',
      unified: 'u',
    },
    trouble: 2,
  },
  (tool, options) => {
    const [target, patchFile, extra] = options.operands;
    if (extra !== undefined) return tool.misuse(`${maybeQuoted(extra)}: extra operand`);
    const directory = options.value('d');
    const source = options.value('i') ?? patchFile ?? '-';
    if (directory !== undefined) tool.sys.chdir(directory);
    const text = readAll(tool, source);
    try {
      const patches = parsePatches(text).filter(
        (patch) => target !== undefined || patch.oldName || patch.newName || patch.index,
      );
      if (patches.length === 0) {
        if (text === '') return 0;
        return tool.die('**** Only garbage was found in the patch input.');
      }
      const patcher = new Patcher(tool, options, target);
      for (const patch of patches) patcher.apply(options.has('R') ? reversed(patch) : patch);
      return patcher.status;
    } catch (error) {
      if (error instanceof PatchError) return tool.die(`**** ${error.message}`);
      throw error;
    }
  },
);

function readAll(tool: Tool, path: string): string {
  try {
    const fd = path === '-' ? 0 : tool.sys.open(path, O_RDONLY);
    const input = new Input(tool.sys, fd);
    let text = '';
    for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk())
      text += toLatin1(chunk);
    if (fd !== 0) tool.sys.close(fd);
    return text;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`**** Can't open file ${path} : ${strerror(error.errno)}`);
  }
}

interface Loaded {
  readonly lines: string[];
  readonly unterminated: boolean;
  readonly mode: number | undefined; // undefined: it is not there
}

class Patcher {
  readonly #tool: Tool;
  readonly #options: Options;
  readonly #target: string | undefined;
  readonly #fuzz: number;
  readonly #strip: number | undefined;
  #assumedReverse = false;
  status = 0;

  constructor(tool: Tool, options: Options, target: string | undefined) {
    this.#tool = tool;
    this.#options = options;
    this.#target = target;
    const number = (name: string): number | undefined => {
      const text = options.value(name);
      if (text === undefined) return undefined;
      return parseCount(text) ?? tool.die(`**** ${quotedArgument(text)} is not a number`);
    };
    this.#fuzz = number('F') ?? 2;
    this.#strip = number('p');
  }

  apply(patch: FilePatch): void {
    const name = this.#fileOf(patch);
    if (name === undefined) {
      this.#say(
        `can't find file to patch\n${patch.hunks.length} out of ${patch.hunks.length} hunk${patch.hunks.length === 1 ? '' : 's'} ignored\n`,
      );
      this.status = 1;
      return;
    }
    const dry = this.#options.has('dry');
    const loaded = this.#load(name);
    const output = this.#options.value('o');
    const into =
      output === undefined
        ? maybeQuoted(name)
        : `${maybeQuoted(output)} (read from ${maybeQuoted(name)})`;
    this.#say(`${dry ? 'checking' : 'patching'} file ${into}\n`);
    const how = { fuzz: this.#fuzz, loose: this.#options.has('l') };
    let applied = applyHunks(loaded, patch.hunks, how);
    if (!this.#options.has('f') && this.#isReversed(loaded, patch)) {
      const isBack = this.#options.has('R');
      const { out } = this.#tool; // what it would ask is told with -s, too
      out.text(`${isBack ? 'Unreversed' : 'Reversed (or previously applied)'} patch detected!`);
      if (this.#options.has('t')) {
        out.text(isBack ? '  Ignoring -R.\n' : '  Assuming -R.\n');
        this.#assumedReverse = true;
        applied = applyHunks(loaded, reversed(patch).hunks, how);
      } else {
        if (this.#options.has('N')) out.text('  Skipping patch.\n');
        else {
          out.text(`  ${isBack ? 'Ignore' : 'Assume'} -R? [n] \nApply anyway? [n] \n`);
          this.#say('Skipping patch.\n');
        }
        if (output !== undefined && !dry) this.#write(output, '', undefined);
        this.#reject(
          name,
          patch,
          applied.results.map(({ hunk }) => hunk),
          'ignored',
        );
        return;
      }
    }
    this.#tell(applied);
    this.#store(name, patch, { loaded, applied });
    const failed = applied.results.filter(({ place }) => place === undefined);
    if (failed.length > 0)
      this.#reject(
        name,
        patch,
        failed.map(({ hunk, wanted }) => moved(hunk, wanted - hunk.oldStart - 1)),
        'FAILED',
      );
  }

  /** Taking it back fits with less fuzz than doing it: it was applied before. */
  #isReversed(loaded: Loaded, patch: FilePatch): boolean {
    const fits = (one: FilePatch, fuzz: number): boolean =>
      applyHunks(loaded, one.hunks.slice(0, 1), { fuzz, loose: this.#options.has('l') }).results[0]
        ?.place !== undefined;
    for (let fuzz = 0; fuzz <= this.#fuzz; fuzz++) {
      if (fits(patch, fuzz)) return false;
      if (fits(reversed(patch), fuzz)) return true;
    }
    return false;
  }

  #say(text: string): void {
    if (!this.#options.has('s')) this.#tool.out.latin1(text);
  }

  /** The file that a patch is for: given, or the best of the names in its head. */
  #fileOf(patch: FilePatch): string | undefined {
    if (this.#target !== undefined) return this.#target;
    const { sys } = this.#tool;
    const { oldName, newName } = patch;
    const heads = this.#options.has('R') ? [newName, oldName] : [oldName, newName];
    const names = [...heads, patch.index]
      .filter((name): name is string => name !== undefined && name !== '' && name !== '/dev/null')
      .map((name) => this.#stripped(name))
      .filter((name) => name !== '' && this.#isSafe(name));
    const there = names.filter((name) => statIfThere(sys, name) !== undefined);
    const best = there.sort((a, b) => depth(a) - depth(b) || a.length - b.length)[0];
    if (best !== undefined) return best;
    const creates =
      patch.oldName === '/dev/null' || patch.hunks[0]?.lines.every((line) => line.mark === '+');
    return creates ? names.at(-1) : undefined;
  }

  #stripped(name: string): string {
    const path = decodeText(fromLatin1(name));
    if (this.#strip === undefined) return path.split('/').at(-1) ?? '';
    let rest = path;
    for (let i = 0; i < this.#strip; i++) {
      const slash = /^[^/]*\/+/.exec(rest);
      if (slash === null) return rest;
      rest = rest.slice(slash[0].length);
    }
    return rest;
  }

  /** A patch from elsewhere stays below the working directory. */
  #isSafe(name: string): boolean {
    if (!name.startsWith('/') && !name.split('/').includes('..')) return true;
    this.#tool.note(`Ignoring potentially dangerous file name ${name}`);
    return false;
  }

  #load(name: string): Loaded {
    const { sys } = this.#tool;
    try {
      const mode = sys.stat(name).mode & 0o7777;
      const lines = readAll(this.#tool, name).split('\n');
      const unterminated = lines.at(-1) !== '';
      if (!unterminated) lines.pop();
      return { lines, unterminated, mode };
    } catch (error) {
      if (!(error instanceof PosixError) || error.errno !== ENOENT) throw error;
      return { lines: [], unterminated: false, mode: undefined };
    }
  }

  #tell(applied: Applied): void {
    for (const [i, { place, wanted }] of applied.results.entries()) {
      if (place === undefined) {
        this.#say(`Hunk #${i + 1} FAILED at ${wanted}.\n`);
        this.status = 1;
        continue;
      }
      const { offset, fuzz, line } = place;
      if (offset === 0 && fuzz === 0) continue;
      const moved =
        offset === 0 ? '' : ` (offset ${offset} line${Math.abs(offset) === 1 ? '' : 's'})`;
      this.#say(
        `Hunk #${i + 1} succeeded at ${line}${fuzz > 0 ? ` with fuzz ${fuzz}` : ''}${moved}.\n`,
      );
    }
  }

  #store(name: string, patch: FilePatch, what: { loaded: Loaded; applied: Applied }): void {
    if (this.#options.has('dry')) return;
    const { sys } = this.#tool;
    const { loaded, applied } = what;
    const output = this.#options.value('o') ?? name;
    if (output === name && loaded.mode !== undefined && this.#wantsBackup(applied))
      this.#backUp(name, loaded);
    const removes = patch.newName === '/dev/null' || this.#options.has('E');
    if (applied.lines.length === 0 && removes && output === name) {
      if (loaded.mode !== undefined) sys.unlink(name);
      return;
    }
    this.#makeParents(output);
    const text =
      applied.lines.join('\n') + (applied.unterminated || applied.lines.length === 0 ? '' : '\n');
    this.#write(output, text, loaded.mode);
  }

  /** Asked for, or because something did not go as it should. */
  #wantsBackup(applied: Applied): boolean {
    if (this.#assumedReverse) return true;
    const rough = applied.results.some(({ place }) => place?.offset !== 0 || place.fuzz > 0);
    return this.#options.has('b') || (rough && this.#options.value('o') === undefined);
  }

  #backUp(name: string, { lines, unterminated, mode }: Loaded): void {
    const text = lines.join('\n') + (unterminated || lines.length === 0 ? '' : '\n');
    const { mtime, atime } = this.#tool.sys.stat(name);
    this.#write(`${name}.orig`, text, mode);
    this.#tool.sys.utimens(`${name}.orig`, { atime, mtime, followSymlinks: true });
  }

  /** Written beside it and renamed: whoever reads it sees the old file or the new one. */
  #write(name: string, text: string, mode: number | undefined): void {
    const { sys } = this.#tool;
    const path = `${name}.patch~`;
    const fd = sys.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode ?? 0o666);
    sys.write(fd, fromLatin1(text));
    sys.close(fd);
    if (mode !== undefined) sys.chmod(path, mode);
    sys.rename(path, name);
  }

  #makeParents(name: string): void {
    const { sys } = this.#tool;
    const parent = dirname(name);
    if (parent === '.' || parent === '/' || statIfThere(sys, parent) !== undefined) return;
    this.#makeParents(parent);
    sys.mkdir(parent, 0o777);
  }

  #reject(name: string, patch: FilePatch, hunks: readonly Hunk[], how: 'FAILED' | 'ignored'): void {
    this.status = 1;
    const file = this.#options.value('r') ?? `${this.#options.value('o') ?? name}.rej`;
    const all = patch.hunks.length;
    const saved =
      this.#options.has('dry') || file === '-'
        ? ''
        : ` -- saving rejects to file ${maybeQuoted(file)}`;
    this.#tool.out.latin1(
      `${hunks.length} out of ${all} hunk${all === 1 ? '' : 's'} ${how}${saved}\n`,
    );
    if (saved === '') return;
    const { style } = patch;
    const [old, fresh] = style === 'unified' ? ['---', '+++'] : ['***', '---'];
    const head = `${old} ${patch.oldHead || '/dev/null'}\n${fresh} ${patch.newHead || '/dev/null'}\n`;
    const written = (hunk: Hunk): string =>
      style === 'unified' ? unified(hunk) : inContext(hunk, style);
    this.#write(file, head + hunks.map(written).join(''), undefined);
  }
}

const depth = (name: string): number => name.split('/').length;

function unified(hunk: Hunk): string {
  const count = (without: '+' | '-'): number =>
    hunk.lines.filter((line) => line.mark !== without).length;
  const range = (start: number, lines: number): string =>
    lines === 1 ? `${start + 1}` : `${lines === 0 ? start : start + 1},${lines}`;
  const head = `@@ -${range(hunk.oldStart, count('+'))} +${range(hunk.newStart, count('-'))} @@\n`;
  const lines = hunk.lines.map(
    ({ mark, text, unterminated }) =>
      `${mark}${text}\n${unterminated ? '\\ No newline at end of file\n' : ''}`,
  );
  return head + lines.join('');
}

/** Where it would have gone, after those before it. */
const moved = (hunk: Hunk, by: number): Hunk => ({
  ...hunk,
  oldStart: hunk.oldStart + by,
  newStart: hunk.newStart + by,
});

/** What came as a normal diff has no stars behind its numbers, and nothing is marked as changed. */
function inContext(hunk: Hunk, style: FilePatch['style']): string {
  const side = (without: '+' | '-'): string[] =>
    hunk.lines.flatMap((line, i) => {
      if (line.mark === without) return [];
      const isBoth = style === 'context' && line.mark !== ' ' && isChange(hunk.lines, i);
      const end = line.unterminated ? '\n\\ No newline at end of file' : '';
      return [`${isBoth ? '!' : line.mark} ${line.text}${end}\n`];
    });
  const range = (start: number, count: number): string =>
    count > 1 ? `${start + 1},${start + count}` : `${count === 0 ? 0 : start + 1}`;
  const [old, fresh] = [side('+'), side('-')];
  const stars = style === 'context' ? ' ****' : '';
  const dashes = style === 'context' ? '----' : '-----';
  return `***************\n*** ${range(hunk.oldStart, old.length)}${stars}\n${old.join('')}--- ${range(hunk.newStart, fresh.length)} ${dashes}\n${fresh.join('')}`;
}

/** Within a run of changed lines there are old ones and new ones. */
function isChange(lines: readonly HunkLine[], at: number): boolean {
  let [from, to] = [at, at];
  while (from > 0 && lines[from - 1]?.mark !== ' ') from--;
  while (to + 1 < lines.length && lines[to + 1]?.mark !== ' ') to++;
  const marks = new Set(lines.slice(from, to + 1).map(({ mark }) => mark));
  return marks.size > 1;
}
