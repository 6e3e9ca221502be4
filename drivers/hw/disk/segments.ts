// Scatter lists: a range of bytes that lies in several pieces of memory, as a PRDT gives it.

/** The pieces one after the other. Each may lie in shared memory. */
export type Segments = readonly Uint8Array[];

export function totalSize(segments: Segments): number {
  let size = 0;
  for (const segment of segments) size += segment.length;
  return size;
}

/** The pieces of `length` bytes from `from`; views, nothing is copied. */
export function sliceSegments(segments: Segments, from: number, length: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  let skip = from;
  let left = length;
  for (const segment of segments) {
    if (left === 0) break;
    if (skip >= segment.length) {
      skip -= segment.length;
      continue;
    }
    const take = Math.min(segment.length - skip, left);
    out.push(take === segment.length ? segment : segment.subarray(skip, skip + take));
    left -= take;
    skip = 0;
  }
  return out;
}

/** Copies `source` into the pieces, from byte `at` of them. */
export function scatter(segments: Segments, at: number, source: Uint8Array): void {
  let done = 0;
  for (const piece of sliceSegments(segments, at, source.length)) {
    piece.set(source.subarray(done, done + piece.length));
    done += piece.length;
  }
}

/** Fills `target` from the pieces, from byte `at` of them. */
export function gather(segments: Segments, at: number, target: Uint8Array): void {
  let done = 0;
  for (const piece of sliceSegments(segments, at, target.length)) {
    target.set(piece, done);
    done += piece.length;
  }
}

export function zeroSegments(segments: Segments): void {
  for (const segment of segments) segment.fill(0);
}
