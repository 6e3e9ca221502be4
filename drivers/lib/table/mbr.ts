// The master boot record and the chain of extended boot records behind it, as the PC has them
// (UEFI 2.10 §5.2 describes the record; logical partitions are lore, as Linux and DOS agree).

import { bytes, le16, le32, struct, u8 } from '../../../kernel/abi/struct.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import { checked, type Partition, type PartitionTable, type SectorReader } from './partition.ts';

const Record = struct('mbr', 512, {
  boot_code: bytes(0, 440),
  unique_signature: le32(440),
  signature: le16(510), // 0xaa55
});

const Entry = struct('mbr_partition', 16, {
  boot_indicator: u8(0), // 0x80 = active, else 0
  os_type: u8(4), // 0 = unused
  starting_lba: le32(8),
  size_in_lba: le32(12),
});
type Entry = InstanceType<typeof Entry>;

const ENTRIES_AT = 446;
const GPT_PROTECTIVE = 0xee;
const EXTENDED = new Set([0x05, 0x0f, 0x85]);
const LOGICAL_LIMIT = 128;

const NONE: PartitionTable = { scheme: 'none', partitions: [], notes: [] };

/** `protective`: the record only guards a GUID partition table. */
export function* readMbr(disk: SectorReader): Task<{ protective: boolean; table: PartitionTable }> {
  const entries = tableOf(yield* disk.read(0, 1));
  if (!entries) return { protective: false, table: NONE };
  if (entries.some((entry) => entry.os_type === GPT_PROTECTIVE))
    return { protective: true, table: NONE };
  const found: Partition[] = [];
  const notes: string[] = [];
  for (const [i, entry] of entries.entries()) {
    if (EXTENDED.has(entry.os_type)) {
      const extended = { start: entry.starting_lba, count: entry.size_in_lba };
      notes.push(...(yield* readLogical(disk, extended, found)));
    } else if (entry.os_type !== 0) found.push(partition(i + 1, entry, 0));
  }
  if (found.length === 0 && notes.length === 0) return { protective: false, table: NONE };
  found.sort((a, b) => a.number - b.number);
  const table = checked('mbr', found, { first: 1, end: disk.sectorCount });
  return { protective: false, table: { ...table, notes: [...table.notes, ...notes] } };
}

/** The four entries; undefined when the sector is no partition table (a FAT's boot sector, say). */
function tableOf(sector: Uint8Array): Entry[] | undefined {
  const view = new DataView(sector.buffer, sector.byteOffset, sector.length);
  if (new Record(view).signature !== 0xaa55) return undefined;
  const entries = [0, 1, 2, 3].map((i) => new Entry(view, ENTRIES_AT + i * Entry.size));
  const plausible = entries.every(
    ({ boot_indicator, os_type, starting_lba, size_in_lba }) =>
      (boot_indicator & 0x7f) === 0 && (os_type === 0 || (starting_lba > 0 && size_in_lba > 0)),
  );
  return plausible ? entries : undefined;
}

const partition = (number: number, entry: Entry, base: number): Partition => ({
  number,
  start: base + entry.starting_lba,
  count: entry.size_in_lba,
  type: `0x${entry.os_type.toString(16).padStart(2, '0')}`,
  label: '',
});

/**
 * Follows the chain: each record names one logical partition, relative to itself, and the next
 * record, relative to the extended partition. Returns what is wrong with it.
 */
function* readLogical(
  disk: SectorReader,
  extended: { start: number; count: number },
  found: Partition[],
): Task<string[]> {
  const seen = new Set<number>();
  let number = Math.max(4, ...found.map((known) => known.number)) + 1;
  let at = extended.start;
  while (seen.size < LOGICAL_LIMIT) {
    if (seen.has(at)) return ['the chain of logical partitions is a circle'];
    seen.add(at);
    if (at >= Math.min(disk.sectorCount, extended.start + extended.count))
      return [`extended boot record at ${at}: outside its partition`];
    const entries = tableOf(yield* disk.read(at, 1));
    if (!entries) return [`extended boot record at ${at}: not valid`];
    for (const entry of entries)
      if (entry.os_type !== 0 && !EXTENDED.has(entry.os_type))
        found.push(partition(number++, entry, at));
    const next = entries.find((entry) => EXTENDED.has(entry.os_type));
    if (!next) return [];
    at = extended.start + next.starting_lba;
  }
  return [`more than ${LOGICAL_LIMIT} logical partitions`];
}
