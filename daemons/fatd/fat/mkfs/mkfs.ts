// An empty FAT volume: boot sector, its backup, FSInfo, tables, root directory. fatgen103.

import { EINVAL, fail } from '../../../../kernel/abi/errno.ts';
import type { Timespec } from '../../../../kernel/abi/stat.ts';
import type { Medium } from '../../../lib/medium.ts';
import { toDos } from '../../time.ts';
import {
  ATTR_VOLUME_ID,
  BOOT_SIGNATURE,
  BootSector,
  DirEntry,
  FSI_LEAD,
  FSI_STRUC,
  FSI_TRAIL,
  FsInfo,
} from '../ondisk.ts';
import type { Layout } from './layout.ts';

export interface Identity {
  /** '' for none. */
  readonly label: string;
  readonly serial: number;
  readonly now: Timespec;
}

const NO_NAME = 'NO NAME    ';
const ROOT_CLUSTER = 2;
const INFO_SECTOR = 1;
const BACKUP_SECTOR = 6;
const PIECE = 1 << 20;

export function mkfs(medium: Medium, layout: Layout, identity: Identity): void {
  const { bits, sectorSize, reserved, fats, fatSectors, rootSectors, sectorsPerCluster } = layout;
  const rootAt = (reserved + fats * fatSectors) * sectorSize;
  const rootBytes = (bits === 32 ? sectorsPerCluster : rootSectors) * sectorSize;
  zero(medium, 0, rootAt + rootBytes);
  const boot = bootSector(layout, identity);
  for (const sector of bits === 32 ? [0, BACKUP_SECTOR] : [0]) {
    medium.write(sector * sectorSize, boot);
    if (bits === 32) medium.write((sector + INFO_SECTOR) * sectorSize, infoSector(layout));
  }
  for (let i = 0; i < fats; i++) {
    medium.write((reserved + i * fatSectors) * sectorSize, tableHead(layout));
  }
  if (identity.label !== '') medium.write(rootAt, labelEntry(identity));
  medium.flush();
}

function zero(medium: Medium, from: number, to: number): void {
  const zeroes = new Uint8Array(PIECE);
  for (let at = from; at < to; at += PIECE) {
    medium.write(at, zeroes.subarray(0, Math.min(PIECE, to - at)));
  }
}

/** Eleven characters as a volume label has them. EINVAL for what cannot be one. */
export function labelBytes(label: string): Uint8Array {
  const text = label.toUpperCase();
  const bad = text.length > 11 || /[^\x20-\x7e]|["*+,./:;<=>?[\\\]|]/.test(text) || /^ /.test(text);
  if (bad) fail(EINVAL, `'${label}' can be no label`);
  return new TextEncoder().encode((text || NO_NAME).padEnd(11));
}

function bootSector(layout: Layout, { label, serial }: Identity): Uint8Array {
  const { bits, sectors, sectorSize, fatSectors } = layout;
  const bytes = new Uint8Array(512);
  const boot = new BootSector(new DataView(bytes.buffer));
  const code = bits === 32 ? 0x5a : 0x3e;
  boot.BS_jmpBoot = Uint8Array.of(0xeb, code - 2, 0x90);
  bytes.set([0xeb, 0xfe], code); // not bootable: stays where it is
  boot.BS_OEMName = new TextEncoder().encode('atoll   ');
  boot.BPB_BytsPerSec = sectorSize;
  boot.BPB_SecPerClus = layout.sectorsPerCluster;
  boot.BPB_RsvdSecCnt = layout.reserved;
  boot.BPB_NumFATs = layout.fats;
  boot.BPB_RootEntCnt = layout.rootEntries;
  const small = bits !== 32 && sectors < 65_536;
  boot.BPB_TotSec16 = small ? sectors : 0;
  boot.BPB_TotSec32 = small ? 0 : sectors;
  boot.BPB_Media = layout.media;
  boot.BPB_SecPerTrk = layout.perTrack;
  boot.BPB_NumHeads = layout.heads;
  boot.BS_signature = BOOT_SIGNATURE;
  const type = new TextEncoder().encode(`FAT${bits}   `);
  if (bits === 32) {
    boot.BPB_FATSz32 = fatSectors;
    boot.BPB_RootClus = ROOT_CLUSTER;
    boot.BPB_FSInfo = INFO_SECTOR;
    boot.BPB_BkBootSec = BACKUP_SECTOR;
    boot.BS32_DrvNum = 0x80;
    boot.BS32_BootSig = 0x29;
    boot.BS32_VolID = serial;
    boot.BS32_VolLab = labelBytes(label);
    boot.BS32_FilSysType = type;
  } else {
    boot.BPB_FATSz16 = fatSectors;
    boot.BS_DrvNum = layout.media === 0xf8 ? 0x80 : 0;
    boot.BS_BootSig = 0x29;
    boot.BS_VolID = serial;
    boot.BS_VolLab = labelBytes(label);
    boot.BS_FilSysType = type;
  }
  return bytes;
}

function infoSector({ clusters }: Layout): Uint8Array {
  const bytes = new Uint8Array(512);
  const info = new FsInfo(new DataView(bytes.buffer));
  info.FSI_LeadSig = FSI_LEAD;
  info.FSI_StrucSig = FSI_STRUC;
  info.FSI_TrailSig = FSI_TRAIL;
  info.FSI_Free_Count = clusters - 1;
  info.FSI_Nxt_Free = ROOT_CLUSTER;
  return bytes;
}

/** The first two numbers, and the end of FAT32's root directory. */
function tableHead({ bits, media }: Layout): Uint8Array {
  const bytes = new Uint8Array(512);
  const view = new DataView(bytes.buffer);
  if (bits === 32) {
    view.setUint32(0, 0x0fff_ff00 | media, true);
    view.setUint32(4, 0x0fff_ffff, true);
    view.setUint32(8, 0x0fff_fff8, true);
  } else bytes.set(bits === 16 ? [media, 0xff, 0xff, 0xff] : [media, 0xff, 0xff]);
  return bytes;
}

export function labelEntry({ label, now }: Pick<Identity, 'label' | 'now'>): Uint8Array {
  const bytes = new Uint8Array(DirEntry.size);
  const entry = new DirEntry(new DataView(bytes.buffer));
  const { date, time } = toDos(now);
  entry.DIR_Name = labelBytes(label);
  entry.DIR_Attr = ATTR_VOLUME_ID;
  entry.DIR_WrtDate = date;
  entry.DIR_WrtTime = time;
  return bytes;
}
