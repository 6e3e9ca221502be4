// What is done to a damaged volume: mounted, walked, read, written to, unmounted. Whatever it says of
// itself, each of these ends, with a result or with an errno.

import { Memory } from '../../daemons/lib/data/memory.ts';
import type { Mounted, Rig } from '../../daemons/lib/memory/rig.ts';
import type { MountFormat } from '../../daemons/lib/mounted.ts';
import type { Transaction } from '../../daemons/lib/transaction.ts';
import { S_IFDIR, S_IFLNK, S_IFMT } from '../../kernel/abi/constants.ts';
import { errnoName, PosixError } from '../../kernel/abi/errno.ts';
import { AT_REMOVEDIR } from '../../kernel/ninep/types.ts';
import type { CrashImage } from '../crash/disk/image.ts';

/** Names that a walk looks at, and bytes that it reads of a file. */
const NAMES_MAX = 200;
const BYTES_MAX = 65536;
/** Of what was found, so many are changed, and so many deleted: others for each volume. */
const CHANGED = 12;
const DELETED = 8;
/** Of a crowd of names so many are looked at, others for each volume. */
const CROWD = 16;

export interface Exercised {
  /** Errnos that were answered, and how often; nothing was wrong with requests that are not here. */
  readonly errnos: ReadonlyMap<string, number>;
  readonly mounted: boolean;
}

export interface Exercise {
  readonly rig: Rig;
  readonly format: MountFormat;
  readonly image: CrashImage;
  /** Says which files are changed and which are deleted. */
  readonly number: number;
}

/** Throws what is neither a result nor an errno: a bug. */
export function exercise({ rig, format, image, number }: Exercise): Exercised {
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
  const found = walk(mounted, number, attempt);
  for (const { ino, dir } of someOf(found, { number, most: CHANGED })) {
    if (dir) changeDirectory(mounted, ino, attempt);
    else changeFile(mounted, ino, attempt);
  }
  for (const { parent, name, dir } of someOf(found.slice(1), { number, most: DELETED })) {
    attempt(() =>
      mounted.change((tx) => mounted.volume.fs.unlink?.(tx, parent, name, dir ? AT_REMOVEDIR : 0)),
    );
  }
  attempt(() => mounted.run(mounted.volume.commit()));
  attempt(() => mounted.unmount());
  return { errnos, mounted: true };
}

/** At even distances, each as often as the others. */
function someOf<T>(all: readonly T[], { number, most }: { number: number; most: number }): T[] {
  const step = Math.max(1, Math.floor(all.length / most));
  return all.filter((_, i) => i % step === number % step).slice(0, most);
}

type Attempt = <T>(body: () => T) => T | undefined;

interface Found {
  readonly ino: number;
  readonly dir: boolean;
  readonly parent: number;
  readonly name: string;
}

/** What a file's bytes are read into, whichever it is. */
const page = Memory.inline(new Uint8Array(BYTES_MAX));

function walk(mounted: Mounted, number: number, attempt: Attempt): Found[] {
  const request = { uname: 'root', aname: '', nUname: 0 };
  const root = attempt(() => mounted.read((tx) => mounted.volume.fs.attach(tx, request)));
  if (root === undefined) return [];
  const found: Found[] = [{ ino: root, dir: true, parent: root, name: '' }];
  for (let i = 0; i < found.length && found.length < NAMES_MAX; i++) {
    const { ino, dir } = found[i] ?? { ino: root, dir: false };
    if (dir) {
      const listed = names(mounted, ino, attempt);
      const some = someOf(listed, { number, most: listed.length > 2 * CROWD ? CROWD : NAMES_MAX });
      found.push(...look(mounted, { parent: ino, some, attempt }));
    } else {
      const request = { ino, offset: 0, count: BYTES_MAX, memory: page };
      attempt(() => mounted.run(mounted.volume.mover.read(request)));
    }
  }
  return found;
}

/** All that a directory tells of its entries, in one request: what fails of it fails alone. */
function look(
  mounted: Mounted,
  { parent, some, attempt }: { parent: number; some: string[]; attempt: Attempt },
): Found[] {
  const failed: PosixError[] = [];
  const looked = attempt(() =>
    mounted.read((tx) => {
      failed.length = 0; // the request may run again
      const tried = <T>(body: () => T): T | undefined => {
        try {
          return body();
        } catch (error) {
          if (!(error instanceof PosixError)) throw error;
          failed.push(error);
          return undefined;
        }
      };
      return some.flatMap((name) => lookAt(mounted, { tx, parent, name, tried }) ?? []);
    }),
  );
  for (const error of failed)
    attempt(() => {
      throw error;
    });
  return looked ?? [];
}

function lookAt(
  { volume: { fs } }: Mounted,
  { tx, parent, name, tried }: { tx: Transaction; parent: number; name: string; tried: Attempt },
): Found | undefined {
  const ino = tried(() => fs.walk(tx, parent, name));
  if (ino === undefined) return undefined;
  const attr = tried(() => fs.getattr(tx, ino, 0));
  const list = tried(() => fs.getxattr?.(tx, ino, ''));
  if (list !== undefined && list.length > 0) tried(() => fs.getxattr?.(tx, ino, 'user.b'));
  if (attr === undefined) return undefined;
  const type = attr.mode & S_IFMT;
  if (type === S_IFLNK) tried(() => fs.readlink?.(tx, ino));
  return { ino, dir: type === S_IFDIR, parent, name };
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

const written = Memory.inline(new Uint8Array(3000).fill(7));
const value = new Uint8Array(400).fill(65);

function changeFile(mounted: Mounted, ino: number, attempt: Attempt): void {
  const { fs, mover } = mounted.volume;
  for (const offset of [0, 20_000]) {
    const request = { ino, offset, count: 3000, memory: written };
    attempt(() => mounted.run(mover.write(request, undefined)));
  }
  attempt(() => mounted.change((tx) => fs.setxattr?.(tx, ino, 'user.c', value, 0)));
  const zero = { sec: 0, nsec: 0 };
  const attr = { valid: 0x8, mode: 0, uid: 0, gid: 0, size: 700, atime: zero, mtime: zero };
  attempt(() => mounted.change((tx) => fs.setattr?.(tx, ino, attr)));
}
