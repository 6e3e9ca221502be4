// A whole FAT volume that nobody has mounted, checked: boot sector, tables, directories, chains. What is
// wrong is told and put right in memory; `store` writes that. It shares tables with the daemon, not code.

import { fail, PosixError } from '../../../../kernel/abi/errno.ts';
import type { Medium } from '../../../lib/medium.ts';
import { type Problem, Report } from '../../fsck/report.ts';
import { BootSector, STATE_DIRTY } from '../ondisk.ts';
import { type FatVolume, openVolume } from '../volume/geometry.ts';
import { Chains, type Cuts } from './chains.ts';
import { type Node, Tree } from './directories.ts';
import { readInfo } from './info.ts';
import { checkLabel } from './label.ts';
import { FatTable } from './table.ts';

export interface FatCheck {
  readonly vol: FatVolume;
  readonly problems: readonly Problem[];
  readonly problemCount: number;
  /** Files and directories as they are in the end; the root is the first. */
  readonly nodes: readonly Node[];
  readonly table: FatTable;
  readonly usedClusters: number;
  /** Writes what was put right. */
  store(): void;
}

export interface CheckOptions {
  /** What becomes of lost chains: room, or files FSCK0000.REC in the root directory. */
  readonly lost: 'free' | 'save';
}

const SECTOR = 512;
const BACKUP = 6;

/** Throws EMEDIUMTYPE or EUCLEAN when there is no volume that could be checked. */
export function checkFat(medium: Medium, { lost }: CheckOptions): FatCheck {
  const { report, boot, vol, table, chains, tree } = walkOften(medium);
  checkLabel(new BootSector(viewOf(boot.bytes)), { bits: vol.bits, label: tree.label, report });
  const heads = chains.lostHeads();
  if (lost === 'save') tree.saveLost(heads);
  chains.freeLost();
  const dirty = isDirty(boot.bytes, vol, table);
  if (dirty) report.bad('dirty', 'the volume was not unmounted');
  const free = chains.freeCount;
  const info = vol.bits === 32 ? readInfo(medium, { boot: boot.bytes, report }) : undefined;
  info?.count(free);
  return {
    ...{ vol, table, problems: report.problems, problemCount: report.count, nodes: tree.nodes },
    usedClusters: chains.used,
    store() {
      tree.store();
      table.markClean();
      table.store(medium);
      storeBoot(medium, boot, vol);
      info?.store(free);
      medium.flush();
    },
  };
}

/** Walks before whoever came first owns what is shared. */
const WALKS = 8;

/** Where files share clusters, the walk is made again when another one than the first has the better claim. */
function walkOften(medium: Medium): Walked {
  const cuts: Cuts = { links: new Map(), starts: new Set() };
  let walked = walk(medium, cuts);
  for (let walks = 1; walks < WALKS && walked.chains.doubtful; walks++) walked = walk(medium, cuts);
  return walked;
}

interface Walked {
  readonly report: Report;
  readonly boot: Boot;
  readonly vol: FatVolume;
  readonly table: FatTable;
  readonly chains: Chains;
  readonly tree: Tree;
}

function walk(medium: Medium, cuts: Cuts): Walked {
  const report = new Report();
  const boot = readBoot(medium, report);
  const vol = openVolume(boot.bytes, medium.sizeBytes);
  const table = new FatTable(medium, vol);
  if (table.differing.length > 0)
    report.bad('copies', `the FATs differ in ${table.differing.length} sectors`);
  const chains = new Chains({ vol, table, report, cuts });
  const tree = new Tree({ medium, vol, chains, report });
  tree.walk();
  return { report, boot, vol, table, chains, tree };
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset);

interface Boot {
  readonly bytes: Uint8Array;
  /** Offset of its backup, when there is one. */
  readonly backup: number | undefined;
}

/** The boot sector; its backup, where it can be none. */
function readBoot(medium: Medium, report: Report): Boot {
  const bytes = medium.read(0, SECTOR);
  try {
    openVolume(bytes, medium.sizeBytes);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    const saved = fromBackup(medium) ?? fail(error.errno, error.message);
    report.bad('boot', `the boot sector is damaged, its backup is not: ${error.message}`);
    return { bytes: saved, backup: BACKUP * SECTOR };
  }
  const boot = new BootSector(viewOf(bytes));
  const at = boot.BPB_BkBootSec * boot.BPB_BytsPerSec;
  const is32 = boot.BPB_FATSz16 === 0;
  if (!is32 || at === 0) return { bytes, backup: undefined };
  if (boot.BPB_BkBootSec >= boot.BPB_RsvdSecCnt) {
    report.bad('boot', `its backup is said to be in sector ${boot.BPB_BkBootSec}`);
    const there = fromBackup(medium) !== undefined;
    boot.BPB_BkBootSec = there ? BACKUP : 0;
    return { bytes, backup: there ? BACKUP * boot.BPB_BytsPerSec : undefined };
  }
  const copy = medium.read(at, SECTOR);
  const state = BootSector.offsets.BS32_Reserved1;
  const same = copy.every((byte, i) => i === state || byte === bytes[i]);
  if (!same) report.bad('boot', 'the boot sector and its backup differ');
  return { bytes, backup: at };
}

function fromBackup(medium: Medium): Uint8Array | undefined {
  for (const sectorSize of [512, 4096]) {
    const at = BACKUP * sectorSize;
    if (at + SECTOR > medium.sizeBytes) continue;
    const bytes = medium.read(at, SECTOR);
    try {
      if (openVolume(bytes, medium.sizeBytes).sectorSize === sectorSize) return bytes;
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
    }
  }
  return undefined;
}

function isDirty(bytes: Uint8Array, vol: FatVolume, table: FatTable): boolean {
  const boot = new BootSector(viewOf(bytes));
  const state = vol.bits === 32 ? boot.BS32_Reserved1 : boot.BS_Reserved1;
  return (state & STATE_DIRTY) !== 0 || !table.markedClean;
}

function storeBoot(medium: Medium, { bytes, backup }: Boot, vol: FatVolume): void {
  const boot = new BootSector(viewOf(bytes));
  const field = vol.bits === 32 ? 'BS32_Reserved1' : 'BS_Reserved1';
  boot[field] &= ~STATE_DIRTY;
  for (const at of backup === undefined ? [0] : [0, backup]) medium.write(at, bytes);
}
