// Whether bytes are text, in which encoding, and with which ends of lines.

export interface Text {
  readonly encoding: string; // as the description names it
  readonly charset: string; // as MIME names it
  readonly details: string; // `, with CRLF line terminators`
}

/** Lines longer than this are told of. */
const LONG_LINE = 300;
const [BACKSPACE, NEWLINE, RETURN, ESCAPE, NEXT_LINE] = [8, 10, 13, 27, 0x85] as const;

export function describeText(data: Uint8Array): Text | undefined {
  const kind = encodingOf(data);
  return kind === undefined ? undefined : { ...kind, details: lineDetails(data, kind.charset) };
}

function encodingOf(data: Uint8Array): Pick<Text, 'encoding' | 'charset'> | undefined {
  if (data.every(isText)) return { encoding: 'ASCII', charset: 'us-ascii' };
  const isMarked = data[0] === 0xef && data[1] === 0xbb && data[2] === 0xbf;
  if (isUtf8(data))
    return { encoding: `Unicode text, UTF-8${isMarked ? ' (with BOM)' : ''}`, charset: 'utf-8' };
  const wide = isUtf16(data);
  if (wide !== undefined)
    return {
      encoding: `Unicode text, UTF-16, ${wide}-endian`,
      charset: wide === 'little' ? 'utf-16le' : 'utf-16be',
    };
  if (data.some((byte) => byte < 0x80 && !isText(byte))) return undefined;
  if (data.some((byte) => byte > 0x7f && byte < 0xa0 && byte !== NEXT_LINE))
    return { encoding: 'Non-ISO extended-ASCII', charset: 'unknown-8bit' };
  return { encoding: 'ISO-8859', charset: 'iso-8859-1' };
}

/** BEL … CR, ESC and what can be seen; NEL ends lines in ISO 8859. */
const isText = (byte: number): boolean =>
  (byte >= 32 && byte < 127) || (byte >= 7 && byte <= 13) || byte === ESCAPE || byte === NEXT_LINE;

/** Whole sequences (Unicode 15, table 3-7), at least one; only the end may cut one off. */
function isUtf8(data: Uint8Array): boolean {
  let some = false;
  for (let i = 0; i < data.length; ) {
    const first = data[i] as number;
    if (first < 0x80 && !isText(first)) return false;
    const more = first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    if (more < 0 || first > 0xf4) return false;
    for (let n = 1; n <= more; n++) {
      if (i + n === data.length) return some;
      const byte = data[i + n] as number;
      const [least, most] = n === 1 ? (SECOND[first] ?? [0x80, 0xbf]) : [0x80, 0xbf];
      if (byte < least || byte > most) return false;
    }
    some ||= more > 0;
    i += more + 1;
  }
  return some;
}

const SECOND: Readonly<Record<number, readonly [number, number]>> = {
  224: [0xa0, 0xbf],
  237: [0x80, 0x9f],
  240: [0x90, 0xbf],
  244: [0x80, 0x8f],
};

function isUtf16(data: Uint8Array): 'little' | 'big' | undefined {
  const [a, b] = data;
  const order = a === 0xff && b === 0xfe ? 'little' : a === 0xfe && b === 0xff ? 'big' : undefined;
  const isFit = (c: number): boolean => c !== 0xfffe && (c >= 0x80 || isText(c));
  return order !== undefined && units(data, order).slice(1).every(isFit) ? order : undefined;
}

const units = (data: Uint8Array, order: 'little' | 'big'): number[] =>
  Array.from({ length: data.length >> 1 }, (_, i) => {
    const [first = 0, second = 0] = [data[2 * i], data[2 * i + 1]];
    return order === 'little' ? first | (second << 8) : (first << 8) | second;
  });

function lineDetails(data: Uint8Array, charset: string): string {
  const isWide = charset.startsWith('utf-16');
  const all = isWide ? units(data, charset === 'utf-16le' ? 'little' : 'big') : data;
  const isUtf8Text = charset === 'utf-8';
  const ends = { CRLF: 0, CR: 0, LF: 0, NEL: 0 };
  let longest = 0;
  let column = 0;
  for (let i = 0; i < all.length; i++) {
    const c = all[i] ?? 0;
    if (isUtf8Text && (c & 0xc0) === 0x80) continue; // characters are counted, not bytes
    const isNel = c === NEXT_LINE && !isUtf8Text;
    const isEnd = c === NEWLINE || c === RETURN || isNel;
    column = isEnd ? 0 : column + 1;
    longest = Math.max(longest, column);
    if (c === RETURN && all[i + 1] === NEWLINE) {
      ends.CRLF++;
      i++;
    } else if (c === RETURN) ends.CR++;
    else if (c === NEWLINE) ends.LF++;
    else if (isNel) ends.NEL++;
  }
  const found = Object.entries(ends).filter(([, count]) => count > 0);
  const names = found.map(([name]) => name).join(', ');
  const long = longest > LONG_LINE ? `, with very long lines (${longest})` : '';
  const lines = names === '' ? ', with no line terminators' : `, with ${names} line terminators`;
  const escapes = all.includes(ESCAPE) ? ', with escape sequences' : '';
  const overstruck = all.includes(BACKSPACE) ? ', with overstriking' : '';
  return long + (names === 'LF' ? '' : lines) + escapes + overstruck;
}
