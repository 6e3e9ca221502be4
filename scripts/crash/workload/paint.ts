// Content that tells where it comes from: every sector of every write is another one, and says in
// plain text which operation wrote it and where. What a file may not show is then seen, and named.

const SECTOR = 512;
const cache = new Map<string, Uint8Array>();
const CACHED = 4096;

/** What operation `op` writes at a range of a file. */
export function paint(op: number, offset: number, size: number): Uint8Array {
  const out = new Uint8Array(size);
  for (let at = 0; at < size; ) {
    const sector = Math.floor((offset + at) / SECTOR);
    const within = (offset + at) % SECTOR;
    const length = Math.min(SECTOR - within, size - at);
    out.set(sectorOf(`op ${op}, sector ${sector}. `).subarray(within, within + length), at);
    at += length;
  }
  return out;
}

/** Covers parts of an image with what nobody may ever be shown. */
export function paintForeign(image: Uint8Array, offset: number, size: number): void {
  for (let at = offset; at < offset + size; at += SECTOR) {
    image.set(sectorOf(`foreign data of sector ${at / SECTOR}! `), at);
  }
}

/** The value of an attribute, the target of a link. */
export const paintText = (op: number, size: number): string =>
  `value-of-op-${op}-`.repeat(Math.ceil(size / 8) + 1).slice(0, size);

function sectorOf(text: string): Uint8Array {
  const held = cache.get(text);
  if (held !== undefined) return held;
  const bytes = new TextEncoder().encode(text.repeat(Math.ceil(SECTOR / text.length)));
  if (cache.size >= CACHED) cache.clear();
  cache.set(text, bytes.subarray(0, SECTOR));
  return bytes.subarray(0, SECTOR);
}

/** The beginning of some content, for messages. */
export const legible = (bytes: Uint8Array): string =>
  bytes.every((byte) => byte === 0)
    ? 'zeroes'
    : `'${new TextDecoder('latin1').decode(bytes.subarray(0, 32)).replace(/[^ -~]/g, '.')}…'`;
