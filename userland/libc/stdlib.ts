// What programs that start others share: the search in PATH, spawn and wait, signal names.

import {
  S_IFMT,
  S_IFREG,
  signalNames,
  WEXITSTATUS,
  WIFEXITED,
  WTERMSIG,
  X_OK,
} from '../../kernel/abi/constants.ts';
import { EACCES, ENOENT, type Errno, PosixError } from '../../kernel/abi/errno.ts';
import type { Sys } from './sys.ts';

const DEFAULT_PATH = '/bin:/usr/bin:/sbin:/usr/sbin';

/** The file that `name` starts, as execvp(3) looks for it, or why there is none. */
export function findProgram(
  sys: Sys,
  name: string,
  path = sys.env.get('PATH') ?? DEFAULT_PATH,
): { path: string } | { errno: Errno } {
  if (name.includes('/')) return { path: name };
  let errno: Errno = ENOENT;
  if (name === '') return { errno };
  for (const directory of path.split(':')) {
    const candidate = `${directory === '' ? '.' : directory}/${name}`;
    const found = executable(sys, candidate);
    if (found === true) return { path: candidate };
    if (found === EACCES) errno = EACCES;
  }
  return { errno };
}

function executable(sys: Sys, path: string): true | Errno {
  try {
    if ((sys.stat(path).mode & S_IFMT) !== S_IFREG) return EACCES;
    sys.access(path, X_OK);
    return true;
  } catch (error) {
    if (error instanceof PosixError) return error.errno;
    throw error;
  }
}

/** The exit status a shell gives to what wait(2) told. */
export const shellStatus = (status: number): number =>
  WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

/** `TERM`, `SIGTERM`, `term` or `15` → 15. */
export function signalNumber(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const name = text.toUpperCase().replace(/^SIG/, '');
  return name === 'EXIT' ? 0 : signalNames[name];
}

export const signalName = (signal: number): string | undefined =>
  Object.keys(signalNames).find((name) => signalNames[name] === signal);
