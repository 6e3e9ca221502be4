// A directory of a volume that nobody has mounted: its slots as entries, and what lies between them.
// Read apart from the daemon, so that one checks the other. fatgen103, "FAT Directory Structure".

import { ATTR_DIRECTORY, SLOT, SLOT_END } from '../../ondisk.ts';
import { longUnits, shortChecksum, shortText } from '../dir/name.ts';
import {
  ATTR_LONG_NAME,
  ATTR_VOLUME_ID,
  DirEntry,
  type DirEntryView,
  LAST_LONG,
  LongEntry,
  SLOT_FREE,
  SLOT_KANJI,
} from '../ondisk.ts';

export interface SlotEntry {
  readonly slot: number;
  readonly longs: number;
  readonly name: string;
  readonly entry: DirEntryView;
}

export interface Slots {
  readonly entries: readonly SlotEntry[];
  /** Parts of long names that belong to no entry. */
  readonly orphans: readonly number[];
}

export function readSlots(bytes: Uint8Array): Slots {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries: SlotEntry[] = [];
  const orphans: number[] = [];
  let parts: number[] = [];
  for (let at = 0; at + SLOT <= bytes.length; at += SLOT) {
    const first = bytes[at];
    if (first === SLOT_END) break;
    const slot = at / SLOT;
    const attr = bytes[at + DirEntry.offsets.DIR_Attr] ?? 0;
    if (first !== SLOT_FREE && (attr & 0x3f) === ATTR_LONG_NAME) {
      parts.push(slot);
      continue;
    }
    if (first !== SLOT_FREE) {
      const long = longName(view, parts, at);
      const entry = new DirEntry(view, at);
      const name = long ?? shortOf(entry);
      entries.push({ slot, longs: long === undefined ? 0 : parts.length, name, entry });
      if (long !== undefined) parts = [];
    }
    orphans.push(...parts);
    parts = [];
  }
  return { entries, orphans: [...orphans, ...parts] };
}

/** The name that the parts before an entry make, if they are its own and complete. */
function longName(view: DataView, parts: readonly number[], at: number): string | undefined {
  if (parts.length === 0) return undefined;
  const sum = shortChecksum(new Uint8Array(view.buffer, view.byteOffset + at, 11));
  let name = '';
  for (const [i, slot] of parts.entries()) {
    const part = new LongEntry(view, slot * SLOT);
    const ord = parts.length - i;
    if (part.LDIR_Ord !== (i === 0 ? ord | LAST_LONG : ord) || part.LDIR_Chksum !== sum)
      return undefined;
    name = longUnits(view, slot * SLOT) + name;
  }
  return name;
}

export function shortOf(entry: DirEntryView): string {
  const bytes = entry.DIR_Name.slice();
  if (bytes[0] === SLOT_KANJI) bytes[0] = SLOT_FREE;
  return shortText(bytes, entry.DIR_NTRes);
}

export const isDirectory = ({ DIR_Attr }: DirEntryView): boolean =>
  (DIR_Attr & (ATTR_DIRECTORY | ATTR_VOLUME_ID)) === ATTR_DIRECTORY;
export const isLabel = ({ DIR_Attr }: DirEntryView): boolean => (DIR_Attr & ATTR_VOLUME_ID) !== 0;

/** Is the 8.3 name one that a system could have made? fatgen103, "Short Directory Entries". */
export function isShortName(raw: Uint8Array): boolean {
  if (raw[0] === SPACE) return false;
  return raw.every((byte, i) => {
    if (i === 0 && byte === SLOT_KANJI) return true;
    return byte >= SPACE && byte !== 0x7f && !FORBIDDEN.includes(String.fromCharCode(byte));
  });
}
const SPACE = 0x20;
const FORBIDDEN = '"*+,./:;<=>?[\\]|';
