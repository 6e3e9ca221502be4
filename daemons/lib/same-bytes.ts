// Whether two stretches of memory hold the same: four bytes at a time where they lie so.

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  if ((a.byteOffset | b.byteOffset | a.length) % 4 !== 0)
    return a.every((byte, i) => byte === b[i]);
  const x = words(a);
  const y = words(b);
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return true;
}

/** The bytes as words of the host's order: good for comparing alone. Their place must be a multiple of 4. */
export const words = (bytes: Uint8Array): Int32Array =>
  new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
