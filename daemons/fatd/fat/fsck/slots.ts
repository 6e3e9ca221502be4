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
  /** Parts of long names with something in fields that must be zero. */
  readonly odd: readonly number[];
}

export function readSlots(bytes: Uint8Array): Slots {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries: SlotEntry[] = [];
  const orphans: number[] = [];
  const odd: number[] = [];
  let parts: number[] = [];
  for (let at = 0; at + SLOT <= bytes.length; at += SLOT) {
    const first = bytes[at];
    if (first === SLOT_END) break;
    const slot = at / SLOT;
    const attr = bytes[at + DirEntry.offsets.DIR_Attr] ?? 0;
    if (first !== SLOT_FREE && (attr & 0x3f) === ATTR_LONG_NAME) {
      parts.push(slot);
      if (isOdd(view, at)) odd.push(slot);
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
  return { entries, orphans: [...orphans, ...parts], odd };
}

const isOdd = (view: DataView, at: number): boolean => {
  const { LDIR_Type, LDIR_FstClusLO } = new LongEntry(view, at);
  return LDIR_Type !== 0 || LDIR_FstClusLO !== 0;
};

/** How many of its '.' and '..' a directory that begins with these bytes has; undefined when it has room for them. */
export function dotsIn(bytes: Uint8Array): number | undefined {
  const dots = [DOT, DOTDOT].filter((name, i) => {
    const slot = bytes.subarray(i * SLOT, i * SLOT + 11);
    return name === String.fromCharCode(...slot);
  });
  const unused = [0, SLOT].every((at) => bytes[at] === SLOT_END || bytes[at] === SLOT_FREE);
  return unused ? undefined : dots.length;
}

/** Is this some file's data, rather than a part of a directory? Most of its slots cannot be entries. */
export function isGarbage(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let good = 0;
  let bad = 0;
  for (let at = 0; at + SLOT <= bytes.length && bytes[at] !== SLOT_END; at += SLOT) {
    if (bytes[at] === SLOT_FREE) continue;
    const name = bytes.subarray(at, at + 11);
    const attr = bytes[at + DirEntry.offsets.DIR_Attr] ?? 0;
    const isLong = (attr & 0x3f) === ATTR_LONG_NAME;
    const isDots = at < 2 * SLOT && bytes[at] === DOT.charCodeAt(0);
    const may = isLong ? !isOdd(view, at) : attr < 0x40 && (isDots || isShortName(name));
    if (may) good++;
    else bad++;
  }
  return bad > good;
}

export const DOT = '.          ';
export const DOTDOT = '..         ';

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
