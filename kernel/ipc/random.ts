// Numbers from a seed, the same everywhere: mulberry32.

/** What the state grows by from one number to the next. */
export const STEP = 0x6d2b79f5;

/** The number of a state: 0 to 2^32 - 1. */
export function scramble(state: number): number {
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return (t ^ (t >>> 14)) >>> 0;
}

/** Integers 0..below-1 from a seed. */
export function integersFrom(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + STEP) | 0;
    return scramble(state) % below;
  };
}
