// Who uses how much: what a request changed of inodes and their blocks is added to the quota files, as
// Linux does whether or not limits are enforced. Limits are kept, not enforced.

import type { Inode } from '../inode/inode.ts';
import { EXT4_ROOT_INO } from '../ondisk.ts';
import { QUOTA_MAGICS } from '../ondisk-quota.ts';
import type { Op } from '../op.ts';
import { QuotaFile, type Use } from './file.ts';

/** An inode as it is charged: to its user, its group, its project. */
export interface Charge {
  readonly owners: readonly [number, number, number];
  readonly space: number; // bytes
}

/** Undefined for one that is free, or belongs to the volume itself. */
export function chargeOf(inode: Inode): Charge | undefined {
  const { vol } = inode.op;
  const { ino } = inode;
  if (inode.mode === 0 || inode.freed) return undefined;
  if (ino < vol.firstIno && ino !== EXT4_ROOT_INO) return undefined;
  if (vol.quotaInodes.includes(ino) || ino === vol.orphanFileIno) return undefined;
  return { owners: [inode.uid, inode.gid, inode.projid], space: inode.sectors * 512 };
}

/** Adds the difference of each inode that the request changed to the files. */
export function account(op: Op, inodes: Iterable<Inode>): void {
  const { quotaInodes } = op.vol;
  const sums = quotaInodes.map(() => new Map<number, Use>());
  for (const inode of inodes) {
    const { chargedBefore: before } = inode;
    const after = chargeOf(inode);
    for (const [type, sum] of sums.entries()) {
      if (before !== undefined) put(sum, before, { type, sign: -1 });
      if (after !== undefined) put(sum, after, { type, sign: 1 });
    }
  }
  for (const [type, sum] of sums.entries()) {
    const ino = quotaInodes[type] ?? 0;
    const changed = [...sum].filter(([, { space, inodes: n }]) => space !== 0 || n !== 0);
    if (ino === 0 || changed.length === 0) continue;
    const file = new QuotaFile(op.inode(ino), QUOTA_MAGICS[type] ?? 0);
    for (const [id, use] of changed) file.add(id, use);
  }
}

function put(
  sum: Map<number, Use>,
  { owners, space }: Charge,
  { type, sign }: { type: number; sign: 1 | -1 },
): void {
  const id = owners[type] ?? 0;
  const { space: bytes, inodes } = sum.get(id) ?? { space: 0, inodes: 0 };
  sum.set(id, { space: bytes + sign * space, inodes: inodes + sign });
}
