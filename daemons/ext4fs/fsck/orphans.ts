// Files that were deleted or cut short while somebody had them open, when the machine went down: the list
// that the superblock begins, and the orphan file. orphan.rst.

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import { EXT4_ORPHAN_BLOCK_MAGIC, I_BLOCK_SIZE, OrphanBlockTail } from '../ondisk.ts';
import { orphanSealing } from '../volume/checksum.ts';
import { has } from '../volume/superblock.ts';
import { type Run, readMap } from './map.ts';
import { sealSuperblock, superblock } from './open.ts';
import type { State } from './state.ts';

export function dropOrphans(state: State): void {
  const sb = superblock(state);
  const seen = new Set<number>();
  let ino = sb.s_last_orphan;
  while (ino !== 0) {
    if (ino > state.vol.inodesCount || ino < state.vol.firstIno || seen.has(ino)) {
      state.bad(`superblock: the list of orphans names inode ${ino}`);
      break;
    }
    seen.add(ino);
    const next = state.inode(ino).i_dtime;
    drop(state, ino);
    ino = next;
  }
  if (sb.s_last_orphan !== 0) {
    superblock(state).s_last_orphan = 0;
    sealSuperblock(state);
  }
  if (has.orphanFile(state.vol)) dropFile(state);
}

function drop(state: State, ino: number): void {
  const deleted = state.inode(ino).i_links_count === 0;
  state.report.tell(
    `inode ${ino}: an orphan is ${deleted ? 'deleted' : 'cut to its size'}`,
    'slight',
  );
  state.change(ino, (inode) => {
    inode.i_dtime = deleted ? state.world.nowSec % 2 ** 32 : 0;
    if (deleted) inode.i_block = new Uint8Array(I_BLOCK_SIZE);
  });
  if (!deleted) cut(state, ino);
}

/** What lies beyond the size is nobody's any more: the first pass finds the map without it. */
function cut(state: State, ino: number): void {
  const inode = state.inode(ino);
  const end = Math.ceil((inode.i_size_lo + inode.i_size_high * 2 ** 32) / state.vol.blockSize);
  const { runs } = readMap(state, ino);
  const beyond = runs.filter((run: Run) => run.lblock + run.count > end && !run.unwritten);
  if (beyond.length > 0) state.truncated.set(ino, end);
}

function dropFile(state: State): void {
  const { orphanFileIno: ino, blockSize } = state.vol;
  if (ino === 0 || ino > state.vol.inodesCount) fail(EUCLEAN, `the orphan file is inode ${ino}`);
  for (const { block, count } of readMap(state, ino).runs) {
    for (let i = 0; i < count; i++) {
      const { view } = state.tx.read(block + i);
      const tail = new OrphanBlockTail(view, blockSize - OrphanBlockTail.size);
      if (tail.ob_magic !== EXT4_ORPHAN_BLOCK_MAGIC) {
        state.bad(`the orphan file: block ${block + i} is none of its own`);
        continue;
      }
      for (let at = 0; at < blockSize - OrphanBlockTail.size; at += 4) {
        const orphan = view.getUint32(at, true);
        if (orphan === 0 || orphan > state.vol.inodesCount) continue;
        drop(state, orphan);
        state.tx
          .edit(block + i, orphanSealing(state.vol, state.seed(ino)).seal)
          .view.setUint32(at, 0, true);
      }
    }
  }
}
