// Names of classic HFS: MacRoman, ordered as the Macintosh's RelString does, without regard to case.
// The order was found by experiment: what names hfsutils keeps apart, and how it sorts them.

const HIGH = new TextDecoder('macintosh').decode(
  Uint8Array.from({ length: 128 }, (_, i) => 128 + i),
);
const BYTES = new Map([...HIGH].map((char, i) => [char, 128 + i]));

/** A name on the disk, each character's code its byte, as text. */
export const fromMacRoman = (name: string): string =>
  name.replace(/[\x80-\xff]/g, (c) => HIGH[c.charCodeAt(0) - 128] ?? c);

/** Undefined when MacRoman has no such character. */
export function toMacRoman(text: string): string | undefined {
  let name = '';
  for (const char of text.normalize('NFC')) {
    const code = char.charCodeAt(0);
    const byte = char.length === 1 && code < 128 ? code : BYTES.get(char);
    if (byte === undefined) return undefined;
    name += String.fromCharCode(byte);
  }
  return name;
}

/** Characters that are one to the order. */
const ALIKE: readonly (readonly [number, number])[] = [
  ...Array.from({ length: 26 }, (_, i) => [0x61 + i, 0x41 + i] as const),
  ...([
    [0x8a, 0x80],
    [0x8c, 0x81],
    [0x8d, 0x82],
    [0x8e, 0x83],
  ] as const),
  ...([
    [0x96, 0x84],
    [0x9a, 0x85],
    [0x9f, 0x86],
    [0xbe, 0xae],
  ] as const),
  ...([
    [0xbf, 0xaf],
    [0xca, 0x20],
    [0xcb, 0x88],
    [0xcc, 0x8b],
  ] as const),
  ...([
    [0xcd, 0x9b],
    [0xcf, 0xce],
  ] as const),
];
/** Characters that do not stand where their code says: right behind another one. */
const BEHIND: readonly (readonly [number, readonly number[]])[] = [
  [0x22, [0xd2, 0xd3, 0xc7, 0xc8]],
  [0x27, [0xd4, 0xd5]],
  [0x41, [0x88, 0x80, 0x8b, 0x81, 0xae, 0x60, 0x87, 0x89, 0xbb]],
  [0x43, [0x82]],
  [0x45, [0x83, 0x8f, 0x90, 0x91]],
  [0x49, [0x92, 0x93, 0x94, 0x95]],
  [0x4e, [0x84]],
  [0x4f, [0x85, 0x9b, 0xaf, 0xce, 0x97, 0x98, 0x99, 0xbc]],
  [0x53, [0xa7]],
  [0x55, [0x86, 0x9c, 0x9d, 0x9e]],
  [0x59, [0xd8]],
];

/** The place of each character in the order. */
export const RANK: Uint8Array = ranks();

function ranks(): Uint8Array {
  const rank = new Uint8Array(256);
  const alike = new Map(ALIKE);
  const behind = new Map(BEHIND);
  const moved = new Set([...alike.keys(), ...BEHIND.flatMap(([, codes]) => codes)]);
  let next = 0;
  for (let code = 0; code < 256; code++) {
    if (moved.has(code)) continue;
    for (const each of [code, ...(behind.get(code) ?? [])]) rank[each] = next++;
  }
  for (const [code, as] of ALIKE) rank[code] = rank[as] ?? 0;
  return rank;
}

/** Of the characters that are one to the order, the first. */
const FIRST: Uint8Array = Uint8Array.from(RANK, (rank) => RANK.indexOf(rank));

/** Names that classic HFS takes for one become the same; one that it cannot have stays. */
export function foldHfs(name: string): string {
  if (/^[\x20-\x7e]*$/.test(name)) return name.toUpperCase();
  const disk = toMacRoman(name);
  if (disk === undefined) return name;
  return String.fromCharCode(...[...disk].map((c) => FIRST[c.charCodeAt(0)] ?? 0));
}
