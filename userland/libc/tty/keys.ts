// Keys from a terminal's bytes: UTF-8, control characters, and the sequences of ECMA-48 and xterm for
// arrows, Home, End, Delete, and for text that is pasted (bracketed paste).

import { decodeText } from '../../../kernel/abi/text.ts';

/** A text that was typed or pasted, or a key by name: `^A`, `M-b`, `up`. */
export type Key =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'paste'; readonly text: string }
  | { readonly type: 'key'; readonly name: string }
  | { readonly type: 'end' };

/** Gives the next byte, undefined at the end of the input. */
export type NextByte = () => number | undefined;

const ESC = 27;
const DEL = 127;
/** No sequence is longer; what goes on is dropped. */
const maxSequence = 32;
const maxPaste = 1_000_000;

export function readKey(next: NextByte): Key {
  const byte = next();
  if (byte === undefined) return { type: 'end' };
  if (byte === ESC) return afterEscape(next);
  if (byte < 32 || byte === DEL) return { type: 'key', name: controlName(byte) };
  return { type: 'text', text: character(byte, next) };
}

const controlName = (byte: number): string => `^${String.fromCharCode(byte ^ 0x40)}`;

/** The character that begins with this byte. */
export function character(first: number, next: NextByte): string {
  const more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc2 ? 1 : 0;
  const bytes = [first];
  while (bytes.length <= more) {
    const byte = next();
    if (byte === undefined) break;
    bytes.push(byte);
  }
  return decodeText(Uint8Array.from(bytes));
}

function afterEscape(next: NextByte): Key {
  const byte = next();
  if (byte === undefined) return { type: 'end' };
  if (byte === 0x5b) return sequence(next); // CSI
  if (byte === 0x4f) return named(`O${String.fromCharCode(next() ?? 0)}`); // SS3
  if (byte < 32 || byte === DEL) return { type: 'key', name: `M-${controlName(byte)}` };
  return { type: 'key', name: `M-${character(byte, next)}` };
}

/** ECMA-48 §5.4: parameters 0x30–0x3f, intermediates 0x20–0x2f, and a final byte. */
function sequence(next: NextByte): Key {
  let text = '';
  for (let byte = next(); byte !== undefined; byte = next()) {
    if (text.length < maxSequence) text += String.fromCharCode(byte);
    if (byte >= 0x40 && byte <= 0x7e) break;
  }
  return text === '200~' ? paste(next) : named(`[${text}`);
}

const sequences: Readonly<Record<string, string>> = {
  '[A': 'up',
  '[B': 'down',
  '[C': 'right',
  '[D': 'left',
  '[H': 'home',
  '[F': 'end',
  '[1~': 'home',
  '[7~': 'home',
  '[4~': 'end',
  '[8~': 'end',
  '[3~': 'delete',
  '[2~': 'insert',
  '[5~': 'page-up',
  '[6~': 'page-down',
  '[1;5C': 'M-f',
  '[1;5D': 'M-b',
  '[1;3C': 'M-f',
  '[1;3D': 'M-b',
  OA: 'up',
  OB: 'down',
  OC: 'right',
  OD: 'left',
  OH: 'home',
  OF: 'end',
};

const named = (text: string): Key => ({ type: 'key', name: sequences[text] ?? 'unknown' });

const pasteEnd = '\x1b[201~';

function paste(next: NextByte): Key {
  const bytes: number[] = [];
  let tail = '';
  for (let byte = next(); byte !== undefined; byte = next()) {
    tail = (tail + String.fromCharCode(byte)).slice(-pasteEnd.length);
    if (bytes.length < maxPaste) bytes.push(byte);
    if (tail === pasteEnd) {
      bytes.length -= Math.min(pasteEnd.length, bytes.length);
      break;
    }
  }
  const text = decodeText(Uint8Array.from(bytes));
  return { type: 'paste', text: text.replaceAll('\r\n', '\n').replaceAll('\r', '\n') };
}
