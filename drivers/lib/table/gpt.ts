// The GUID partition table: UEFI 2.10 §5.3. Two copies, each with a CRC over its header and one
// over its entries; the copy at the end of the disk serves when the first is damaged.

import { bytes, le32, le64bits, struct } from '../../../kernel/abi/struct.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import { SECTOR_SIZE } from '../request.ts';
import { crc32 } from './crc32.ts';
import { checked, type Partition, type PartitionTable, type SectorReader } from './partition.ts';

const Header = struct('gpt_header', 92, {
  signature: le64bits(0), // "EFI PART"
  revision: le32(8),
  header_size: le32(12),
  header_crc32: le32(16),
  my_lba: le64bits(24),
  alternate_lba: le64bits(32),
  first_usable_lba: le64bits(40),
  last_usable_lba: le64bits(48),
  disk_guid: bytes(56, 16),
  partition_entry_lba: le64bits(72),
  number_of_partition_entries: le32(80),
  size_of_partition_entry: le32(84),
  partition_entry_array_crc32: le32(88),
});
type Header = InstanceType<typeof Header>;

const Entry = struct('gpt_entry', 128, {
  partition_type_guid: bytes(0, 16), // all zero = unused
  unique_partition_guid: bytes(16, 16),
  starting_lba: le64bits(32),
  ending_lba: le64bits(40), // the last sector
  attributes: le64bits(48),
  partition_name: bytes(56, 72), // UTF-16LE
});

const SIGNATURE = 0x5452_4150_2049_4645n;
/** The specification names no limit; 128 entries are usual. */
const ENTRIES_LIMIT = 1024;
const ENTRY_SIZE_LIMIT = 1024;

export function* readGpt(disk: SectorReader): Task<PartitionTable> {
  const first = yield* readCopy(disk, 1);
  if (typeof first !== 'string') return first;
  const notes = [`primary GPT: ${first}`];
  const backup = yield* readCopy(disk, disk.sectorCount - 1);
  if (typeof backup !== 'string')
    return { ...backup, notes: [...notes, 'the backup GPT is used', ...backup.notes] };
  notes.push(`backup GPT: ${backup}`);
  return { scheme: 'none', partitions: [], notes };
}

/** One copy, or what is wrong with it. */
function* readCopy(disk: SectorReader, lba: number): Task<PartitionTable | string> {
  if (lba < 1 || lba >= disk.sectorCount) return 'the disk is too small';
  const sector = yield* disk.read(lba, 1);
  const header = new Header(new DataView(sector.buffer, sector.byteOffset, sector.length));
  const wrong = headerFault(header, sector, { lba, sectorCount: disk.sectorCount });
  if (wrong) return wrong;
  const size = header.number_of_partition_entries * header.size_of_partition_entry;
  const sectors = Math.ceil(size / SECTOR_SIZE);
  const start = Number(header.partition_entry_lba);
  if (start < 1 || start + sectors > disk.sectorCount) return 'its entries lie outside the disk';
  const entries = (yield* disk.read(start, sectors)).subarray(0, size);
  if (crc32(entries) !== header.partition_entry_array_crc32) return 'wrong checksum of the entries';
  const usable = {
    first: Number(header.first_usable_lba),
    end: Math.min(Number(header.last_usable_lba) + 1, disk.sectorCount),
  };
  return checked('gpt', parseEntries(entries, header.size_of_partition_entry), usable);
}

function headerFault(
  header: Header,
  sector: Uint8Array,
  { lba, sectorCount }: { lba: number; sectorCount: number },
): string | undefined {
  if (header.signature !== SIGNATURE) return 'no signature';
  const size = header.header_size;
  if (size < Header.size || size > SECTOR_SIZE) return `header of ${size} bytes`;
  const copy = sector.slice(0, size);
  new DataView(copy.buffer).setUint32(Header.offsets.header_crc32, 0);
  if (crc32(copy) !== header.header_crc32) return 'wrong checksum of the header';
  if (header.my_lba !== BigInt(lba)) return `header of sector ${header.my_lba}`;
  if (header.last_usable_lba >= BigInt(sectorCount)) return 'made for a larger disk';
  const count = header.number_of_partition_entries;
  if (count === 0 || count > ENTRIES_LIMIT) return `${count} entries`;
  const entrySize = header.size_of_partition_entry;
  if (entrySize < Entry.size || entrySize > ENTRY_SIZE_LIMIT || entrySize % 8 !== 0)
    return `entries of ${entrySize} bytes`;
  return undefined;
}

function parseEntries(entries: Uint8Array, entrySize: number): Partition[] {
  const view = new DataView(entries.buffer, entries.byteOffset, entries.length);
  const found: Partition[] = [];
  for (let at = 0; at + entrySize <= entries.length; at += entrySize) {
    const entry = new Entry(view, at);
    if (entry.partition_type_guid.every((byte) => byte === 0)) continue;
    const start = Number(entry.starting_lba);
    found.push({
      number: at / entrySize + 1,
      start,
      count: Number(entry.ending_lba) - start + 1,
      type: guid(entry.partition_type_guid),
      label: label(entry.partition_name),
    });
  }
  return found;
}

/** Appendix A: the first three fields are little-endian. */
function guid(raw: Uint8Array): string {
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  const hex = order.map((i) => (raw[i] ?? 0).toString(16).padStart(2, '0')).join('');
  return [0, 8, 12, 16, 20].map((at, i, all) => hex.slice(at, all[i + 1])).join('-');
}

/** The name up to its NUL; what would break a line of `ctl` is left out. */
function label(raw: Uint8Array): string {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  let text = '';
  for (let at = 0; at < raw.length; at += 2) {
    const unit = view.getUint16(at, true);
    if (unit === 0) break;
    text += String.fromCharCode(unit);
  }
  return text.replace(/[\p{Cc}\p{Cs}]/gu, '');
}
