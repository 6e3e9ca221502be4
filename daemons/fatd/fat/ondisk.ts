// Every structure of a FAT volume, as tables. Microsoft "FAT: General Overview of On-Disk Format"
// 1.03 (fatgen103); long names: "Long Filename Specification" 0.5. All numbers are little-endian.

import { bytes, le16, le32, overlay, struct, u8 } from '../../../kernel/abi/struct.ts';

/** The boot sector: the BIOS parameter block that all three have, then FAT12/16's or FAT32's fields. */
export const BootSector = struct('fat_boot_sector', 512, {
  BS_jmpBoot: bytes(0x0, 3), // eb xx 90 or e9 xx xx
  BS_OEMName: bytes(0x3, 8),
  BPB_BytsPerSec: le16(0xb),
  BPB_SecPerClus: u8(0xd),
  BPB_RsvdSecCnt: le16(0xe),
  BPB_NumFATs: u8(0x10),
  BPB_RootEntCnt: le16(0x11), // 0 on FAT32
  BPB_TotSec16: le16(0x13),
  BPB_Media: u8(0x15),
  BPB_FATSz16: le16(0x16), // 0 on FAT32
  BPB_SecPerTrk: le16(0x18),
  BPB_NumHeads: le16(0x1a),
  BPB_HiddSec: le32(0x1c),
  BPB_TotSec32: le32(0x20),
  BPB_FATSz32: le32(0x24),
  BPB_ExtFlags: le16(0x28), // FAT32; bit 7: one FAT is active, its number in bits 0..3
  BPB_FSVer: le16(0x2a),
  BPB_RootClus: le32(0x2c),
  BPB_FSInfo: le16(0x30), // sectors
  BPB_BkBootSec: le16(0x32),
  BS32_DrvNum: u8(0x40),
  BS32_Reserved1: u8(0x41),
  BS32_BootSig: u8(0x42),
  BS32_VolID: le32(0x43),
  BS32_VolLab: bytes(0x47, 11),
  BS32_FilSysType: bytes(0x52, 8),
  BS_signature: le16(0x1fe), // 0xaa55
  BS_DrvNum: overlay(u8(0x24)), // FAT12 and FAT16 from here on
  BS_Reserved1: overlay(u8(0x25)), // bit 0: not cleanly unmounted
  BS_BootSig: overlay(u8(0x26)), // 0x29: the next three are there
  BS_VolID: overlay(le32(0x27)),
  BS_VolLab: overlay(bytes(0x2b, 11)),
  BS_FilSysType: overlay(bytes(0x36, 8)),
});
export type BootSectorView = InstanceType<typeof BootSector>;

export const BOOT_SIGNATURE = 0xaa55;
/** Of BS_Reserved1. */
export const STATE_DIRTY = 0x01;

export const FsInfo = struct('fat_fsinfo', 512, {
  FSI_LeadSig: le32(0x0),
  FSI_StrucSig: le32(0x1e4),
  FSI_Free_Count: le32(0x1e8), // 0xffffffff = unknown
  FSI_Nxt_Free: le32(0x1ec),
  FSI_TrailSig: le32(0x1fc),
});
export const FSI_LEAD = 0x41615252;
export const FSI_STRUC = 0x61417272;
export const FSI_TRAIL = 0xaa550000;

/** A directory entry with the 8.3 name. */
export const DirEntry = struct('fat_dir_entry', 32, {
  DIR_Name: bytes(0x0, 11), // first byte 0xe5 = free, 0x00 = free and all behind it, 0x05 = 0xe5
  DIR_Attr: u8(0xb),
  DIR_NTRes: u8(0xc), // NT: 0x08 base and 0x10 extension are shown in lower case
  DIR_CrtTimeTenth: u8(0xd), // units of 10 ms, 0..199
  DIR_CrtTime: le16(0xe),
  DIR_CrtDate: le16(0x10),
  DIR_LstAccDate: le16(0x12),
  DIR_FstClusHI: le16(0x14), // FAT32
  DIR_WrtTime: le16(0x16),
  DIR_WrtDate: le16(0x18),
  DIR_FstClusLO: le16(0x1a),
  DIR_FileSize: le32(0x1c),
});
export type DirEntryView = InstanceType<typeof DirEntry>;

/** A part of a long name: 13 UTF-16 units; the parts lie in reverse order before the 8.3 entry. */
export const LongEntry = struct('fat_long_entry', 32, {
  LDIR_Ord: u8(0x0), // 1.., 0x40 set in the last part, which comes first
  LDIR_Name1: bytes(0x1, 10),
  LDIR_Attr: u8(0xb), // 0x0f
  LDIR_Type: u8(0xc),
  LDIR_Chksum: u8(0xd), // of the 8.3 name
  LDIR_Name2: bytes(0xe, 12),
  LDIR_FstClusLO: le16(0x1a), // 0
  LDIR_Name3: bytes(0x1c, 4),
});

export const SLOT_FREE = 0xe5;
export const SLOT_KANJI = 0x05; // stands for a first byte of 0xe5
export const LAST_LONG = 0x40;
export const UNITS_PER_LONG = 13;

export const ATTR_HIDDEN = 0x02;
export const ATTR_SYSTEM = 0x04;
export const ATTR_VOLUME_ID = 0x08;
export const ATTR_LONG_NAME = 0x0f;
export const LOWER_BASE = 0x08;
export const LOWER_EXT = 0x10;
/** Ours, of DIR_NTRes: the file was moved here; an entry elsewhere with its first cluster is the older one. */
export const NEWER_NAME = 0x40;

/** A directory has no more than 2 MiB, a file no more than its size field can tell. */
export const DIR_SLOTS_MAX = 65_536;
export const FILE_SIZE_MAX = 0xffff_ffff;
export const MSDOS_SUPER_MAGIC = 0x4d44; // f_type of statfs(2)
