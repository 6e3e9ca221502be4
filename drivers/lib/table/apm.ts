// The Apple partition map: Inside Macintosh: Devices, "SCSI Manager", partition map. Sector 0 is the
// driver descriptor record with the size of a block; from block 1 on each block describes one partition.

import { be16, be32, bytes, struct } from '../../../kernel/abi/struct.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import { SECTOR_SIZE } from '../request.ts';
import { checked, type Partition, type PartitionTable, type SectorReader } from './partition.ts';

const DriverDescriptor = struct('apple_ddr', 8, {
  sbSig: be16(0), // 'ER'
  sbBlkSize: be16(2),
  sbBlkCount: be32(4),
});

const Entry = struct('apple_partition', 0x88, {
  pmSig: be16(0), // 'PM'
  pmMapBlkCnt: be32(4), // blocks of the map: entries
  pmPyPartStart: be32(8),
  pmPartBlkCnt: be32(12),
  pmPartName: bytes(16, 32),
  pmParType: bytes(48, 32),
});

const ER = 0x4552;
const PM = 0x504d;
const ENTRIES_LIMIT = 256;
/** Entries that are no volumes; they keep their numbers. */
const NO_VOLUME = new Set(['Apple_partition_map', 'Apple_Free', 'Apple_Void', 'Apple_Scratch']);

/** undefined: the disk has no such map. */
export function* readApm(disk: SectorReader): Task<PartitionTable | undefined> {
  const first = yield* disk.read(0, 1);
  const record = new DriverDescriptor(viewOf(first));
  if (record.sbSig !== ER) return undefined;
  // A map that was made for blocks of 2 KiB is also seen with sectors, as CDs for both have it.
  const sizes = new Set([record.sbBlkSize, SECTOR_SIZE].filter(isBlockSize));
  for (const size of sizes) {
    const table = yield* readMap(disk, size / SECTOR_SIZE);
    if (table) return table;
  }
  const notes = [
    `Apple partition map: no entries behind its record, blocks of ${record.sbBlkSize}`,
  ];
  return { scheme: 'none', partitions: [], notes };
}

const isBlockSize = (size: number): boolean => [512, 1024, 2048, 4096].includes(size);

function* readMap(disk: SectorReader, sectorsInBlock: number): Task<PartitionTable | undefined> {
  const found: Partition[] = [];
  const notes: string[] = [];
  let entries = 1;
  for (let number = 1; number <= entries; number++) {
    const at = number * sectorsInBlock;
    if (at >= disk.sectorCount) return number === 1 ? undefined : apm(disk, found, notes);
    const entry = new Entry(viewOf(yield* disk.read(at, 1)));
    if (entry.pmSig !== PM) {
      if (number === 1) return undefined;
      notes.push(`Apple partition map: entry ${number} of ${entries} is damaged`);
      continue;
    }
    if (number === 1) {
      entries = Math.min(entry.pmMapBlkCnt, ENTRIES_LIMIT);
      if (entry.pmMapBlkCnt > ENTRIES_LIMIT)
        notes.push(`Apple partition map: ${entry.pmMapBlkCnt} entries`);
    }
    const type = text(entry.pmParType);
    if (NO_VOLUME.has(type)) continue;
    found.push({
      number,
      start: entry.pmPyPartStart * sectorsInBlock,
      count: entry.pmPartBlkCnt * sectorsInBlock,
      type,
      label: text(entry.pmPartName),
    });
  }
  return apm(disk, found, notes);
}

function apm(
  disk: SectorReader,
  found: readonly Partition[],
  notes: readonly string[],
): PartitionTable {
  const table = checked('apm', found, { first: 1, end: disk.sectorCount });
  return { ...table, notes: [...notes, ...table.notes] };
}

const viewOf = (sector: Uint8Array): DataView =>
  new DataView(sector.buffer, sector.byteOffset, sector.length);

/** ASCII up to the NUL; what would break a line of `ctl` is left out. */
function text(raw: Uint8Array): string {
  const end = raw.indexOf(0);
  const used = end < 0 ? raw : raw.subarray(0, end);
  return String.fromCharCode(...used).replace(/[^ -~]/g, '');
}
