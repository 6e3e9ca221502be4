// Locks on byte ranges of files, first come first served: readers share, writers and truncations are
// alone. Data transfers hold them, requests on metadata alone do not need them.

import { sleep, type Task, WaitQueue, wakeAll } from '../../../kernel/ipc/task.ts';

export interface Range {
  readonly ino: number;
  readonly from: number; // bytes
  readonly to: number; // behind the last byte; Infinity for the whole file
  readonly mode: 'shared' | 'exclusive';
}

interface Claim {
  readonly range: Range;
  readonly released: WaitQueue;
}

export class RangeLocks {
  readonly #claims = new Map<number, Claim[]>(); // by inode, in order of arrival

  /** Holds the range if nobody stands in the way; returns how to give it back. */
  tryHold(range: Range): (() => void) | undefined {
    const { claim, claims } = this.#claim(range);
    const release = () => this.#release(claim, claims);
    if (rivalOf(claims, claim) === undefined) return release;
    release();
    return undefined;
  }

  /** Holds the range while `body` runs. */
  *holding<T>(range: Range, body: () => Task<T>): Task<T> {
    const { claim, claims } = this.#claim(range);
    try {
      for (let rival = rivalOf(claims, claim); rival; rival = rivalOf(claims, claim)) {
        yield* sleep(rival.released);
      }
      return yield* body();
    } finally {
      this.#release(claim, claims);
    }
  }

  #claim(range: Range): { claim: Claim; claims: Claim[] } {
    const claim: Claim = { range, released: new WaitQueue(`inode ${range.ino}`) };
    const claims = this.#claims.get(range.ino) ?? [];
    this.#claims.set(range.ino, claims);
    claims.push(claim);
    return { claim, claims };
  }

  #release(claim: Claim, claims: Claim[]): void {
    claims.splice(claims.indexOf(claim), 1);
    if (claims.length === 0) this.#claims.delete(claim.range.ino);
    wakeAll(claim.released);
  }
}

/** The first claim before `claim` that excludes it. */
function rivalOf(claims: readonly Claim[], claim: Claim): Claim | undefined {
  for (const other of claims) {
    if (other === claim) return undefined;
    const apart = other.range.to <= claim.range.from || other.range.from >= claim.range.to;
    const both = other.range.mode === 'shared' && claim.range.mode === 'shared';
    if (!apart && !both) return other;
  }
  return undefined;
}
