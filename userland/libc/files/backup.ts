// What stands where cp, mv, ln and install write is kept under another name. GNU coreutils §2.2, "Backup
// options": -b, --backup=, -S, VERSION_CONTROL, SIMPLE_BACKUP_SUFFIX.

import type { Options } from '../options.ts';
import type { Tool } from '../program.ts';
import { choose } from '../text/choice.ts';
import { basename, dirname, listDirectory } from './path.ts';

export const backupLong = { 'backup=?': 'backup', 'suffix=': 'S' } as const;

/** Finds the name that the file at `path` is to have; undefined = nothing is kept. */
export type Backup = ((path: string) => string) | undefined;

/** What is never overwritten needs no backup. Of `choices`, of which one is `n`, the last one given counts. */
export function refuseBackupWithNoClobber(
  tool: Tool,
  options: Options,
  choices: readonly string[],
): void {
  if (options.has('b', 'backup', 'S') && options.last(...choices) === 'n')
    tool.misuse('options --backup and --no-clobber are mutually exclusive');
}

const METHODS = ['none', 'off', 'simple', 'never', 'existing', 'nil', 'numbered', 't'] as const;

export function backupOf(tool: Tool, options: Options): Backup {
  const { env } = tool.sys;
  const suffix = options.value('S') || env.get('SIMPLE_BACKUP_SUFFIX') || '~';
  if (!options.has('b', 'backup', 'S')) return undefined;
  const word = options.value('backup') || env.get('VERSION_CONTROL') || 'existing';
  const method = choose(tool, word, { option: '--backup', valid: METHODS });
  if (method === 'none' || method === 'off') return undefined;
  const mark = suffix.includes('/') ? '~' : suffix;
  return (path) => {
    const simple = `${path}${mark}`;
    if (method === 'simple' || method === 'never') return simple;
    const last = lastNumber(tool, path);
    return last === 0 && method !== 'numbered' && method !== 't' ? simple : `${path}.~${last + 1}~`;
  };
}

/** The highest N of the files `NAME.~N~` beside it. */
function lastNumber(tool: Tool, path: string): number {
  const name = basename(path);
  let last = 0;
  for (const entry of listDirectory(tool.sys, dirname(path))) {
    if (!entry.name.startsWith(`${name}.~`)) continue;
    const number = /^(\d+)~$/.exec(entry.name.slice(name.length + 2));
    last = Math.max(last, Number(number?.[1] ?? 0));
  }
  return last;
}
