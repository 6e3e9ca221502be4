// For tests of the whole machine: the command as a child process, image files, sums.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the built command lies. */
export const ATOLL = fileURLToPath(new URL('../atoll.js', import.meta.url));

/** A directory that goes away with `await using`. */
export async function tempDir(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'atoll-system-'));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

export interface Ran {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the command; killed when it takes longer than `minutes`, 2 unless given. */
export const startAtoll = (args: readonly string[], { minutes = 2 } = {}): ChildProcess =>
  spawn(process.execPath, [ATOLL, ...args], { timeout: minutes * 60_000, killSignal: 'SIGKILL' });

/** Runs the command to its end. */
export async function atoll(
  args: readonly string[],
  { stdin, minutes }: { stdin?: string | Uint8Array; minutes?: number } = {},
): Promise<Ran> {
  const child = startAtoll(args, minutes === undefined ? {} : { minutes });
  child.stdin?.on('error', () => undefined); // a script need not read what it is given
  child.stdin?.end(stdin);
  const [stdout, stderr, end] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    new Promise<{ status: number | null; signal: string | null }>((resolve) => {
      child.once('close', (status, signal) => resolve({ status, signal }));
    }),
  ]);
  return { ...end, stdout, stderr };
}

async function textOf(stream: AsyncIterable<Uint8Array> | null): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream ?? []) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };

/** Runs a tool of the host; undefined when it is not installed. */
export function host(command: string, args: readonly string[]): Ran | undefined {
  const ran = spawnSync(command, args, { env, maxBuffer: 1 << 28, encoding: 'utf8' });
  if (ran.error !== undefined) return undefined;
  return { status: ran.status, signal: ran.signal, stdout: ran.stdout, stderr: ran.stderr };
}

/** Makes an image of ext4, or of what -t says; false, with nothing made, where mke2fs is missing. */
export async function makeExt4(
  file: string,
  mib: number,
  args: readonly string[] = [],
): Promise<boolean> {
  const handle = await open(file, 'w');
  await handle.truncate(mib * 1024 * 1024);
  await handle.close();
  const type = args.includes('-t') ? [] : ['-t', 'ext4'];
  const made = host('mke2fs', ['-q', '-F', ...type, ...args, file]);
  if (made?.status === 0) return true;
  await rm(file);
  if (made !== undefined) throw new Error(`mke2fs: ${made.stderr}`);
  return false;
}

/** What `e2fsck -fn` finds wrong: '' when all is clean. */
export function fsck(file: string): string {
  const ran = host('e2fsck', ['-fn', file]);
  return ran?.status === 0 ? '' : `e2fsck ${ran?.status}: ${ran?.stdout}${ran?.stderr}`;
}

export const sha256 = (bytes: string | Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file)) hash.update(piece as Uint8Array);
  return hash.digest('hex');
}
