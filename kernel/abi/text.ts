// Text and bytes. Names, arguments and paths are byte strings to a Unix kernel; here they are JS
// strings. Bytes that are not UTF-8 become lone surrogates U+DC80..U+DCFF, one a byte, and encode
// back to the same byte (the scheme of PEP 383), so nothing is lost on the way round.

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** Bytes as text; never fails, and `encodeText` gives the same bytes back. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeLossless(bytes);
  }
}

/** Text as UTF-8 bytes, escaped bytes restored. */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  return loneSurrogate.test(text) ? encodeLossless(text) : encoder.encode(text);
}

/** How many bytes `encodeText` makes of it. */
export function textSize(text: string): number {
  let size = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x80 || isEscape(text, i)) size += 1;
    else if (c < 0x800) size += 2;
    else if (isPair(text, i)) {
      size += 4;
      i++;
    } else size += 3;
  }
  return size;
}

/** Names that differ in case alone become the same; each letter stays what it is when it would become two. */
export function foldCase(name: string): string {
  if (ASCII.test(name)) return name.toUpperCase();
  let out = '';
  for (const char of name) out += upperCase(char);
  return out;
}
// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly the range of ASCII is meant.
const ASCII = /^[\x00-\x7f]*$/;

/** 'ß' is not 'SS' on a disk. */
export function upperCase(char: string): string {
  const big = char.toUpperCase();
  return big.length === char.length ? big : char;
}

const isPair = (text: string, i: number): boolean =>
  (text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00;

/** A lone U+DC80..U+DCFF; the caller has stepped over real pairs. */
function isEscape(text: string, i: number): boolean {
  const c = text.charCodeAt(i);
  return c >= 0xdc80 && c <= 0xdcff;
}

function decodeLossless(bytes: Uint8Array): string {
  let out = '';
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes, i);
    if (length === 0) {
      out += String.fromCharCode(0xdc00 + (bytes[i] ?? 0));
      i += 1;
    } else {
      out += strict.decode(bytes.subarray(i, i + length));
      i += length;
    }
  }
  return out;
}

/** The length of the valid UTF-8 sequence at `at` (RFC 3629 §4), or 0. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const b0 = bytes[at] ?? 0;
  if (b0 < 0x80) return 1;
  const length =
    b0 >= 0xc2 && b0 < 0xe0 ? 2 : b0 >= 0xe0 && b0 < 0xf0 ? 3 : b0 >= 0xf0 && b0 < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  for (let k = 1; k < length; k++) if (((bytes[at + k] ?? 0) & 0xc0) !== 0x80) return 0;
  const b1 = bytes[at + 1] ?? 0;
  if (b0 === 0xe0 && b1 < 0xa0) return 0; // overlong
  if (b0 === 0xed && b1 > 0x9f) return 0; // a surrogate
  if (b0 === 0xf0 && b1 < 0x90) return 0; // overlong
  if (b0 === 0xf4 && b1 > 0x8f) return 0; // above U+10FFFF
  return length;
}

function encodeLossless(text: string): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(textSize(text));
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    if (isPair(text, i)) {
      at += encoder.encodeInto(text.slice(i, i + 2), out.subarray(at)).written;
      i++;
    } else if (isEscape(text, i)) out[at++] = text.charCodeAt(i) - 0xdc00;
    else at += encoder.encodeInto(text[i] ?? '', out.subarray(at)).written;
  }
  return out;
}
