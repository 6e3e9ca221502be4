// Names on FAT: the 8.3 name in code page 437, the long one in UTF-16, and which names are the same.
// fatgen103, "Long Directory Entries", "Short Directory Entries", "Naming Conventions".

import { upperCase } from '../../../../kernel/abi/text.ts';
import { ATTR_LONG_NAME, LAST_LONG, LOWER_BASE, LOWER_EXT, UNITS_PER_LONG } from '../ondisk.ts';

const SHORT = 11;
const BASE = 8;
const SPACE = 0x20;

/** Code page 437 from 0x80 on. */
const CP437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀' +
  'αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';
const FROM_UNICODE = new Map([...CP437].map((char, i) => [char, 0x80 + i]));

const NOT_IN_SHORT = /[+,;=[\]]/;

// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly the range of ASCII is meant.
const ASCII = /^[\x00-\x7f]*$/;

export interface ShortName {
  readonly bytes: Uint8Array; // 11
  readonly ntRes: number;
}

/** The name as 8.3 without loss (apart from LOWER_*), or undefined: it needs a long name. */
export function exactShort(name: string): ShortName | undefined {
  const dot = name.lastIndexOf('.');
  const base = dot < 0 ? name : name.slice(0, dot);
  const ext = dot < 0 ? '' : name.slice(dot + 1);
  const fits = base.length >= 1 && base.length <= BASE && ext.length <= SHORT - BASE;
  if (!fits || (dot >= 0 && ext === '')) return undefined;
  if (!ASCII.test(name) || /[. ]/.test(base + ext) || NOT_IN_SHORT.test(name)) return undefined;
  const mixed = (part: string): boolean => /[a-z]/.test(part) && /[A-Z]/.test(part);
  if (mixed(base) || mixed(ext)) return undefined;
  const bytes = new Uint8Array(SHORT).fill(SPACE);
  putAscii(bytes, 0, base.toUpperCase());
  putAscii(bytes, BASE, ext.toUpperCase());
  const ntRes = (/[a-z]/.test(base) ? LOWER_BASE : 0) | (/[a-z]/.test(ext) ? LOWER_EXT : 0);
  return { bytes, ntRes };
}

function putAscii(into: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) into[at + i] = text.charCodeAt(i);
}

/** What an alias of a long name is made of: the base without its tail, and the extension. */
export interface Basis {
  readonly base: Uint8Array; // 1..8
  readonly ext: Uint8Array; // 0..3
}

/** fatgen103, "The Basis-Name Generation Algorithm". */
export function basisOf(name: string): Basis {
  const stripped = name.replace(/^\.+/, '').replaceAll(' ', '');
  const dot = stripped.lastIndexOf('.');
  const base = (dot < 0 ? stripped : stripped.slice(0, dot)).replaceAll('.', '');
  const ext = dot < 0 ? '' : stripped.slice(dot + 1);
  const made = toOem(base, BASE);
  return { base: made.length > 0 ? made : toOem('_', 1), ext: toOem(ext, SHORT - BASE) };
}

function toOem(text: string, most: number): Uint8Array {
  const out: number[] = [];
  for (const char of text) {
    if (out.length === most) break;
    const big = upperCase(char);
    const code = big.charCodeAt(0);
    if (code < 0x80) out.push(NOT_IN_SHORT.test(big) ? 0x5f : code);
    else out.push(FROM_UNICODE.get(big) ?? FROM_UNICODE.get(char) ?? 0x5f);
  }
  return Uint8Array.from(out);
}

/** The alias with a numeric tail: LONGNA~1.TXT. */
export function aliasOf({ base, ext }: Basis, number: number): Uint8Array {
  const tail = `~${number}`;
  const bytes = new Uint8Array(SHORT).fill(SPACE);
  const kept = Math.min(base.length, BASE - tail.length);
  bytes.set(base.subarray(0, kept));
  putAscii(bytes, kept, tail);
  bytes.set(ext, BASE);
  return bytes;
}
export const ALIAS_MOST = 999_999;

/** The 8.3 name as text; the bytes are those of the disk (0x05 restored by the caller). */
export function shortText(bytes: Uint8Array, ntRes: number): string {
  const part = (from: number, to: number, lower: boolean): string => {
    let text = '';
    for (let i = from; i < to; i++) text += fromOem(bytes[i] ?? SPACE);
    text = text.replace(/ +$/, '');
    return lower ? text.toLowerCase() : text;
  };
  const base = part(0, BASE, (ntRes & LOWER_BASE) !== 0);
  const ext = part(BASE, SHORT, (ntRes & LOWER_EXT) !== 0);
  return ext === '' ? base : `${base}.${ext}`;
}

const fromOem = (byte: number): string =>
  byte < 0x80 ? String.fromCharCode(byte) : (CP437[byte - 0x80] ?? '_');

/** What each part of a long name holds of the 8.3 name it belongs to. */
export function shortChecksum(bytes: Uint8Array, at = 0): number {
  let sum = 0;
  for (let i = at; i < at + SHORT; i++) {
    sum = (((sum & 1) << 7) + (sum >> 1) + (bytes[i] ?? 0)) & 0xff;
  }
  return sum;
}

/** Where the 13 units of a part lie in it. */
const UNIT_AT = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];

/** The parts of a long name as they lie on the disk, the last first. */
export function longParts(name: string, checksum: number): Uint8Array[] {
  const count = Math.ceil(name.length / UNITS_PER_LONG);
  const parts: Uint8Array[] = [];
  for (let ord = count; ord >= 1; ord--) {
    const part = new Uint8Array(32);
    const view = new DataView(part.buffer);
    part[0] = ord === count ? ord | LAST_LONG : ord;
    part[11] = ATTR_LONG_NAME;
    part[13] = checksum;
    UNIT_AT.forEach((at, i) => {
      const index = (ord - 1) * UNITS_PER_LONG + i;
      const unit =
        index < name.length ? name.charCodeAt(index) : index === name.length ? 0 : 0xffff;
      view.setUint16(at, unit, true);
    });
    parts.push(part);
  }
  return parts;
}

/** The units of one part, to its end. */
export function longUnits(view: DataView, at: number): string {
  let text = '';
  for (const offset of UNIT_AT) {
    const unit = view.getUint16(at + offset, true);
    if (unit === 0) break;
    text += String.fromCharCode(unit);
  }
  return text;
}
