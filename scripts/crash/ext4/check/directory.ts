// One directory for the checker: its entries with every length looked at, the checksums of its
// blocks, and the order of its hash tree. directory.rst.

import { hashName } from '../../../../daemons/ext4fs/dir/hash.ts';
import {
  DirEntry2,
  DirEntryTail,
  DX_NODE_COUNT_OFFSET,
  DX_ROOT_COUNT_OFFSET,
  DxCountLimit,
  DxEntry,
  DxRoot,
  EXT4_FT_DIR_CSUM,
  EXT4_INDEX_FL,
  SUPERBLOCK_OFFSET,
  SUPERBLOCK_SIZE,
} from '../../../../daemons/ext4fs/ondisk.ts';
import { openVolume } from '../../../../daemons/ext4fs/volume/superblock.ts';
import { crc32c } from '../../../../daemons/lib/crc32c.ts';
import type { InodeInfo } from './inode.ts';
import type { Volume } from './volume.ts';

export interface Entry {
  readonly name: string;
  readonly ino: number;
  readonly type: number; // EXT4_FT_*
}

/** All entries, '.' and '..' first. */
export function readDirectory(vol: Volume, dir: InodeInfo): Entry[] {
  const what = `directory ${dir.ino}`;
  const count = dir.size / vol.blockSize;
  if (!Number.isInteger(count) || dir.mapped.length !== count) {
    vol.bad(`${what}: ${dir.size} bytes in ${dir.mapped.length} blocks`);
    return [];
  }
  const indexed = (dir.raw.i_flags & EXT4_INDEX_FL) !== 0;
  const leaves = indexed ? treeLeaves(vol, dir) : dir.mapped.map((_, lblock) => ({ lblock }));
  const out: Entry[] = [];
  if (indexed) out.push(...blockEntries(vol, dir, { lblock: 0, to: 0x18 }));
  for (const { lblock } of leaves) {
    leafChecksum(vol, dir, lblock);
    out.push(...blockEntries(vol, dir, { lblock, to: vol.blockSize }));
  }
  if (out[0]?.name !== '.' || out[0].ino !== dir.ino) vol.bad(`${what}: no '.' at its start`);
  if (out[1]?.name !== '..') vol.bad(`${what}: no '..' behind '.'`);
  const names = new Set(out.map(({ name }) => name));
  if (names.size !== out.length) vol.bad(`${what}: a name stands in it twice`);
  return out;
}

const at = (vol: Volume, dir: InodeInfo, lblock: number): DataView =>
  vol.block(dir.mapped[lblock]?.block ?? 0);

const raw = (vol: Volume, dir: InodeInfo, lblock: number): Uint8Array =>
  vol.blockBytes(dir.mapped[lblock]?.block ?? 0);

function blockEntries(
  vol: Volume,
  dir: InodeInfo,
  { lblock, to }: { lblock: number; to: number },
): Entry[] {
  const view = at(vol, dir, lblock);
  const bytes = raw(vol, dir, lblock);
  const out: Entry[] = [];
  for (let from = 0; from + 8 <= to; ) {
    const { inode, rec_len, name_len, file_type } = new DirEntry2(view, from);
    const fits = rec_len >= 8 + name_len && rec_len % 4 === 0 && from + rec_len <= vol.blockSize;
    if (!fits || rec_len < 12) {
      vol.bad(`directory ${dir.ino}: block ${lblock}: entry at ${from} of ${rec_len} bytes`);
      break;
    }
    if (inode !== 0) {
      const name = new TextDecoder().decode(bytes.subarray(from + 8, from + 8 + name_len));
      out.push({ name, ino: inode, type: file_type });
    }
    from += rec_len;
  }
  return out;
}

function leafChecksum(vol: Volume, dir: InodeInfo, lblock: number): void {
  if (!vol.checksums) return;
  const tail = new DirEntryTail(at(vol, dir, lblock), vol.blockSize - DirEntryTail.size);
  const sum = crc32c(
    dir.seed,
    raw(vol, dir, lblock).subarray(0, vol.blockSize - DirEntryTail.size),
  );
  if (tail.det_reserved_ft !== EXT4_FT_DIR_CSUM || tail.det_checksum !== sum) {
    vol.bad(`directory ${dir.ino}: block ${lblock}: checksum`);
  }
}

/** The leaves in the order of the tree, each with hashes in the range that the tree gives it. */
function treeLeaves(vol: Volume, dir: InodeInfo): { lblock: number }[] {
  const root = new DxRoot(at(vol, dir, 0));
  const leaves: { lblock: number; hash: number }[] = [];
  const seen = new Set([0]);
  const walk = (lblock: number, level: number): void => {
    const countAt = lblock === 0 ? DX_ROOT_COUNT_OFFSET : DX_NODE_COUNT_OFFSET;
    const view = at(vol, dir, lblock);
    const { limit, count } = new DxCountLimit(view, countAt);
    if (count < 1 || count > limit || countAt + limit * 8 > vol.blockSize) {
      vol.bad(`directory ${dir.ino}: index block ${lblock}: ${count} of ${limit}`);
      return;
    }
    indexChecksum(vol, dir, { lblock, countAt, limit, count });
    for (let i = 0; i < count; i++) {
      const entry = new DxEntry(view, countAt + i * 8);
      const child = entry.block & 0xfff_ffff;
      if (seen.has(child) || child >= dir.mapped.length) {
        vol.bad(`directory ${dir.ino}: index block ${lblock}: child ${child}`);
        continue;
      }
      seen.add(child);
      if (level === 0) leaves.push({ lblock: child, hash: i === 0 ? 0 : entry.hash });
      else walk(child, level - 1);
    }
  };
  walk(0, root.indirect_levels);
  if (seen.size !== dir.mapped.length) vol.bad(`directory ${dir.ino}: blocks outside its index`);
  hashOrder(vol, dir, { version: root.hash_version, leaves });
  return leaves;
}

function indexChecksum(
  vol: Volume,
  dir: InodeInfo,
  b: { lblock: number; countAt: number; limit: number; count: number },
): void {
  if (!vol.checksums) return;
  const bytes = raw(vol, dir, b.lblock);
  const tail = b.countAt + b.limit * 8;
  let sum = crc32c(dir.seed, bytes.subarray(0, b.countAt + b.count * 8));
  sum = crc32c(sum, bytes.subarray(tail, tail + 4));
  sum = crc32c(sum, new Uint8Array(4));
  if (sum !== at(vol, dir, b.lblock).getUint32(tail + 4, true)) {
    vol.bad(`directory ${dir.ino}: index block ${b.lblock}: checksum`);
  }
}

/** The lowest bit of an index entry's hash says that equal hashes go on from the leaf before. */
function hashOrder(
  vol: Volume,
  dir: InodeInfo,
  { version, leaves }: { version: number; leaves: { lblock: number; hash: number }[] },
): void {
  const superblock = vol.bytes.subarray(SUPERBLOCK_OFFSET, SUPERBLOCK_OFFSET + SUPERBLOCK_SIZE);
  const geometry = openVolume(superblock, vol.bytes.length);
  for (const [i, { lblock, hash }] of leaves.entries()) {
    const next = leaves[i + 1]?.hash ?? 0x1_0000_0000;
    for (const { name } of blockEntries(vol, dir, { lblock, to: vol.blockSize })) {
      const { major } = hashName(geometry, version, new TextEncoder().encode(name));
      if (major < (hash & ~1) >>> 0 || major > next) {
        vol.bad(`directory ${dir.ino}: '${name}' is in the wrong leaf`);
      }
    }
  }
}
