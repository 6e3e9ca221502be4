// Upper case as the volume itself tells it: names that become the same are the same. The table may be
// compressed: 0xffff and a count stand for letters that stay what they are. exFAT 1.00, §7.2.

import { EUCLEAN, fail } from '../../../../kernel/abi/errno.ts';
import { checksum32 } from '../ondisk.ts';

const UNITS = 65_536;
const RUN = 0xffff;
/** Shorter stretches of letters that stay what they are lie in the table one by one. */
const RUN_LEAST = 512;
/** A table that is not compressed. */
export const TABLE_BYTES_MAX = 2 * UNITS;

export class Upcase {
  readonly #table: Uint16Array;

  constructor(table: Uint16Array) {
    this.#table = table;
  }

  fold(name: string): string {
    let out = '';
    for (let i = 0; i < name.length; i++) {
      const unit = name.charCodeAt(i);
      out += String.fromCharCode(this.#table[unit] ?? unit);
    }
    return out;
  }
}

/** Throws EUCLEAN when it is damaged. */
export function decodeUpcase(bytes: Uint8Array, sum: number): Upcase {
  if (checksum32(bytes) !== sum) fail(EUCLEAN, 'the up-case table does not fit its checksum');
  const table = Uint16Array.from({ length: UNITS }, (_, unit) => unit);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let unit = 0;
  for (let at = 0; at + 2 <= bytes.length && unit < UNITS; at += 2) {
    const value = view.getUint16(at, true);
    const runs = value === RUN && at + 4 <= bytes.length;
    if (!runs) table[unit++] = value;
    else {
      unit += view.getUint16(at + 2, true);
      at += 2;
    }
  }
  return new Upcase(table);
}

/** The table as it lies on the disk, compressed. */
export function encodeUpcase(table: Uint16Array): Uint8Array {
  const words: number[] = [];
  for (let unit = 0; unit < UNITS; ) {
    let end = unit;
    while (end < UNITS && table[end] === end) end++;
    if (end - unit >= RUN_LEAST) words.push(RUN, end - unit);
    else for (end = Math.max(end, unit + 1); unit < end; unit++) words.push(table[unit] ?? unit);
    unit = end;
  }
  const bytes = new Uint8Array(2 * words.length);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of words.entries()) view.setUint16(2 * i, word, true);
  return bytes;
}
