// Partition tables: finds which one a disk has and reads it. Nothing in it is trusted: what points
// outside the disk is left out with a note, and the whole disk stays usable in any case.

import { PosixError } from '../../../kernel/abi/errno.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import { readApm } from './apm.ts';
import { readGpt } from './gpt.ts';
import { readMbr } from './mbr.ts';

export interface Partition {
  readonly number: number; // 1..: the file part/NUMBER
  readonly start: number; // lba
  readonly count: number; // sectors
  /** `0x83`, the type's GUID, or Apple_HFS. */
  readonly type: string;
  readonly label: string;
}

export interface PartitionTable {
  readonly scheme: 'none' | 'mbr' | 'gpt' | 'apm';
  readonly partitions: readonly Partition[];
  /** What is wrong with it, one line each. */
  readonly notes: readonly string[];
}

/** The disk as the readers of tables see it. */
export interface SectorReader {
  readonly sectorCount: number;
  read(lba: number, count: number): Task<Uint8Array>;
}

export function* readPartitions(disk: SectorReader): Task<PartitionTable> {
  try {
    const mbr = yield* readMbr(disk);
    if (mbr.protective) return yield* readGpt(disk);
    if (mbr.table.scheme !== 'none') return mbr.table;
    return (yield* readApm(disk)) ?? mbr.table;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    const notes = [`partition table not read: ${error.message}`];
    return { scheme: 'none', partitions: [], notes };
  }
}

/** Leaves out what is not inside the disk, and tells of overlaps. */
export function checked(
  scheme: 'mbr' | 'gpt' | 'apm',
  found: readonly Partition[],
  bounds: { readonly first: number; readonly end: number },
): PartitionTable {
  const notes: string[] = [];
  const partitions = found.filter(({ number, start, count }) => {
    const inside = start >= bounds.first && count > 0 && start + count <= bounds.end;
    if (!inside) notes.push(`partition ${number} (${count} sectors at ${start}): outside the disk`);
    return inside;
  });
  const byStart = [...partitions].sort((a, b) => a.start - b.start);
  byStart.forEach((partition, i) => {
    const before = byStart[i - 1];
    if (before && before.start + before.count > partition.start)
      notes.push(`partitions ${before.number} and ${partition.number} overlap`);
  });
  return { scheme, partitions, notes };
}
