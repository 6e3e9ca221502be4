// For tests: exFAT images made and judged by the real exfatprogs, where they are installed.

import { spawnSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withTempDir } from './e2fsprogs.ts';

const ENV = {
  ...process.env,
  ...{ PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, TZ: 'UTC', LC_ALL: 'C.UTF-8' },
};

function tool(name: string, args: readonly string[]): { status: number; output: string } {
  const { status, stdout, stderr } = spawnSync(name, args, { env: ENV, encoding: 'utf8' });
  return { status: status ?? -1, output: `${stdout ?? ''}${stderr ?? ''}` };
}

export const haveExfatprogs = (): boolean =>
  ['mkfs.exfat', 'fsck.exfat', 'dump.exfat'].every((name) => tool(name, ['-V']).status >= 0);

/** An image as mkfs.exfat makes it. */
export function mkfsExFat(sizeBytes: number, args: readonly string[] = []): Uint8Array {
  return withTempDir((dir) => {
    const file = join(dir, 'image');
    makeFile(file, sizeBytes, args);
    return new Uint8Array(readFileSync(file));
  });
}

function makeFile(file: string, sizeBytes: number, args: readonly string[]): void {
  writeFileSync(file, '');
  truncateSync(file, sizeBytes);
  const { status, output } = tool('mkfs.exfat', [...args, file]);
  if (status !== 0) throw new Error(`mkfs.exfat ${args.join(' ')}: ${output}`);
  tool('exfatlabel', ['-i', file, '0xa7011005']); // else it is the time: no two images would be the same
}

/** Makes an exFAT image file; false, with nothing made, where mkfs.exfat is missing. */
export async function makeExFat(
  file: string,
  mib: number,
  args: readonly string[] = [],
): Promise<boolean> {
  if (!haveExfatprogs()) return false;
  makeFile(file, mib * 1024 * 1024, args);
  return true;
}

/** What `fsck.exfat -n` finds wrong: '' when all is clean. */
export function fsckExFatFile(file: string): string {
  const { status, output } = tool('fsck.exfat', ['-n', file]);
  const clean = status === 0 && /: clean\./.test(output) && !/ERROR|WARN/.test(output);
  return clean ? '' : `fsck.exfat ${status}: ${output}`;
}

/** The same, of an image. */
export function fsckExFat(image: Uint8Array): string {
  return withTempDir((dir) => {
    const file = join(dir, 'image');
    writeFileSync(file, image);
    return fsckExFatFile(file);
  });
}

/** What a power cut may leave: lost clusters, tails, entries of no set, the mark of a mounted volume. */
const FORGIVEN =
  /more clusters are allocated|unknown entry type|bitmap|not empty|was not unmounted|corrupted|files corrupted/i;

/** The first complaint of fsck.exfat that no power cut may cause. */
export const seriousExFat = (image: Uint8Array): string | undefined =>
  fsckExFat(image)
    .split('\n')
    .find((line) => /ERROR/.test(line) && !FORGIVEN.test(line));

/** What `dump.exfat` tells of the volume. */
export function dumpExFat(image: Uint8Array): string {
  return withTempDir((dir) => {
    const file = join(dir, 'image');
    writeFileSync(file, image);
    return tool('dump.exfat', [file]).output;
  });
}
