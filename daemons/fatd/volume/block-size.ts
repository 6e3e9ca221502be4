// The unit of the block cache of a volume.

const BLOCK_MOST = 4096;

/** The largest block to 4 KiB that divides all of the places. */
export function blockSizeOf(places: readonly number[]): number {
  for (let size = BLOCK_MOST; size > 512; size >>= 1) {
    if (places.every((place) => place % size === 0)) return size;
  }
  return 512;
}
