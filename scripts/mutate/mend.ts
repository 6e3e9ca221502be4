// What our fsck makes of a damaged volume: it ends, what it leaves it finds clean, and so does the real
// checker; all that could be read of the volume before can be read of it after, byte for byte.

import { fsck as fsckExt } from '../../daemons/ext4fs/fsck/fsck.ts';
import { checkExFat } from '../../daemons/fatd/exfat/fsck/check.ts';
import { checkFat } from '../../daemons/fatd/fat/fsck/check.ts';
import { fsck as fsckHfs } from '../../daemons/hfsd/fsck/fsck.ts';
import type { Medium } from '../../daemons/lib/medium.ts';
import type { Rig } from '../../daemons/lib/memory/rig.ts';
import type { MountFormat } from '../../daemons/lib/mounted.ts';
import { assert, EIO, errnoName, fail, PosixError } from '../../kernel/abi/errno.ts';
import type { CrashImage } from '../crash/disk/image.ts';
import { fsckFat } from '../testing/dosfstools.ts';
import { fsck as e2fsck, e2fsckRepair } from '../testing/e2fsprogs.ts';
import { fsckExFat } from '../testing/exfatprogs.ts';
import { type Readable, readable } from './survivors.ts';

/** What of a volume is wrong; a repair writes what it puts right. Throws a PosixError where nothing can be checked. */
type Fsck = (medium: Medium, mode: 'look' | 'repair') => readonly string[];

/** The real checker's complaint. */
type RealCheck = (image: Uint8Array, damaged: Uint8Array) => string | undefined;

/** The same bytes every time. */
const world = { nowSec: 1_790_000_000, random: () => 4 };

export interface Repaired {
  readonly verdict: 'refused' | 'clean' | 'repaired';
  /** Paths that could be read before. */
  readonly paths: number;
  readonly judged: boolean;
  /** Of a volume that was refused. */
  readonly why?: string;
}

export interface Repair {
  readonly fs: string;
  readonly rig: Rig;
  readonly format: MountFormat;
  readonly image: CrashImage;
  /** The volume as it was before it was damaged, and what was damaged. */
  readonly golden: Readable;
  readonly what: readonly string[];
  /** The real checker is asked, too. */
  readonly real: 'asked' | 'not asked';
}

/** Throws what is neither a repaired volume nor an errno: a bug. */
export function mend({ fs, rig, format, image, golden, what, real }: Repair): Repaired {
  const damaged = image.bytes.slice();
  const fsck = fsckOf(fs);
  const before = untouched(seen(rig, format, image), golden, what);
  let problems: readonly string[];
  try {
    problems = fsck(bounded(image), 'repair');
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    assert(Buffer.compare(damaged, image.bytes) === 0, `written to, and refused: ${error.message}`);
    return { verdict: 'refused', paths: before.size, judged: false, why: error.message };
  }
  const left = fsck(bounded(image), 'look');
  assert(
    left.length === 0,
    `still wrong after a repair: ${left.join('; ')}\nof: ${problems.join('; ')}`,
  );
  compare(before, seen(rig, format, image), problems);
  const judged = real === 'asked';
  const complaint = judged ? realCheckOf(fs)(image.bytes, damaged) : undefined;
  assert(
    complaint === undefined,
    `the real checker after a repair of ${problems.join('; ')}: ${complaint}`,
  );
  return { verdict: problems.length > 0 ? 'repaired' : 'clean', paths: before.size, judged };
}

/** What can be read as ever, and belongs to nothing that was damaged. */
function untouched(now: Readable, golden: Readable, what: readonly string[]): Readable {
  const inodes = new Set(what.map((one) => Number(/^inode (\d+):/.exec(one)?.[1])));
  // A wrong hash may be that of a wrong value: as e2fsck does it, such attributes go.
  const attributes = what.some((one) => one.startsWith('attributes of'));
  return new Map(
    [...now].filter(([path, item]) => {
      if (attributes && path.endsWith(': attributes')) return false;
      return golden.get(path)?.what === item.what && !inodes.has(item.ino);
    }),
  );
}

/** All of it is taken back. */
export function seen(rig: Rig, format: MountFormat, image: CrashImage): Readable {
  image.begin();
  try {
    return readable(rig.mount(format, image));
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    const what = `not mounted: ${errnoName(error.errno)} ${error.message}`;
    return new Map([['', { ino: 0, what }]]);
  } finally {
    image.rollback();
  }
}

function compare(before: Readable, after: Readable, problems: readonly string[]): void {
  const refused = after.get('');
  assert(refused === undefined, `after a repair of ${problems.join('; ')}: ${refused?.what}`);
  const lost = [...before].filter(([path, { what }]) => after.get(path)?.what !== what);
  const list = lost
    .map(([path, { what }]) => `${path}: ${what}, not ${after.get(path)?.what}`)
    .slice(0, 5);
  assert(
    lost.length === 0,
    `${lost.length} lost by a repair of ${problems.join('; ')}\n${list.join('\n')}`,
  );
}

function fsckOf(fs: string): Fsck {
  if (fs.startsWith('ext'))
    return (medium, mode) => fsckExt(medium, { mode, force: true, world }).problems;
  if (fs.startsWith('hfs')) return (medium, mode) => fsckHfs(medium, { mode, world }).problems;
  const check = fs.startsWith('exfat')
    ? checkExFat
    : (medium: Medium) => checkFat(medium, { lost: 'free' });
  return (medium, mode) => {
    const { problems, store } = check(medium);
    if (mode === 'repair' && problems.length > 0) store();
    return problems.map(({ kind, text }) => `${kind}: ${text}`);
  };
}

function realCheckOf(fs: string): RealCheck {
  if (fs.startsWith('ext')) return realExt;
  if (fs.startsWith('exfat')) return (image) => fsckExFat(image) || undefined;
  if (fs.startsWith('hfs')) return () => undefined;
  return (image) => {
    const { status, output } = fsckFat(image);
    return status === 0 ? undefined : output;
  };
}

/** A volume that e2fsck itself cannot mend says nothing about ours. */
function realExt(image: Uint8Array, damaged: Uint8Array): string | undefined {
  const { status, output } = e2fsck(image);
  if (status === 0 || e2fsckRepair(damaged).status > 3) return undefined;
  return output;
}

/** Requests and bytes of one run of fsck, in volumes: a small multiple of what one that is well takes. */
const REQUESTS_MAX = 200_000;
const VOLUMES_MAX = 64;

function bounded(image: CrashImage): Medium {
  const { bytes } = image;
  let requests = 0;
  let moved = 0;
  const count = (offset: number, length: number): void => {
    requests++;
    moved += length;
    const within = requests < REQUESTS_MAX && moved < VOLUMES_MAX * bytes.length;
    assert(within, `fsck makes no end: ${requests} requests, ${moved} bytes`);
    if (offset < 0 || offset + length > bytes.length)
      fail(EIO, `the image ends before ${offset + length}`);
  };
  return {
    sizeBytes: bytes.length,
    read(offset, length) {
      count(offset, length);
      return bytes.slice(offset, offset + length);
    },
    write(offset, data) {
      count(offset, data.length);
      image.write(offset, data);
    },
    flush: () => undefined,
  };
}
