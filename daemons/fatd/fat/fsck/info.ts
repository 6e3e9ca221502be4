// FSInfo of a FAT32 volume that nobody has mounted: how many clusters are said to be free. fatgen103, "FAT32
// FSInfo Sector Structure and Backup Boot Sector".

import type { Medium } from '../../../lib/medium.ts';
import type { Report } from '../../fsck/report.ts';
import { BootSector, FSI_LEAD, FSI_STRUC, FSI_TRAIL, FsInfo } from '../ondisk.ts';

export interface Info {
  /** Tells when the count is wrong. */
  count(free: number): void;
  store(free: number): void;
}

const SECTOR = 512;
const UNKNOWN = 0xffff_ffff;
const USUAL = 1; // the sector where everybody puts it

/** Undefined when there is none. Where the boot sector leads astray, that is put right in memory. */
export function readInfo(
  medium: Medium,
  { boot: bytes, report }: { boot: Uint8Array; report: Report },
): Info | undefined {
  const boot = new BootSector(viewOf(bytes));
  const { BPB_FSInfo: told, BPB_RsvdSecCnt, BPB_BytsPerSec } = boot;
  const places = told > 0 && told < BPB_RsvdSecCnt ? [told, USUAL] : [USUAL];
  const found = places
    .map((sector) => ({ sector, info: infoAt(medium, sector * BPB_BytsPerSec) }))
    .find(({ info }) => signed(info) > 0);
  if (found === undefined) return undefined;
  const { sector, info } = found;
  if (sector !== told) {
    report.bad('boot', `FSInfo is in sector ${sector}, not ${told}`);
    boot.BPB_FSInfo = sector;
  }
  if (signed(info) < 3) {
    report.bad('boot', 'FSInfo is damaged');
    info.FSI_LeadSig = FSI_LEAD;
    info.FSI_StrucSig = FSI_STRUC;
    info.FSI_TrailSig = FSI_TRAIL;
  }
  return {
    count(free) {
      const { FSI_Free_Count: said } = info;
      if (said !== UNKNOWN && said !== free)
        report.bad('count', `${said} clusters are said to be free, ${free} are`);
    },
    store(free) {
      info.FSI_Free_Count = free;
      const { buffer, byteOffset } = info.view;
      medium.write(sector * BPB_BytsPerSec, new Uint8Array(buffer, byteOffset, SECTOR));
    },
  };
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

const infoAt = (medium: Medium, at: number) => new FsInfo(viewOf(medium.read(at, SECTOR)));

/** How many of its three signatures are there. */
const signed = ({ FSI_LeadSig, FSI_StrucSig, FSI_TrailSig }: InstanceType<typeof FsInfo>): number =>
  [FSI_LeadSig === FSI_LEAD, FSI_StrucSig === FSI_STRUC, FSI_TrailSig === FSI_TRAIL].filter(Boolean)
    .length;
