// Taking clusters back. A long chain goes in steps; what is left of it is kept by a held record, so that
// a worker after this one goes on. After a power cut its clusters are lost, no more.

import { clusterByte, type Op, TAIL_INO } from '../op.ts';
import { FREE, nextCluster, setFatEntry } from '../volume/fat.ts';

/** Clusters that one request frees; of a directory, whose blocks are metadata that is void then. */
const CLUSTERS = 256;
const BLOCKS = 256;

export interface Doomed {
  readonly head: number;
  readonly kind: 'file' | 'directory';
}

/** Frees a chain; what is too much for this request by `freeStep`. */
export function freeAll(op: Op, doomed: Doomed): void {
  const rest = freeSome(op, doomed);
  if (rest === undefined) return;
  const ino = TAIL_INO + doomed.head;
  hold(op, ino, { ...doomed, head: rest });
  op.tx.onCommit(() => op.env.unfinished(ino));
}

/** One more step; true when another one is needed. */
export function freeStep(op: Op, ino: number): boolean {
  const { held } = op.env;
  const file = held.byIno(op.tx, ino);
  if (file === undefined) return false;
  const view = held.entryOf(op.tx, file);
  const kind = view.getUint8(KIND_AT) === 0 ? 'file' : 'directory';
  const rest = freeSome(op, { head: view.getUint32(0, true), kind });
  if (rest === undefined) held.release(op.tx, file);
  else hold(op, ino, { head: rest, kind });
  return rest !== undefined;
}

const KIND_AT = 4;

function hold(op: Op, ino: number, { head, kind }: Doomed): void {
  const entry = new Uint8Array(32);
  const view = new DataView(entry.buffer);
  view.setUint32(0, head, true);
  view.setUint8(KIND_AT, kind === 'file' ? 0 : 1);
  op.env.held.hold(op.tx, ino, { entry });
}

/** Returns the head of what is left. A chain that leads astray ends there. */
function freeSome(op: Op, { head, kind }: Doomed): number | undefined {
  const { tx, vol, env } = op;
  const blocks = vol.clusterSize / vol.blockSize;
  const most = kind === 'file' ? CLUSTERS : Math.max(1, Math.floor(BLOCKS / blocks));
  tx.onCommit(() => env.chains.forget(head));
  let cluster: number | undefined = head;
  for (let done = 0; cluster !== undefined && done < most; done++) {
    const freed: number = cluster;
    cluster = nextCluster(tx, vol, freed);
    setFatEntry(tx, vol, freed, FREE);
    if (kind === 'directory') {
      const first = clusterByte(vol, freed) / vol.blockSize;
      for (let i = 0; i < blocks; i++) tx.forget(first + i);
    }
    tx.onCommit(() => {
      env.free.add(freed, 1);
      env.freed.running.clusters.add(freed, 1);
      env.noteFreed(freed, 1);
    });
  }
  return cluster;
}
