// First pass: every inode in the tables, its checksum, its kind, its size, the blocks that it says it owns.
// inodes.rst. A block that two inodes own is copied for the second one.

import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from '../../../kernel/abi/constants.ts';
import {
  EXT4_BAD_INO,
  EXT4_BG_INODE_UNINIT,
  EXT4_ENCRYPT_FL,
  EXT4_EXTENTS_FL,
  EXT4_INDEX_FL,
  EXT4_NDIR_BLOCKS,
  EXT4_RESIZE_INO,
  EXT4_ROOT_INO,
  EXT4_VERITY_FL,
  I_BLOCK_OFFSET,
  I_BLOCK_SIZE,
  type Inode128View,
} from '../ondisk.ts';
import { inodeChecksum, storedInodeChecksum } from '../volume/checksum.ts';
import type { Group } from '../volume/group.ts';
import { baseMetaBlocks, firstBlockOf } from '../volume/group.ts';
import { has } from '../volume/superblock.ts';
import { checkAttributes } from './attributes.ts';
import { checkInline, checkInlineSize, inlineDirectory, isInline } from './inline.ts';
import { type BlockMap, type Run, readMap } from './map.ts';
import { blocksOf, rewriteMap, setBlocks } from './rewrite.ts';
import type { State } from './state.ts';

/** AFS's, of long ago. */
const EXT2_IMAGIC_FL = 0x2000;
export const FT_FILE = 1;
export const FT_DIR = 2;
const FT_SYMLINK = 7;
const KINDS: ReadonlyMap<number, number> = new Map([
  [S_IFREG, FT_FILE],
  [S_IFDIR, FT_DIR],
  [S_IFCHR, 3],
  [S_IFBLK, 4],
  [S_IFIFO, 5],
  [S_IFSOCK, 6],
  [S_IFLNK, FT_SYMLINK],
]);

export function checkInodes(state: State): void {
  const tangles: Tangle[] = [];
  for (const group of state.groups) {
    const { inodesPerGroup } = state.vol;
    const end = inodesToLookAt(state, group);
    for (let i = 0; i < end; i++) {
      const ino = group.index * inodesPerGroup + i + 1;
      const tangle = checkInode(state, ino);
      if (tangle !== undefined) tangles.push(tangle);
    }
  }
  for (const { group, kind } of state.homeless) {
    const { no } = state.allocate();
    state.own.add(no);
    state.group(group).place(kind, no);
  }
  for (const tangle of tangles) separate(state, tangle);
}

/** The descriptor tells how many inodes at the end of its table were never used; if that is right. */
function inodesToLookAt(state: State, group: Group): number {
  const { vol, tx } = state;
  const per = vol.inodesPerGroup;
  const sums = has.metadataCsum(vol) || has.gdtCsum(vol);
  const none = sums && (group.flags & EXT4_BG_INODE_UNINIT) !== 0;
  const unused = sums && group.itableUnused <= per ? group.itableUnused : 0;
  const end = none ? 0 : per - unused;
  // What was there before the volume was made may look like an inode, but has not its checksum.
  const contradicted = !none || group.freeInodes !== per;
  if (!has.metadataCsum(vol) || !contradicted || state.isHomeless(group.index, 'inode')) return end;
  const bits = tx.read(group.inodeBitmap).bytes;
  for (let i = per - 1; i >= end; i--) {
    if (((bits[i >>> 3] ?? 0) & (1 << (i & 7))) === 0) continue;
    const ino = group.index * per + i + 1;
    const inode = state.inode(ino);
    if (inode.i_links_count > 0 && !hasWrongSum(state, ino, inode)) return i + 1;
  }
  return end;
}

/** The volume's own blocks; what is kept for more descriptors belongs to it, too. */
export function markOwn(state: State): void {
  const { vol, own, used } = state;
  const mark = (from: number, count: number): void => {
    for (let block = from; block < from + count && block < vol.blocksCount; block++) {
      own.add(block);
      used.add(block);
    }
  };
  const table = Math.ceil((vol.inodesPerGroup * vol.inodeSize) / vol.blockSize);
  for (const group of state.groups) {
    mark(firstBlockOf(vol, group.index), baseMetaBlocks(vol, group.index));
    if (!state.isHomeless(group.index, 'block')) mark(group.blockBitmap, 1);
    if (!state.isHomeless(group.index, 'inode')) mark(group.inodeBitmap, 1);
    mark(group.inodeTable, table);
  }
}

/** A map that is to be written anew, and the runs of it that are somebody else's, too. */
interface Tangle {
  readonly ino: number;
  readonly map: BlockMap;
  readonly others: ReadonlySet<Run>;
}

function checkInode(state: State, ino: number): Tangle | undefined {
  const { vol } = state;
  let inode = state.inode(ino);
  if (hasWrongSum(state, ino, inode)) {
    state.bad(`inode ${ino}: wrong checksum`);
    state.change(ino, () => {});
    inode = state.inode(ino);
  }
  const special = ino < vol.firstIno && ino !== EXT4_ROOT_INO;
  if (inode.i_links_count === 0 && !(special && inode.i_mode !== 0)) {
    // A bad-blocks list needs no links. A deleted inode tells when.
    if (ino === EXT4_BAD_INO) return checkBlocks(state, ino, 'special');
    if (!special && inode.i_mode !== 0 && inode.i_dtime === 0) {
      state.bad(`inode ${ino}: deleted without a time`);
      state.change(ino, (i) => {
        i.i_dtime = state.world.nowSec % 2 ** 32;
      });
    }
    return undefined;
  }
  if (special) {
    state.kinds[ino] = FT_FILE;
    return ino === EXT4_RESIZE_INO ? markResize(state) : checkBlocks(state, ino, 'special');
  }
  const kind = KINDS.get(inode.i_mode & S_IFMT);
  if (kind === undefined) {
    state.bad(`inode ${ino}: a mode of 0${inode.i_mode.toString(8)}; it is cleared`);
    clearInode(state, ino);
    return undefined;
  }
  state.kinds[ino] = kind;
  return checkUsed(state, ino, kind);
}

function hasWrongSum(state: State, ino: number, inode: Inode128View): boolean {
  const { vol } = state;
  if (!has.metadataCsum(vol)) return false;
  const { view, at } = inode;
  const stored = storedInodeChecksum(vol, view, at);
  if (stored === inodeChecksum(vol, ino, view, at)) return false;
  // A table that was never written to is all zeroes.
  const raw = new Uint8Array(view.buffer, view.byteOffset + at, vol.inodeSize);
  return raw.some((byte) => byte !== 0);
}

export function clearInode(state: State, ino: number): void {
  state.kinds[ino] = 0;
  state.directories.delete(ino);
  state.change(ino, (inode) => {
    inode.i_links_count = 0;
    inode.i_mode = 0;
    inode.i_size_lo = 0;
    inode.i_size_high = 0;
    inode.i_blocks_lo = 0;
    inode.i_blocks_high = 0;
    inode.i_file_acl_lo = 0;
    inode.i_file_acl_high = 0;
    inode.i_flags = 0;
    inode.i_dtime = state.world.nowSec % 2 ** 32;
    inode.i_block = new Uint8Array(I_BLOCK_SIZE);
  });
}

function checkUsed(state: State, ino: number, kind: number): Tangle | undefined {
  const inode = state.inode(ino);
  if (inode.i_dtime !== 0) {
    state.bad(`inode ${ino}: in use, but deleted at ${inode.i_dtime}`);
    state.change(ino, (i) => {
      i.i_dtime = 0;
    });
  }
  if ((inode.i_flags & EXT4_INDEX_FL) !== 0 && (kind !== FT_DIR || !has.dirIndex(state.vol))) {
    state.bad(`inode ${ino}: the flag of an indexed directory`);
    state.change(ino, (i) => {
      i.i_flags &= ~EXT4_INDEX_FL;
    });
  }
  const strange = EXT2_IMAGIC_FL | (has.encrypt(state.vol) ? 0 : EXT4_ENCRYPT_FL);
  if ((inode.i_flags & strange) !== 0 || inode.i_obso_faddr !== 0) {
    state.bad(`inode ${ino}: flags or fields of what this volume has not`);
    state.change(ino, (i) => {
      i.i_flags &= ~strange;
      i.i_obso_faddr = 0;
    });
  }
  if ((inode.i_flags & EXT4_EXTENTS_FL) !== 0 && !has.extents(state.vol))
    state.bad(`inode ${ino}: extents on a volume without them`);
  checkAttributes(state, ino);
  if (kind === FT_SYMLINK && isFast(state, ino)) return checkFastLink(state, ino);
  if (kind !== FT_FILE && kind !== FT_DIR && kind !== FT_SYMLINK) return checkDevice(state, ino);
  if (isInline(state, ino)) return checkInside(state, ino, kind);
  return checkBlocks(
    state,
    ino,
    kind === FT_DIR ? 'directory' : kind === FT_FILE ? 'file' : 'link',
  );
}

function checkInside(state: State, ino: number, kind: number): undefined {
  const why = checkInline(state, ino);
  if (why !== undefined) {
    state.bad(`inode ${ino}: ${why}; it is cleared`);
    clearInode(state, ino);
    return;
  }
  checkInlineSize(state, ino, kind === FT_DIR ? 'directory' : 'file');
  if (kind === FT_DIR) state.directories.set(ino, inlineDirectory(state, ino));
}

const isFast = (state: State, ino: number): boolean => {
  const inode = state.inode(ino);
  const none: BlockMap = { runs: [], meta: [], wrong: [] };
  return (
    inode.i_blocks_lo === blocksOf(state, ino, none) &&
    (inode.i_flags & EXT4_EXTENTS_FL) === 0 &&
    inode.i_size_lo < I_BLOCK_SIZE
  );
};

function checkFastLink(state: State, ino: number): undefined {
  const { i_size_lo, i_size_high, i_block } = state.inode(ino);
  const size = i_size_lo + i_size_high * 2 ** 32;
  const length = i_block.indexOf(0);
  if (size > 0 && (length === size || isEncrypted(state, ino))) return;
  state.bad(`inode ${ino}: a symbolic link of ${size} bytes; it is cleared`);
  clearInode(state, ino);
}

/** What its names and targets say is not text then. */
export const isEncrypted = (state: State, ino: number): boolean =>
  (state.inode(ino).i_flags & EXT4_ENCRYPT_FL) !== 0;

function checkDevice(state: State, ino: number): undefined {
  const inode = state.inode(ino);
  const none: BlockMap = { runs: [], meta: [], wrong: [] };
  const { view, at } = inode;
  const rest = new Uint8Array(view.buffer, view.byteOffset + at + I_BLOCK_OFFSET + 16, 44);
  if (rest.some((byte) => byte !== 0) || (inode.i_flags & EXT4_EXTENTS_FL) !== 0) {
    state.bad(`inode ${ino}: a device with blocks; it is cleared`);
    clearInode(state, ino);
    return;
  }
  if (inode.i_size_lo !== 0 || inode.i_size_high !== 0) {
    state.bad(`inode ${ino}: a device of ${inode.i_size_lo} bytes`);
    state.change(ino, (i) => {
      i.i_size_lo = 0;
      i.i_size_high = 0;
    });
  }
  checkCount(state, ino, none);
}

type Shape = 'special' | 'directory' | 'file' | 'link';

/** Claims the blocks of an inode. What is wrong with the map itself is mended at once. */
function checkBlocks(state: State, ino: number, shape: Shape): Tangle | undefined {
  let map = readMap(state, ino);
  const end = state.truncated.get(ino);
  if (end !== undefined) map = cutAt(map, end);
  for (const what of map.wrong) state.bad(`inode ${ino}: ${what}`);
  const others = new Set(map.runs.filter((run) => !claim(state, run)));
  const shared = others.size > 0;
  const meta = map.meta.filter((block) => {
    if (state.used.has(block)) return false;
    state.used.add(block);
    return true;
  });
  const twice = meta.length < map.meta.length;
  if (twice) state.bad(`inode ${ino}: blocks of its map belong to another, too`);
  const astray = map.wrong.length > 0 || twice || end !== undefined;
  map = { runs: map.runs, meta, wrong: map.wrong };
  if (shape === 'directory' && map.runs.length === 0) {
    state.bad(`inode ${ino}: a directory without blocks; it is cleared`);
    for (const block of meta) state.free(block);
    clearInode(state, ino);
    return undefined;
  }
  checkSize(state, { ino, shape, map, others });
  if (state.kinds[ino] === 0) return undefined;
  if (shape === 'directory') addDirectory(state, ino, map);
  if (shared || astray || hasHoles(shape, map)) {
    if (shared) state.bad(`inode ${ino}: blocks that belong to another, too`);
    if (hasHoles(shape, map)) state.bad(`inode ${ino}: a directory with holes`);
    return { ino, map, others }; // written anew when all claims are known
  }
  checkCount(state, ino, map);
  return undefined;
}

const cutAt = (map: BlockMap, end: number): BlockMap => ({
  ...map,
  runs: map.runs.flatMap((run) => {
    const count = Math.min(run.count, end - run.lblock);
    return run.unwritten || count > 0 ? [run.unwritten ? run : { ...run, count }] : [];
  }),
});

/** False, with nothing claimed, when somebody owns some of it already. */
function claim(state: State, { block, count }: Run): boolean {
  let alone = true;
  for (let i = 0; i < count; i++) {
    if (state.used.has(block + i)) alone = false;
  }
  if (!alone) return false;
  for (let i = 0; i < count; i++) state.used.add(block + i);
  return true;
}

const hasHoles = (shape: Shape, { runs }: BlockMap): boolean => {
  if (shape !== 'directory') return false;
  let next = 0;
  for (const { lblock, count } of runs) {
    if (lblock !== next) return true;
    next += count;
  }
  return false;
};

function checkCount(state: State, ino: number, map: BlockMap): void {
  const inode = state.inode(ino);
  const stored = inode.i_blocks_lo + (has.hugeFile(state.vol) ? inode.i_blocks_high * 2 ** 32 : 0);
  const right = blocksOf(state, ino, map);
  if (stored === right) return;
  state.bad(`inode ${ino}: i_blocks is ${stored}, not ${right}`);
  setBlocks(state, ino, map);
}

function checkSize(state: State, { ino, shape, map, others }: Tangle & { shape: Shape }): void {
  if (shape === 'special') return;
  const { blockSize } = state.vol;
  const inode = state.inode(ino);
  const size = inode.i_size_lo + inode.i_size_high * 2 ** 32;
  const written = map.runs.filter(({ unwritten }) => !unwritten).at(-1);
  const last = written === undefined ? 0 : written.lblock + written.count - 1;
  const blocks = map.runs.reduce((sum, { count }) => sum + count, 0);
  let right = size;
  if (shape === 'directory') {
    const end = map.runs.at(-1);
    right =
      Math.max(blocks, end && map.wrong.length === 0 ? end.lblock + end.count : 0) * blockSize;
    if (hasHoles(shape, map)) right = blocks * blockSize;
  } else if (shape === 'link') {
    const block = map.runs[0];
    const bytes = block === undefined ? undefined : state.tx.read(block.block).bytes;
    const length = bytes === undefined ? 0 : bytes.indexOf(0) < 0 ? blockSize : bytes.indexOf(0);
    const text = isEncrypted(state, ino) || size === length;
    if (bytes !== undefined && text && blocks === 1 && size > 0) return;
    state.bad(`inode ${ino}: a symbolic link of ${size} bytes; it is cleared`);
    const own = map.runs.filter((run) => !others.has(run));
    for (const run of own) for (let i = 0; i < run.count; i++) state.free(run.block + i);
    for (const no of map.meta) state.free(no);
    clearInode(state, ino);
    return;
  } else if ((inode.i_flags & EXT4_VERITY_FL) !== 0) {
    return; // its hashes lie behind its end
  } else if (written !== undefined && size < last * blockSize) right = (last + 1) * blockSize;
  if (shape === 'file' && size > greatest(state, ino))
    right = written === undefined ? 0 : (last + 1) * blockSize;
  if (right === size) return;
  state.bad(`inode ${ino}: i_size is ${size}, should be ${right}`);
  state.change(ino, (i) => {
    i.i_size_lo = right % 2 ** 32;
    i.i_size_high = Math.floor(right / 2 ** 32);
  });
}

/** The most bytes that its map can reach. */
function greatest(state: State, ino: number): number {
  const { blockSize } = state.vol;
  if ((state.inode(ino).i_flags & EXT4_EXTENTS_FL) !== 0) return 2 ** 32 * blockSize;
  const per = blockSize / 4;
  return (EXT4_NDIR_BLOCKS + per + per ** 2 + per ** 3) * blockSize;
}

function addDirectory(state: State, ino: number, { runs }: BlockMap): void {
  const blocks: number[] = [];
  for (const { block, count } of runs) for (let i = 0; i < count; i++) blocks.push(block + i);
  state.directories.set(ino, { ino, blocks, parent: 0, dotdot: 0 });
}

/** The resize inode's pointers are the room for descriptors, which is marked already. */
function markResize(state: State): undefined {
  const { meta } = readMap(state, EXT4_RESIZE_INO);
  for (const block of meta) state.used.add(block);
}

/** Copies what another inode owns, too, and writes the map anew. */
function separate(state: State, { ino, map, others }: Tangle): void {
  const runs: Run[] = [];
  const isDirectory = state.directories.has(ino);
  let next = 0;
  for (const run of map.runs) {
    for (let i = 0; i < run.count; i++) {
      const lblock = isDirectory ? next++ : run.lblock + i;
      const block = others.has(run) ? copy(state, run.block + i) : run.block + i;
      const last = runs.at(-1);
      const joins =
        last !== undefined &&
        last.lblock + last.count === lblock &&
        last.block + last.count === block &&
        last.unwritten === run.unwritten;
      if (joins) runs[runs.length - 1] = { ...last, count: last.count + 1 };
      else runs.push({ lblock, block, count: 1, unwritten: run.unwritten });
    }
  }
  rewriteMap(state, ino, { runs, meta: map.meta, wrong: [] });
  if (isDirectory) addDirectory(state, ino, { runs, meta: [], wrong: [] });
}

/** A block that nobody had yet is simply taken. */
function copy(state: State, block: number): number {
  if (!state.used.has(block)) {
    state.used.add(block);
    return block;
  }
  const bytes = state.tx.read(block).bytes.slice();
  const taken = state.allocate();
  taken.bytes.set(bytes);
  return taken.no;
}
