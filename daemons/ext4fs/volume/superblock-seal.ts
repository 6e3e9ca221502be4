// The superblock's checksum over a change that a power cut must not tear. The superblock is 1024
// bytes, two sectors of 512; what changes on a volume in use lies in the first, the checksum at the
// end of the second. Torn between them it would be no superblock any more, and the volume lost. So
// the checksum stays as it is: a word of the first sector that means nothing is chosen such that it
// holds again. Then only one sector changes, and a sector is atomic. super.rst, checksums.rst.
//
//   │ changed fields … s_snapshot_id … │ … the same as before …    s_checksum │
//   0                                 512                                   1024

import { Superblock } from '../ondisk.ts';

const POLYNOMIAL = 0x82f6_3b78; // CRC-32C, reflected
const { s_snapshot_id: WORD, s_checksum: END } = Superblock.offsets;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : POLYNOMIAL);
  return crc;
});
/** From the upper byte of an entry, which is another one in each, to its index. */
const indexOf = new Uint8Array(256);
for (const [index, entry] of table.entries()) indexOf[entry >>> 24] = index;

/** Makes the checksum that stands in the superblock the right one. */
export function sealSuperblock(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const before = forward(0xffff_ffff, bytes.subarray(0, WORD));
  const behind = backward(view.getUint32(END, true), bytes.subarray(WORD + 4, END));
  const word = backward(behind, new Uint8Array(4));
  view.setUint32(WORD, (word ^ before) >>> 0, true);
}

function forward(crc: number, bytes: Uint8Array): number {
  let register = crc;
  for (const byte of bytes) {
    register = (register >>> 8) ^ (table[(register ^ byte) & 0xff] ?? 0);
  }
  return register >>> 0;
}

/** The register before these bytes, from what it is behind them. */
function backward(crc: number, bytes: Uint8Array): number {
  let register = crc;
  for (let i = bytes.length - 1; i >= 0; i--) {
    const index = indexOf[register >>> 24] ?? 0;
    register = (((register ^ (table[index] ?? 0)) << 8) | (index ^ (bytes[i] ?? 0))) >>> 0;
  }
  return register;
}
