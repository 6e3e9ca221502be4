// The shape of one journal: what its superblock says, its checksums, and the tags of its descriptor
// blocks in their four sizes. Linux Documentation/filesystems/ext4/journal.rst.

import { EOPNOTSUPP, EUCLEAN, PosixError } from '../../../kernel/abi/errno.ts';
import { crc32c } from '../../lib/crc32c.ts';
import {
  JBD2_COMMIT_BLOCK,
  JBD2_CRC32C_CHKSUM,
  JBD2_FEATURE_INCOMPAT_64BIT,
  JBD2_FEATURE_INCOMPAT_ASYNC_COMMIT,
  JBD2_FEATURE_INCOMPAT_CSUM_V2,
  JBD2_FEATURE_INCOMPAT_CSUM_V3,
  JBD2_FEATURE_INCOMPAT_FAST_COMMIT,
  JBD2_FEATURE_INCOMPAT_REVOKE,
  JBD2_FLAG_LAST_TAG,
  JBD2_FLAG_SAME_UUID,
  JBD2_MAGIC,
  JBD2_SUPERBLOCK_V1,
  JBD2_SUPERBLOCK_V2,
  JournalBlockTail,
  JournalCommit,
  JournalHeader,
  JournalSuperblock,
  JournalTag,
  JournalTag3,
} from '../ondisk-journal.ts';

export const HEADER_SIZE = 12;
const UUID_SIZE = 16;
const FAST_COMMIT_BLOCKS = 256; // when s_num_fc_blks is 0
const KNOWN =
  JBD2_FEATURE_INCOMPAT_REVOKE |
  JBD2_FEATURE_INCOMPAT_64BIT |
  JBD2_FEATURE_INCOMPAT_ASYNC_COMMIT |
  JBD2_FEATURE_INCOMPAT_CSUM_V2 |
  JBD2_FEATURE_INCOMPAT_CSUM_V3 |
  JBD2_FEATURE_INCOMPAT_FAST_COMMIT;

export interface JournalFormat {
  readonly blockSize: number;
  readonly version: 1 | 2;
  readonly first: number; // first block of the log
  readonly end: number; // behind its last block
  /** Where fast commits lie; `end` is used by neither. */
  readonly fast: { readonly first: number; readonly blocks: number };
  readonly incompat: number;
  readonly wide: boolean; // 64BIT
  readonly csum: 0 | 2 | 3;
  readonly seed: number;
  readonly uuid: Uint8Array;
}

export type SuperView = InstanceType<typeof JournalSuperblock>;

/** Reads and checks the journal's superblock. EUCLEAN, or EOPNOTSUPP naming the unknown feature. */
export function parseJournal(sb: SuperView, blockSize: number, blocks: number): JournalFormat {
  const version = versionOf(sb);
  const incompat = version === 2 ? sb.s_feature_incompat : 0;
  if ((incompat & ~KNOWN) !== 0) {
    const bits = ((incompat & ~KNOWN) >>> 0).toString(16);
    throw new PosixError(EOPNOTSUPP, `journal has unknown incompatible features 0x${bits}`);
  }
  if (version === 2 && sb.s_feature_ro_compat !== 0) {
    const bits = sb.s_feature_ro_compat.toString(16);
    throw new PosixError(EOPNOTSUPP, `journal has unknown read-only features 0x${bits}`);
  }
  const csum = csumOf(incompat);
  if (csum !== 0) checkSum(sb);
  if (sb.s_blocksize !== blockSize) bad(`block size ${sb.s_blocksize}, not ${blockSize}`);
  if (sb.s_maxlen > blocks) bad(`length ${sb.s_maxlen}, its inode has ${blocks} blocks`);
  const fast = (incompat & JBD2_FEATURE_INCOMPAT_FAST_COMMIT) !== 0;
  const end = sb.s_maxlen - (fast ? sb.s_num_fc_blks || FAST_COMMIT_BLOCKS : 0);
  const { s_first: first, s_start: start } = sb;
  if (first < 1 || end - first < 16) bad(`log of blocks ${first} to ${end}`);
  if (start !== 0 && (start < first || start >= end)) bad(`start ${start} outside its log`);
  const area = { first: end + 1, blocks: Math.max(0, sb.s_maxlen - end - 1) };
  return { version, first, end, fast: area, ...shape(sb, incompat), blockSize };
}

/** The same journal with features added, as a mount does while its log is empty. */
export function addFeatures(sb: SuperView, format: JournalFormat, incompat: number): JournalFormat {
  if (format.version === 1) return format;
  sb.s_feature_incompat |= incompat;
  if (csumOf(sb.s_feature_incompat) !== 0) sb.s_checksum_type = JBD2_CRC32C_CHKSUM;
  return { ...format, ...shape(sb, sb.s_feature_incompat) };
}

export function sealSuper(sb: SuperView, format: JournalFormat): void {
  if (format.csum !== 0) sb.s_checksum = superSum(sb);
}

function shape(sb: SuperView, incompat: number) {
  const uuid = sb.s_uuid.slice();
  return {
    incompat,
    wide: (incompat & JBD2_FEATURE_INCOMPAT_64BIT) !== 0,
    csum: csumOf(incompat),
    seed: crc32c(0xffff_ffff, uuid),
    uuid,
  };
}

function csumOf(incompat: number): 0 | 2 | 3 {
  if ((incompat & JBD2_FEATURE_INCOMPAT_CSUM_V3) !== 0) return 3;
  return (incompat & JBD2_FEATURE_INCOMPAT_CSUM_V2) !== 0 ? 2 : 0;
}

function versionOf(sb: SuperView): 1 | 2 {
  if (sb.h_magic !== JBD2_MAGIC) bad(`magic 0x${sb.h_magic.toString(16)} in its superblock`);
  if (sb.h_blocktype === JBD2_SUPERBLOCK_V1) return 1;
  if (sb.h_blocktype !== JBD2_SUPERBLOCK_V2) bad(`superblock of type ${sb.h_blocktype}`);
  return 2;
}

function checkSum(sb: SuperView): void {
  if (sb.s_checksum_type !== JBD2_CRC32C_CHKSUM) bad(`checksum type ${sb.s_checksum_type}`);
  if (sb.s_checksum !== superSum(sb)) bad('bad checksum of its superblock');
}

function superSum(sb: SuperView): number {
  const copy = new Uint8Array(JournalSuperblock.size);
  copy.set(new Uint8Array(sb.view.buffer, sb.view.byteOffset + sb.at, copy.length));
  copy.fill(0, JournalSuperblock.offsets.s_checksum, JournalSuperblock.offsets.s_checksum + 4);
  return crc32c(0xffff_ffff, copy);
}

function bad(what: string): never {
  throw new PosixError(EUCLEAN, `journal: ${what}`);
}

export const viewOf = (block: Uint8Array): DataView =>
  new DataView(block.buffer, block.byteOffset, block.byteLength);

export function putHeader(block: Uint8Array, type: number, sequence: number): void {
  block.fill(0);
  const header = new JournalHeader(viewOf(block));
  header.h_magic = JBD2_MAGIC;
  header.h_blocktype = type;
  header.h_sequence = sequence;
}

/** A tag of a descriptor block, in our memory's form. */
export interface Tag {
  readonly no: number; // home of the block
  readonly flags: number;
  readonly checksum: number;
}

export const tagSize = ({ csum, wide }: JournalFormat): number => {
  if (csum === 3) return 16;
  return 8 + (wide ? 4 : 0) + (csum === 2 ? 2 : 0);
};

const tailSize = ({ csum }: JournalFormat): number => (csum === 0 ? 0 : JournalBlockTail.size);

/** Tags that one descriptor block holds; the first has a uuid behind it. */
export const tagsPerBlock = (format: JournalFormat): number =>
  Math.floor((format.blockSize - HEADER_SIZE - UUID_SIZE - tailSize(format)) / tagSize(format));

/** Bytes of a revocation block's entry, and where entries must end. */
export const revokeSize = ({ wide }: JournalFormat): number => (wide ? 8 : 4);
export const bodyEnd = (format: JournalFormat): number => format.blockSize - tailSize(format);

/** Writes the tags of a descriptor block behind its header. */
export function putTags(block: Uint8Array, format: JournalFormat, tags: readonly Tag[]): void {
  const view = viewOf(block);
  let at = HEADER_SIZE;
  tags.forEach((tag, i) => {
    const last = i === tags.length - 1 ? JBD2_FLAG_LAST_TAG : 0;
    const flags = tag.flags | last | (i === 0 ? 0 : JBD2_FLAG_SAME_UUID);
    putTag(view, at, { format, tag: { ...tag, flags } });
    at += tagSize(format);
    if (i > 0) return;
    block.set(format.uuid, at);
    at += UUID_SIZE;
  });
}

function putTag(view: DataView, at: number, { format, tag }: { format: JournalFormat; tag: Tag }) {
  const high = Math.floor(tag.no / 0x1_0000_0000);
  if (format.csum === 3) {
    const t = new JournalTag3(view, at);
    t.t_blocknr = tag.no >>> 0;
    t.t_flags = tag.flags;
    t.t_blocknr_high = format.wide ? high : 0;
    t.t_checksum = tag.checksum;
    return;
  }
  const t = new JournalTag(view, at);
  t.t_blocknr = tag.no >>> 0;
  t.t_checksum = format.csum === 2 ? tag.checksum & 0xffff : 0;
  t.t_flags = tag.flags;
  if (format.wide) t.t_blocknr_high = high;
}

/** The tags of a descriptor block; ends where the block ends, whatever it says. */
export function readTags(block: Uint8Array, format: JournalFormat): Tag[] {
  const view = viewOf(block);
  const tags: Tag[] = [];
  const size = tagSize(format);
  for (let at = HEADER_SIZE; at + size <= bodyEnd(format); ) {
    const tag = readTag(view, at, format);
    tags.push(tag);
    at += size + ((tag.flags & JBD2_FLAG_SAME_UUID) === 0 ? UUID_SIZE : 0);
    if ((tag.flags & JBD2_FLAG_LAST_TAG) !== 0) break;
  }
  return tags;
}

function readTag(view: DataView, at: number, format: JournalFormat): Tag {
  if (format.csum === 3) {
    const t = new JournalTag3(view, at);
    const high = format.wide ? t.t_blocknr_high : 0;
    return { no: high * 0x1_0000_0000 + t.t_blocknr, flags: t.t_flags, checksum: t.t_checksum };
  }
  const t = new JournalTag(view, at);
  const high = format.wide ? t.t_blocknr_high : 0;
  return { no: high * 0x1_0000_0000 + t.t_blocknr, flags: t.t_flags, checksum: t.t_checksum };
}

/** The checksum of a logged block, as its tag holds it: over what lies in the log. */
export function blockSum(format: JournalFormat, sequence: number, logged: Uint8Array): number {
  if (format.csum === 0) return 0;
  const be = new Uint8Array(4);
  viewOf(be).setUint32(0, sequence);
  const sum = crc32c(crc32c(format.seed, be), logged);
  return format.csum === 3 ? sum : sum & 0xffff;
}

/** Sets the checksum at the end of a descriptor or revocation block. */
export function sealTail(block: Uint8Array, format: JournalFormat): void {
  if (format.csum === 0) return;
  const tail = new JournalBlockTail(viewOf(block), bodyEnd(format));
  tail.t_checksum = 0;
  tail.t_checksum = crc32c(format.seed, block);
}

export function tailHolds(block: Uint8Array, format: JournalFormat): boolean {
  if (format.csum === 0) return true;
  return sumWithout(block, format, bodyEnd(format)) === viewOf(block).getUint32(bodyEnd(format));
}

/** Makes a commit block. */
export function putCommit(
  block: Uint8Array,
  format: JournalFormat,
  { sequence, sec, nsec }: { sequence: number; sec: number; nsec: number },
): void {
  putHeader(block, JBD2_COMMIT_BLOCK, sequence);
  const commit = new JournalCommit(viewOf(block));
  commit.h_commit_sec = Math.max(0, sec);
  commit.h_commit_nsec = nsec;
  if (format.csum !== 0) commit.h_chksum_0 = crc32c(format.seed, block);
}

export function commitHolds(block: Uint8Array, format: JournalFormat): boolean {
  if (format.csum === 0) return true;
  const at = JournalCommit.offsets.h_chksum_0;
  return sumWithout(block, format, at) === viewOf(block).getUint32(at);
}

/** The block's checksum with the four bytes at `at` taken for zeroes. */
function sumWithout(block: Uint8Array, format: JournalFormat, at: number): number {
  const zero = new Uint8Array(4);
  const before = crc32c(format.seed, block.subarray(0, at));
  return crc32c(crc32c(before, zero), block.subarray(at + 4));
}
