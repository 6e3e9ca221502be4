// The sets of a directory of a volume that nobody has mounted, and what lies between them. Read apart from
// the daemon, so that one checks the other. exFAT specification 1.00, §6, §7.

import { SLOT } from '../../ondisk.ts';
import {
  FileEntry,
  type FileView,
  IN_USE,
  NameEntry,
  SECONDARY,
  StreamEntry,
  type StreamView,
  setChecksum,
  TYPE_END,
  TYPE_FILE,
  TYPE_NAME,
  TYPE_STREAM,
  UNITS_PER_NAME,
} from '../ondisk.ts';

export interface FoundSet {
  readonly slot: number;
  /** Fewer, when it got a shorter name. */
  count: number;
  readonly file: FileView;
  readonly stream: StreamView;
  readonly name: string;
  /** What its entries hold up to the first zero: as long as the name, in a set that is right. */
  readonly wholeName: string;
  /** Is its checksum right? */
  readonly sealed: boolean;
}

export interface Slots {
  readonly sets: readonly FoundSet[];
  /** Entries of no set, and what was meant to be one. */
  readonly orphans: readonly number[];
  /** The volume's own: bitmap, up-case table, label, GUID. */
  readonly others: readonly number[];
}

export function readSlots(bytes: Uint8Array): Slots {
  const sets: FoundSet[] = [];
  const orphans: number[] = [];
  const others: number[] = [];
  const total = Math.floor(bytes.length / SLOT);
  for (let slot = 0; slot < total; ) {
    const type = bytes[slot * SLOT] ?? 0;
    if (type === TYPE_END) break;
    const set = type === TYPE_FILE ? readSet(bytes, slot) : undefined;
    if (set !== undefined) {
      sets.push(set);
      slot += set.count;
      continue;
    }
    if (type === TYPE_FILE || (type & (IN_USE | SECONDARY)) === (IN_USE | SECONDARY))
      orphans.push(slot);
    else if ((type & IN_USE) !== 0) others.push(slot);
    slot++;
  }
  return { sets, orphans, others };
}

/** Undefined: the entries do not make a set. */
function readSet(bytes: Uint8Array, slot: number): FoundSet | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const file = new FileEntry(view, slot * SLOT);
  const count = file.SecondaryCount + 1;
  if (count < 3 || count > 19 || (slot + count) * SLOT > bytes.length) return undefined;
  for (let i = 1; i < count; i++) {
    const type = bytes[(slot + i) * SLOT] ?? 0;
    if ((type & (IN_USE | SECONDARY)) !== (IN_USE | SECONDARY)) return undefined;
  }
  const stream = new StreamEntry(view, (slot + 1) * SLOT);
  if (stream.EntryType !== TYPE_STREAM) return undefined;
  const name = readName(view, slot, stream.NameLength);
  if (name === undefined || stream.NameLength > (count - 2) * UNITS_PER_NAME) return undefined;
  const [wholeName = ''] = allUnits(view, slot, count).split('\0');
  const sum = setChecksum(bytes.subarray(slot * SLOT, (slot + count) * SLOT));
  return { slot, count, file, stream, name, wholeName, sealed: sum === file.SetChecksum };
}

/** Of all its parts of a name, whatever length it is said to have. */
function allUnits(view: DataView, slot: number, count: number): string {
  let units = '';
  for (let i = 2; i < count && view.getUint8((slot + i) * SLOT) === TYPE_NAME; i++)
    for (let at = 2; at < SLOT; at += 2)
      units += String.fromCharCode(view.getUint16((slot + i) * SLOT + at, true));
  return units;
}

function readName(view: DataView, slot: number, length: number): string | undefined {
  let name = '';
  for (let part = 0; part * UNITS_PER_NAME < length; part++) {
    const at = (slot + 2 + part) * SLOT;
    if (at + SLOT > view.byteLength) return undefined;
    const entry = new NameEntry(view, at);
    if (entry.EntryType !== TYPE_NAME) return undefined;
    for (let i = 0; i < UNITS_PER_NAME; i++)
      name += String.fromCharCode(view.getUint16(at + 2 + 2 * i, true));
  }
  return name.slice(0, length);
}

export function seal(bytes: Uint8Array, { slot, count, file }: FoundSet): void {
  file.SetChecksum = setChecksum(bytes.subarray(slot * SLOT, (slot + count) * SLOT));
}
