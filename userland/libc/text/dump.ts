// The types of od -t (POSIX.1-2024 od): a, c, and d f o u x with a size of 1, 2, 4 or 8 bytes.

import { directive, formatFloat } from './format.ts';

export interface Formatter {
  readonly size: number; // bytes a field
  readonly width: number; // characters a field, without the blank before it
  /** `z`: the line ends with its printable characters. */
  readonly characters: boolean;
  readonly show: (block: Uint8Array, at: number) => string;
}

const sizeLetters: Readonly<Record<string, number>> = { C: 1, S: 2, I: 4, L: 8, F: 4, D: 8 };

/** `x1z`, `dL`, `ox` → types with a number as size; undefined when the text is none. */
export function parseTypes(text: string): string[] | undefined {
  const types: string[] = [];
  let rest = text;
  while (rest !== '') {
    const match = /^(?:([ac])|([doux])(\d+|[CSIL])?|(f)(\d+|[FDL])?)(z?)/.exec(rest);
    if (match === null) return undefined;
    const [whole, character, integer, intSize, float, floatSize, z = ''] = match;
    if (character !== undefined) types.push(`${character}${z}`);
    else {
      const given = integer === undefined ? floatSize : intSize;
      const usual = integer === undefined ? 8 : 4;
      const size = given === undefined ? usual : (sizeLetters[given] ?? Number(given));
      if (![1, 2, 4, 8].includes(size) || (float !== undefined && size < 4)) return undefined;
      types.push(`${integer ?? float}${size}${z}`);
    }
    rest = rest.slice(whole.length);
  }
  return types;
}

const names =
  'nul soh stx etx eot enq ack bel bs ht nl vt ff cr so si dle dc1 dc2 dc3 dc4 nak syn etb can em sub esc fs gs rs us sp'.split(
    ' ',
  );
const escapes: Readonly<Record<number, string>> = {
  0: '\\0',
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
};

export function formatter(type: string, endian: 'little' | 'big' = 'little'): Formatter {
  const little = endian === 'little';
  const characters = type.endsWith('z');
  const kind = type[0] ?? 'o';
  const size = /[ac]/.test(kind) ? 1 : Number(type[1]);
  if (kind === 'a')
    return { size, width: 3, characters, show: (block, at) => nameOf((block[at] ?? 0) & 0x7f) };
  if (kind === 'c')
    return { size, width: 3, characters, show: (block, at) => charOf(block[at] ?? 0) };
  if (kind === 'f') {
    const show = (block: Uint8Array, at: number): string =>
      float(view(block), { at, size, little });
    return { size, width: size === 4 ? 15 : 24, characters, show };
  }
  const bits = BigInt(size * 8);
  const radix = kind === 'o' ? 8 : kind === 'x' ? 16 : 10;
  const digits = ((1n << bits) - 1n).toString(radix).length;
  const width = kind === 'd' ? ((1n << (bits - 1n)) - 1n).toString().length + 1 : digits;
  const show = (block: Uint8Array, at: number): string => {
    const value = unsigned(view(block), { at, size, little });
    if (kind === 'd') return BigInt.asIntN(Number(bits), value).toString();
    return kind === 'u' ? value.toString() : value.toString(radix).padStart(digits, '0');
  };
  return { size, width, characters, show };
}

const view = (block: Uint8Array): DataView =>
  new DataView(block.buffer, block.byteOffset, block.byteLength);

interface Field {
  readonly at: number;
  readonly size: number;
  readonly little: boolean;
}

function unsigned(data: DataView, { at, size, little }: Field): bigint {
  if (size === 8) return data.getBigUint64(at, little);
  if (size === 4) return BigInt(data.getUint32(at, little));
  return BigInt(size === 2 ? data.getUint16(at, little) : data.getUint8(at));
}

const nameOf = (c: number): string => names[c] ?? (c === 127 ? 'del' : String.fromCharCode(c));

const charOf = (c: number): string =>
  escapes[c] ?? (c >= 32 && c < 127 ? String.fromCharCode(c) : c.toString(8).padStart(3, '0'));

/** As many digits as tell the value from its neighbours. */
function float(data: DataView, { at, size, little }: Field): string {
  const value = size === 4 ? data.getFloat32(at, little) : data.getFloat64(at, little);
  if (Number.isNaN(value))
    return data.getUint8(little ? at + size - 1 : at) >= 0x80 ? '-nan' : 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  const [usual, most, smallest] = size === 4 ? [6, 9, 2 ** -126] : [15, 17, 2 ** -1022];
  for (let digits = Math.abs(value) < smallest ? 1 : usual; ; digits++) {
    const text = formatFloat(directive({ conversion: 'g', precision: digits }), value);
    const back = size === 4 ? Math.fround(Number(text)) : Number(text);
    if (back === value || digits >= most) return text;
  }
}
