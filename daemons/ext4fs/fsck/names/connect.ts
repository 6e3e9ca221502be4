// Third and fourth pass: every directory hangs below the root, every inode in use has a name, and as many
// links as names. What has lost its name gets one in lost+found, made of its number.

import { S_IFDIR } from '../../../../kernel/abi/constants.ts';
import { ENOSPC, fail } from '../../../../kernel/abi/errno.ts';
import {
  EXT4_EXTENTS_FL,
  EXT4_INDEX_FL,
  EXT4_ROOT_INO,
  I_BLOCK_OFFSET,
  InodeExtra,
} from '../../ondisk.ts';
import { has } from '../../volume/superblock.ts';
import { isInline } from '../inline.ts';
import { clearInode, FT_DIR, FT_FILE } from '../inodes.ts';
import { type Run, readMap } from '../map.ts';
import { rewriteMap } from '../rewrite.ts';
import type { Directory, State } from '../state.ts';
import { count, DOT, DOTDOT } from './directories.ts';
import { editLeaf, endOf, entriesOf, putEntry, putSize, putTail, sizeOf } from './entries.ts';
import { indexBlocks, linearise } from './htree.ts';
import { expand, inlineEntries } from './inline.ts';

const LOST_FOUND = new TextEncoder().encode('lost+found');
/** More links than a directory can count: it then says 1. */
const LINK_MAX = 65_000;

export function connect(state: State): void {
  makeRoot(state);
  const lost = new LostFound(state);
  hangUp(state, lost);
  checkParents(state);
  checkLinks(state, lost);
}

/** A volume whose root is gone gets an empty one; all that it held will be found below lost+found. */
function makeRoot(state: State): void {
  if (state.directories.has(EXT4_ROOT_INO)) return;
  state.bad('the root is no directory; a new one is made');
  if ((state.kinds[EXT4_ROOT_INO] ?? 0) !== 0) clearInode(state, EXT4_ROOT_INO);
  makeDirectory(state, EXT4_ROOT_INO, { parent: EXT4_ROOT_INO, mode: 0o755 });
}

function makeDirectory(
  state: State,
  ino: number,
  { parent, mode }: { parent: number; mode: number },
): Directory {
  const { vol, world } = state;
  const { no } = state.allocate();
  const now = world.nowSec % 2 ** 32;
  state.change(ino, (inode) => {
    const { view, at } = inode;
    new Uint8Array(view.buffer, view.byteOffset + at, vol.inodeSize).fill(0);
    inode.i_mode = S_IFDIR | mode;
    inode.i_links_count = 2;
    inode.i_size_lo = vol.blockSize;
    inode.i_atime = now;
    inode.i_ctime = now;
    inode.i_mtime = now;
    if (has.extents(vol)) inode.i_flags = EXT4_EXTENTS_FL;
    if (vol.inodeSize > 128)
      new InodeExtra(view, at).i_extra_isize = Math.min(32, vol.inodeSize - 128);
  });
  rewriteMap(state, ino, {
    runs: [{ lblock: 0, block: no, count: 1, unwritten: false }],
    meta: [],
    wrong: [],
  });
  const block = editLeaf(state, ino, no);
  putEntry(vol, block, { at: 0, size: 12, ino, name: DOT, type: FT_DIR });
  putEntry(vol, block, { at: 12, size: endOf(vol) - 12, ino: parent, name: DOTDOT, type: FT_DIR });
  putTail(state, block);
  const dir = { ino, blocks: [no], parent: 0, dotdot: parent };
  state.kinds[ino] = FT_DIR;
  state.directories.set(ino, dir);
  count(state, ino);
  return dir;
}

/** Directories that hang on nothing, or on each other in a ring. */
function hangUp(state: State, lost: LostFound): void {
  const hangs = new Set([EXT4_ROOT_INO]);
  for (const dir of [...state.directories.values()]) {
    const way: Directory[] = [];
    let at: Directory | undefined = dir;
    while (at !== undefined && !hangs.has(at.ino) && !way.includes(at)) {
      way.push(at);
      at = state.directories.get(at.parent);
    }
    if (at === undefined || !hangs.has(at.ino)) {
      // The highest of a chain, or any of a ring, gets a name.
      const top = at === undefined ? way.at(-1) : at;
      if (top !== undefined && top.ino !== lost.ino) {
        state.bad(`directory ${top.ino} hangs on nothing`);
        if (top.parent !== 0) forget(state, top);
        top.parent = lost.add(top.ino, FT_DIR);
      }
    }
    for (const each of way) hangs.add(each.ino);
  }
}

/** Takes the entry away that names a directory of a ring. */
function forget(state: State, dir: Directory): void {
  const parent = state.directories.get(dir.parent);
  if (parent !== undefined && isInline(state, parent.ino)) expand(state, parent);
  for (const no of parent?.blocks ?? []) {
    for (const { at, ino, name } of entriesOf(state.vol, state.tx.read(no)).entries) {
      const dots =
        name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e));
      if (ino !== dir.ino || dots || parent === undefined) continue;
      editLeaf(state, parent.ino, no).view.setUint32(at, 0, true);
      state.names[dir.ino] = (state.names[dir.ino] ?? 1) - 1;
    }
  }
}

/** '..' names the directory whose entry names this one; it counts as that one's link. */
function checkParents(state: State): void {
  for (const dir of state.directories.values()) {
    const right = dir.ino === EXT4_ROOT_INO ? EXT4_ROOT_INO : dir.parent;
    count(state, right);
    if (dir.dotdot === right) continue;
    state.bad(`directory ${dir.ino}: '..' is ${dir.dotdot}, should be ${right}`);
    dir.dotdot = right;
    if (isInline(state, dir.ino)) {
      state.change(dir.ino, ({ view, at }) => view.setUint32(at + I_BLOCK_OFFSET, right, true));
      continue;
    }
    const no = dir.blocks[0] ?? 0;
    const indexed = (state.inode(dir.ino).i_flags & EXT4_INDEX_FL) !== 0;
    const block = indexed ? editIndex(state, dir, no) : editLeaf(state, dir.ino, no);
    block.view.setUint32(12, right, true);
  }
}

/** The seal of an index root is its own. */
function editIndex(state: State, dir: Directory, no: number): { view: DataView } {
  linearise(state, dir, indexBlocks(state, dir) ?? [0]);
  return editLeaf(state, dir.ino, no);
}

function checkLinks(state: State, lost: LostFound): void {
  const { vol } = state;
  for (let ino = EXT4_ROOT_INO; ino <= vol.inodesCount; ino++) {
    const kind = state.kinds[ino] ?? 0;
    if (kind === 0 || (ino < vol.firstIno && ino !== EXT4_ROOT_INO)) continue;
    if ((state.names[ino] ?? 0) === 0 && !isHidden(state, ino)) attach(state, ino, { kind, lost });
  }
  for (let ino = EXT4_ROOT_INO; ino <= vol.inodesCount; ino++) {
    const kind = state.kinds[ino] ?? 0;
    if (kind === 0 || (ino < vol.firstIno && ino !== EXT4_ROOT_INO)) continue;
    if (isHidden(state, ino)) continue;
    const names = state.names[ino] ?? 0;
    const right = kind === FT_DIR && names > LINK_MAX ? 1 : names;
    const { i_links_count: links } = state.inode(ino);
    if (links === right) continue;
    state.bad(`inode ${ino}: ${links} links, should be ${right}`);
    state.change(ino, (inode) => {
      inode.i_links_count = Math.min(right, LINK_MAX);
    });
  }
}

/** One of the volume's own, though its number is not reserved: it has no name. */
const isHidden = ({ vol }: State, ino: number): boolean =>
  (ino === vol.orphanFileIno && has.orphanFile(vol)) || vol.quotaInodes.includes(ino);

function attach(
  state: State,
  ino: number,
  { kind, lost }: { kind: number; lost: LostFound },
): void {
  const inode = state.inode(ino);
  const empty = inode.i_size_lo === 0 && inode.i_size_high === 0 && inode.i_blocks_lo === 0;
  if (kind === FT_FILE && empty) {
    state.bad(`inode ${ino}: an empty file without a name; it is cleared`);
    clearInode(state, ino);
    return;
  }
  state.bad(`inode ${ino}: has no name`);
  lost.add(ino, kind);
}

/** lost+found, found or made when it is first wanted. */
class LostFound {
  readonly #state: State;
  #dir: Directory | undefined;

  constructor(state: State) {
    this.#state = state;
    this.#dir = this.#find();
  }

  get ino(): number {
    return this.#dir?.ino ?? 0;
  }

  /** Names an inode by its number; gives back the directory's inode. */
  add(ino: number, kind: number): number {
    const dir = this.#dir ?? this.#make();
    addEntry(this.#state, dir, { ino, kind, name: new TextEncoder().encode(`#${ino}`) });
    count(this.#state, ino);
    return dir.ino;
  }

  #find(): Directory | undefined {
    const { vol, tx, directories } = this.#state;
    const root = directories.get(EXT4_ROOT_INO);
    if (root === undefined) return undefined;
    const all = isInline(this.#state, root.ino)
      ? inlineEntries(this.#state, root).entries
      : root.blocks.flatMap((no) => entriesOf(vol, tx.read(no)).entries);
    const found = all.find(
      ({ ino, name }) =>
        ino !== 0 && name.length === LOST_FOUND.length && name.every((c, i) => c === LOST_FOUND[i]),
    );
    return found && directories.get(found.ino);
  }

  #make(): Directory {
    const state = this.#state;
    let ino = state.vol.firstIno;
    while ((state.kinds[ino] ?? 1) !== 0) {
      if (++ino > state.vol.inodesCount) fail(ENOSPC, 'no inode is left for lost+found');
    }
    state.bad('lost+found is missing; it is made');
    const dir = makeDirectory(state, ino, { parent: EXT4_ROOT_INO, mode: 0o700 });
    const root = state.directories.get(EXT4_ROOT_INO) ?? fail(ENOSPC, 'no root');
    addEntry(state, root, { ino, kind: FT_DIR, name: LOST_FOUND });
    count(state, ino);
    dir.parent = EXT4_ROOT_INO;
    this.#dir = dir;
    return dir;
  }
}

interface Named {
  readonly ino: number;
  readonly kind: number;
  readonly name: Uint8Array;
}

/** Puts an entry into the first gap, or into a new block. An index does not know it: there is none then. */
function addEntry(state: State, dir: Directory, { ino, kind, name }: Named): void {
  const { vol, tx } = state;
  if (isInline(state, dir.ino)) expand(state, dir);
  if ((state.inode(dir.ino).i_flags & EXT4_INDEX_FL) !== 0)
    linearise(state, dir, indexBlocks(state, dir) ?? [0]);
  const needed = sizeOf(name);
  for (const no of dir.blocks) {
    for (const entry of entriesOf(vol, tx.read(no)).entries) {
      const taken = entry.ino === 0 ? 0 : sizeOf(entry.name);
      if (entry.size - taken < needed) continue;
      const block = editLeaf(state, dir.ino, no);
      if (taken > 0) putSize(block.view, entry.at, taken);
      putEntry(vol, block, {
        at: entry.at + taken,
        size: entry.size - taken,
        ino,
        name,
        type: kind,
      });
      return;
    }
  }
  const block = editLeaf(state, dir.ino, grow(state, dir));
  putEntry(vol, block, { at: 0, size: endOf(vol), ino, name, type: kind });
  putTail(state, block);
}

function grow(state: State, dir: Directory): number {
  const { no } = state.allocate();
  const meta = readMap(state, dir.ino).meta;
  dir.blocks.push(no);
  const runs: Run[] = dir.blocks.map((block, lblock) => ({
    lblock,
    block,
    count: 1,
    unwritten: false,
  }));
  rewriteMap(state, dir.ino, { runs: joined(runs), meta, wrong: [] });
  state.change(dir.ino, (inode) => {
    inode.i_size_lo = dir.blocks.length * state.vol.blockSize;
  });
  return no;
}

function joined(runs: readonly Run[]): Run[] {
  const out: Run[] = [];
  for (const run of runs) {
    const last = out.at(-1);
    if (last && last.block + last.count === run.block)
      out[out.length - 1] = { ...last, count: last.count + run.count };
    else out.push(run);
  }
  return out;
}
