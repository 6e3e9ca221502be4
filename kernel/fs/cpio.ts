// CPIO archives in the "new ASCII" format, which Linux's initramfs uses too: cpio(5) of FreeBSD,
// "New ASCII Format"; Linux Documentation/driver-api/early-userspace/buffer-format.rst.
//
//   header[110] = "070701" and 13 numbers of 8 hexadecimal digits
//   name[namesize], NUL-ended, padded to 4   data[filesize], padded to 4   …   entry TRAILER!!!

import { S_IFMT, S_IFREG } from '../abi/constants.ts';
import { EUCLEAN, PosixError } from '../abi/errno.ts';
import { decodeText, encodeText } from '../abi/text.ts';

const MAGIC = '070701';
const HEADER_SIZE = 110; // bytes
const TRAILER = 'TRAILER!!!';
const NAME_SIZE_MAX = 4096; // bytes, the NUL included

export interface CpioEntry {
  /** Relative path without './' before it; '.' is the root. */
  readonly name: string;
  readonly mode: number; // S_IF* and permission bits
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number; // seconds since 1970
  readonly rdev: { readonly major: number; readonly minor: number };
  readonly nlink: number;
  /** Entries with more than one link and the same `inode` are one file. */
  readonly inode: string;
  readonly data: Uint8Array; // of a file; the target of a symbolic link
}

/** The entries of an archive in its order. EUCLEAN, naming the entry, when it is damaged. */
export function readCpio(archive: Uint8Array): CpioEntry[] {
  const entries: CpioEntry[] = [];
  for (let at = 0; ; ) {
    const { entry, end } = readEntry(archive, at);
    if (entry.name === TRAILER) return withLinks(entries);
    entries.push(entry);
    at = end;
  }
}

function readEntry(archive: Uint8Array, at: number): { entry: CpioEntry; end: number } {
  if (at + HEADER_SIZE > archive.length) {
    throw damaged(at, 'the archive ends without a trailer');
  }
  if (decodeText(archive.slice(at, at + 6)) !== MAGIC) throw damaged(at, `no magic ${MAGIC}`);
  const field = (index: number): number => hex(archive, at, index);
  const nameSize = field(11);
  if (nameSize < 2 || nameSize > NAME_SIZE_MAX) throw damaged(at, `name of ${nameSize} bytes`);
  const dataAt = align(at + HEADER_SIZE + nameSize);
  if (dataAt > archive.length) throw damaged(at, 'the archive ends in a name');
  const name = readName(archive, at, nameSize);
  const end = dataAt + field(6);
  if (end > archive.length) {
    throw damaged(at, `'${name}' has ${field(6)} bytes and ends beyond the archive`);
  }
  const entry = {
    name,
    mode: field(1),
    uid: field(2),
    gid: field(3),
    nlink: field(4),
    mtime: field(5),
    inode: `${field(7)}:${field(8)}:${field(0)}`,
    rdev: { major: field(9), minor: field(10) },
    data: archive.subarray(dataAt, end),
  };
  return { entry, end: align(end) };
}

function readName(archive: Uint8Array, at: number, nameSize: number): string {
  const start = at + HEADER_SIZE;
  const raw = decodeText(archive.slice(start, start + nameSize));
  if (raw.indexOf('\0') !== raw.length - 1) throw damaged(at, 'the name does not end in its NUL');
  const parts = raw
    .slice(0, -1)
    .split('/')
    .filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw damaged(at, `name '${raw.slice(0, -1)}' leads outside`);
  return parts.join('/') || '.';
}

const align = (at: number): number => (at + 3) & ~3;

const damaged = (at: number, what: string): PosixError =>
  new PosixError(EUCLEAN, `cpio: entry at ${at}: ${what}`);

/** Number `index` of a header: 8 hexadecimal digits. */
function hex(archive: Uint8Array, at: number, index: number): number {
  const start = at + 6 + 8 * index;
  let value = 0;
  for (let i = start; i < start + 8; i++) {
    const digit = hexDigit(archive[i] ?? 0);
    if (digit < 0) throw damaged(at, `field ${index} is no hexadecimal number`);
    value = value * 16 + digit;
  }
  return value;
}

function hexDigit(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30; // 0..9
  const letter = c | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1; // a..f
}

/** Of the links to one file only the last carries its data: the others get it here. */
function withLinks(entries: CpioEntry[]): CpioEntry[] {
  const isLink = (e: CpioEntry): boolean => e.nlink > 1 && (e.mode & S_IFMT) === S_IFREG;
  const data = new Map<string, Uint8Array>();
  for (const entry of entries) {
    if (isLink(entry) && entry.data.length > 0) data.set(entry.inode, entry.data);
  }
  return entries.map((entry) =>
    isLink(entry) ? { ...entry, data: data.get(entry.inode) ?? entry.data } : entry,
  );
}

/** What to put into an archive. Links are not kept: each entry is a file of its own. */
export type NewCpioEntry = Pick<CpioEntry, 'name' | 'mode'> &
  Partial<Pick<CpioEntry, 'uid' | 'gid' | 'mtime' | 'rdev' | 'data'>>;

/** An archive of these entries, sorted by name, so that directories stand before their files. */
export function writeCpio(entries: readonly NewCpioEntry[]): Uint8Array<ArrayBuffer> {
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const parts: Uint8Array[] = [];
  sorted.forEach((entry, i) => {
    parts.push(...encodeEntry(entry, i + 1));
  });
  parts.push(...encodeEntry({ name: TRAILER, mode: 0 }, 0));
  const archive = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    archive.set(part, at);
    at += part.length;
  }
  return archive;
}

function encodeEntry(entry: NewCpioEntry, ino: number): Uint8Array[] {
  const { mode, uid = 0, gid = 0, mtime = 0, rdev, data = new Uint8Array(0) } = entry;
  const name = encodeText(`${entry.name}\0`);
  const { major = 0, minor = 0 } = rdev ?? {};
  const fields = [ino, mode, uid, gid, 1, mtime, data.length, 0, 0, major, minor, name.length, 0];
  const header = encodeText(MAGIC + fields.map((n) => n.toString(16).padStart(8, '0')).join(''));
  const head = new Uint8Array(align(HEADER_SIZE + name.length));
  head.set(header);
  head.set(name, HEADER_SIZE);
  return [head, data, new Uint8Array(align(data.length) - data.length)];
}
