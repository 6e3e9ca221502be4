// Names of HFS Plus: UTF-16, decomposed, compared without regard to case or as numbers.
// TN1150, "Unicode Subtleties", "Case-Insensitive String Comparison Algorithm".

/** Ranges that stay composed: what older Mac encodings must get back as it was. */
const KEPT = /[\u2000-\u2fff\uf900-\ufaff]|[\u{2f800}-\u{2faff}]/u;

/** Text as it is stored. */
export function decompose(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  let out = '';
  let run = '';
  for (const char of text) {
    if (KEPT.test(char)) {
      out += run.normalize('NFD') + char;
      run = '';
    } else run += char;
  }
  return out + run.normalize('NFD');
}

/** A stored name as other systems write it: composed, where that leads back to the stored one. */
export function compose(name: string): string {
  const composed = name.normalize('NFC');
  return decompose(composed) === name ? composed : name;
}

/** Names that HFS Plus takes for one become the same. */
export function foldHfsPlus(name: string): string {
  if (/^[\x20-\x7e]*$/.test(name)) return name.toLowerCase();
  const disk = decompose(name);
  let out = '';
  for (let i = 0; i < disk.length; i++) {
    const unit = FOLD[disk.charCodeAt(i)] ?? IGNORED;
    if (unit !== IGNORED) out += String.fromCharCode(unit);
  }
  return out;
}

/** Capital letters in a row, and where the small ones begin. */
const SHIFTED = [
  [0x41, 0x5a, 0x61],
  [0x391, 0x3a1, 0x3b1],
  [0x3a3, 0x3a9, 0x3c3],
  [0x410, 0x418, 0x430],
  [0x41a, 0x42f, 0x43a],
  [0x531, 0x556, 0x561],
  [0x10a0, 0x10c5, 0x10d0],
  [0x2160, 0x216f, 0x2170],
  [0xff21, 0xff3a, 0xff41],
] as const;

/** Capital and small letters by turns. */
const PAIRS = [
  [0x3e2, 0x3ee],
  [0x460, 0x474],
  [0x478, 0x480],
  [0x490, 0x4be],
] as const;

/** Neither shown nor compared: joiners, directions, the byte order mark. */
const SKIPPED = [
  [0x200c, 0x200f],
  [0x202a, 0x202e],
  [0x206a, 0x206f],
  [0xfeff, 0xfeff],
] as const;

const SINGLE = [
  ...([
    [0xc6, 0xe6],
    [0xd0, 0xf0],
    [0xd8, 0xf8],
    [0xde, 0xfe],
    [0x110, 0x111],
  ] as const),
  ...([
    [0x126, 0x127],
    [0x132, 0x133],
    [0x13f, 0x140],
    [0x141, 0x142],
    [0x14a, 0x14b],
  ] as const),
  ...([
    [0x152, 0x153],
    [0x166, 0x167],
    [0x181, 0x253],
    [0x182, 0x183],
    [0x184, 0x185],
  ] as const),
  ...([
    [0x186, 0x254],
    [0x187, 0x188],
    [0x189, 0x256],
    [0x18a, 0x257],
    [0x18b, 0x18c],
  ] as const),
  ...([
    [0x18e, 0x1dd],
    [0x18f, 0x259],
    [0x190, 0x25b],
    [0x191, 0x192],
    [0x193, 0x260],
  ] as const),
  ...([
    [0x194, 0x263],
    [0x196, 0x269],
    [0x197, 0x268],
    [0x198, 0x199],
    [0x19c, 0x26f],
  ] as const),
  ...([
    [0x19d, 0x272],
    [0x19f, 0x275],
    [0x1a2, 0x1a3],
    [0x1a4, 0x1a5],
    [0x1a7, 0x1a8],
  ] as const),
  ...([
    [0x1a9, 0x283],
    [0x1ac, 0x1ad],
    [0x1ae, 0x288],
    [0x1b1, 0x28a],
    [0x1b2, 0x28b],
  ] as const),
  ...([
    [0x1b3, 0x1b4],
    [0x1b5, 0x1b6],
    [0x1b7, 0x292],
    [0x1b8, 0x1b9],
    [0x1bc, 0x1bd],
  ] as const),
  ...([
    [0x1c4, 0x1c6],
    [0x1c5, 0x1c6],
    [0x1c7, 0x1c9],
    [0x1c8, 0x1c9],
    [0x1ca, 0x1cc],
  ] as const),
  ...([
    [0x1cb, 0x1cc],
    [0x1e4, 0x1e5],
    [0x1f1, 0x1f3],
    [0x1f2, 0x1f3],
    [0x402, 0x452],
  ] as const),
  ...([
    [0x404, 0x454],
    [0x405, 0x455],
    [0x406, 0x456],
    [0x408, 0x458],
    [0x409, 0x459],
  ] as const),
  ...([
    [0x40a, 0x45a],
    [0x40b, 0x45b],
    [0x40f, 0x45f],
    [0x4c3, 0x4c4],
    [0x4c7, 0x4c8],
  ] as const),
  ...([[0x4cb, 0x4cc]] as const),
];

const IGNORED = 0;
/** Folded code units; ignored ones are 0, and U+0000 sorts behind everything. */
export const FOLD: Uint16Array = foldTable();

function foldTable(): Uint16Array {
  const fold = Uint16Array.from({ length: 65536 }, (_, i) => i);
  fold[0] = 0xffff;
  for (const [first, last, to] of SHIFTED)
    for (let c = first; c <= last; c++) fold[c] = to + (c - first);
  for (const [first, last] of PAIRS) for (let c = first; c <= last; c += 2) fold[c] = c + 1;
  for (const [from, to] of SINGLE) fold[from] = to;
  for (const [first, last] of SKIPPED) fold.fill(IGNORED, first, last + 1);
  return fold;
}
