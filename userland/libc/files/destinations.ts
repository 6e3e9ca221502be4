// Where the operands of cp and mv go: SOURCE DEST, SOURCE... DIRECTORY, -t DIRECTORY, -T.

import type { Options } from '../options.ts';
import type { Tool } from '../program.ts';
import { quoted } from '../text/quote.ts';
import { basename, isDirectoryAt, join, trimmed } from './path.ts';

export interface Destination {
  readonly from: string;
  readonly to: string;
}

export function destinations(tool: Tool, options: Options): Destination[] {
  const { operands } = options;
  const [into, another] = options.values('t');
  const [first, second, third] = operands;
  if (another !== undefined) tool.die('multiple target directories specified');
  if (first === undefined) return tool.misuse('missing file operand');
  const inside = (directory: string, sources: readonly string[]): Destination[] =>
    sources.map((from) => ({ from, to: join(directory, lastPart(from)) }));
  if (into !== undefined) {
    if (options.has('T'))
      tool.die('cannot combine --target-directory (-t) and --no-target-directory (-T)');
    if (!isDirectoryAt(tool.sys, into))
      tool.die(`target directory ${quoted(into)}: ${missing(tool, into)}`);
    return inside(into, operands);
  }
  if (second === undefined)
    return tool.misuse(`missing destination file operand after ${quoted(first)}`);
  if (options.has('T')) {
    if (third !== undefined) tool.misuse(`extra operand ${quoted(third)}`);
    return [{ from: first, to: second }];
  }
  const last = operands.at(-1) ?? '';
  if (isDirectoryAt(tool.sys, last)) return inside(last, operands.slice(0, -1));
  if (third !== undefined) tool.die(`target ${quoted(last)}: ${missing(tool, last)}`);
  return [{ from: first, to: second }];
}

const missing = (tool: Tool, path: string): string =>
  exists(tool, path) ? 'Not a directory' : 'No such file or directory';

function exists(tool: Tool, path: string): boolean {
  try {
    tool.sys.stat(path);
    return true;
  } catch {
    return false;
  }
}

/** `a/..` goes to the directory itself, not to its `..`. */
const lastPart = (path: string): string => {
  const base = basename(trimmed(path) || path);
  return base === '..' || base === '/' ? '.' : base;
};
