// What a change of names does to entries: new files and directories, and one that moves.

import { clearCluster } from '../dir/slots.ts';
import type { Move } from '../format.ts';
import { ATTR_DIRECTORY } from '../ondisk.ts';
import { clusterByte } from '../op.ts';
import { toDos } from '../time.ts';
import { setModified } from './attr.ts';
import {
  addEntry,
  type DirCluster,
  editEntry,
  entryBytes,
  type Found,
  firstCluster,
  indexOf,
  isDirectory,
  readEntry,
  removeEntry,
  rootOf,
  setFirstCluster,
  slotPlace,
} from './dir/dir.ts';
import { allocate } from './file/allocate.ts';
import { dirIno, dirPlace, inoOf } from './inode.ts';
import { DirEntry, type DirEntryView } from './ondisk.ts';
import type { Op } from './op.ts';

/** The directory's mtime is now; the root has no entry to say so. */
export function touchDirectory(op: Op, dir: DirCluster): void {
  const place = dirPlace(op, dirIno(op, dir));
  if (place !== undefined) setModified(editEntry(op, place), op.tx.now);
}

export function addFile(
  op: Op,
  dir: DirCluster,
  { name, attributes }: { name: string; attributes: number },
): number {
  const { bytes } = newEntry(op, attributes);
  return inoOf(op, addEntry(op, dir, { name, template: bytes }));
}

export function addDirectory(op: Op, dir: DirCluster, name: string): number {
  const { start } = allocate(op, { near: undefined, want: 1 });
  const { bytes, entry } = newEntry(op, ATTR_DIRECTORY);
  setFirstCluster(entry, start);
  clearCluster(op, start);
  putDots(op, start, { parent: dir, template: bytes });
  addEntry(op, dir, { name, template: bytes });
  return start;
}

function newEntry({ tx }: Op, attributes: number): { bytes: Uint8Array; entry: DirEntryView } {
  const bytes = new Uint8Array(DirEntry.size);
  const entry = new DirEntry(new DataView(bytes.buffer));
  const { date, time, tenth } = toDos(tx.now);
  entry.DIR_Attr = attributes;
  entry.DIR_CrtDate = date;
  entry.DIR_CrtTime = time;
  entry.DIR_CrtTimeTenth = tenth;
  entry.DIR_WrtDate = date;
  entry.DIR_WrtTime = time;
  entry.DIR_LstAccDate = date;
  return { bytes, entry };
}

function putDots(
  op: Op,
  dir: DirCluster,
  { parent, template }: { parent: DirCluster; template: Uint8Array },
): void {
  const { bytes: block } = op.tx.edit(clusterByte(op.vol, dir) / op.vol.blockSize);
  for (const [i, cluster] of [dir, dotDot(op, parent)].entries()) {
    const at = i * DirEntry.size;
    block.set(template, at);
    block.fill(0x20, at, at + 11).fill(0x2e, at, at + 1 + i);
    setFirstCluster(new DirEntry(new DataView(block.buffer, block.byteOffset), at), cluster);
  }
}

/** What '..' holds for that parent: the root is always 0. */
const dotDot = ({ vol }: Op, parent: DirCluster): number => (parent === rootOf(vol) ? 0 : parent);

export function move(op: Op, { ino, from, found, to, name, there }: Move<DirCluster, Found>): void {
  const moving = isDirectory(op, found);
  const template = entryBytes(op, found);
  touchDirectory(op, from);
  if (to !== from) touchDirectory(op, to);
  removeEntry(op, from, { ...found, how: 'moved' });
  const place = there
    ? replace(op, there, { template, dir: to })
    : addEntry(op, to, { name, template });
  if (moving && to !== from) {
    setFirstCluster(editEntry(op, slotPlace(op, ino, 1)), dotDot(op, to));
  }
  if (moving) return;
  op.env.held.hold(op.tx, ino, { place });
  op.tx.onCommit(() => op.env.unfinished(ino));
}

/** The entry keeps its name and gets another file: one sector says both. */
function replace(
  op: Op,
  there: Found,
  { template, dir }: { template: Uint8Array; dir: DirCluster },
): number {
  const before = isDirectory(op, there) ? firstCluster(op, readEntry(op, there.place)) : undefined;
  const entry = editEntry(op, there.place);
  const name = entry.DIR_Name.slice();
  const { DIR_NTRes } = entry;
  new Uint8Array(entry.view.buffer, entry.view.byteOffset + entry.at, DirEntry.size).set(template);
  entry.DIR_Name = name;
  entry.DIR_NTRes = DIR_NTRes;
  if (before !== undefined) {
    const cluster = firstCluster(op, entry);
    const index = indexOf(op, dir);
    op.tx.onCommit(() =>
      op.env.dirs.change(dir, index, (held) => {
        held.exchange({ slot: there.slot, before, cluster });
      }),
    );
  }
  return there.place;
}
