// After a power cut: a file that was being moved may have two names (stages.ts). The newer one is marked,
// the other goes; and each directory's '..' tells where it lies again. Lost clusters are left to fsck.fat.

import { PosixError } from '../../../../kernel/abi/errno.ts';
import type { Task } from '../../../../kernel/ipc/task.ts';
import { slotAt } from '../../dir/slots.ts';
import { ATTR_DIRECTORY, SLOT, SLOT_END } from '../../ondisk.ts';
import {
  type Named as AnyNamed,
  BLOCKS_AT_ONCE,
  eachNamed,
  type Look,
  type Recovery,
} from '../../write/names.ts';
import {
  type DirCluster,
  eachBlock,
  editEntry,
  firstCluster,
  readEntry,
  rootOf,
  setFirstCluster,
  slotPlace,
} from '../dir/dir.ts';
import { isDots } from '../dir/entries.ts';
import { shortChecksum } from '../dir/name.ts';
import { ATTR_LONG_NAME, ATTR_VOLUME_ID, DirEntry, NEWER_NAME, SLOT_FREE } from '../ondisk.ts';
import type { Op } from '../op.ts';
import { isCluster } from '../volume/fat.ts';
import type { FatVolume } from '../volume/geometry.ts';

/** Where an entry lies, and what it names. */
interface Named extends AnyNamed {
  readonly dir: DirCluster;
  readonly slot: number;
  readonly newer: boolean;
}

/** Names that one epoch can have moved. */
const MOVED_MOST = 100_000;
const LONG_MOST = 20;

/** How many names were removed. */
export function* recoverNames(recovery: Recovery<Op>, vol: FatVolume): Task<number> {
  const root = rootOf(vol);
  const names = { root, look: lookNow, dirOf: ({ cluster }: Named) => cluster };
  const newer = new Map<number, Named>();
  const directories: Named[] = [];
  yield* eachNamed(recovery, names, (named) => {
    if (named.newer && newer.size < MOVED_MOST) newer.set(named.cluster, named);
    if (named.isDirectory) directories.push(named);
  });
  const isOlder = ({ cluster, dir, slot }: Named): boolean => {
    const twin = newer.get(cluster);
    return twin !== undefined && !(twin.dir === dir && twin.slot === slot);
  };
  const older: Named[] = [];
  if (newer.size > 0)
    yield* eachNamed(recovery, names, (named) => void (isOlder(named) && older.push(named)));
  for (const named of older) yield* change(recovery, (op) => removeSlots(op, named));
  if (older.length > 0) yield* recovery.settle();
  for (const named of newer.values()) yield* change(recovery, (op) => clearMark(op, named));
  for (const named of directories) if (!isOlder(named)) yield* mendParent(recovery, named, root);
  yield* recovery.settle();
  return older.length;
}

const change = (recovery: Recovery<Op>, body: (op: Op) => void): Task<void> =>
  recovery.engine.run((tx) => body(recovery.op(tx)), { changes: true });

function lookNow(op: Op, dir: DirCluster, from: number): Look<Named> {
  const names: Named[] = [];
  let blocks = 0;
  let next: number | undefined;
  eachBlock(op, { dir, slot: from }, (view, { slot: firstSlot }) => {
    if (blocks++ === BLOCKS_AT_ONCE) next = firstSlot;
    return next !== undefined || takeBlock(op, view, { dir, firstSlot, names });
  });
  return { names, next };
}

function takeBlock(
  { vol }: Op,
  view: DataView,
  { dir, firstSlot, names }: { dir: DirCluster; firstSlot: number; names: Named[] },
): boolean {
  for (let at = 0; at < view.byteLength; at += SLOT) {
    const first = view.getUint8(at);
    if (first === SLOT_END) return true;
    const entry = new DirEntry(view, at);
    if (first === SLOT_FREE || (entry.DIR_Attr & ATTR_VOLUME_ID) !== 0 || isDots(view, at))
      continue;
    const cluster = firstCluster({ vol }, entry);
    if (!isCluster(vol, cluster)) continue;
    const newer = (entry.DIR_NTRes & NEWER_NAME) !== 0;
    const isDirectory = (entry.DIR_Attr & ATTR_DIRECTORY) !== 0;
    names.push({ dir, slot: firstSlot + at / SLOT, cluster, newer, isDirectory });
  }
  return false;
}

function removeSlots(op: Op, { dir, slot }: Named): void {
  const sum = shortChecksum(readEntry(op, slotPlace(op, dir, slot)).DIR_Name);
  const free = (at: number): void => {
    const { block, at: offset } = slotAt(op, slotPlace(op, dir, at));
    op.tx.edit(block).view.setUint8(offset, SLOT_FREE);
  };
  free(slot);
  for (let at = slot - 1; at >= Math.max(0, slot - LONG_MOST); at--) {
    const part = readEntry(op, slotPlace(op, dir, at));
    const checksum = part.view.getUint8(part.at + DirEntry.offsets.DIR_CrtTimeTenth);
    const isPart = part.DIR_Attr === ATTR_LONG_NAME && checksum === sum;
    if (!isPart || part.DIR_Name[0] === SLOT_FREE) return;
    free(at);
  }
}

function clearMark(op: Op, { dir, slot }: Named): void {
  editEntry(op, slotPlace(op, dir, slot)).DIR_NTRes &= ~NEWER_NAME;
}

/** '..' was written before or after the name that it goes with. Where there is none, fsck.fat must help. */
function* mendParent(
  recovery: Recovery<Op>,
  { cluster, dir }: Named,
  root: DirCluster,
): Task<void> {
  const parent = dir === root ? 0 : dir;
  try {
    yield* change(recovery, (op) => {
      const place = slotPlace(op, cluster, 1);
      const entry = readEntry(op, place);
      const isDotDot = entry.DIR_Name[0] === DOT && entry.DIR_Name[1] === DOT;
      if (isDotDot && firstCluster(op, entry) !== parent)
        setFirstCluster(editEntry(op, place), parent);
    });
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
  }
}
const DOT = 0x2e;
