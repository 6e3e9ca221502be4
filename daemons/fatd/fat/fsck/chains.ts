// Who owns which cluster: each chain is walked once, and ends where it meets another one, a cluster that
// is not in use, or the end of its file. What is wrong is cut off in the table, in memory.

import type { Report } from '../../fsck/report.ts';
import { END, FREE, isCluster } from '../volume/fat.ts';
import type { FatVolume } from '../volume/geometry.ts';
import type { FatTable } from './table.ts';

const BAD = 0x0fff_fff7;

export interface Claim {
  readonly path: string;
  readonly start: number;
  /** Clusters that the file's size asks for; undefined: the whole chain. */
  readonly need: number | undefined;
  /** Of a directory: what is wrong with such a cluster in it. */
  readonly refuses?: (cluster: number) => string | undefined;
}

/** What a walk before this one has found to be no part of any file: links, and starts in entries. */
export interface Cuts {
  /** Cluster to the next one of its chain. */
  readonly links: Map<number, number>;
  readonly starts: Set<number>;
}

export class Chains {
  readonly #vol: FatVolume;
  readonly #table: FatTable;
  readonly #report: Report;
  /** By cluster: the number of its owner's path, counted from 1. */
  readonly #owner: Uint32Array;
  /** By cluster: what led its owner there; 0 when its entry did. */
  readonly #from: Uint32Array;
  readonly #paths: string[] = [];
  readonly #cuts: Cuts;
  /** Behind a file's end: freed without another word. */
  readonly #tails = new Set<number>();

  /** Another one had the better claim to a cluster than its owner: the walk is to be made again. */
  doubtful = false;

  constructor(parts: { vol: FatVolume; table: FatTable; report: Report; cuts: Cuts }) {
    this.#vol = parts.vol;
    this.#cuts = parts.cuts;
    this.#table = parts.table;
    this.#report = parts.report;
    this.#owner = new Uint32Array(parts.vol.clusterEnd);
    this.#from = new Uint32Array(parts.vol.clusterEnd);
    for (const [link, at] of this.#cuts.links) {
      this.#report.bad('cross', `cluster ${link} leads to ${at}, which is another file's`);
      this.#table.set(link, END);
    }
  }

  get used(): number {
    return this.#owner.reduce((sum, owner) => sum + (owner === 0 ? 0 : 1), 0);
  }

  /** The clusters that the file or directory has in the end. */
  claim(claim: Claim): number[] {
    const owner = this.#paths.push(claim.path);
    const clusters: number[] = [];
    for (let at = claim.start; ; ) {
      if (!this.#mayOwn(at, claim, clusters)) {
        const last = clusters.at(-1);
        if (last !== undefined) this.#table.set(last, END);
        return clusters;
      }
      this.#owner[at] = owner;
      this.#from[at] = clusters.at(-1) ?? 0;
      clusters.push(at);
      const next = this.#table.get(at);
      if (next === END) return clusters;
      if (next === FREE) {
        // The last one that the file's size asks for: its number alone was lost.
        this.#report.bad('range', `${claim.path}: cluster ${at} is its last, and said to be free`);
        this.#table.set(at, END);
        return clusters;
      }
      at = next;
    }
  }

  #mayOwn(at: number, { path, need, refuses }: Claim, clusters: readonly number[]): boolean {
    const bad = this.#report.bad.bind(this.#report);
    if (clusters.length === need) {
      bad('tail', `${path}: its chain goes on behind cluster ${need}, its size does not`);
      this.#tails.add(at);
      return false;
    }
    const value = isCluster(this.#vol, at) ? this.#table.get(at) : undefined;
    const isLast = value === FREE && clusters.length > 0 && clusters.length + 1 === need;
    if (value === undefined || (value === FREE && !isLast) || value === BAD) {
      const what = value === undefined ? 'no cluster' : value === FREE ? 'free' : 'marked as bad';
      bad('range', `${path}: its chain leads to ${at}, which is ${what}`);
      return false;
    }
    const other = this.#owner[at] ?? 0;
    const isCut = clusters.length === 0 && this.#cuts.starts.has(at);
    if (other === 0 && !isCut) {
      const wrong = refuses?.(at);
      if (wrong === undefined) return true;
      bad('range', `${path}: its chain leads to ${at}, ${wrong}`);
      return false;
    }
    const whose = isCut ? "another file's" : this.#paths[other - 1];
    bad('cross', `${path} and ${whose} share cluster ${at}`);
    if (!isCut) this.#compare(at, clusters.at(-1) ?? 0);
    return false;
  }

  /** Files lie in a row more often than not: the cluster before leads here by right, an entry perhaps. */
  #compare(at: number, contender: number): void {
    const owner = this.#from[at] ?? 0;
    const likely = (from: number): number => (from === at - 1 ? 2 : from === 0 ? 1 : 0);
    if (likely(contender) <= likely(owner)) return;
    if (owner === 0) this.#cuts.starts.add(at);
    else this.#cuts.links.set(owner, at);
    this.doubtful = true;
  }

  /** Heads of chains that nothing names; what is behind the end of a file is freed before. */
  lostHeads(): number[] {
    for (const tail of this.#tails) this.#freeTail(tail);
    const lost: number[] = [];
    const followed = new Set<number>();
    for (let at = 2; at < this.#vol.clusterEnd; at++) {
      if (!this.#isLost(at)) continue;
      lost.push(at);
      followed.add(this.#table.get(at));
    }
    const heads = lost.filter((at) => !followed.has(at));
    if (lost.length === 0) return [];
    this.#report.bad('lost', `${lost.length} clusters in ${heads.length} chains are lost`);
    return heads;
  }

  /** Frees every cluster that is lost still. */
  freeLost(): void {
    for (let at = 2; at < this.#vol.clusterEnd; at++) {
      if (this.#isLost(at)) this.#table.set(at, FREE);
    }
  }

  get freeCount(): number {
    let count = 0;
    for (let at = 2; at < this.#vol.clusterEnd; at++) if (this.#table.get(at) === FREE) count++;
    return count;
  }

  #isLost(cluster: number): boolean {
    const value = this.#table.get(cluster);
    return this.#owner[cluster] === 0 && value !== FREE && value !== BAD;
  }

  #freeTail(tail: number): void {
    for (let at = tail; isCluster(this.#vol, at) && this.#isLost(at); ) {
      const next = this.#table.get(at);
      this.#table.set(at, FREE);
      at = next;
    }
  }
}
