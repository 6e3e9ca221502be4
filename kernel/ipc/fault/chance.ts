// Chance for faults: each rule has its own stream, begun from the machine's seed and the rule's own
// text, so that other rules and other users of randomness do not shift it (mulberry32).

import { HEAD, nameHash, RULE } from './layout.ts';

const STEP = 0x6d2b79f5;

/** Where the stream of a rule begins. */
export const streamStart = (seed: number, text: string): number =>
  scramble(Math.imul(seed, 0x9e37_79b9) ^ nameHash(text)) | 0;

/** The next number of a rule's stream: 0 to 2^32 - 1. One atomic step, from whichever worker. */
export function draw(slot: Int32Array): number {
  return scramble(Atomics.add(slot, RULE.random, STEP) + STEP);
}

/** The seed that decides what a power cut leaves. */
export const powerSeed = (head: Int32Array): number => Atomics.load(head, HEAD.powerSeed) >>> 0;

/** Integers 0..below-1 from a seed. */
export function integersFrom(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + STEP) | 0;
    return scramble(state) % below;
  };
}

function scramble(state: number): number {
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return (t ^ (t >>> 14)) >>> 0;
}
