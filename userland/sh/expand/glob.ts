// Pathname expansion (POSIX.1-2024 XCU §2.14.3).

import {
  DT_DIR,
  DT_LNK,
  DT_UNKNOWN,
  O_CLOEXEC,
  O_DIRECTORY,
} from '../../../kernel/abi/constants.ts';
import { PosixError } from '../../../kernel/abi/errno.ts';
import type { Dirent } from '../../../kernel/abi/stat.ts';
import type { Sys } from '../../libc/sys.ts';
import { compilePattern, hasPattern, matches } from '../pattern.ts';

/** The existing paths that match, sorted; empty when there are none. */
export function glob(sys: Sys, pattern: string): string[] {
  const parts = pattern.split('/');
  let found = [''];
  for (let i = 0; i < parts.length && found.length > 0; i++) {
    const part = parts[i] ?? '';
    const last = i === parts.length - 1;
    const next: string[] = [];
    for (const base of found) {
      if (hasPattern(part)) descend(sys, { base, part, last }, next);
      else next.push(base + unquote(part) + (last ? '' : '/'));
    }
    found = next;
  }
  const checked = hasPattern(parts[parts.length - 1] ?? '')
    ? found
    : found.filter((path) => exists(sys, path));
  return checked.sort(byCodePoint);
}

const unquote = (part: string): string => part.replace(/\\(.)/gs, '$1');

const byCodePoint = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

interface Step {
  readonly base: string;
  readonly part: string;
  readonly last: boolean;
}

function descend(sys: Sys, step: Step, into: string[]): void {
  const pattern = compilePattern(step.part);
  const hidden = step.part.startsWith('.') || step.part.startsWith('\\.');
  for (const entry of entries(sys, step.base === '' ? '.' : step.base)) {
    if (entry.name.startsWith('.') && !hidden) continue;
    if (!matches(pattern, entry.name)) continue;
    if (step.last) into.push(step.base + entry.name);
    else if (entry.type === DT_DIR || entry.type === DT_LNK || entry.type === DT_UNKNOWN) {
      into.push(`${step.base}${entry.name}/`);
    }
  }
}

/** A directory that cannot be read has no entries: such a pattern matches nothing. */
function entries(sys: Sys, path: string): Dirent[] {
  const all: Dirent[] = [];
  let fd: number;
  try {
    fd = sys.open(path, O_DIRECTORY | O_CLOEXEC);
  } catch (error) {
    if (error instanceof PosixError) return all;
    throw error;
  }
  try {
    for (let some = sys.getdents(fd); some.length > 0; some = sys.getdents(fd)) all.push(...some);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
  } finally {
    sys.close(fd);
  }
  return all;
}

function exists(sys: Sys, path: string): boolean {
  try {
    sys.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof PosixError) return false;
    throw error;
  }
}
