// CRC-32C (Castagnoli, RFC 3720 §12.1) over bytes, shared memory included, in the raw form that
// Linux's on-disk formats use: no inversion before or after, so that calls chain.
//
// Not by an addon: one that is being loaded when its worker is terminated ends the whole process.

import implementation from 'crc-32/crc32c.js';

/** Continues `crc` over `data`; start with 0xffffffff, as ext4 and jbd2 do. */
export function crc32c(crc: number, data: Uint8Array): number {
  // The library inverts on both sides, as RFC 3720 wants it.
  return ~implementation.buf(data, ~crc) >>> 0;
}
