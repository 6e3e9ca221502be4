// Chance for faults: each rule has its own stream, begun from the machine's seed and the rule's own
// text, so that other rules and other users of randomness do not shift it (mulberry32).

import { STEP, scramble } from '../random.ts';
import { HEAD, nameHash, RULE } from './layout.ts';

/** Where the stream of a rule begins. */
export const streamStart = (seed: number, text: string): number =>
  scramble(Math.imul(seed, 0x9e37_79b9) ^ nameHash(text)) | 0;

/** The next number of a rule's stream: 0 to 2^32 - 1. One atomic step, from whichever worker. */
export function draw(slot: Int32Array): number {
  return scramble(Atomics.add(slot, RULE.random, STEP) + STEP);
}

/** The seed that decides what a power cut leaves. */
export const powerSeed = (head: Int32Array): number => Atomics.load(head, HEAD.powerSeed) >>> 0;
