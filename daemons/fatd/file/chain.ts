// Chains of clusters: where the n-th cluster of a file or directory lies. What was walked once is
// remembered in runs, so that a long file is not walked again for each of its blocks.

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Transaction } from '../../lib/transaction.ts';

/** Clusters that follow each other on the volume. */
export interface Run {
  readonly index: number; // of the first in the chain
  readonly cluster: number;
  readonly count: number;
}

/** The links of a volume's table. */
export interface Links {
  readonly clusterEnd: number;
  next(tx: Transaction, cluster: number): number | undefined;
}

/** What a chain is walked with. */
export interface ChainOp {
  readonly tx: Transaction;
  readonly env: { readonly chains: ChainCache };
}

const RUNS_MOST = 32_768; // of a chain
const TOTAL_MOST = 100_000;

class Chain {
  /** In order; with gaps once there were too many. */
  runs: Run[];
  /** Clusters, once its end was seen. */
  length: number | undefined;

  constructor(first: number) {
    this.runs = [{ index: 0, cluster: first, count: 1 }];
  }
}

export class ChainCache {
  readonly links: Links;
  readonly #chains = new Map<number, Chain>();
  #total = 0;

  constructor(links: Links) {
    this.links = links;
  }

  get(first: number): Chain {
    const known = this.#chains.get(first);
    if (known !== undefined) return known;
    if (this.#total >= TOTAL_MOST) this.#clear();
    const chain = new Chain(first);
    this.#chains.set(first, chain);
    this.#total++;
    return chain;
  }

  forget(first: number): void {
    this.#chains.delete(first);
  }

  /** A run was added at the end of the chain. */
  append(first: number, run: Run): void {
    const chain = this.#chains.get(first);
    if (chain === undefined) return;
    if (chain.length !== run.index) this.#chains.delete(first);
    else {
      this.note(chain, run);
      chain.length = run.index + run.count;
    }
  }

  note(chain: Chain, run: Run): void {
    const last = chain.runs.at(-1);
    const end = last === undefined ? -1 : last.index + last.count;
    if (last !== undefined && end === run.index && last.cluster + last.count === run.cluster) {
      chain.runs[chain.runs.length - 1] = { ...last, count: last.count + run.count };
      return;
    }
    chain.runs.push(run);
    this.#total++;
    if (chain.runs.length > RUNS_MOST) chain.runs = chain.runs.filter((_, i) => i % 2 === 0);
  }

  #clear(): void {
    this.#chains.clear();
    this.#total = 0;
  }
}

/** The n-th cluster of a chain and those that follow it in a row; undefined behind its end. */
export function clusterAt(op: ChainOp, first: number, index: number): Run | undefined {
  const cache = op.env.chains;
  const { clusterEnd } = cache.links;
  if (first < 2 || first >= clusterEnd) fail(EUCLEAN, `a chain begins at cluster ${first}`);
  const chain = cache.get(first);
  if (chain.length !== undefined && index >= chain.length) return undefined;
  let run = before(chain.runs, index);
  const known = chain.runs.at(-1) === run;
  while (index >= run.index + run.count) {
    const at = run.index + run.count;
    if (at >= clusterEnd) fail(EUCLEAN, `the chain from cluster ${first} has no end`);
    const next = cache.links.next(op.tx, run.cluster + run.count - 1);
    if (next === undefined) {
      chain.length = at;
      return undefined;
    }
    if (known) cache.note(chain, { index: at, cluster: next, count: 1 });
    const follows = next === run.cluster + run.count;
    run = follows ? { ...run, count: run.count + 1 } : { index: at, cluster: next, count: 1 };
  }
  const skip = index - run.index;
  return { index, cluster: run.cluster + skip, count: run.count - skip };
}

/** The last run that begins at `index` or before it. */
function before(runs: readonly Run[], index: number): Run {
  let low = 0;
  let high = runs.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((runs[middle]?.index ?? 0) <= index) low = middle;
    else high = middle - 1;
  }
  return runs[low] ?? fail(EUCLEAN, 'a chain without clusters');
}

/** The number of clusters in a chain, walked to its end. */
export function chainLength(op: ChainOp, first: number): number {
  const chain = op.env.chains.get(first);
  clusterAt(op, first, op.env.chains.links.clusterEnd);
  return chain.length ?? fail(EUCLEAN, `the chain from cluster ${first} has no end`);
}
