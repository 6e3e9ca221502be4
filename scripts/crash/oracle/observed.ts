// What a mounted volume shows: its whole tree, read through the daemon as the kernel would.

import { Memory } from '../../../daemons/lib/data/memory.ts';
import type { Mounted } from '../../../daemons/lib/memory/rig.ts';
import { S_IFDIR, S_IFLNK, S_IFMT } from '../../../kernel/abi/constants.ts';
import { assert } from '../../../kernel/abi/errno.ts';
import { decodeText } from '../../../kernel/abi/text.ts';
import { shapeLine } from '../workload/model.ts';

export interface Observed {
  /** In the form of the model's `shapeOf`. */
  readonly shape: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Names of the root directory that the format makes for itself. */
export type Ignored = ReadonlySet<string>;

interface Seen {
  readonly path: string;
  readonly ino: number;
}

/** Directories of one tree, and entries of one of them: no workload has more. */
const LIMIT = 10_000;

export function observe(mounted: Mounted, ignored: Ignored): Observed {
  const { fs } = mounted.volume;
  const attach = { uname: 'root', aname: '', nUname: 0 };
  const root = { path: '', ino: mounted.read((tx) => fs.attach(tx, attach)) };
  const found: Seen[] = [root];
  for (let i = 0; i < found.length; i++) {
    const at = found[i] ?? root;
    if ((attributes(mounted, at).mode & S_IFMT) !== S_IFDIR) continue;
    for (const name of list(mounted, at.ino)) {
      if (at === root && ignored.has(name)) continue;
      const ino = mounted.read((tx) => fs.walk(tx, at.ino, name));
      assert(ino !== undefined, `'${at.path}/${name}' is listed and not found`);
      found.push({ path: at.path === '' ? name : `${at.path}/${name}`, ino });
    }
    assert(found.length < LIMIT, 'the tree has no end');
  }
  found.sort((a, b) => (a.path < b.path ? -1 : 1));
  const groups = new Map<number, number>();
  const files = new Map<string, Uint8Array>();
  const lines = found.map((seen) => {
    const group = groups.get(seen.ino) ?? groups.size;
    groups.set(seen.ino, group);
    return lineOf(mounted, { ...seen, group, files });
  });
  return { shape: lines.join('\n'), files };
}

function lineOf(
  mounted: Mounted,
  { path, ino, group, files }: Seen & { group: number; files: Map<string, Uint8Array> },
): string {
  const { fs, mover } = mounted.volume;
  const { mode, nlink, size } = attributes(mounted, { path, ino });
  const type = mode & S_IFMT;
  const kind = type === S_IFDIR ? 'dir' : type === S_IFLNK ? 'symlink' : 'file';
  if (kind === 'file') {
    const data = new Uint8Array(size);
    const memory = Memory.inline(data);
    if (size > 0) mounted.run(mover.read({ ino, offset: 0, count: size, memory }));
    files.set(path, data);
  }
  const target = kind === 'symlink' ? mounted.read((tx) => fs.readlink?.(tx, ino) ?? '') : '';
  const xattrs = xattrsOf(mounted, ino);
  return shapeLine({ path, kind, group, size, links: nlink, target, xattrs });
}

const attributes = (mounted: Mounted, { ino }: Seen) =>
  mounted.read((tx) => mounted.volume.fs.getattr(tx, ino, 0));

function list(mounted: Mounted, dir: number): string[] {
  const names: string[] = [];
  for (let offset = 0, more = true; more; ) {
    const from = offset;
    const batch: { name: string; offset: number }[] = [];
    mounted.read((tx) => {
      batch.length = 0;
      mounted.volume.fs.readdir(tx, dir, from, { add: (entry) => batch.push(entry) < 100 });
    });
    offset = batch.at(-1)?.offset ?? from;
    more = batch.length > 0;
    names.push(...batch.map(({ name }) => name));
    assert(names.length < LIMIT, `directory ${dir} has no end`);
  }
  return names.filter((name) => name !== '.' && name !== '..');
}

function xattrsOf(mounted: Mounted, ino: number): Map<string, string> {
  const { fs } = mounted.volume;
  const get = (name: string) => mounted.read((tx) => fs.getxattr?.(tx, ino, name));
  const names = decodeText(get('') ?? new Uint8Array(0)).split('\0');
  const wanted = names.filter((name) => name !== '');
  return new Map(wanted.map((name) => [name, decodeText(get(name) ?? new Uint8Array(0))]));
}
