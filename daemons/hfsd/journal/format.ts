// The journal: a header and lists of blocks, in the byte order that its header shows. TN1150, "Journal". The
// same format serves volumes without a journal: then the header lies in the volume's last sector, which
// Apple leaves to nobody, and the lists in space that is free (daemons/hfsd/README.md).
//
//   header | block list header, blocks | block list header, blocks | …
//          ^ start                                                   ^ end

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import { be32, be64, struct } from '../../../kernel/abi/struct.ts';

export const JOURNAL_MAGIC = 0x4a4e_4c78; // 'JNLx'
export const ENDIAN_MAGIC = 0x1234_5678;
const CHECKED_HEADER = 44; // bytes
const CHECKED_LIST = 32;

/** Where a log lies on the volume, in bytes. */
export interface LogPlace {
  readonly headerAt: number;
  /** Positions in the log count from here. */
  readonly bufferAt: number;
  readonly size: number;
  /** Bytes of a sector: of the header, and in which block lists count. */
  readonly sector: number;
  /** Bytes of a block list's head. */
  readonly listSize: number;
  readonly little: boolean;
}

export interface LogState {
  readonly place: LogPlace;
  readonly start: number;
  readonly end: number;
}

/** What our own log adds to its header: what belongs to which state of the volume. */
export const OwnLog = struct('AtollLog', 32, {
  magic: be32(0),
  bufferAt: be64(4),
  before: be32(12), // the volume's write count
  after: be32(16),
  checksum: be32(20), // of what comes before, the journal header included
});
export const OWN_MAGIC = 0x4174_4c67; // 'AtLg'
export const OWN_AT = 64;

/** Apple's sum over bytes. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum = ((sum << 8) ^ (sum + byte)) | 0;
  return ~sum >>> 0;
}

/** The header of a journal of `size` bytes; undefined when there is none, EUCLEAN when it is damaged. */
export function readHeader(
  sector: Uint8Array,
  where: { readonly headerAt: number; readonly bufferAt: number },
): LogState | undefined {
  const view = new DataView(sector.buffer, sector.byteOffset, sector.byteLength);
  const little = view.getUint32(0, true) === JOURNAL_MAGIC;
  if (!little && view.getUint32(0) !== JOURNAL_MAGIC) return undefined;
  if (view.getUint32(4, little) !== ENDIAN_MAGIC) return undefined;
  const u64 = (at: number): number => Number(view.getBigUint64(at, little));
  const copy = sector.slice(0, CHECKED_HEADER);
  copy.fill(0, 36, 40);
  if (view.getUint32(36, little) !== checksum(copy)) fail(EUCLEAN, 'journal header: bad checksum');
  const place = {
    ...{ ...where, little, size: u64(24) },
    ...{ listSize: view.getUint32(32, little), sector: view.getUint32(40, little) },
  };
  const state = { place, start: u64(8), end: u64(16) };
  checkState(state);
  return state;
}

function checkState({ place, start, end }: LogState): void {
  const { size, sector, listSize } = place;
  const inside = (at: number): boolean => at >= sector && at <= size && at % 512 === 0;
  const shaped = sector >= 512 && sector <= 4096 && sector % 512 === 0 && size % 512 === 0;
  const listed = listSize >= 512 && listSize <= 65536 && listSize % 512 === 0;
  if (!shaped || !listed || size < 2 * listSize || size > 2 ** 31 || !inside(start) || !inside(end))
    fail(EUCLEAN, `journal header: ${start} to ${end} of ${size}`);
}

export function writeHeader({ place, start, end }: LogState, sequence: number): Uint8Array {
  const { little, size, sector, listSize } = place;
  const bytes = new Uint8Array(sector);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, JOURNAL_MAGIC, little);
  view.setUint32(4, ENDIAN_MAGIC, little);
  view.setBigUint64(8, BigInt(start), little);
  view.setBigUint64(16, BigInt(end), little);
  view.setBigUint64(24, BigInt(size), little);
  view.setUint32(32, listSize, little);
  view.setUint32(40, sector, little);
  view.setUint32(36, checksum(bytes.subarray(0, CHECKED_HEADER)), little);
  view.setUint32(44, sequence, little);
  return bytes;
}

/** A block of the volume in a list: `no` counts in the log's sectors. */
export interface ListedBlock {
  readonly no: number;
  readonly size: number; // bytes
}

const ENTRY = 16;
const HEAD = 16;
/** A block that is not to be written any more. */
const KILLED = 0xffff_ffff_ffff_ffffn;

/** Blocks that one list names at most; its first entry is none. */
export const listCapacity = (listSize: number): number => (listSize - HEAD) / ENTRY - 1;

/** A list's head for these blocks, whose content follows it. */
export function writeList(
  { little, listSize }: LogPlace,
  blocks: readonly ListedBlock[],
  more: 'more' | 'last',
): Uint8Array {
  const bytes = new Uint8Array(listSize);
  const view = new DataView(bytes.buffer);
  const used = blocks.reduce((sum, { size }) => sum + size, listSize);
  view.setUint16(0, listCapacity(listSize) + 1, little);
  view.setUint16(2, blocks.length + 1, little);
  view.setUint32(4, used, little);
  view.setUint32(HEAD + 12, more === 'more' ? 1 : 0, little);
  for (const [i, { no, size }] of blocks.entries()) {
    const at = HEAD + ENTRY * (i + 1);
    view.setBigUint64(at, BigInt(no), little);
    view.setUint32(at + 8, size, little);
  }
  view.setUint32(8, checksum(bytes.subarray(0, CHECKED_LIST)), little);
  return bytes;
}

export interface BlockList {
  readonly blocks: readonly (ListedBlock & { readonly killed: boolean })[];
  readonly usedBytes: number;
}

/** EUCLEAN when the head contradicts itself. */
export function readList({ little, listSize }: LogPlace, bytes: Uint8Array): BlockList {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const copy = bytes.slice(0, CHECKED_LIST);
  copy.fill(0, 8, 12);
  if (view.getUint32(8, little) !== checksum(copy))
    fail(EUCLEAN, 'journal: a list with a bad checksum');
  const count = view.getUint16(2, little);
  if (count < 1 || count > listCapacity(listSize) + 1) fail(EUCLEAN, `journal: a list of ${count}`);
  const blocks = Array.from({ length: count - 1 }, (_, i) => {
    const at = HEAD + ENTRY * (i + 1);
    const no = view.getBigUint64(at, little);
    const size = view.getUint32(at + 8, little);
    if (size === 0 || size % 512 !== 0 || size > 1 << 26)
      fail(EUCLEAN, `journal: a block of ${size}`);
    return { no: Number(no), size, killed: no === KILLED };
  });
  const usedBytes = view.getUint32(4, little);
  const held = blocks.reduce((sum, { size }) => sum + size, listSize);
  if (usedBytes !== held) fail(EUCLEAN, `journal: a list of ${usedBytes} bytes holds ${held}`);
  return { blocks, usedBytes };
}
