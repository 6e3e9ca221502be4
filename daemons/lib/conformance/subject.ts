// What a case of conformance works on: the files of a running system in the shape of node:fs/promises,
// a directory of its own on the volume, and what the volume's format can hold.

import type { Abilities } from './abilities.ts';

export interface FileStats {
  readonly ino: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly blocks: number;
  readonly atimeMs: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

export interface OpenFile extends AsyncDisposable {
  read(
    buffer: Uint8Array,
    at?: { position?: number | null; length?: number },
  ): Promise<{ bytesRead: number }>;
  write(
    data: string | Uint8Array,
    at?: { position?: number | null },
  ): Promise<{ bytesWritten: number }>;
  readFile(encoding: 'utf8'): Promise<string>;
  stat(): Promise<FileStats>;
  truncate(size?: number): Promise<void>;
  allocate(
    range: { offset: number; length: number },
    how?: 'reserve' | 'keep' | 'punch' | 'zero',
  ): Promise<void>;
  seek(offset: number, what: 'data' | 'hole'): Promise<number>;
  sync(): Promise<void>;
  datasync(): Promise<void>;
  close(): Promise<void>;
}

export interface Files {
  open(path: string, flags?: string | number, mode?: number): Promise<OpenFile>;
  readFile(path: string): Promise<Uint8Array>;
  readFile(path: string, encoding: 'utf8'): Promise<string>;
  writeFile(path: string, data: string | Uint8Array): Promise<void>;
  appendFile(path: string, data: string | Uint8Array): Promise<void>;
  readdir(path: string): Promise<string[]>;
  stat(path: string): Promise<FileStats>;
  lstat(path: string): Promise<FileStats>;
  mkdir(path: string, options?: { recursive?: boolean; mode?: number }): Promise<void>;
  rm(path: string, options?: { recursive?: boolean; force?: boolean }): Promise<void>;
  rmdir(path: string): Promise<void>;
  unlink(path: string): Promise<void>;
  rename(path: string, dest: string): Promise<void>;
  link(path: string, dest: string): Promise<void>;
  symlink(target: string, path: string): Promise<void>;
  readlink(path: string): Promise<string>;
  chmod(path: string, mode: number): Promise<void>;
  chown(path: string, uid: number, gid: number): Promise<void>;
  utimes(path: string, atime: number, mtime: number): Promise<void>;
  truncate(path: string, size?: number): Promise<void>;
  statfs(path: string): Promise<{ bsize: number; bavail: number }>;
}

export interface Subject {
  readonly fs: Files;
  readonly can: Abilities;
  /** The case's own directory, which is there and empty. */
  readonly dir: string;
  /** A path below it. */
  at(path: string): string;
  /** Runs a shell script in the directory: what it prints, and what it complains of behind that. */
  sh(script: string): Promise<string>;
}

export interface Case {
  /** What is true of the file system when the case passes. */
  readonly claim: string;
  /** Left out: every format has to. */
  readonly needs?: (can: Abilities) => boolean;
  /** May give what is still to be true after the volume was unmounted and mounted again. */
  readonly run: (it: Subject) => Promise<void | (() => Promise<void>)>;
  /** What a format does that is not able to: to refuse is not to do it silently. */
  readonly otherwise?: (it: Subject) => Promise<void>;
}

/** What was done to names, and to files that were flushed, is on the disk. */
export async function synced({ fs, at }: Subject): Promise<void> {
  await using dir = await fs.open(at(''), 'r');
  await dir.sync();
}

const available = async ({ fs, at }: Subject): Promise<number> => {
  const { bsize, bavail } = await fs.statfs(at(''));
  return bsize * bavail;
};

/** Bytes that are free; of files that were not flushed nobody knows what they will take. */
export async function freeBytes(it: Subject): Promise<number> {
  await synced(it);
  return await available(it);
}

const LOOKS = 200;

/** Throws unless so much is free at last: what nobody holds any more goes a little later. */
export async function freeAgain(it: Subject, due: number): Promise<void> {
  let free = 0;
  for (let i = 0; i < LOOKS && free < due; i++) {
    await synced(it);
    free = await available(it);
  }
  if (free < due) throw new Error(`${free} bytes are free, not ${due}`);
}

/** Throws unless both are the same, as JSON. */
export function same(seen: unknown, due: unknown, what: string): void {
  const [a, b] = [JSON.stringify(seen), JSON.stringify(due)];
  if (a !== b) throw new Error(`${what}: ${a?.slice(0, 300)}, not ${b?.slice(0, 300)}`);
}

/** Throws unless the promise is rejected with this code, or one of these. */
export async function refused(
  codes: string | readonly string[],
  what: string,
  action: Promise<unknown>,
): Promise<void> {
  const wanted = typeof codes === 'string' ? [codes] : codes;
  const code = await action.then(
    () => 'no error',
    (error: { code?: unknown }) => error.code ?? String(error),
  );
  if (!wanted.includes(String(code))) throw new Error(`${what}: ${code}, not ${wanted.join(', ')}`);
}

/** Bytes that tell where they belong. */
export function pattern(length: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++)
    bytes[i] = (i * 7 + (i >> 8) * 13 + (i >> 16) * 29 + seed) & 0xff;
  return bytes;
}

/** deepEqual of large arrays is slow, and what it says of them is long. */
export function sameBytes(seen: Uint8Array, due: Uint8Array, what: string): void {
  same(seen.length, due.length, `${what}: length`);
  const at = seen.findIndex((byte, i) => byte !== due[i]);
  if (at >= 0) throw new Error(`${what}: byte ${at} is ${seen[at]}, not ${due[at]}`);
}
