// A consistency check of an unmounted ext2, ext3 or ext4 volume: every structure is well formed and
// has its checksum, every block has one owner, every count is what it counts, every inode in use has
// a name. The whole volume in a few milliseconds: the images are small.

import {
  EXT4_JOURNAL_INO,
  EXT4_ROOT_INO,
  EXT4_VALID_FS,
  SUPERBLOCK_OFFSET,
} from '../../../../daemons/ext4fs/ondisk.ts';
import { JBD2_MAGIC, JournalSuperblock } from '../../../../daemons/ext4fs/ondisk-journal.ts';
import { COMPAT, INCOMPAT, RO_COMPAT } from '../../../../daemons/ext4fs/volume/features.ts';
import { crc32c } from '../../../../daemons/lib/crc32c.ts';
import { shapeLine } from '../../workload/model.ts';
import { readDirectory } from './directory.ts';
import { type InodeInfo, rawInode, readInode } from './inode.ts';
import { bit, type GroupInfo, Volume } from './volume.ts';

export interface Ext4Checked {
  readonly problems: readonly string[];
  readonly shape: string;
  readonly free: string;
  /** Blocks that nobody owns. */
  readonly freeBlocks: readonly number[];
  readonly journal: readonly number[]; // blocks of its file
}

const FT = { file: 1, dir: 2, symlink: 7, other: -1 } as const;
const OWN = -1; // the owner of the volume's own blocks
const DIR_NLINK_MANY = 1;

export function checkExt4(image: Uint8Array): Ext4Checked {
  const vol = new Volume(image);
  const owners = new Map<number, number>();
  const claim = (block: number, ino: number): void => {
    const other = owners.get(block);
    if (other !== undefined) vol.bad(`block ${block} is inode ${ino}'s and ${other}'s`);
    owners.set(block, ino);
  };
  checkSuperblock(vol);
  for (const block of vol.ownBlocks()) claim(block, OWN);
  const inodes = readInodes(vol, claim);
  const shape = checkTree(vol, inodes);
  const freeBlocks = checkBlocks(vol, owners);
  const journal = inodes.get(EXT4_JOURNAL_INO)?.mapped.map(({ block }) => block) ?? [];
  checkJournal(vol, journal[0]);
  const root = inodes.get(EXT4_ROOT_INO)?.mapped.length ?? 0; // a directory never shrinks
  const free = `${freeBlocks.length + root} blocks, ${freeInodes(vol)} inodes`;
  return { problems: vol.problems, shape, free, freeBlocks, journal };
}

function checkSuperblock(vol: Volume): void {
  const { sb } = vol;
  vol.superChecksum();
  if ((sb.s_state & EXT4_VALID_FS) === 0) vol.bad('superblock: not marked clean');
  if (vol.has('incompat', INCOMPAT.needs_recovery)) vol.bad('superblock: wants recovery');
  if (sb.s_last_orphan !== 0) vol.bad(`superblock: orphan inode ${sb.s_last_orphan}`);
  const sum = (of: (group: GroupInfo) => number): number =>
    vol.groups.reduce((total, group) => total + of(group), 0);
  const blocks = sum((group) => group.freeBlocks);
  if (sb.s_free_blocks_count_lo !== blocks) {
    vol.bad(`superblock: ${sb.s_free_blocks_count_lo} free blocks, the groups have ${blocks}`);
  }
  if (sb.s_free_inodes_count !== freeInodes(vol)) {
    vol.bad(`superblock: ${sb.s_free_inodes_count} free inodes, the groups ${freeInodes(vol)}`);
  }
}

const freeInodes = (vol: Volume): number =>
  vol.groups.reduce((total, group) => total + group.freeInodes, 0);

/** Inodes in use, by number; the reserved ones that hold nothing are left out. */
function readInodes(
  vol: Volume,
  claim: (block: number, ino: number) => void,
): Map<number, InodeInfo> {
  const inodes = new Map<number, InodeInfo>();
  const { s_inodes_per_group: per, s_first_ino: first } = vol.sb;
  for (const group of vol.groups) {
    const bits = vol.bitmap(group, 'inode');
    let used = 0;
    let dirs = 0;
    let last = 0;
    for (let i = 0; bits !== undefined && i < per; i++) {
      const ino = group.index * per + i + 1;
      const raw = rawInode(vol, ino);
      if (!bit(bits, i)) {
        const live = raw.i_links_count > 0 && raw.i_mode !== 0 && i < per - group.unusedInodes;
        if (live) vol.bad(`inode ${ino} has ${raw.i_links_count} links and is free`);
        continue;
      }
      used++;
      last = i + 1;
      if (raw.i_mode === 0 && ino < first) continue;
      if (ino >= first && raw.i_links_count === 0) vol.bad(`inode ${ino} is in use without a name`);
      if (raw.i_mode === 0) continue;
      const inode = readInode(vol, ino, claim);
      inodes.set(ino, inode);
      if (inode.kind === 'dir') dirs++;
    }
    checkInodeCounts(vol, group, { used, dirs, last });
  }
  return inodes;
}

function checkInodeCounts(
  vol: Volume,
  group: GroupInfo,
  { used, dirs, last }: { used: number; dirs: number; last: number },
): void {
  const per = vol.sb.s_inodes_per_group;
  const what = `group ${group.index}`;
  if (group.freeInodes !== per - used) vol.bad(`${what}: ${group.freeInodes} free inodes`);
  if (group.usedDirs !== dirs) vol.bad(`${what}: ${group.usedDirs} directories, not ${dirs}`);
  const tracked = vol.checksums || vol.has('roCompat', RO_COMPAT.uninit_bg);
  if (tracked && last > per - group.unusedInodes)
    vol.bad(`${what}: inode ${last} counts as unused`);
}

/** Walks from the root; tells the tree as the model tells it. */
function checkTree(vol: Volume, inodes: ReadonlyMap<number, InodeInfo>): string {
  const links = new Map<number, number>();
  const add = (ino: number): void => void links.set(ino, (links.get(ino) ?? 0) + 1);
  const named: { path: string; ino: number }[] = [{ path: '', ino: EXT4_ROOT_INO }];
  const visited = new Set<number>();
  for (let i = 0; i < named.length; i++) {
    const at = named[i];
    const dir = at && inodes.get(at.ino);
    if (dir?.kind !== 'dir') continue;
    if (visited.has(dir.ino)) {
      vol.bad(`directory ${dir.ino} has two names`);
      continue;
    }
    visited.add(dir.ino);
    const parent = at?.path === '' ? dir.ino : undefined;
    for (const { name, ino, type } of readDirectory(vol, dir)) {
      const inode = inodes.get(ino);
      if (inode === undefined) {
        vol.bad(`directory ${dir.ino}: '${name}' is inode ${ino}, which is free`);
        continue;
      }
      add(ino);
      if (name === '..' && parent !== undefined && ino !== parent) vol.bad(`'..' of the root`);
      const typed = vol.has('incompat', INCOMPAT.filetype);
      if (typed && FT[inode.kind] !== type) vol.bad(`'${name}': type ${type} of inode ${ino}`);
      if (name !== '.' && name !== '..') {
        named.push({ path: at?.path === '' ? name : `${at?.path}/${name}`, ino });
      }
    }
  }
  checkLinks(vol, inodes, links);
  return shapeOf(named, inodes);
}

function checkLinks(
  vol: Volume,
  inodes: ReadonlyMap<number, InodeInfo>,
  links: ReadonlyMap<number, number>,
): void {
  for (const { ino, raw, kind } of inodes.values()) {
    if (ino < vol.sb.s_first_ino && ino !== EXT4_ROOT_INO) continue;
    const found = links.get(ino) ?? 0;
    const many = kind === 'dir' && raw.i_links_count === DIR_NLINK_MANY;
    if (found === 0) vol.bad(`inode ${ino} has no name`);
    else if (raw.i_links_count !== found && !many) {
      vol.bad(`inode ${ino}: ${raw.i_links_count} links, ${found} names`);
    }
  }
}

function shapeOf(
  named: readonly { path: string; ino: number }[],
  inodes: ReadonlyMap<number, InodeInfo>,
): string {
  const groups = new Map<number, number>();
  const lines: string[] = [];
  const wanted = named.filter(({ path }) => path !== 'lost+found');
  for (const { path, ino } of wanted.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const inode = inodes.get(ino);
    if (inode === undefined) continue;
    const group = groups.get(ino) ?? groups.size;
    groups.set(ino, group);
    const { kind, size, target, xattrs, raw } = inode;
    if (kind === 'other') continue;
    lines.push(shapeLine({ path, kind, group, size, links: raw.i_links_count, target, xattrs }));
  }
  return lines.join('\n');
}

/** Bitmaps and counts against what is owned; returns the free blocks. */
function checkBlocks(vol: Volume, owners: ReadonlyMap<number, number>): number[] {
  const out: number[] = [];
  for (const group of vol.groups) {
    const bits = vol.bitmap(group, 'block');
    let free = 0;
    for (let i = 0; i < group.blocks; i++) {
      const block = group.first + i;
      const owner = owners.get(block);
      if (owner === undefined) {
        free++;
        out.push(block);
      }
      if (bits === undefined && owner !== undefined && owner !== OWN) {
        vol.bad(`block ${block} of inode ${owner} in a group without a bitmap`);
      }
      if (bits !== undefined && bit(bits, i) !== (owner !== undefined)) {
        vol.bad(owner === undefined ? `block ${block} is lost` : `block ${block} counts as free`);
      }
    }
    if (group.freeBlocks !== free) {
      vol.bad(`group ${group.index}: ${group.freeBlocks} free blocks, not ${free}`);
    }
    const rest = Array.from(
      { length: vol.blockSize * 8 - group.blocks },
      (_, i) => group.blocks + i,
    );
    if (bits && rest.some((i) => !bit(bits, i))) vol.bad(`group ${group.index}: bitmap's padding`);
  }
  return out;
}

/** An unmounted journal is empty. */
function checkJournal(vol: Volume, first: number | undefined): void {
  if (first === undefined) {
    if (vol.has('compat', COMPAT.has_journal)) vol.bad('journal: its file is empty');
    return;
  }
  const sb = new JournalSuperblock(vol.block(first));
  if (sb.h_magic !== JBD2_MAGIC) {
    vol.bad('journal: magic of its superblock');
    return;
  }
  if (sb.s_start !== 0) vol.bad(`journal: begins at block ${sb.s_start}, and should be empty`);
  if (sb.s_checksum_type === 0) return;
  const copy = vol.blockBytes(first).slice(0, JournalSuperblock.size);
  const at = JournalSuperblock.offsets.s_checksum;
  copy.fill(0, at, at + 4);
  if (crc32c(0xffff_ffff, copy) !== sb.s_checksum) vol.bad("journal: its superblock's checksum");
}

/** Where the superblock lies, and that of the journal: what a mount stamps. */
export const stampedBlocks = (vol: Ext4Checked, blockSize: number): number[] => [
  Math.floor(SUPERBLOCK_OFFSET / blockSize),
  ...vol.journal.slice(0, 1),
];
