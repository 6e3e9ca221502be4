// Reading a directory slot by slot: long names are put together from their parts and believed only
// when number, order and checksum are right; what is left over is skipped, as every system does.

import { isName } from '../../dir/name.ts';
import { SLOT_END } from '../../ondisk.ts';
import { ATTR_LONG_NAME, ATTR_VOLUME_ID, LAST_LONG, SLOT_FREE, SLOT_KANJI } from '../ondisk.ts';
import { longUnits, shortChecksum, shortText } from './name.ts';

const LONG_MOST = 20; // parts of a name

export interface Entry {
  /** Where its 8.3 entry lies. */
  readonly slot: number;
  /** How many parts of a long name lie before it. */
  readonly longs: number;
  readonly name: string;
  /** The 8.3 name as text, in upper case. */
  readonly short: string;
  readonly attr: number;
}

/** Fed with all slots of a directory in order, from the first or from one behind an entry. */
export class EntryReader {
  #parts: string[] = [];
  #expected = 0; // the ordinal that must come next; 0 = none
  #checksum = 0;

  /** What the slot at `at` of the block is: an entry, nothing to be shown, or the directory's end. */
  next(view: DataView, at: number, slot: number): Entry | 'end' | undefined {
    const first = view.getUint8(at);
    if (first === SLOT_END) return 'end';
    const attr = view.getUint8(at + 11);
    if (first === SLOT_FREE) {
      this.#expected = 0;
      this.#parts = [];
      return undefined;
    }
    if ((attr & 0x3f) === ATTR_LONG_NAME) {
      this.#takePart(view, at, first);
      return undefined;
    }
    const parts = this.#parts;
    const complete = parts.length > 0 && this.#expected === 0;
    this.#parts = [];
    this.#expected = 0;
    if ((attr & ATTR_VOLUME_ID) !== 0) return undefined;
    return this.#entry(view, { at, slot, attr, parts: complete ? parts : [] });
  }

  #takePart(view: DataView, at: number, ord: number): void {
    const number = ord & 0x3f;
    const checksum = view.getUint8(at + 13);
    if ((ord & LAST_LONG) !== 0) {
      this.#parts = [];
      this.#expected = number <= LONG_MOST ? number : 0;
      this.#checksum = checksum;
    }
    if (number === 0 || number !== this.#expected || checksum !== this.#checksum) {
      this.#parts = [];
      this.#expected = 0;
      return;
    }
    this.#parts.push(longUnits(view, at));
    this.#expected = number - 1;
  }

  #entry(
    view: DataView,
    { at, slot, attr, parts }: { at: number; slot: number; attr: number; parts: string[] },
  ): Entry {
    const raw = new Uint8Array(view.buffer, view.byteOffset + at, 11);
    const right = parts.length > 0 && shortChecksum(raw) === this.#checksum;
    const bytes = raw.slice();
    if (bytes[0] === SLOT_KANJI) bytes[0] = SLOT_FREE;
    const short = shortText(bytes, 0);
    const long = right ? parts.reverse().join('') : '';
    const shown = isName(long);
    const plain = shortText(bytes, view.getUint8(at + 12));
    const name = shown ? long : isName(plain) ? plain : `FSCK${slot}.BAD`;
    return { slot, longs: right ? parts.length : 0, name, short, attr };
  }
}

/** A directory's own '.' and '..', which are no names. */
export const isDots = (view: DataView, at: number): boolean =>
  view.getUint8(at) === 0x2e &&
  (view.getUint8(at + 1) === SPACE ||
    (view.getUint8(at + 1) === 0x2e && view.getUint8(at + 2) === SPACE));
const SPACE = 0x20;
