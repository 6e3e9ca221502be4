// Every structure of an exFAT volume, as tables. Microsoft "exFAT file system specification" 1.00.
// All numbers are little-endian.

import { bytes, le16, le32, le64, struct, u8 } from '../../../kernel/abi/struct.ts';
import { SLOT } from '../ondisk.ts';

/** §3.1, the main and the backup boot sector. */
export const BootSector = struct('exfat_boot_sector', 512, {
  JumpBoot: bytes(0x0, 3), // eb 76 90
  FileSystemName: bytes(0x3, 8),
  MustBeZero: bytes(0xb, 53), // where FAT has its parameters
  PartitionOffset: le64(0x40), // sectors
  VolumeLength: le64(0x48), // sectors
  FatOffset: le32(0x50), // sectors
  FatLength: le32(0x54), // sectors
  ClusterHeapOffset: le32(0x58), // sectors
  ClusterCount: le32(0x5c),
  FirstClusterOfRootDirectory: le32(0x60),
  VolumeSerialNumber: le32(0x64),
  FileSystemRevision: le16(0x68),
  VolumeFlags: le16(0x6a),
  BytesPerSectorShift: u8(0x6c),
  SectorsPerClusterShift: u8(0x6d),
  NumberOfFats: u8(0x6e),
  DriveSelect: u8(0x6f),
  PercentInUse: u8(0x70), // 0xff = unknown
  BootCode: bytes(0x78, 390),
  BootSignature: le16(0x1fe),
});
export type BootSectorView = InstanceType<typeof BootSector>;

export const FILE_SYSTEM_NAME = 'EXFAT   ';
export const BOOT_SIGNATURE = 0xaa55;
export const EXTENDED_SIGNATURE = 0xaa55_0000; // at the end of the sectors 1..8
export const REVISION = 0x0100;
/** Of VolumeFlags. */
export const ACTIVE_FAT = 0x01;
export const VOLUME_DIRTY = 0x02;
export const MEDIA_FAILURE = 0x04;
export const PERCENT_UNKNOWN = 0xff;
/** A boot region: boot sector, eight extended ones, OEM parameters, a reserved one, the checksum. */
export const REGION_SECTORS = 12;
export const CHECKSUM_SECTOR = 11;

/** §7.1. */
export const BitmapEntry = struct('exfat_allocation_bitmap', 32, {
  EntryType: u8(0x0), // 0x81
  BitmapFlags: u8(0x1), // bit 0: which FAT it goes with
  FirstCluster: le32(0x14),
  DataLength: le64(0x18),
});

/** §7.2. */
export const UpcaseEntry = struct('exfat_upcase_table', 32, {
  EntryType: u8(0x0), // 0x82
  TableChecksum: le32(0x4),
  FirstCluster: le32(0x14),
  DataLength: le64(0x18),
});

/** §7.3. */
export const LabelEntry = struct('exfat_volume_label', 32, {
  EntryType: u8(0x0), // 0x83
  CharacterCount: u8(0x1), // 0..11
  VolumeLabel: bytes(0x2, 22), // UTF-16
});

/** §7.4: the first entry of a file's or directory's set. */
export const FileEntry = struct('exfat_file', 32, {
  EntryType: u8(0x0), // 0x85
  SecondaryCount: u8(0x1), // 2..18
  SetChecksum: le16(0x2),
  FileAttributes: le16(0x4),
  CreateTimestamp: le32(0x8), // date << 16 | time, as FAT has them
  LastModifiedTimestamp: le32(0xc),
  LastAccessedTimestamp: le32(0x10),
  Create10msIncrement: u8(0x14), // 0..199
  LastModified10msIncrement: u8(0x15),
  CreateUtcOffset: u8(0x16), // bit 7: valid; quarters of an hour, 7 bits with a sign
  LastModifiedUtcOffset: u8(0x17),
  LastAccessedUtcOffset: u8(0x18),
});
export type FileView = InstanceType<typeof FileEntry>;

/** §7.6: the second entry of a set. */
export const StreamEntry = struct('exfat_stream_extension', 32, {
  EntryType: u8(0x0), // 0xc0
  GeneralSecondaryFlags: u8(0x1),
  NameLength: u8(0x3), // UTF-16 units
  NameHash: le16(0x4), // of the name in upper case
  // DEVIATES: reserved by §7.6. Of two sets with one first cluster the higher number is the newer one
  // (write/recover.ts); numbers go round. Unmounting makes it 0 again.
  MoveCount: le16(0x6),
  ValidDataLength: le64(0x8), // what lies behind it reads as zeroes
  FirstCluster: le32(0x14),
  DataLength: le64(0x18),
});
export type StreamView = InstanceType<typeof StreamEntry>;

/** §7.7: 15 units of the name; as many as there must be follow the stream extension. */
export const NameEntry = struct('exfat_file_name', 32, {
  EntryType: u8(0x0), // 0xc1
  GeneralSecondaryFlags: u8(0x1),
  FileName: bytes(0x2, 30), // UTF-16
});

export const IN_USE = 0x80; // of EntryType
export const SECONDARY = 0x40;
export const TYPE_END = 0x00; // nothing behind it is in use
export const TYPE_UNUSED = 0x05;
export const TYPE_BITMAP = 0x81;
export const TYPE_UPCASE = 0x82;
export const TYPE_LABEL = 0x83;
export const TYPE_FILE = 0x85;
export const TYPE_GUID = 0xa0;
export const TYPE_STREAM = 0xc0;
export const TYPE_NAME = 0xc1;

/** Of GeneralSecondaryFlags. */
export const ALLOCATION_POSSIBLE = 0x01;
export const NO_FAT_CHAIN = 0x02; // the clusters lie in a row, their numbers in the FAT mean nothing

export const UNITS_PER_NAME = 15;
export const NAME_UNITS_MAX = 255;
export const LABEL_UNITS_MAX = 11;
/** A directory has no more than 256 MiB. */
export const DIR_SLOTS_MAX = 8_388_608;
export const EXFAT_SUPER_MAGIC = 0x2011_bab0; // f_type of statfs(2)

/** What the disk writes whole or not at all. */
export const SECTOR = 512;
export const SLOTS_PER_SECTOR = SECTOR / SLOT;

/** §3.4, §7.2.2: of a boot region and of an up-case table; `skip` leaves bytes out. */
export function checksum32(data: Uint8Array, skip: readonly number[] = []): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) {
    if (!skip.includes(i)) sum = (((sum << 31) | (sum >>> 1)) + (data[i] ?? 0)) >>> 0;
  }
  return sum;
}
/** VolumeFlags and PercentInUse change without a new checksum. */
export const BOOT_VOLATILE: readonly number[] = [0x6a, 0x6b, 0x70];

/** §6.3.3: of a whole set, without the checksum itself. */
export function setChecksum(set: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < set.length; i++) {
    if (i !== 2 && i !== 3) sum = (((sum << 15) | (sum >>> 1)) + (set[i] ?? 0)) & 0xffff;
  }
  return sum;
}

/** §7.6.4: of a name that is in upper case already. */
export function nameHash(upper: string): number {
  let sum = 0;
  for (let i = 0; i < upper.length; i++) {
    const unit = upper.charCodeAt(i);
    for (const byte of [unit & 0xff, unit >> 8])
      sum = (((sum << 15) | (sum >>> 1)) + byte) & 0xffff;
  }
  return sum;
}
