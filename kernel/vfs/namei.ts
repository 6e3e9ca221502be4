// Path walk: from a string to a dentry (POSIX.1-2024 XBD §4.16). At most 40 symlinks, then ELOOP;
// names of up to 255 bytes, paths of up to 4095. A component that is cached costs no suspension.

import { NAME_MAX, NAMED_FORK, PATH_MAX, R_OK, SYMLOOP_MAX, X_OK } from '../abi/constants.ts';
import { EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, fail, PosixError } from '../abi/errno.ts';
import { textSize } from '../abi/text.ts';
import type { Task } from '../ipc/task.ts';
import type { Call } from './call.ts';
import type { Dentry } from './dcache.ts';
import { onName } from './dir-lock.ts';
import { type Inode, iget, walkTo } from './inode.ts';
import type { Path } from './mount.ts';
import { checkAccess } from './permission.ts';

export interface WalkOptions {
  /** Follow a symlink at the end. A path that ends in '/' follows it in any case. */
  readonly follow: boolean;
}

/** The last step of a path, not yet taken: for calls that make or remove a name. */
export interface Parent {
  readonly dir: Path;
  readonly name: string; // '.', '..' and, for the root, '/' are possible
  /** The path ended in '/': the name must be a directory. */
  readonly mustBeDirectory: boolean;
}

/** The file at a path. Throws ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG. */
export function* namei(
  call: Call,
  path: string,
  options: WalkOptions,
): Task<Path & { inode: Inode }> {
  const walk = new Walk(call, path);
  const end = yield* walk.run(options.follow ? 'follow' : 'stay');
  return { ...end, inode: end.dentry.inode ?? fail(ENOENT) };
}

/** The directory that holds the last name of a path, and that name. `from`: not the working directory. */
export function* nameiParent(call: Call, path: string, from?: Path): Task<Parent> {
  const walk = new Walk(call, path, from);
  const dir = yield* walk.run('parent');
  const inode = dir.dentry.inode ?? fail(ENOENT);
  if (!inode.isDirectory) fail(ENOTDIR);
  checkAccess(call, inode, X_OK);
  return { dir, name: walk.last, mustBeDirectory: walk.trailingSlash };
}

class Walk {
  /** The last component; '/' when the path has none. */
  last = '/';
  trailingSlash: boolean;
  readonly #call: Call;
  /** Components still to walk, the next one last. */
  readonly #rest: string[];
  #at: Path;
  #links = 0;

  constructor(call: Call, path: string, from?: Path) {
    if (path === '') fail(ENOENT);
    if (path.includes('\0')) fail(EINVAL);
    if (path.length >= PATH_MAX / 4 && textSize(path) >= PATH_MAX) fail(ENAMETOOLONG);
    this.#call = call;
    this.#rest = components(path);
    this.trailingSlash = path.endsWith('/') && this.#rest.length > 0;
    const { mounts } = call.kernel;
    this.#at = path.startsWith('/') ? mounts.enter(mounts.root) : (from ?? call.process.cwd);
    call.hold(this.#at.dentry);
  }

  *run(end: 'follow' | 'stay' | 'parent'): Task<Path> {
    for (;;) {
      const name = this.#rest.pop();
      if (name === undefined) return this.#at;
      const isLast = this.#rest.length === 0;
      if (end === 'parent' && isLast) {
        this.last = name;
        return this.#at;
      }
      const next = yield* this.#step(name);
      const follows = !isLast || end === 'follow' || this.trailingSlash;
      if (next.dentry.inode?.isSymlink && follows) yield* this.#followLink(next.dentry.inode);
      else this.#at = next;
      if (isLast && this.trailingSlash && this.#rest.length === 0) this.#mustBeDirectory();
    }
  }

  /** One component down (or up), through mount points. Throws ENOENT for a negative dentry. */
  *#step(name: string): Task<Path> {
    const inode = this.#at.dentry.inode ?? fail(ENOENT);
    const forks = name === NAMED_FORK && inode.isCachedFile;
    if (!inode.isDirectory && !forks) fail(ENOTDIR);
    checkAccess(this.#call, inode, forks ? R_OK : X_OK);
    const { mounts } = this.#call.kernel;
    if (name === '.') return this.#at;
    if (name === '..') return this.#hold(mounts.parent(this.#at));
    const dentry = yield* lookup(this.#call, this.#at.dentry, name);
    if (dentry.inode === undefined) fail(ENOENT);
    return this.#hold(mounts.enter({ mount: this.#at.mount, dentry }));
  }

  *#followLink(link: Inode): Task<void> {
    if (++this.#links > SYMLOOP_MAX) fail(ELOOP);
    const { target } = yield* link.superblock.client.rpc({ name: 'Treadlink', fid: link.fid });
    if (target === '') fail(ENOENT);
    if (this.#rest.length === 0 && target.endsWith('/')) this.trailingSlash = true;
    this.#rest.push(...components(target));
    if (this.#rest.length > PATH_MAX) fail(ENAMETOOLONG);
    const { mounts } = this.#call.kernel;
    if (target.startsWith('/')) this.#at = this.#hold(mounts.enter(mounts.root));
  }

  #mustBeDirectory(): void {
    if (!this.#at.dentry.inode?.isDirectory) fail(ENOTDIR);
  }

  #hold(path: Path): Path {
    this.#call.hold(path.dentry);
    return path;
  }
}

/** The names of a path, the first one last. */
const components = (path: string): string[] =>
  path
    .split('/')
    .filter((name) => name !== '')
    .reverse();

/** A name in a directory: its dentry, negative when there is no such name. */
export function* lookup(call: Call, dir: Dentry, name: string): Task<Dentry> {
  const { dcache } = call.kernel;
  const inode = dir.inode ?? fail(ENOENT);
  if (!inode.superblock.volatile) {
    const hit = dcache.peek(dir, name);
    if (hit) return call.hold(hit);
  }
  if (name.length > NAME_MAX / 4 && textSize(name) > NAME_MAX) fail(ENAMETOOLONG);
  return yield* onName(dir, name, function* () {
    return call.hold(yield* ask(call, dir, name));
  });
}

/** As `lookup`, for a caller that holds the directory's lock, or that of the name. */
export function* lookupLocked(call: Call, dir: Dentry, name: string): Task<Dentry> {
  if (textSize(name) > NAME_MAX) fail(ENAMETOOLONG);
  return call.hold(yield* ask(call, dir, name));
}

function* ask(call: Call, dir: Dentry, name: string): Task<Dentry> {
  const { dcache } = call.kernel;
  const inode = dir.inode ?? fail(ENOENT);
  const { superblock } = inode;
  const known = dcache.peek(dir, name);
  if (known && !superblock.volatile) return known;
  try {
    const found = yield* walkTo(superblock, { fid: inode.fid, name });
    if (superblock.volatile && known?.inode?.qid.path === found.attr.qid.path) {
      known.inode.attr = found.attr;
      call.kernel.executor.start(dropFid(known.inode, found.fid), 'clunk');
      return known;
    }
    return dcache.set(dir, name, iget(call.kernel, superblock, found));
  } catch (error) {
    if (!(error instanceof PosixError) || error.errno !== ENOENT) throw error;
    return dcache.set(dir, name, undefined);
  }
}

function* dropFid(inode: Inode, fid: number): Task<void> {
  yield* inode.superblock.client.all([{ message: { name: 'Tclunk', fid } }]);
  inode.superblock.client.freeFid(fid);
}
