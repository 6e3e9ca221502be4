// What was not saved when the terminal went away: kept in a file of the user's own, for `vi -r`
// (POSIX.1-2024 XCU ex, Asynchronous Events).

import { S_IFDIR, S_IFMT } from '../../../kernel/abi/constants.ts';
import { EEXIST, PosixError } from '../../../kernel/abi/errno.ts';
import { listDirectory, statIfThere } from '../files/path.ts';
import type { Sys } from '../sys.ts';
import type { Buffer } from './buffer.ts';
import { put, readText, type Text } from './file.ts';

/** One that outlives a boot first. */
const PLACES = ['/var/tmp', '/tmp'];

function directory(sys: Sys): string {
  const base = PLACES.find((path) => {
    const stat = statIfThere(sys, path);
    return stat !== undefined && (stat.mode & S_IFMT) === S_IFDIR;
  });
  return `${base ?? ''}/vi.recover.${sys.geteuid()}`;
}

/** The absolute name, in one word. */
function wordFor(sys: Sys, name: string): string {
  const path = name === '' ? 'no name' : name.startsWith('/') ? name : `${sys.getcwd()}/${name}`;
  return encodeURIComponent(path).slice(-250);
}

/** Says whether it could be kept. */
export function preserve(sys: Sys, name: string, buffer: Buffer): boolean {
  try {
    makePrivate(sys, directory(sys));
    const { lines, unterminated } = buffer;
    const path = `${directory(sys)}/${wordFor(sys, name)}`;
    put(sys, path, { path, lines, unterminated }, 0);
    return true;
  } catch (error) {
    if (error instanceof PosixError) return false;
    throw error;
  }
}

function makePrivate(sys: Sys, path: string): undefined {
  try {
    sys.mkdir(path, 0o700);
  } catch (error) {
    if (!(error instanceof PosixError) || error.errno !== EEXIST) throw error;
  }
}

/** Throws ENOENT when there is none. */
export const recovered = (sys: Sys, name: string): Text =>
  readText(sys, `${directory(sys)}/${wordFor(sys, name)}`);

/** It is saved, or not wanted any more. */
export function forget(sys: Sys, name: string): undefined {
  const path = `${directory(sys)}/${wordFor(sys, name)}`;
  if (statIfThere(sys, path) !== undefined) sys.unlink(path);
}

/** The names of texts that were preserved. */
export function preservedNames(sys: Sys): string[] {
  if (statIfThere(sys, directory(sys)) === undefined) return [];
  return listDirectory(sys, directory(sys))
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('.'))
    .map(decodeURIComponent);
}
