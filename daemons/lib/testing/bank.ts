// For tests only: a block cache whose blocks hold amounts. Each transaction moves one between two
// blocks and counts itself in block 0; the sum never changes, and the count is in the stored reply.

import { assert } from '../../../kernel/abi/errno.ts';
import { FRAMES } from '../../../kernel/abi/memlayout.ts';
import { BlockCache } from '../cache/block-cache.ts';
import { BlockTransaction, RequestSeed } from '../tx.ts';

export const ACCOUNTS = 24;
export const FIRST_AMOUNT = 1000;
const TAG = 7;
const AREA = 512 * 1024;

export const bankRam = (): SharedArrayBuffer => new SharedArrayBuffer(FRAMES + AREA);

export const bankArea = {
  address: FRAMES,
  length: AREA,
  grant: { index: 0, generation: 1, offset: 0, length: AREA },
};

export function openBank(ram: SharedArrayBuffer): BlockCache {
  return new BlockCache({
    ram,
    area: bankArea,
    blockSize: 1024,
    volume: new Int32Array([1, 2, 3, 4]),
    resume: true,
  });
}

const begin = (cache: BlockCache): BlockTransaction =>
  new BlockTransaction(cache, new RequestSeed({ sec: 0, nsec: 0 }, () => {}));

export function fillBank(cache: BlockCache): void {
  const tx = begin(cache);
  for (let no = 0; no <= ACCOUNTS; no++) {
    const { bytes } = tx.create(no);
    words(bytes).fill(no === 0 ? 0 : FIRST_AMOUNT);
  }
  tx.publish([reply(0)]);
}

/** One transfer, and now and then a step of a commit or checkpoint. Returns the next state. */
export function runBank(cache: BlockCache, state: number): number {
  const next = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  const from = 1 + ((next >>> 8) % ACCOUNTS);
  const to = 1 + ((next >>> 16) % ACCOUNTS);
  const tx = begin(cache);
  const count = (words(tx.read(0).bytes)[0] ?? 0) + 1;
  words(tx.edit(0).bytes).fill(count);
  if (from !== to) {
    const amount = next % 10;
    const [a, b] = [words(tx.edit(from).bytes), words(tx.edit(to).bytes)];
    a.fill((a[0] ?? 0) - amount);
    b.fill((b[0] ?? 0) + amount);
  }
  tx.publish([reply(count)]);
  if (next % 5 === 0) {
    if (cache.committing) cache.epochLogged();
    else cache.closeEpoch();
  }
  if (next % 17 === 0) cache.checkpointed([...cache.logged.values()]);
  return next;
}

export interface Audit {
  readonly count: number;
  readonly sum: number;
  readonly replied: number | undefined;
  /** Blocks that are missing or hold words that differ. */
  readonly broken: number[];
}

export function audit(cache: BlockCache): Audit {
  const broken: number[] = [];
  let sum = 0;
  for (let no = 0; no <= ACCOUNTS; no++) {
    const held = cache.find(no);
    const all = held && words(held.bytes);
    if (all === undefined || !all.every((word) => word === all[0])) broken.push(no);
    else if (no > 0) sum += all[0] ?? 0;
  }
  const zero = cache.find(0);
  const stored = cache.table.storedReply(TAG);
  return {
    count: zero ? (words(zero.bytes)[0] ?? 0) : -1,
    sum,
    replied: stored && new DataView(stored.buffer, stored.byteOffset).getInt32(0, true),
    broken,
  };
}

function reply(count: number): { tag: number; bytes: Uint8Array } {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setInt32(0, count, true);
  return { tag: TAG, bytes };
}

function words(bytes: Uint8Array): Int32Array {
  assert(bytes.byteOffset % 4 === 0);
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}
