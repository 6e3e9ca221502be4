// A walk over a file tree, in depth-first order, without recursion and with one open directory at a
// time. Each directory is seen before ('pre') and after ('post') what it holds. As fts(3) does.

import { DT_DIR, DT_UNKNOWN, dtype } from '../../../kernel/abi/constants.ts';
import { ELOOP, ENOENT, fail, PosixError } from '../../../kernel/abi/errno.ts';
import type { Dirent, Stat } from '../../../kernel/abi/stat.ts';
import type { BatchResult } from '../runtime/batch.ts';
import type { Sys } from '../sys.ts';
import { join, listDirectory } from './path.ts';

export interface Visit {
  readonly path: string;
  readonly name: string;
  /** 0 for the root of the walk. */
  readonly depth: number;
  /** In a lazy walk it is read when first asked for, and may throw. */
  readonly stat: Stat;
  /** DT_*, without a stat where the directory tells it. */
  readonly type: number;
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
  /** Files are not looked at unless the visitor asks: a name may be gone by then. */
  readonly lazy?: true;
  /** A directory has the attributes that it had before what it holds was visited, in a lazy walk too. */
  readonly statsBefore?: boolean;
  /** Nothing that the visitor does changes files: many are looked at in one submission. */
  readonly ahead?: boolean;
  /** Told what could not be read; the walk goes on. */
  readonly onFault: (path: string, error: PosixError, what: 'stat' | 'open' | 'loop') => void;
}

interface Level {
  readonly visit: FileVisit;
  readonly entries: Dirent[]; // in reverse: the next is the last
  /** What was looked at before its turn, by name. */
  readonly looked: Map<string, BatchResult>;
}

/** Files looked at in one submission. */
const AHEAD = 128;

export function* walk(sys: Sys, request: WalkRequest): Generator<Visit, void, undefined> {
  const stack: Level[] = [];
  const root = look(sys, request, {
    path: request.root,
    name: request.root,
    depth: 0,
    type: DT_UNKNOWN,
  });
  if (root === undefined) return;
  yield root;
  if (root.type !== DT_DIR) return;
  stack.push(levelOf(sys, request, root));
  for (let level = stack.at(-1); level !== undefined; level = stack.at(-1)) {
    const entry = level.entries.pop();
    if (entry === undefined) {
      stack.pop();
      yield level.visit.after();
      continue;
    }
    const path = join(level.visit.path, entry.name);
    const place = { path, name: entry.name, depth: stack.length, type: entry.type };
    const visit = look(sys, request, place, level);
    if (visit === undefined) continue;
    const directory = visit.type === DT_DIR;
    if (directory && request.follow === 'always' && loops(stack, visit)) {
      request.onFault(path, new PosixError(ELOOP), 'loop');
      continue;
    }
    yield visit;
    if (!directory) continue;
    if (request.oneFileSystem && visit.stat.dev !== root.stat.dev) visit.prune = true;
    stack.push(levelOf(sys, request, visit));
  }
}

interface Place {
  readonly path: string;
  readonly name: string;
  readonly depth: number;
  readonly type: number;
}

class FileVisit implements Visit {
  readonly path: string;
  readonly name: string;
  readonly depth: number;
  readonly #read: () => Stat;
  #type: number;
  #stat: Stat | undefined;
  #phase: 'pre' | 'post' = 'pre';
  prune = false;

  constructor(place: Place, read: () => Stat) {
    this.path = place.path;
    this.name = place.name;
    this.depth = place.depth;
    this.#type = place.type;
    this.#read = read;
  }

  get stat(): Stat {
    this.#stat ??= this.#read();
    return this.#stat;
  }

  get type(): number {
    if (this.#type === DT_UNKNOWN) this.#type = dtype(this.stat.mode);
    return this.#type;
  }

  get phase(): 'pre' | 'post' {
    return this.#phase;
  }

  /** Reads the stat at once. */
  looked(): this {
    this.#stat = this.#read();
    return this;
  }

  after(): this {
    this.#phase = 'post';
    return this;
  }
}

function look(sys: Sys, request: WalkRequest, place: Place, level?: Level): FileVisit | undefined {
  const through = request.follow === 'always' || (request.follow === 'root' && place.depth === 0);
  const ahead = level !== undefined && request.ahead && !through ? level : undefined;
  const read = (): Stat =>
    ahead ? lookAhead(sys, ahead, place) : statOf(sys, place.path, through ? 'through' : 'itself');
  try {
    const visit = new FileVisit(through ? { ...place, type: DT_UNKNOWN } : place, read);
    const before = request.statsBefore && place.type === DT_DIR;
    const lazy = request.lazy && !through && !request.oneFileSystem && !before;
    const now = !lazy || place.type === DT_UNKNOWN;
    return now ? visit.looked() : visit;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    request.onFault(place.path, error, 'stat');
    return undefined;
  }
}

/** Looks at a file and at those that come after it in its directory. */
function lookAhead(sys: Sys, level: Level, { name }: Place): Stat {
  const { looked, entries, visit } = level;
  if (!looked.has(name)) {
    const next = entries.slice(1 - AHEAD).reverse();
    const names = [name, ...next.map((entry) => entry.name)];
    const calls = names.map((one) => ({ call: 'lstat', path: join(visit.path, one) }) as const);
    sys.batch(calls).forEach((result, i) => {
      looked.set(names[i] ?? '', result);
    });
  }
  const result = looked.get(name);
  looked.delete(name);
  return result?.stat ?? fail(result?.errno || ENOENT);
}

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

const levelOf = (sys: Sys, request: WalkRequest, visit: FileVisit): Level => ({
  visit,
  entries: entriesOf(sys, request, visit),
  looked: new Map(),
});

function entriesOf(sys: Sys, request: WalkRequest, visit: Visit): Dirent[] {
  if (visit.prune) return [];
  try {
    return listDirectory(sys, visit.path).reverse();
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
