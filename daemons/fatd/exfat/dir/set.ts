// A set of entries is a file: File, Stream Extension, File Names. Reading sets slot by slot and making new
// ones. A set is believed when its count, its order and its checksum are right. exFAT 1.00, §6.3, §7.4.

import { isName } from '../../dir/name.ts';
import { SLOT } from '../../ondisk.ts';
import {
  ALLOCATION_POSSIBLE,
  FileEntry,
  IN_USE,
  NameEntry,
  nameHash,
  SECONDARY,
  StreamEntry,
  setChecksum,
  TYPE_END,
  TYPE_FILE,
  TYPE_NAME,
  TYPE_STREAM,
  UNITS_PER_NAME,
} from '../ondisk.ts';
import type { Upcase } from '../volume/upcase.ts';

const SLOTS_MOST = 19;
const SECONDARIES_LEAST = 2;

export interface SetEntry {
  /** Where its File entry lies. */
  readonly slot: number;
  readonly count: number;
  readonly name: string;
  readonly attributes: number;
  /** Where each of its entries lies, in slots from the volume's start. */
  readonly places: readonly number[];
}

/** Fed with all slots of a directory in order, from the first or from one behind a set. */
export class SetReader {
  readonly #bytes = new Uint8Array(SLOTS_MOST * SLOT);
  #places: number[] = [];
  #slot = 0;
  #count = 0; // of the set that is being read; 0 = none

  /** What ends with this slot: a set, the directory, or nothing. */
  next(
    view: DataView,
    at: number,
    where: { slot: number; place: number },
  ): SetEntry | 'end' | undefined {
    const type = view.getUint8(at);
    if (type === TYPE_END) return 'end';
    if (type === TYPE_FILE) this.#begin(view.getUint8(at + 1) + 1, where.slot);
    else if ((type & (IN_USE | SECONDARY)) !== (IN_USE | SECONDARY)) this.#count = 0;
    if (this.#count === 0) return undefined;
    const entry = new Uint8Array(view.buffer, view.byteOffset + at, SLOT);
    this.#bytes.set(entry, this.#places.length * SLOT);
    this.#places.push(where.place);
    if (this.#places.length < this.#count) return undefined;
    return this.#finish();
  }

  #begin(count: number, slot: number): void {
    this.#count = count > SECONDARIES_LEAST && count <= SLOTS_MOST ? count : 0;
    this.#slot = slot;
    this.#places = [];
  }

  #finish(): SetEntry | undefined {
    const count = this.#count;
    this.#count = 0;
    const bytes = this.#bytes.subarray(0, count * SLOT);
    const name = setName(bytes);
    if (name === undefined) return undefined;
    const { FileAttributes: attributes } = new FileEntry(viewOf(bytes));
    const slot = this.#slot;
    const shown = isName(name) ? name : `FSCK${slot}.BAD`;
    return { slot, count, name: shown, attributes, places: this.#places };
  }
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** The name of a set; undefined when it is none. */
export function setName(set: Uint8Array): string | undefined {
  const view = viewOf(set);
  const file = new FileEntry(view);
  const stream = new StreamEntry(view, SLOT);
  if (file.EntryType !== TYPE_FILE || stream.EntryType !== TYPE_STREAM) return undefined;
  if (file.SetChecksum !== setChecksum(set)) return undefined;
  const parts = Math.ceil(stream.NameLength / UNITS_PER_NAME);
  if (parts === 0 || (2 + parts) * SLOT > set.length) return undefined;
  let name = '';
  for (let part = 0; part < parts; part++) {
    const entry = new NameEntry(view, (2 + part) * SLOT);
    if (entry.EntryType !== TYPE_NAME) return undefined;
    const units = viewOf(entry.FileName);
    for (let i = 0; i < UNITS_PER_NAME; i++)
      name += String.fromCharCode(units.getUint16(2 * i, true));
  }
  return name.slice(0, stream.NameLength);
}

/** What follows the names: entries that we do not know, and keep. */
export function extrasOf(set: Uint8Array): Uint8Array {
  const { NameLength } = new StreamEntry(viewOf(set), SLOT);
  return set.slice((2 + Math.ceil(NameLength / UNITS_PER_NAME)) * SLOT);
}

export const slotsForName = (name: string): number => 2 + Math.ceil(name.length / UNITS_PER_NAME);

export interface NewSet {
  readonly name: string;
  /** The File and Stream entries, but for what depends on the name. */
  readonly head: Uint8Array;
  readonly extras: Uint8Array;
}

export function buildSet({ name, head, extras }: NewSet, upcase: Upcase): Uint8Array {
  const room = SLOTS_MOST * SLOT - slotsForName(name) * SLOT;
  const kept = extras.subarray(0, Math.max(0, room));
  const set = new Uint8Array(slotsForName(name) * SLOT + kept.length);
  set.set(head.subarray(0, 2 * SLOT));
  set.set(kept, set.length - kept.length);
  const view = viewOf(set);
  for (let part = 0; part * UNITS_PER_NAME < name.length; part++) {
    const at = (2 + part) * SLOT;
    set[at] = TYPE_NAME;
    for (let i = 0; i < UNITS_PER_NAME && part * UNITS_PER_NAME + i < name.length; i++)
      view.setUint16(at + 2 + 2 * i, name.charCodeAt(part * UNITS_PER_NAME + i), true);
  }
  const file = new FileEntry(view);
  const stream = new StreamEntry(view, SLOT);
  file.EntryType = TYPE_FILE;
  file.SecondaryCount = set.length / SLOT - 1;
  stream.EntryType = TYPE_STREAM;
  stream.GeneralSecondaryFlags |= ALLOCATION_POSSIBLE;
  stream.NameLength = name.length;
  stream.NameHash = nameHash(upcase.fold(name));
  file.SetChecksum = setChecksum(set);
  return set;
}
