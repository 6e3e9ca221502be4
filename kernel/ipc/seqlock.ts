// A seqlock: one writer changes a record in shared memory while readers copy it without a lock. The
// version is odd while a change is under way; who read while it changed reads again. A reader
// leaves nothing behind and may be terminated anywhere; the writer is the kernel, which is not.
//
// The record itself is read and written by plain accesses. x86 keeps their order by itself; on ARM a
// read-modify-write with a load of the version behind it is a full barrier.

/** Writer: the record is about to change. */
export function beginChange(words: Int32Array, lock: number): void {
  Atomics.add(words, lock, 1);
  Atomics.load(words, lock); // no store of the change may become visible before the odd version
}

/** Writer: the change is complete. */
export function endChange(words: Int32Array, lock: number): void {
  Atomics.add(words, lock, 1);
}

/** Reader: the version to check afterwards; odd while the record is being changed. */
export function versionOf(words: Int32Array, lock: number): number {
  return Atomics.load(words, lock);
}

export const changing = (version: number): boolean => (version & 1) !== 0;

const fence = new Int32Array(1);

/** Reader: what was read before this was read before every version that is loaded after it. */
export function readBarrier(): void {
  Atomics.add(fence, 0, 1);
}
