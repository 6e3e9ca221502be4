// For tests: images made and judged by the real e2fsprogs, where they are installed.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;

function tool(name: string, args: string[]): { status: number; output: string } {
  const env = { ...process.env, PATH, ...(name === 'mke2fs' && { E2FSPROGS_FAKE_TIME: MADE }) };
  const { status, stdout, stderr } = spawnSync(name, args, { env, maxBuffer: 1 << 28 });
  return { status: status ?? -1, output: `${stdout ?? ''}${stderr ?? ''}` };
}

/** Every image was made at this second: the same options give the same bytes. */
const MADE = '1755000000';

export const haveE2fsprogs = (): boolean =>
  ['mke2fs', 'e2fsck', 'debugfs'].every((name) => tool(name, ['-V']).status === 0);

/** Runs `body` with a directory of its own. */
export function withTempDir<R>(body: (dir: string) => R): R {
  const dir = mkdtempSync(join(tmpdir(), 'atoll-e2fs-'));
  try {
    return body(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** An image as mke2fs makes it. */
export function mke2fs(sizeBytes: number, args: readonly string[]): Uint8Array {
  return withTempDir((dir) => {
    const file = join(dir, 'image');
    writeFileSync(file, '');
    truncateSync(file, sizeBytes);
    const { status, output } = tool('mke2fs', ['-q', '-F', ...args, file]);
    if (status !== 0) throw new Error(`mke2fs ${args.join(' ')}: ${output}`);
    return new Uint8Array(readFileSync(file));
  });
}

/** What `e2fsck -fn` says: status 0 means that all is clean. */
export function fsck(image: Uint8Array): { status: number; output: string } {
  return withTempDir((dir) => {
    const file = join(dir, 'image');
    writeFileSync(file, image);
    return tool('e2fsck', ['-fn', file]);
  });
}

/** The output of some debugfs commands. */
export function debugfs(image: Uint8Array, commands: string[]): string {
  return withTempDir((dir) => {
    const file = join(dir, 'image');
    const script = join(dir, 'script');
    writeFileSync(file, image);
    writeFileSync(script, `${commands.join('\n')}\n`);
    return tool('debugfs', ['-f', script, file]).output;
  });
}

/** The image after `e2fsck -fyD`: directories sorted and indexed anew, with this hash. */
export function optimised(image: Uint8Array, hash?: string): Uint8Array {
  return withTempDir((dir) => {
    const file = join(dir, 'image');
    writeFileSync(file, image);
    if (hash !== undefined) tool('tune2fs', ['-E', `hash_alg=${hash}`, file]);
    tool('e2fsck', ['-fyD', file]);
    return new Uint8Array(readFileSync(file));
  });
}

/** The image after `e2fsck -fy`: its journal replayed by it, and whatever else it found mended. */
export function e2fsckRepair(image: Uint8Array): {
  status: number;
  output: string;
  image: Uint8Array;
} {
  return withTempDir((dir) => {
    const file = join(dir, 'image');
    writeFileSync(file, image);
    const { status, output } = tool('e2fsck', ['-fy', file]);
    return { status, output, image: new Uint8Array(readFileSync(file)) };
  });
}

/** The image after some debugfs commands that may write; DATA in them names a file of `data`. */
export function debugfsWrite(
  image: Uint8Array,
  data: Uint8Array,
  commands: readonly string[],
): Uint8Array {
  return withTempDir((dir) => {
    const [file, script, input] = ['image', 'script', 'data'].map((name) => join(dir, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(file, image);
    writeFileSync(input, data);
    writeFileSync(script, `${commands.join('\n').replaceAll('DATA', input)}\n`);
    const { status, output } = tool('debugfs', ['-w', '-f', script, file]);
    if (status !== 0) throw new Error(output);
    return new Uint8Array(readFileSync(file));
  });
}

/** What debugfs finds in the journal. */
export const logdump = (image: Uint8Array, options = ''): string =>
  debugfs(image, [`logdump ${options}`]);

/**
 * Mounts the image by the host's own kernel, runs `body` on the mount point, unmounts, and gives
 * the changed image; undefined where that is not allowed.
 */
export function onHostKernel(
  image: Uint8Array,
  body: (mountPoint: string) => void,
): Uint8Array | undefined {
  return mounted(image, ({ at }) => body(at))?.after;
}

/**
 * The same, but gives what is on the disk when the power fails behind `body`. Linux commits only when
 * it is asked, however slow the machine.
 */
export function cutOnHostKernel(
  image: Uint8Array,
  body: (mountPoint: string) => void,
): Uint8Array | undefined {
  const cut = mounted(
    image,
    ({ at, file }) => {
      body(at);
      return new Uint8Array(readFileSync(file));
    },
    'loop,commit=3600',
  );
  return cut?.result;
}

function mounted<R>(
  image: Uint8Array,
  body: (where: { at: string; file: string }) => R,
  options = 'loop',
): { result: R; after: Uint8Array } | undefined {
  return withTempDir((dir) => {
    const [file, at] = [join(dir, 'image'), join(dir, 'mnt')];
    writeFileSync(file, image);
    mkdirSync(at);
    if (tool('mount', ['-o', options, file, at]).status !== 0) return undefined;
    let result: R;
    try {
      result = body({ at, file });
    } finally {
      tool('umount', [at]);
    }
    return { result, after: new Uint8Array(readFileSync(file)) };
  });
}
