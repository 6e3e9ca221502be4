// ext2's family for the explorer: images by the real mke2fs in the shapes that differ in what they
// write, our own checker, and e2fsck.

import { mountExt4 } from '../../../daemons/ext4fs/mount.ts';
import { fsck, haveE2fsprogs, mke2fs } from '../../testing/e2fsprogs.ts';
import type { CrashFormat, Range } from '../format.ts';
import { orderedJudge, promised } from '../oracle/ordered.ts';
import { checkExt4, stampedBlocks } from './check/check.ts';

interface Variant {
  readonly blockSize: number;
  readonly sizeBytes: number;
  readonly options: readonly string[];
}

/** The same volume every time: whatever mke2fs would draw at random or read from the clock is given. */
const FIXED = ['-U', '8a1d9b5c-0c3e-4d52-9d5a-2f1b7c6e4a10', '-N', '128', '-L', 'crash', '-m', '0'];
const HASH_SEED = 'hash_seed=1f0e2d3c-4b5a-4978-8695-a4b3c2d1e0f7';

const VARIANTS: Readonly<Record<string, Variant>> = {
  ext4: {
    blockSize: 1024,
    sizeBytes: 4 << 20,
    options: ['-t', 'ext4', '-b', '1024', '-J', 'size=1', '-E', HASH_SEED],
  },
  'ext4-4k': {
    blockSize: 4096,
    sizeBytes: 16 << 20,
    options: ['-t', 'ext4', '-b', '4096', '-J', 'size=4', '-E', HASH_SEED],
  },
  'ext4-nocsum': {
    blockSize: 1024,
    sizeBytes: 4 << 20,
    options: [
      ...['-t', 'ext4', '-b', '1024', '-J', 'size=1', '-E', HASH_SEED],
      ...['-O', '^metadata_csum,^64bit'],
    ],
  },
  ext3: {
    blockSize: 1024,
    sizeBytes: 4 << 20,
    options: ['-t', 'ext3', '-b', '1024', '-J', 'size=1', '-E', HASH_SEED],
  },
};

export const EXT4_FORMATS = Object.keys(VARIANTS);

export function ext4Format(name: string): CrashFormat | undefined {
  const variant = VARIANTS[name];
  if (variant === undefined) return undefined;
  const { blockSize, sizeBytes, options } = variant;
  const blocks = (numbers: readonly number[]): Range[] =>
    numbers.map((no) => ({ offset: no * blockSize, size: blockSize }));
  const haveReal = haveE2fsprogs();
  return {
    name,
    blockSize,
    mount: mountExt4,
    suits: () => true,
    ignored: new Set(['lost+found']),
    make: () => mke2fs(sizeBytes, [...options, ...FIXED]),
    check: checkExt4,
    free: (image) => blocks(checkExt4(image).freeBlocks),
    void: (image) => blocks(checkExt4(image).journal),
    stamps: (image) => blocks(stampedBlocks(checkExt4(image), blockSize)),
    promised,
    judge: orderedJudge,
    realCheck(image) {
      if (!haveReal) return undefined;
      const { status, output } = fsck(image);
      return status === 0 ? undefined : output;
    },
  };
}
