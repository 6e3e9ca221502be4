// One image after a power cut: it must mount, show what was promised, be consistent when it is
// unmounted, stay the same over another mount, and have all its room back when everything is deleted.

import type { Mounted, Rig } from '../../daemons/lib/memory/rig.ts';
import type { LogEntry } from '../../daemons/lib/memory-device.ts';
import { errnoName, PosixError } from '../../kernel/abi/errno.ts';
import { AT_REMOVEDIR } from '../../kernel/ninep/types.ts';
import { SECTOR } from './disk/history.ts';
import type { CrashImage } from './disk/image.ts';
import type { CrashFormat, Range } from './format.ts';
import { type Observed, observe } from './oracle/observed.ts';
import type { Prepared } from './prepare.ts';

/** What became of a mount: what it shows and what it wrote on the way, or why it failed. */
export type Outcome =
  | { readonly seen: Observed; readonly wrote: readonly LogEntry[]; readonly problem?: string }
  | { readonly seen?: undefined; readonly problem: string };

/** Checks of recovered volumes; those with equal content are looked at once. */
export class Examiner {
  readonly #prepared: Prepared;
  readonly #rig: Rig;
  readonly #image: CrashImage;
  /** Offsets of kibibytes: of the log, and of what a mount stamps. */
  readonly #void: ReadonlySet<number>;
  readonly #stamps: ReadonlySet<number>;
  readonly #states = new Map<string, string | undefined>();
  /** One in so many recovered volumes is shown to the real checker. */
  readonly #realEvery: number;
  realChecks = 0;
  deepChecks = 0;

  constructor(parts: { prepared: Prepared; rig: Rig; image: CrashImage; realEvery: number }) {
    this.#prepared = parts.prepared;
    this.#rig = parts.rig;
    this.#image = parts.image;
    this.#realEvery = parts.realEvery;
    this.#void = new Set(parts.prepared.void.flatMap(kibibytes));
    this.#stamps = new Set(parts.prepared.stamps.flatMap(kibibytes));
  }

  /** Mounts the image, looks at all of it, and checks what a clean unmount leaves. All is taken back. */
  examine(): Outcome {
    const wrote: LogEntry[] = [];
    this.#image.begin();
    try {
      const mounted = this.#rig.mount(this.#format.mount, this.#image, { log: wrote });
      const recovery = wrote.slice();
      const seen = observe(mounted, this.#format.ignored);
      mounted.unmount();
      const problem = mounted.volume.fs.readOnly
        ? `the volume went read-only: ${mounted.said.join('; ')}`
        : this.#settled(seen);
      return { seen, wrote: recovery, ...(problem === undefined ? {} : { problem }) };
    } catch (error) {
      return { problem: `the mount failed: ${reason(error)}` };
    } finally {
      this.#image.rollback();
    }
  }

  get #format(): CrashFormat {
    return this.#prepared.format;
  }

  /** What is wrong with the volume that was recovered and unmounted. */
  #settled(seen: Observed): string | undefined {
    const key = this.#image.digest((offset) => !this.#void.has(offset));
    if (this.#states.has(key)) return this.#states.get(key);
    const problem = this.#deep(seen, sampled(key, this.#realEvery));
    this.#states.set(key, problem);
    return problem;
  }

  #deep(seen: Observed, real: boolean): string | undefined {
    this.deepChecks++;
    const image = this.#image.bytes;
    const { problems, shape } = this.#format.check(image);
    if (problems.length > 0) return `not consistent: ${problems.join('; ')}`;
    if (shape !== seen.shape) return `the checker sees another tree:\n${shape}\nnot\n${seen.shape}`;
    if (real) {
      this.realChecks++;
      const complaint = this.#format.realCheck(image);
      if (complaint !== undefined) return `the real checker: ${complaint}`;
    }
    return this.#again(seen) ?? this.#emptied();
  }

  /** Another mount and unmount must change nothing. */
  #again(seen: Observed): string | undefined {
    return this.#layer('the second mount failed', () => {
      const mounted = this.#rig.mount(this.#format.mount, this.#image);
      const { shape } = observe(mounted, this.#format.ignored);
      mounted.unmount();
      if (shape !== seen.shape) return 'the second mount shows another tree';
      const free = (offset: number) => this.#stamps.has(offset) || this.#void.has(offset);
      const changed = this.#image
        .changedSectors(SECTOR)
        .filter((sector) => !free(Math.floor((sector * SECTOR) / 1024) * 1024));
      return changed.length === 0 ? undefined : `the second mount changed sectors ${changed}`;
    });
  }

  /** When everything is deleted, all that was free in the beginning is free again. */
  #emptied(): string | undefined {
    return this.#layer('deleting everything failed', () => {
      const mounted = this.#rig.mount(this.#format.mount, this.#image);
      const { fs } = mounted.volume;
      const root = mounted.read((tx) => fs.attach(tx, { uname: 'root', aname: '', nUname: 0 }));
      removeAll(mounted, root, this.#format.ignored);
      mounted.unmount();
      const { problems, free } = this.#format.check(this.#image.bytes);
      if (problems.length > 0) return `not consistent when emptied: ${problems.join('; ')}`;
      const { emptyFree } = this.#prepared;
      return free === emptyFree ? undefined : `emptied: ${free} are free, not ${emptyFree}`;
    });
  }

  #layer(what: string, body: () => string | undefined): string | undefined {
    this.#image.begin();
    try {
      return body();
    } catch (error) {
      return `${what}: ${reason(error)}`;
    } finally {
      this.#image.rollback();
    }
  }
}

/** Is the image with this digest among one in `every`? The same ones in every run. */
export const sampled = (digest: string, every: number): boolean =>
  Buffer.from(digest, 'base64').readUInt32LE(0) % every === 0;

const kibibytes = ({ offset, size }: Range): number[] =>
  Array.from({ length: Math.ceil(size / 1024) }, (_, i) => offset + i * 1024);

function removeAll(mounted: Mounted, dir: number, ignored: ReadonlySet<string>): void {
  const { fs } = mounted.volume;
  const names: { name: string; ino: number; isDir: boolean }[] = [];
  for (const name of listNames(mounted, dir)) {
    if (ignored.has(name)) continue;
    const ino = mounted.read((tx) => fs.walk(tx, dir, name)) ?? 0;
    const isDir = (mounted.read((tx) => fs.getattr(tx, ino, 0)).mode & 0o170000) === 0o040000;
    names.push({ name, ino, isDir });
  }
  for (const { name, ino, isDir } of names) {
    if (isDir) removeAll(mounted, ino, new Set());
    mounted.change((tx) => fs.unlink?.(tx, dir, name, isDir ? AT_REMOVEDIR : 0));
    mounted.change((tx) => fs.forget?.(tx, ino));
  }
}

function listNames(mounted: Mounted, dir: number): string[] {
  const names: string[] = [];
  mounted.read((tx) => {
    names.length = 0;
    mounted.volume.fs.readdir(tx, dir, 0, { add: ({ name }) => names.push(name) > 0 });
  });
  return names.filter((name) => name !== '.' && name !== '..');
}

function reason(error: unknown): string {
  if (error instanceof PosixError) return `${errnoName(error.errno)}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
