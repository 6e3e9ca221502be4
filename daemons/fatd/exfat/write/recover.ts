// After a power cut: a file that was being moved may have two sets with one first cluster. The one with
// the higher MoveCount is the newer one, the other goes. Lost clusters are left to fsck.exfat.

import { PosixError } from '../../../../kernel/abi/errno.ts';
import type { Task } from '../../../../kernel/ipc/task.ts';
import type { Engine } from '../../../lib/engine.ts';
import type { Transaction } from '../../../lib/transaction.ts';
import { changeSet } from '../dir/names.ts';
import {
  dirOf,
  eachBlock,
  entryAt,
  isLoose,
  namelessFile,
  placeOf,
  streamAt,
} from '../dir/places.ts';
import { SetReader } from '../dir/set.ts';
import { ATTR_DIRECTORY, IN_USE, SLOT, StreamEntry, type StreamView } from '../ondisk.ts';
import { DIR_INO, type Op, ROOT_INO } from '../op.ts';

/** A set, and what it names. */
interface Named {
  readonly places: readonly number[];
  readonly cluster: number;
  readonly moves: number;
  readonly isDirectory: boolean;
}

/** Blocks that one look at a directory takes. */
const BLOCKS = 64;

export interface Recovery {
  readonly engine: Engine;
  readonly op: (tx: Transaction) => Op;
  /** Everything changed so far goes to the disk. */
  readonly settle: () => Task<void>;
}

/** How many sets were removed. */
export function* recoverNames(recovery: Recovery): Task<number> {
  const newest = new Map<number, Named>();
  const older: Named[] = [];
  yield* eachSet(recovery, (named) => {
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
    const { block, at } = entryAt(op, place);
    const { view } = op.tx.edit(block);
    view.setUint8(at, view.getUint8(at) & ~IN_USE);
  }
}

/** Every set of the volume that has clusters; each directory once, from wherever it is met first. */
function* eachSet(recovery: Recovery, visit: (named: Named) => void): Task<void> {
  const met = new Set<number>();
  for (let queue = [ROOT_INO]; queue.length > 0; ) {
    const next: number[] = [];
    for (const ino of queue) {
      for (let from: number | undefined = 0; from !== undefined; ) {
        const part: Look = yield* look(recovery, ino, from);
        for (const named of part.names) {
          visit(named);
          if (!named.isDirectory || met.has(named.cluster)) continue;
          met.add(named.cluster);
          next.push(DIR_INO + (named.places[0] ?? 0));
        }
        from = part.next;
      }
    }
    queue = next;
  }
}

interface Look {
  readonly names: readonly Named[];
  /** The slot to go on from. */
  readonly next: number | undefined;
}

/** Some blocks of a directory. What cannot be read ends it: that is for fsck.exfat. */
function* look(recovery: Recovery, ino: number, from: number): Task<Look> {
  try {
    return yield* recovery.engine.run((tx) => lookNow(recovery.op(tx), ino, from), {
      changes: false,
    });
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return { names: [], next: undefined };
  }
}

function streamOf(op: Op, [, second = 0]: readonly number[]): StreamView {
  const { block, at } = entryAt(op, second);
  return new StreamEntry(op.tx.read(block).view, at);
}

function lookNow(op: Op, ino: number, from: number): Look {
  const names: Named[] = [];
  const reader = new SetReader();
  let blocks = 0;
  let next: number | undefined;
  eachBlock(op, { dir: dirOf(op, ino), slot: from }, (view, first) => {
    for (let at = 0; at < view.byteLength; at += SLOT) {
      const slot = first.slot + at / SLOT;
      if (slot < from) continue;
      const set = reader.next(view, at, { slot, place: first.place + at / SLOT });
      if (set === 'end') return true;
      if (set === undefined) continue;
      const { FirstCluster: cluster, MoveCount: moves } = streamOf(op, set.places);
      const isDirectory = (set.attributes & ATTR_DIRECTORY) !== 0;
      if (cluster !== 0) names.push({ places: set.places, cluster, moves, isDirectory });
      if (blocks >= BLOCKS) {
        next = slot + 1;
        return true;
      }
    }
    blocks++;
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
