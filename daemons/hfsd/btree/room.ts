// Room for the small copies that each request makes of nodes, keys and records: parts of a large piece, as
// a buffer of its own for each of them costs more than what is done with it.

const PIECE = 256 * 1024;
let piece = new Uint8Array(0);
let used = 0;

/** Zeroes that nobody else has. */
export function room(length: number): Uint8Array {
  const size = (length + 7) & ~7;
  if (used + size > piece.length) {
    piece = new Uint8Array(Math.max(PIECE, size));
    used = 0;
  }
  const at = used;
  used += size;
  return piece.subarray(at, at + length);
}

/** A copy that nobody else has. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = room(bytes.length);
  copy.set(bytes);
  return copy;
}
