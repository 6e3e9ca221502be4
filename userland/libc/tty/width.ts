// How wide characters are on a terminal (wcwidth(3) as terminals have it: Unicode TR11 wide and
// fullwidth are two columns, marks none), and texts as a person sees them: in clusters.

const zero = /[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]/u;
const emoji = /\p{Emoji_Presentation}/u;
const JOINER = '\u200d';

/** Ranges of TR11's W and F, coarse where nothing narrow lies between. */
const wide: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];

/** Columns of one character (a code point). */
export function charWidth(char: string): number {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f) return 0;
  if (code < 0x300) return 1;
  if (zero.test(char)) return 0;
  return wide.some(([low, high]) => code >= low && code <= high) || emoji.test(char) ? 2 : 1;
}

/** Columns of a whole text as it is, its control characters none. */
export const columnsOf = (text: string): number =>
  ASCII.test(text) ? text.length : [...text].reduce((sum, char) => sum + charWidth(char), 0);
const ASCII = /^[ -~]*$/;

/** A text cut where a cursor may stand: marks and what a joiner joins stay with their base. */
export function clusters(text: string): string[] {
  const out: string[] = [];
  for (const char of text) {
    const last = out.length - 1;
    const before = out[last];
    const joins = before !== undefined && before >= ' ';
    if (joins && (before.endsWith(JOINER) || (char >= '\x7f' && charWidth(char) === 0))) {
      out[last] = before + char;
    } else out.push(char);
  }
  return out;
}

/** What a cluster looks like: control characters as ^X, bytes that are no text as \xNN. */
export function shown(cluster: string): string {
  const code = cluster.charCodeAt(0);
  if (code < 0x20 || code === 0x7f) return `^${String.fromCharCode(code ^ 0x40)}`;
  if (code >= 0xdc80 && code <= 0xdcff && cluster.length === 1) {
    return `\\x${(code - 0xdc00).toString(16)}`;
  }
  return cluster;
}

/** Columns of a cluster as it is shown. */
export function clusterWidth(cluster: string): number {
  const text = shown(cluster);
  if (text !== cluster) return text.length;
  return charWidth(String.fromCodePoint(cluster.codePointAt(0) ?? 0));
}
