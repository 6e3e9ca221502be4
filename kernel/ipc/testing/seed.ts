// The seed of a random test, which prints it.

/** From ATOLL_SEED, or a fresh one. */
export const testSeed = (): number =>
  Number(process.env['ATOLL_SEED'] ?? Math.floor(Math.random() * 0x7fff_ffff));
