// Bugs that are planted to test the tester: each must be found by a bounded run. Those of the disk
// change what it was told; those of the code change one place of a copy of the compiled daemon, and
// fail loudly when that place is no longer there as it was.

import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DISTORTIONS } from './distort.ts';

/** One place of a compiled file and what is put there. */
export interface Mutation {
  readonly file: string; // below dist
  readonly from: string; // must be there exactly once, but for its white space
  readonly to: string;
}

export interface Plant {
  readonly distort?: string;
  readonly mutation?: Mutation;
  /** Where it is bound to show. */
  readonly workloads: readonly string[];
}

const DATA = ['append A/foo 3500; fsync A/foo; tick; tick; unmount'];
const NAMES = ['rename foo B/bar; fsync B/bar; tick; tick; unmount'];
const TOGETHER = [
  'create v; create A/v; mkdir B/v; create x & create A/y & mkdir B/z & append foo 3000; fsync A; tick; tick; unmount',
];
const JOURNAL = 'daemons/ext4fs/jbd2/journal.js';
const RECOVERY = 'daemons/ext4fs/jbd2/recovery.js';
const MOUNT = 'daemons/ext4fs/mount.js';

const ofTheDisk: Readonly<Record<string, readonly string[]>> = {
  'no-flush-at-all': NAMES,
  'no-flush-before-commit': DATA,
  'no-flush-after-commit': NAMES,
  'no-flush-before-tail': NAMES,
  'no-flush-after-tail': ['wrap-large'],
  'data-after-commit': DATA,
  'log-after-commit': NAMES,
  'home-before-commit': NAMES,
  'tail-before-home': NAMES,
};

const ofTheCode: Readonly<Record<string, Plant>> = {
  'log-checksums-ignored': {
    distort: 'no-flush-before-commit',
    workloads: NAMES,
    mutation: {
      file: RECOVERY,
      from: 'if (blockSum(format, sequence, block) !== checksum && format.csum !== 0) return false;',
      to: '',
    },
  },
  'log-numbers-ignored': {
    workloads: ['wrap'],
    mutation: {
      file: RECOVERY,
      from: 'header.h_magic !== JBD2_MAGIC || header.h_sequence !== sequence',
      to: 'header.h_magic !== JBD2_MAGIC',
    },
  },
  'revocations-ignored': {
    workloads: ['revoke', 'revoke-symlink'],
    mutation: { file: RECOVERY, from: 'for (const no of open.revoked) replay.delete(no);', to: '' },
  },
  'revocations-not-written': {
    workloads: ['revoke', 'revoke-symlink'],
    mutation: {
      file: JOURNAL,
      from: '[...epoch.forgotten].filter((no) => this.#inherited || this.#inLog.has(no))',
      to: '[]',
    },
  },
  'replay-not-flushed': {
    workloads: NAMES,
    mutation: { file: RECOVERY, from: 'yield* device.flush();', to: '' },
  },
  'tail-number-stale': {
    workloads: ['idle'],
    mutation: {
      file: JOURNAL,
      from: 'writeSuper(this.#head, cache.running.tid)',
      to: 'writeSuper(this.#head, cache.running.tid - 1)',
    },
  },
  // Half of what was published together is not in the transaction.
  'joint-in-halves': {
    workloads: TOGETHER,
    mutation: {
      file: 'daemons/lib/cache/block-cache.js',
      from: 'running.blocks.set(no, frame); running.forgotten.delete(no);',
      to: 'if (replies.length < 2 || running.blocks.size % 2 === 0) running.blocks.set(no, frame);',
    },
  },
  'orphans-left': {
    workloads: ['orphan'],
    mutation: { file: MOUNT, from: 'yield* this.#finishOrphans();', to: '' },
  },
  'freed-blocks-reused-at-once': {
    workloads: ['reuse'],
    mutation: {
      file: MOUNT,
      from: 'busyUntil: (block) => this.#journal?.busyUntil(block) ?? 0',
      to: 'busyUntil: () => 0',
    },
  },
  'fsync-commits-nothing': {
    workloads: NAMES,
    mutation: {
      file: 'daemons/lib/serve/serve.js',
      from: "if (reply.name === 'Rfsync') yield* this.#options.volume.commit();",
      to: '',
    },
  },
  'not-marked-for-recovery': {
    workloads: NAMES,
    mutation: {
      file: MOUNT,
      from: 'if (journal) sb.s_feature_incompat |= INCOMPAT.needs_recovery;',
      to: 'if (journal) sb.s_wtime = now;',
    },
  },
  'superblock-can-tear': {
    workloads: NAMES,
    mutation: {
      file: 'daemons/ext4fs/volume/superblock-seal.js',
      from: 'view.setUint32(WORD, (word ^ before) >>> 0, true);',
      to: 'view.setUint32(END, forward(0xffff_ffff, bytes.subarray(0, END)), true);',
    },
  },
};

export const PLANTS: Readonly<Record<string, Plant>> = {
  ...Object.fromEntries(
    Object.keys(DISTORTIONS).map((distort) => [
      distort,
      { distort, workloads: ofTheDisk[distort] ?? [] },
    ]),
  ),
  ...ofTheCode,
};

const DIST = fileURLToPath(new URL('../../../', import.meta.url));

/** Runs `body` with the main file of a copy of the compiled project that has the bug. */
export async function withPlanted<R>(
  mutation: Mutation,
  body: (main: string) => Promise<R>,
): Promise<R> {
  const root = mkdtempSync(join(tmpdir(), 'atoll-planted-'));
  try {
    for (const part of ['kernel', 'daemons', 'scripts/crash', 'scripts/testing']) {
      const source = (from: string): boolean => !/\.(map|d\.ts|test\.js)$/.test(from);
      cpSync(join(DIST, part), join(root, 'dist', part), { recursive: true, filter: source });
    }
    writeFileSync(join(root, 'package.json'), '{ "type": "module" }\n');
    symlinkSync(join(DIST, '../node_modules'), join(root, 'node_modules'));
    const file = join(root, 'dist', mutation.file);
    writeFileSync(file, mutated(readFileSync(file, 'utf8'), mutation));
    return await body(join(root, 'dist/scripts/crash/main.js'));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** The text with the place replaced; throws when it is not there, or there twice. */
export function mutated(text: string, { file, from, to }: Mutation): string {
  const words = from.split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const place = new RegExp(words.join('\\s+'), 'g');
  const found = text.match(place)?.length ?? 0;
  if (found !== 1)
    throw new Error(`${file} has '${from}' ${found} times: the planted bug is stale`);
  return text.replace(place, () => to);
}
