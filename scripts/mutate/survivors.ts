// What can be read of a volume, damaged or not: each path and what it holds, for a comparison of the volume
// before its damage, before a repair and after it. What answers an errno is left out.

import { createHash } from 'node:crypto';
import { Memory } from '../../daemons/lib/data/memory.ts';
import type { Mounted } from '../../daemons/lib/memory/rig.ts';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../../kernel/abi/constants.ts';
import { PosixError } from '../../kernel/abi/errno.ts';
import { decodeText } from '../../kernel/abi/text.ts';

/** Entries that are looked at; no golden volume has half as many. */
const ENTRIES_MAX = 400;
const DEPTH_MAX = 8;
const BYTES_MAX = 1 << 20;
const BATCH = 100;

/** By path: kind, size and a digest of the content; by `path: attributes` what they are. */
export type Readable = ReadonlyMap<string, Item>;

export interface Item {
  readonly ino: number;
  readonly what: string;
}

export function readable(mounted: Mounted): Readable {
  const found = new Map<string, Item>();
  const request = { uname: 'root', aname: '', nUname: 0 };
  const root = attempt(() => mounted.read((tx) => mounted.volume.fs.attach(tx, request)));
  const queue = root === undefined ? [] : [{ path: '', ino: root, depth: 0 }];
  for (let i = 0; i < queue.length && found.size < ENTRIES_MAX; i++) {
    const at = queue[i];
    if (at === undefined) break;
    const { names, whole } = namesIn(mounted, at.ino);
    if (!whole) found.delete(at.path);
    for (const name of names) {
      const path = at.path === '' ? name : `${at.path}/${name}`;
      const ino = attempt(() => mounted.read((tx) => mounted.volume.fs.walk(tx, at.ino, name)));
      const what = ino === undefined ? undefined : attempt(() => contentOf(mounted, ino));
      if (ino === undefined || what === undefined) continue;
      found.set(path, { ino, what });
      const more = attempt(() => attributesOf(mounted, ino));
      if (more !== undefined) found.set(`${path}: attributes`, { ino, what: more });
      if (what === 'dir' && at.depth < DEPTH_MAX) queue.push({ path, ino, depth: at.depth + 1 });
    }
  }
  return found;
}

/** Undefined when it is nothing that a golden volume holds; throws what it meets. */
function contentOf(mounted: Mounted, ino: number): string | undefined {
  const { fs, mover } = mounted.volume;
  const { mode, size } = mounted.read((tx) => fs.getattr(tx, ino, 0));
  const type = mode & S_IFMT;
  if (type === S_IFDIR) return 'dir';
  if (type === S_IFLNK) return `link to ${mounted.read((tx) => fs.readlink?.(tx, ino))}`;
  if (type !== S_IFREG || size > BYTES_MAX) return undefined;
  const data = new Uint8Array(size);
  const memory = Memory.inline(data);
  if (size > 0) mounted.run(mover.read({ ino, offset: 0, count: size, memory }));
  return `file of ${size} bytes, ${createHash('sha1').update(data).digest('base64')}`;
}

function attributesOf(mounted: Mounted, ino: number): string | undefined {
  const { fs } = mounted.volume;
  const get = (name: string) => mounted.read((tx) => fs.getxattr?.(tx, ino, name));
  const names = decodeText(get('') ?? new Uint8Array(0)).split('\0');
  const users = names.filter((one) => one.startsWith('user.')).sort();
  const values = users.map((name) => `${name} ${decodeText(get(name) ?? new Uint8Array(0))}`);
  return users.length === 0 ? undefined : values.join();
}

/** Not whole: its end was never met, or an errno. */
function namesIn(mounted: Mounted, dir: number): { names: string[]; whole: boolean } {
  const names = new Set<string>();
  let whole = false;
  for (let offset = 0; names.size < ENTRIES_MAX; ) {
    const batch: { name: string; offset: number }[] = [];
    const before = names.size;
    const read = attempt(() =>
      mounted.read((tx) => {
        batch.length = 0;
        mounted.volume.fs.readdir(tx, dir, offset, { add: (entry) => batch.push(entry) < BATCH });
        return true;
      }),
    );
    for (const { name } of batch) names.add(name);
    offset = batch.at(-1)?.offset ?? offset;
    whole = read === true && batch.length === 0;
    if (names.size === before) break;
  }
  return { names: [...names].filter((name) => name !== '.' && name !== '..'), whole };
}

function attempt<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return undefined;
  }
}
