// What a spare does while it waits for a server to die: it serves a small volume in memory, from its mount
// to another worker's taking over. The code is compiled then, and whoever waits for the spare once it has
// orders need not wait for that, too (docs/servers.md).

import { mkfs } from './ext4fs/mkfs/mkfs.ts';
import { mountExt4 } from './ext4fs/mount.ts';
import { EXT4_ROOT_INO } from './ext4fs/ondisk.ts';
import { COMPAT, INCOMPAT, RO_COMPAT } from './ext4fs/volume/features.ts';
import { imageMedium } from './lib/memory/image-medium.ts';
import { Rig } from './lib/memory/rig.ts';

const IMAGE_BYTES = 2 << 20;
/** Mounts, each but the first after a worker that died; and files that each makes. */
const LIVES = 6;
const FILES = 8;

/** A life takes some milliseconds; `wanted` is asked before each, and ends the rehearsal. */
export function rehearse(wanted: () => boolean): void {
  if (wanted()) return;
  const image = { bytes: new Uint8Array(IMAGE_BYTES) };
  makeVolume(image.bytes);
  const rig = new Rig();
  for (let life = 0; life < LIVES && !wanted(); life++) {
    const mounted = rig.mount(mountExt4, image, { resume: life > 0 });
    const { volume } = mounted;
    for (let i = 0; i < FILES; i++) {
      const request = { name: `file${life}.${i}`, flags: 0, mode: 0o644, gid: 0 };
      const ino = mounted.change((tx) => volume.fs.create?.(tx, EXT4_ROOT_INO, request) ?? 0);
      mounted.change((tx) => volume.fs.mapWrite(tx, { ino, offset: 0, length: 1 }));
      if (i === FILES >> 1) mounted.run(volume.commit());
    }
  }
}

function makeVolume(image: Uint8Array): void {
  const { has_journal, dir_index } = COMPAT;
  const { filetype, extent } = INCOMPAT;
  const { sparse_super, large_file, extra_isize, metadata_csum } = RO_COMPAT;
  mkfs(
    imageMedium(image),
    {
      ...{
        sizeBytes: image.length,
        blockSize: 1024,
        blocksCount: undefined,
        inodesCount: undefined,
      },
      ...{ inodeRatio: undefined, inodeSize: 256, reservedPercent: 0, journalBlocks: 1024 },
      features: {
        compat: has_journal | dir_index,
        incompat: filetype | extent,
        roCompat: sparse_super | large_file | extra_isize | metadata_csum,
      },
      ...{ label: 'rehearsal', uuid: new Uint8Array(16).fill(1), hashSeed: new Uint8Array(16) },
      now: { sec: 0, nsec: 0 },
    },
    { random: () => 7, progress: () => {} },
  );
}
