// Named streams of random numbers from one seed: the same seed and name always give the same numbers,
// and what one stream is asked for moves no other. The generator is sfc32 (C. Doty-Humphrey, PractRand).

/** Words of a stream's state: in shared memory it is carried on by whoever comes next. */
export const STREAM_WORDS = 4;

/** Numbers that sfc32 needs to forget how alike two seeds were. */
const WARM_UP = 15;

export class RandomStream {
  readonly #state: Int32Array;

  /** Goes on where the state stands: STREAM_WORDS words, from `seedStream`. */
  constructor(state: Int32Array) {
    this.#state = state;
  }

  /** 0 … 2^32-1. */
  u32(): number {
    const [a = 0, b = 0, c = 0, count = 0] = this.#state;
    const out = (a + b + count) | 0;
    this.#state[0] = b ^ (b >>> 9);
    this.#state[1] = (c + (c << 3)) | 0;
    this.#state[2] = (((c << 21) | (c >>> 11)) + out) | 0;
    this.#state[3] = (count + 1) | 0;
    return out >>> 0;
  }

  /** 0 … bound-1, each as likely as the others to one part in 2^32 / bound. */
  below(bound: number): number {
    return Math.floor((this.u32() / 2 ** 32) * bound);
  }

  fill(into: Uint8Array): void {
    for (let i = 0; i < into.length; i++) into[i] = this.u32() >>> 24;
  }
}

/** The stream of this name under the seed, from its beginning. */
export const namedStream = (seed: number, name: string): RandomStream =>
  new RandomStream(seedStream(new Int32Array(STREAM_WORDS), seed, name));

/** Writes the beginning of a named stream into a state; `seed` is an integer of up to 53 bits. */
export function seedStream(state: Int32Array, seed: number, name: string): Int32Array {
  const text = `${seed}:${name}`;
  for (let word = 0; word < STREAM_WORDS; word++) {
    let hash = Math.imul(word + 1, 0x9e37_79b1) | 0;
    for (let i = 0; i < text.length; i++) {
      hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
      hash ^= hash >>> 15;
    }
    state[word] = Math.imul(hash ^ (hash >>> 13), 0x85eb_ca6b);
  }
  state[3] = 1;
  const stream = new RandomStream(state);
  for (let i = 0; i < WARM_UP; i++) stream.u32();
  return state;
}
