// Whether bytes are text, in which encoding, and with which ends of lines.

export interface Text {
  readonly encoding: string; // as the description names it
  readonly charset: string; // as MIME names it
  readonly details: string; // `, with CRLF line terminators`
}

/** Lines longer than this are told of. */
const LONG_LINE = 300;

export function describeText(data: Uint8Array): Text | undefined {
  const kind = encodingOf(data);
  return kind === undefined ? undefined : { ...kind, details: lineDetails(data, kind.charset) };
}

function encodingOf(data: Uint8Array): Pick<Text, 'encoding' | 'charset'> | undefined {
  if (data[0] === 0xff && data[1] === 0xfe)
    return { encoding: 'Unicode text, UTF-16, little-endian', charset: 'utf-16le' };
  if (data[0] === 0xfe && data[1] === 0xff)
    return { encoding: 'Unicode text, UTF-16, big-endian', charset: 'utf-16be' };
  if (data.some(isControl)) return undefined;
  if (!data.some((byte) => byte > 0x7f)) return { encoding: 'ASCII', charset: 'us-ascii' };
  const marked = data[0] === 0xef && data[1] === 0xbb && data[2] === 0xbf;
  if (isUtf8(data))
    return { encoding: `Unicode text, UTF-8${marked ? ' (with BOM)' : ''}`, charset: 'utf-8' };
  const extended = data.some((byte) => byte > 0x7f && byte < 0xa0);
  if (extended) return { encoding: 'Non-ISO extended-ASCII', charset: 'unknown-8bit' };
  return { encoding: 'ISO-8859', charset: 'iso-8859-1' };
}

/** A control character that no text has: not BEL … CR, not ESC. */
const isControl = (byte: number): boolean =>
  byte === 127 || (byte < 32 && byte !== 27 && (byte < 7 || byte > 13));

/** Whole sequences alone, but for one that the end of what was read cuts off. */
function isUtf8(data: Uint8Array): boolean {
  for (let i = 0; i < data.length; ) {
    const first = data[i] as number;
    const more = first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    if (more < 0 || first > 0xf4) return false;
    for (let n = 1; n <= more && i + n < data.length; n++)
      if (((data[i + n] as number) & 0xc0) !== 0x80) return false;
    i += more + 1;
  }
  return true;
}

function lineDetails(data: Uint8Array, charset: string): string {
  const wide = charset.startsWith('utf-16');
  const little = charset === 'utf-16le';
  const units = wide
    ? Array.from({ length: data.length >> 1 }, (_, i) => {
        const [a = 0, b = 0] = [data[2 * i], data[2 * i + 1]];
        return little ? a | (b << 8) : (a << 8) | b;
      })
    : data;
  const ends = { CRLF: 0, CR: 0, LF: 0, NEL: 0 };
  let longest = 0;
  let column = 0;
  for (let i = 0; i < units.length; i++) {
    const c = units[i];
    const isEnd = c === 10 || c === 13 || (c === 0x85 && charset === 'unknown-8bit');
    column = isEnd ? 0 : column + 1;
    longest = Math.max(longest, column);
    if (c === 13 && units[i + 1] === 10) {
      ends.CRLF++;
      i++;
    } else if (c === 13) ends.CR++;
    else if (c === 10) ends.LF++;
    else if (isEnd) ends.NEL++;
  }
  const found = Object.entries(ends).filter(([, count]) => count > 0);
  const names = found.map(([name]) => name).join(', ');
  const long = longest > LONG_LINE ? `, with very long lines (${longest})` : '';
  const lines = names === '' ? ', with no line terminators' : `, with ${names} line terminators`;
  const escapes = !wide && data.includes(27) ? ', with escape sequences' : '';
  return long + (names === 'LF' ? '' : lines) + escapes;
}
