// The operations of fs.ts that take several calls: removing trees, copying, resolving links.

import { SYMLOOP_MAX } from '../kernel/abi/constants.ts';
import { EEXIST, ELOOP } from '../kernel/abi/errno.ts';
import { type FileSystem, isCode } from './fs.ts';
import { fsError } from './fs-error.ts';

/** Removes a file, or a directory and all it holds. */
export async function removeTree(fs: FileSystem, root: string): Promise<void> {
  const stats = await fs.lstat(root);
  if (!stats.isDirectory()) return fs.unlink(root);
  const directories = [root];
  for (let i = 0; i < directories.length; i++) {
    const path = directories[i] ?? root;
    for (const entry of await fs.readdir(path, { withFileTypes: true })) {
      const below = `${path}/${entry.name}`;
      if (entry.isDirectory()) directories.push(below);
      else await fs.unlink(below);
    }
  }
  for (const path of directories.reverse()) await fs.rmdir(path);
}

const COPY_BYTES = 256 * 1024;

export async function copyFile(fs: FileSystem, path: string, dest: string): Promise<void> {
  await using source = await fs.open(path, 'r');
  const { mode } = await source.stat();
  await using target = await fs.open(dest, 'w', mode & 0o7777);
  const buffer = new Uint8Array(COPY_BYTES);
  for (;;) {
    const { bytesRead } = await source.read(buffer);
    if (bytesRead === 0) return;
    await target.write(buffer.subarray(0, bytesRead));
  }
}

/** Follows every link on the way, as realpath(3). */
export async function realPath(fs: FileSystem, path: string): Promise<string> {
  let links = 0;
  let done = '';
  const todo = path.split('/').reverse();
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      done = done.slice(0, Math.max(0, done.lastIndexOf('/')));
      continue;
    }
    const next = `${done}/${name}`;
    const stats = await fs.lstat(next);
    if (!stats.isSymbolicLink()) {
      done = next;
      continue;
    }
    if (++links > SYMLOOP_MAX) throw fsError(ELOOP, { syscall: 'realpath', path });
    const target = await fs.readlink(next);
    if (target.startsWith('/')) done = '';
    todo.push(...target.split('/').reverse());
  }
  return done === '' ? '/' : done;
}

const ATTEMPTS = 100;
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

export async function makeTemporary(
  fs: FileSystem,
  prefix: string,
  random: (into: Uint8Array) => void,
): Promise<string> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const letters = new Uint8Array(6);
    random(letters);
    const path = prefix + [...letters].map((n) => LETTERS[n % LETTERS.length]).join('');
    try {
      await fs.mkdir(path, { mode: 0o700 });
      return path;
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
    }
  }
  throw fsError(EEXIST, { syscall: 'mkdtemp', path: `${prefix}XXXXXX` });
}
