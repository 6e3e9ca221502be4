// tree: a directory and what is below it, drawn (tree(1) -a -d -f -L -i -F -s).

import { S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT } from '../../kernel/abi/constants.ts';
import { PosixError } from '../../kernel/abi/errno.ts';
import type { Stat } from '../../kernel/abi/stat.ts';
import { join, listDirectory } from '../libc/files/path.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';

export const main = program(
  {
    usage: `[-adfisF] [-L LEVEL] [--noreport] [DIRECTORY]...
  -a  hidden ones, too    -d  directories only    -f  whole paths    -i  without lines
  -s  sizes    -F  marks of the kind    -L  no deeper than that`,
    short: 'adfisFL:',
    long: { noreport: 'noreport' },
  },
  (tool, options) => {
    const level = options.value('L');
    const deepest = level === undefined ? Number.POSITIVE_INFINITY : Number(level);
    if (!(deepest > 0)) return tool.die('Invalid level, must be greater than 0.');
    const count = { directories: 0, files: 0 };
    for (const name of options.operands.length > 0 ? options.operands : ['.']) {
      tool.out.text(name);
      const entries = inside(tool, options, name);
      if (entries === undefined) {
        tool.out.text('  [error opening dir]\n');
        tool.status = 2;
        continue;
      }
      tool.out.text('\n');
      draw(tool, { options, deepest, count }, { path: name, indent: '', depth: 1, entries });
    }
    if (options.has('noreport')) return;
    const files = options.has('d') ? '' : `, ${count.files} file${count.files === 1 ? '' : 's'}`;
    const many = count.directories === 1 ? 'directory' : 'directories';
    tool.out.text(`\n${count.directories} ${many}${files}\n`);
  },
);

interface Entry {
  readonly name: string;
  readonly stat: Stat;
}

interface Drawing {
  readonly options: Options;
  readonly deepest: number;
  readonly count: { directories: number; files: number };
}

const isDirectory = ({ stat }: Entry): boolean => (stat.mode & S_IFMT) === S_IFDIR;

/** In order; undefined when it cannot be read. */
function inside(tool: Tool, options: Options, path: string): Entry[] | undefined {
  try {
    return listDirectory(tool.sys, path)
      .filter(({ name }) => options.has('a') || !name.startsWith('.'))
      .map(({ name }) => ({ name, stat: tool.sys.lstat(join(path, name)) }))
      .filter((entry) => !options.has('d') || isDirectory(entry))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return undefined;
  }
}

function draw(
  tool: Tool,
  drawing: Drawing,
  at: { path: string; indent: string; depth: number; entries: readonly Entry[] },
): void {
  const { options, deepest, count } = drawing;
  for (const [i, entry] of at.entries.entries()) {
    const isLast = i === at.entries.length - 1;
    const path = join(at.path, entry.name);
    if (isDirectory(entry)) count.directories++;
    else count.files++;
    const lines = options.has('i') ? '' : at.indent + (isLast ? '`-- ' : '|-- ');
    tool.out.text(`${lines}${label(tool, options, { entry, path })}`);
    const deeper = isDirectory(entry) && at.depth < deepest;
    const entries = deeper ? inside(tool, options, path) : [];
    tool.out.text(entries === undefined ? '  [error opening dir]\n' : '\n');
    const indent = at.indent + (isLast ? '    ' : '|   ');
    draw(tool, drawing, { path, indent, depth: at.depth + 1, entries: entries ?? [] });
  }
}

function label(
  tool: Tool,
  options: Options,
  { entry, path }: { entry: Entry; path: string },
): string {
  const type = entry.stat.mode & S_IFMT;
  const size = options.has('s') ? `[${String(entry.stat.size).padStart(11)}]  ` : '';
  const name = options.has('f') ? path : entry.name;
  const runs = type !== S_IFLNK && (entry.stat.mode & 0o111) !== 0;
  const marks = type === S_IFDIR ? '/' : type === S_IFIFO ? '|' : runs ? '*' : '';
  const to = type === S_IFLNK ? ` -> ${tool.sys.readlink(path)}` : '';
  return `${size}${name}${options.has('F') ? marks : ''}${to}`;
}
