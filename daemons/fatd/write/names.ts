// Every name of a volume, a piece of a directory at a time: for what a power cut may have left twice.

import { PosixError } from '../../../kernel/abi/errno.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import { BlockSet } from '../../lib/cache/block-set.ts';
import type { Engine } from '../../lib/engine.ts';
import type { Transaction } from '../../lib/transaction.ts';

/** Blocks that one look at a directory takes. */
export const BLOCKS_AT_ONCE = 64;

/** What mounting gives a format to put its names right with. */
export interface Recovery<O> {
  readonly engine: Engine;
  readonly op: (tx: Transaction) => O;
  /** Everything changed so far goes to the disk. */
  readonly settle: () => Task<void>;
}

/** What has a name and clusters. */
export interface Named {
  readonly cluster: number;
  readonly isDirectory: boolean;
}

/** What was met in a piece of a directory. */
export interface Look<N> {
  readonly names: readonly N[];
  /** The slot to go on from; undefined at the directory's end. */
  readonly next: number | undefined;
}

export interface Names<O, Dir, N extends Named> {
  readonly root: Dir;
  /** The directory that a name is. */
  readonly dirOf: (named: N) => Dir;
  readonly look: (op: O, dir: Dir, from: number) => Look<N>;
}

/** Visits every name; each directory once, from wherever it is met first. */
export function* eachNamed<O, Dir, N extends Named>(
  recovery: Recovery<O>,
  names: Names<O, Dir, N>,
  visit: (named: N) => void,
): Task<void> {
  const met = new BlockSet();
  for (let queue = [names.root]; queue.length > 0; ) {
    const below: Dir[] = [];
    for (const dir of queue) {
      for (let from: number | undefined = 0; from !== undefined; ) {
        const part: Look<N> = yield* lookFrom(recovery, names, { dir, from });
        for (const named of part.names) {
          visit(named);
          if (!named.isDirectory || met.has(named.cluster)) continue;
          met.add(named.cluster, 1);
          below.push(names.dirOf(named));
        }
        from = part.next;
      }
    }
    queue = below;
  }
}

/** What cannot be read ends the directory: that is for a check. */
function* lookFrom<O, Dir, N extends Named>(
  { engine, op }: Recovery<O>,
  { look }: Names<O, Dir, N>,
  { dir, from }: { dir: Dir; from: number },
): Task<Look<N>> {
  try {
    return yield* engine.run((tx) => look(op(tx), dir, from), { changes: false });
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return { names: [], next: undefined };
  }
}
