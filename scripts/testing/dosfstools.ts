// For tests: FAT images made and judged by the real dosfstools and mtools, where they are installed.

import { spawnSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withTempDir } from './e2fsprogs.ts';

const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
const ENV = {
  ...process.env,
  ...{
    PATH,
    TZ: 'UTC',
    LC_ALL: 'C.UTF-8',
    MTOOLS_SKIP_CHECK: '1',
    SOURCE_DATE_EPOCH: '1755000000',
  },
};

function tool(name: string, args: string[], input?: Uint8Array) {
  const { status, stdout, stderr } = spawnSync(name, args, { env: ENV, maxBuffer: 1 << 28, input });
  return { status: status ?? -1, stdout: new Uint8Array(stdout ?? []), stderr: `${stderr ?? ''}` };
}

export const haveDosfstools = (): boolean =>
  ['mkfs.fat', 'fsck.fat', 'mcopy'].every((name) => tool(name, ['--help']).status >= 0);

/** An image as mkfs.fat makes it. */
export function mkfsFat(sizeBytes: number, args: readonly string[]): Uint8Array {
  return withTempDir((dir) => {
    const file = join(dir, 'image');
    writeFileSync(file, '');
    truncateSync(file, sizeBytes);
    const { status, stderr } = tool('mkfs.fat', ['-i', 'a7011005', ...args, file]);
    if (status !== 0) throw new Error(`mkfs.fat ${args.join(' ')}: ${stderr}`);
    return new Uint8Array(readFileSync(file));
  });
}

/** What `fsck.fat -n` says: status 0 means that all is clean. */
export function fsckFat(image: Uint8Array): { status: number; output: string } {
  return withTempDir((dir) => {
    const file = join(dir, 'image');
    writeFileSync(file, image);
    const { status, stdout, stderr } = tool('fsck.fat', ['-n', '-v', file]);
    return { status, output: `${new TextDecoder().decode(stdout)}${stderr}` };
  });
}

/** Lost clusters, tails, leftover parts of names and the dirty mark are what a power cut may leave; not these. */
const SERIOUS =
  /share clusters|free cluster\. Assuming|bad cluster|cluster chain length is \d|Start cluster beyond|does not have|Circular|Bad short file name|Duplicate/i;

/** The first line of what fsck.fat says that no power cut may cause. */
export const seriousFat = (output: string): string | undefined =>
  output.split('\n').find((line) => SERIOUS.test(line));

/** Runs commands of mtools on the image; `IMAGE` in an argument is its file. */
export function mtools(
  image: Uint8Array,
  commands: readonly (readonly [string, readonly string[], Uint8Array?])[],
): { image: Uint8Array; outputs: Uint8Array[] } {
  return withTempDir((dir) => {
    const file = join(dir, 'image');
    writeFileSync(file, image);
    const outputs = commands.map(([name, args, input]) => {
      const all = args.map((arg) => arg.replaceAll('IMAGE', file).replaceAll('DIR', dir));
      const { status, stdout, stderr } = tool(name, all, input);
      if (status !== 0) throw new Error(`${name} ${args.join(' ')}: ${stderr}`);
      return stdout;
    });
    return { image: new Uint8Array(readFileSync(file)), outputs };
  });
}

/** Makes a FAT image file; false, with nothing made, where mkfs.fat is missing. */
export async function makeFat(
  file: string,
  mib: number,
  args: readonly string[] = [],
): Promise<boolean> {
  if (!haveDosfstools()) return false;
  writeFileSync(file, '');
  truncateSync(file, mib * 1024 * 1024);
  const { status, stderr } = tool('mkfs.fat', [...args, file]);
  if (status !== 0) throw new Error(`mkfs.fat: ${stderr}`);
  return true;
}

/** What `fsck.fat -n` finds wrong: '' when all is clean. */
export function fsckFatFile(file: string): string {
  const { status, stdout, stderr } = tool('fsck.fat', ['-n', '-v', file]);
  return status === 0 ? '' : `fsck.fat ${status}: ${new TextDecoder().decode(stdout)}${stderr}`;
}

/** A file of the volume, as mtools reads it. */
export function mtype(image: string, path: string): Uint8Array {
  const { status, stdout, stderr } = tool('mcopy', ['-n', '-i', image, `::${path}`, '-']);
  if (status !== 0) throw new Error(`mcopy ${path}: ${stderr}`);
  return stdout;
}
