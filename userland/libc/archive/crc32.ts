// CRC-32 of RFC 1952 §8, four bytes at a time.

const tables = makeTables();

/** Continues a checksum; begin with 0. */
export function crc32(bytes: Uint8Array, before = 0): number {
  let c = ~before;
  let at = 0;
  const [t0, t1, t2, t3] = tables;
  if (t0 === undefined || t1 === undefined || t2 === undefined || t3 === undefined) return 0;
  for (; at + 4 <= bytes.length; at += 4) {
    c ^=
      (bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24);
    c =
      (t3[c & 255] ?? 0) ^
      (t2[(c >>> 8) & 255] ?? 0) ^
      (t1[(c >>> 16) & 255] ?? 0) ^
      (t0[c >>> 24] ?? 0);
  }
  for (; at < bytes.length; at++) c = (c >>> 8) ^ (t0[(c ^ (bytes[at] ?? 0)) & 255] ?? 0);
  return ~c >>> 0;
}

function makeTables(): Int32Array[] {
  const first = Int32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    return c;
  });
  const all = [first];
  for (let i = 1; i < 4; i++) {
    const last = all[i - 1] ?? first;
    all.push(last.map((c) => (c >>> 8) ^ (first[c & 255] ?? 0)));
  }
  return all;
}
