// A walk over a file tree, in depth-first order, without recursion and with one open directory at a
// time. Each directory is seen before ('pre') and after ('post') what it holds. As fts(3) does.

import { ELOOP, ENOENT, PosixError } from '../../../kernel/abi/errno.ts';
import type { Stat } from '../../../kernel/abi/stat.ts';
import type { Sys } from '../sys.ts';
import { isDirectory, join, listDirectory } from './path.ts';

export interface Visit {
  readonly path: string;
  readonly name: string;
  /** 0 for the root of the walk. */
  readonly depth: number;
  readonly stat: Stat;
  readonly phase: 'pre' | 'post';
  /** Set during 'pre' to leave out what the directory holds; 'post' still comes. */
  prune: boolean;
}

export interface WalkRequest {
  readonly root: string;
  /** Which symlinks are looked through: none, only the root, all. */
  readonly follow: 'never' | 'root' | 'always';
  /** Stays on the file system of the root. */
  readonly oneFileSystem?: boolean;
  /** Told what could not be read; the walk goes on. */
  readonly onFault: (path: string, error: PosixError, what: 'stat' | 'open' | 'loop') => void;
}

interface Level {
  readonly visit: Visit;
  readonly names: string[]; // in reverse: the next is the last
}

export function* walk(sys: Sys, request: WalkRequest): Generator<Visit, void, undefined> {
  const stack: Level[] = [];
  const root = look(sys, request, { path: request.root, name: request.root, depth: 0 });
  if (root === undefined) return;
  yield root;
  if (!isDirectory(root.stat)) return;
  stack.push({ visit: root, names: names(sys, request, root) });
  for (let level = stack.at(-1); level !== undefined; level = stack.at(-1)) {
    const name = level.names.pop();
    if (name === undefined) {
      stack.pop();
      yield { ...level.visit, phase: 'post' };
      continue;
    }
    const path = join(level.visit.path, name);
    const visit = look(sys, request, { path, name, depth: stack.length });
    if (visit === undefined) continue;
    if (isDirectory(visit.stat) && loops(stack, visit)) {
      request.onFault(path, new PosixError(ELOOP), 'loop');
      continue;
    }
    yield visit;
    if (!isDirectory(visit.stat)) continue;
    const foreign = request.oneFileSystem && visit.stat.dev !== root.stat.dev;
    if (foreign) visit.prune = true;
    stack.push({ visit, names: names(sys, request, visit) });
  }
}

function look(
  sys: Sys,
  request: WalkRequest,
  at: { path: string; name: string; depth: number },
): Visit | undefined {
  const through = request.follow === 'always' || (request.follow === 'root' && at.depth === 0);
  try {
    return { ...at, stat: statOf(sys, at.path, through ? 'through' : 'itself'), ...fresh() };
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    request.onFault(at.path, error, 'stat');
    return undefined;
  }
}

const fresh = (): { phase: 'pre'; prune: boolean } => ({ phase: 'pre', prune: false });

/** Looking through a dangling symlink finds the link itself. */
function statOf(sys: Sys, path: string, how: 'through' | 'itself'): Stat {
  if (how === 'itself') return sys.lstat(path);
  try {
    return sys.stat(path);
  } catch (error) {
    if (error instanceof PosixError && error.errno === ENOENT) return sys.lstat(path);
    throw error;
  }
}

function names(sys: Sys, request: WalkRequest, visit: Visit): string[] {
  if (visit.prune) return [];
  try {
    return listDirectory(sys, visit.path)
      .map((entry) => entry.name)
      .reverse();
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    request.onFault(visit.path, error, 'open');
    return [];
  }
}

const loops = (stack: readonly Level[], visit: Visit): boolean =>
  stack.some(
    ({ visit: above }) => above.stat.ino === visit.stat.ino && above.stat.dev === visit.stat.dev,
  );
