// After a power cut: a file that was being moved may have two sets with one first cluster. The one with
// the higher MoveCount is the newer one, the other goes. Lost clusters are left to fsck.exfat.

import { PosixError } from '../../../../kernel/abi/errno.ts';
import type { Task } from '../../../../kernel/ipc/task.ts';
import { slotAt } from '../../dir/slots.ts';
import { ATTR_DIRECTORY, SLOT } from '../../ondisk.ts';
import { DIR_INO, namelessFile, ROOT_INO } from '../../op.ts';
import {
  type Named as AnyNamed,
  BLOCKS_AT_ONCE,
  eachNamed,
  type Look,
  type Recovery,
} from '../../write/names.ts';
import { changeSet } from '../dir/names.ts';
import { dirOf, eachSet, isLoose, placeOf, streamAt } from '../dir/places.ts';
import { IN_USE, StreamEntry, type StreamView } from '../ondisk.ts';
import type { Op } from '../op.ts';

/** A set, and what it names. */
interface Named extends AnyNamed {
  readonly places: readonly number[];
  readonly moves: number;
}

/** How many sets were removed. */
export function* recoverNames(recovery: Recovery<Op>): Task<number> {
  const names = {
    root: ROOT_INO,
    look: lookNow,
    dirOf: ({ places }: Named) => DIR_INO + (places[0] ?? 0),
  };
  const newest = new Map<number, Named>();
  const older: Named[] = [];
  yield* eachNamed(recovery, names, (named) => {
    const other = newest.get(named.cluster);
    if (other === undefined) {
      newest.set(named.cluster, named);
      return;
    }
    const ahead = (named.moves - other.moves) & 0xffff;
    if (ahead === 0) return; // two files with one cluster: that is damage, and none of ours
    const isNewer = ahead < 0x8000;
    older.push(isNewer ? other : named);
    if (isNewer) newest.set(named.cluster, named);
  });
  for (const named of older) {
    yield* recovery.engine.run((tx) => removeEntries(recovery.op(tx), named), { changes: true });
  }
  yield* recovery.settle();
  return older.length;
}

function removeEntries(op: Op, { places }: Named): void {
  for (const place of places) {
    const { block, at } = slotAt(op, place);
    const { view } = op.tx.edit(block);
    view.setUint8(at, view.getUint8(at) & ~IN_USE);
  }
}

function streamOf(op: Op, [, second = 0]: readonly number[]): StreamView {
  const { block, at } = slotAt(op, second);
  return new StreamEntry(op.tx.read(block).view, at);
}

function lookNow(op: Op, ino: number, from: number): Look<Named> {
  const names: Named[] = [];
  const most = from + (BLOCKS_AT_ONCE * op.vol.blockSize) / SLOT;
  let next: number | undefined;
  eachSet(op, { dir: dirOf(op, ino), slot: from }, (set) => {
    const { FirstCluster: cluster, MoveCount: moves } = streamOf(op, set.places);
    const isDirectory = (set.attributes & ATTR_DIRECTORY) !== 0;
    if (cluster !== 0) names.push({ places: set.places, cluster, moves, isDirectory });
    if (set.slot < most) return true;
    next = set.slot + set.count;
    return false;
  });
  return { names, next };
}

/** Sets whose MoveCount one unmount makes 0; the others keep theirs, which harms nobody. */
const TIDIED_MOST = 200;

/** Before the volume is unmounted: nobody else knows what the field means. */
export function tidyMoves(op: Op): void {
  for (const ino of [...op.env.moved].slice(0, TIDIED_MOST)) {
    if (namelessFile(op, ino) !== undefined) continue;
    const place = placeIfAny(op, ino);
    if (place === undefined || isLoose(place) || streamAt(op, place).MoveCount === 0) continue;
    changeSet(op, place, (_, stream) => {
      stream.MoveCount = 0;
    });
  }
}

/** A file that was moved may be gone since. */
function placeIfAny(op: Op, ino: number): number | undefined {
  try {
    return placeOf(op, ino);
  } catch (error) {
    if (error instanceof PosixError) return undefined;
    throw error;
  }
}
