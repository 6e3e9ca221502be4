// What is done to a damaged volume: mounted, walked, read, written to, unmounted. Whatever it says of
// itself, each of these ends, with a result or with an errno.

import { Memory } from '../../daemons/lib/data/memory.ts';
import type { Mounted, Rig } from '../../daemons/lib/memory/rig.ts';
import type { MountFormat } from '../../daemons/lib/mounted.ts';
import { errnoName, PosixError } from '../../kernel/abi/errno.ts';
import { AT_REMOVEDIR } from '../../kernel/ninep/types.ts';
import type { CrashImage } from '../crash/disk/image.ts';

/** Names that a walk looks at, and bytes that it reads of a file. */
const NAMES_MAX = 200;
const BYTES_MAX = 65536;

export interface Exercised {
  /** Errnos that were answered, and how often; nothing was wrong with requests that are not here. */
  readonly errnos: ReadonlyMap<string, number>;
  readonly mounted: boolean;
}

/** Throws what is neither a result nor an errno: a bug. */
export function exercise(rig: Rig, format: MountFormat, image: CrashImage): Exercised {
  const errnos = new Map<string, number>();
  const attempt = <T>(body: () => T): T | undefined => {
    try {
      return body();
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      const name = errnoName(error.errno);
      errnos.set(name, (errnos.get(name) ?? 0) + 1);
      return undefined;
    }
  };
  const mounted = attempt(() => rig.mount(format, image));
  if (mounted === undefined) return { errnos, mounted: false };
  const found = walk(mounted, attempt);
  for (const { ino, dir } of found.slice(0, 30)) {
    if (dir) changeDirectory(mounted, ino, attempt);
    else changeFile(mounted, ino, attempt);
  }
  for (const { parent, name, dir } of found.slice(1, 20)) {
    attempt(() =>
      mounted.change((tx) => mounted.volume.fs.unlink?.(tx, parent, name, dir ? AT_REMOVEDIR : 0)),
    );
  }
  attempt(() => mounted.run(mounted.volume.commit()));
  attempt(() => mounted.unmount());
  return { errnos, mounted: true };
}

type Attempt = <T>(body: () => T) => T | undefined;

interface Found {
  readonly ino: number;
  readonly dir: boolean;
  readonly parent: number;
  readonly name: string;
}

function walk(mounted: Mounted, attempt: Attempt): Found[] {
  const { fs, mover } = mounted.volume;
  const request = { uname: 'root', aname: '', nUname: 0 };
  const root = attempt(() => mounted.read((tx) => fs.attach(tx, request)));
  if (root === undefined) return [];
  const found: Found[] = [{ ino: root, dir: true, parent: root, name: '' }];
  for (let i = 0; i < found.length && found.length < NAMES_MAX; i++) {
    const { ino, dir } = found[i] ?? { ino: root, dir: false };
    attempt(() => mounted.read((tx) => fs.getxattr?.(tx, ino, '')));
    attempt(() => mounted.read((tx) => fs.getxattr?.(tx, ino, 'user.b')));
    attempt(() => mounted.read((tx) => fs.readlink?.(tx, ino)));
    if (!dir) {
      const memory = Memory.inline(new Uint8Array(BYTES_MAX));
      attempt(() => mounted.run(mover.read({ ino, offset: 0, count: BYTES_MAX, memory })));
      continue;
    }
    for (const name of names(mounted, ino, attempt)) {
      const child = attempt(() => mounted.read((tx) => fs.walk(tx, ino, name)));
      if (child === undefined || found.length >= NAMES_MAX) continue;
      const attr = attempt(() => mounted.read((tx) => fs.getattr(tx, child, 0)));
      if (attr === undefined) continue;
      const isDir = (attr.mode & 0o170000) === 0o040000;
      found.push({ ino: child, dir: isDir, parent: ino, name });
    }
  }
  return found;
}

function names(mounted: Mounted, dir: number, attempt: Attempt): string[] {
  const out: string[] = [];
  for (let offset = 0, rounds = 0; rounds < 10; rounds++) {
    const batch: { name: string; offset: number }[] = [];
    attempt(() =>
      mounted.read((tx) => {
        batch.length = 0;
        mounted.volume.fs.readdir(tx, dir, offset, { add: (entry) => batch.push(entry) < 20 });
      }),
    );
    if (batch.length === 0) break;
    offset = batch.at(-1)?.offset ?? 0;
    out.push(...batch.map(({ name }) => name));
  }
  return out.filter((name) => name !== '.' && name !== '..');
}

function changeDirectory(mounted: Mounted, ino: number, attempt: Attempt): void {
  const { fs } = mounted.volume;
  const request = { flags: 0, mode: 0o644, gid: 0 };
  for (const name of ['new', `new${'-long'.repeat(30)}`]) {
    attempt(() => mounted.change((tx) => fs.create?.(tx, ino, { name, ...request })));
  }
  attempt(() => mounted.change((tx) => fs.mkdir?.(tx, ino, { name: 'dir', mode: 0o755, gid: 0 })));
  const [from, to] = [
    { dir: ino, name: 'new' },
    { dir: ino, name: 'moved' },
  ];
  attempt(() => mounted.change((tx) => fs.rename?.(tx, from, to)));
  attempt(() => mounted.change((tx) => fs.unlink?.(tx, ino, 'moved', 0)));
}

function changeFile(mounted: Mounted, ino: number, attempt: Attempt): void {
  const { fs, mover } = mounted.volume;
  const memory = Memory.inline(new Uint8Array(3000).fill(7));
  for (const offset of [0, 20_000]) {
    attempt(() => mounted.run(mover.write({ ino, offset, count: 3000, memory }, undefined)));
  }
  const value = new Uint8Array(400).fill(65);
  attempt(() => mounted.change((tx) => fs.setxattr?.(tx, ino, 'user.c', value, 0)));
  const zero = { sec: 0, nsec: 0 };
  const attr = { valid: 0x8, mode: 0, uid: 0, gid: 0, size: 700, atime: zero, mtime: zero };
  attempt(() => mounted.change((tx) => fs.setattr?.(tx, ino, attr)));
}
