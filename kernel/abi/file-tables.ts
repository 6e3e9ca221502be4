// The tables in `ram` from which a process reads cached files without entering the kernel (DESIGN
// "Zero-hop reads"). The kernel alone writes them, but for three words of a descriptor that belong to
// the process that holds it. All words are 32 bits; offsets in bytes.
//
//   descriptor table, one for each seat        inode table, one entry for each open cached file
//   +0   attention: go to the kernel first     +0   seqlock of the size
//   +4   calls answered here (the reader's)    +4   seqlock of the attributes
//   +64  descriptor 0, 64 bytes each:          +8   1 = the attributes are what stat(2) would tell
//        +0  flags; 0 = ask the kernel         +12  id: what the page index calls this file
//        +4  entry in the inode table          +16  size      f64
//        +8  page of the read-ahead mark       +64  Stat, as putStat writes it
//        +12 last page read + 1 (the reader's)
//        +16 offset    f64 (the reader's       page index: a bucket is the first frame of a chain
//            while DESCRIPTOR_OURS is set)     frame entry: seqlock, id, page of the file, next frame
//        +24 mark rung for (the reader's)      used: one byte for each frame, set by readers

export interface FileTables {
  /** Of this seat alone. */
  readonly descriptors: number; // address
  readonly inodes: number;
  readonly inodeCount: number;
  readonly buckets: number;
  readonly bucketCount: number; // a power of two
  readonly frames: number;
  readonly frameCount: number;
  readonly used: number;
}

/** Descriptors from here on are the kernel's business alone. */
export const TABLE_DESCRIPTORS = 255;
const DESCRIPTOR_SIZE = 64;
export const DESCRIPTOR_TABLE_SIZE = (TABLE_DESCRIPTORS + 1) * DESCRIPTOR_SIZE;
export const descriptorAt = (fd: number): number => (fd + 1) * DESCRIPTOR_SIZE;

/** Words of the table's header. */
export const TABLE_ATTENTION = 0;
export const TABLE_ANSWERED = 1;

/** Words of a descriptor; the offset as an index of f64. */
export const DESCRIPTOR_FLAGS = 0;
export const DESCRIPTOR_INODE = 1;
export const DESCRIPTOR_MARK = 2;
export const DESCRIPTOR_LAST = 3;
export const DESCRIPTOR_OFFSET = 2; // f64
export const DESCRIPTOR_RUNG = 6;

/** The descriptor refers to a cached file: fstat, and pread if it is readable, may be answered. */
export const DESCRIPTOR_CACHED = 1;
export const DESCRIPTOR_READABLE = 2;
/** Nobody else holds the open file description: read and lseek may move the offset here. */
export const DESCRIPTOR_OURS = 4;
/** The end of a pipe that nobody else holds; the inode word is the frame of its words (pipe-words.ts). */
export const DESCRIPTOR_PIPE_READ = 8;
export const DESCRIPTOR_PIPE_WRITE = 16;
/** No page is marked for read-ahead. */
export const NO_MARK = -1;
/** A page of a file is a word: what lies behind (8 TiB) only the kernel finds. */
export const MAX_PAGE = 2 ** 31 - 2;

export const INODE_ENTRY_SIZE = 192;
export const INODE_SIZE_LOCK = 0;
export const INODE_ATTR_LOCK = 1;
export const INODE_ATTR_VALID = 2;
export const INODE_ID = 3;
export const INODE_SIZE = 2; // f64
export const INODE_STAT = 64; // bytes

export const FRAME_ENTRY_SIZE = 16;
export const FRAME_LOCK = 0;
export const FRAME_ID = 1;
export const FRAME_PAGE = 2;
export const FRAME_NEXT = 3;

/** Pages of one file lie in buckets side by side; files are spread by a multiplier (Knuth, TAOCP 3 §6.4). */
export const bucketOf = (id: number, page: number, bucketCount: number): number =>
  (Math.imul(id, 0x9e3779b1) + page) & (bucketCount - 1);
