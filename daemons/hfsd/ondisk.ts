// HFS Plus on the disk: volume header, forks, catalog, attributes, journal; and the B-trees, which classic HFS
// shares. Big-endian throughout. Apple Technical Note 1150, "HFS Plus Volume Format".

import { be16, be32, be64, bytes, struct, u8 } from '../../kernel/abi/struct.ts';

/** Where a volume's header lies (both formats), and the alternate one, counted from the end. */
export const HEADER_OFFSET = 1024;
export const ALTERNATE_FROM_END = 1024;

export const HFSPLUS_SIGNATURE = 0x482b; // 'H+'
export const HFSX_SIGNATURE = 0x4858; // 'HX'
/** Seconds between 1904-01-01, where Apple's clock begins, and 1970-01-01. */
export const MAC_EPOCH = 2_082_844_800;

/** Catalog node ids that are no user's file. TN1150, "Catalog File". */
export const ROOT_PARENT_ID = 1;
export const ROOT_ID = 2;
export const EXTENTS_ID = 3;
export const CATALOG_ID = 4;
export const BAD_BLOCKS_ID = 5;
export const ALLOCATION_ID = 6;
export const ATTRIBUTES_ID = 8;
/** Used by Apple for an extents file under repair only: here the parent of files without a name. */
export const NAMELESS_ID = 15;
export const FIRST_USER_ID = 16;

/** Volume attributes, in the header of both formats. */
export const VOLUME_HARDWARE_LOCK = 1 << 7;
export const VOLUME_UNMOUNTED = 1 << 8;
export const VOLUME_INCONSISTENT = 1 << 11;
export const VOLUME_JOURNALED = 1 << 13;
export const VOLUME_SOFTWARE_LOCK = 1 << 15;

export const DATA_FORK = 0x00;
export const RESOURCE_FORK = 0xff;
export type ForkType = typeof DATA_FORK | typeof RESOURCE_FORK;

/** HFSPlusForkData; eight extents of (start, count) follow its head. */
export const ForkRecord = struct('HFSPlusForkData', 80, {
  logicalSize: be64(0),
  clumpSize: be32(8),
  totalBlocks: be32(12),
  extents: bytes(16, 64),
});

export const VolumeHeader = struct('HFSPlusVolumeHeader', 512, {
  signature: be16(0),
  version: be16(2),
  attributes: be32(4),
  lastMountedVersion: be32(8),
  journalInfoBlock: be32(12),
  createDate: be32(16),
  modifyDate: be32(20),
  backupDate: be32(24),
  checkedDate: be32(28),
  fileCount: be32(32),
  folderCount: be32(36),
  blockSize: be32(40),
  totalBlocks: be32(44),
  freeBlocks: be32(48),
  nextAllocation: be32(52),
  rsrcClumpSize: be32(56),
  dataClumpSize: be32(60),
  nextCatalogID: be32(64),
  writeCount: be32(68),
  encodingsBitmapHi: be32(72),
  encodingsBitmapLo: be32(76),
  finderInfo: bytes(80, 32), // the last eight bytes tell volumes apart
  allocationFile: bytes(112, 80),
  extentsFile: bytes(192, 80),
  catalogFile: bytes(272, 80),
  attributesFile: bytes(352, 80),
  startupFile: bytes(432, 80),
});
export type VolumeHeaderView = InstanceType<typeof VolumeHeader>;

/** BTNodeDescriptor: the head of each node. The offsets of its records lie at the node's end, backwards. */
export const NodeDescriptor = struct('BTNodeDescriptor', 14, {
  fLink: be32(0),
  bLink: be32(4),
  kind: u8(8),
  height: u8(9),
  numRecords: be16(10),
});
export const LEAF_NODE = 0xff; // -1
export const INDEX_NODE = 0;
export const HEADER_NODE = 1;
export const MAP_NODE = 2;

/** BTHeaderRec: the first record of node 0. A map of the nodes in use is its third. */
export const TreeHeader = struct('BTHeaderRec', 106, {
  treeDepth: be16(0),
  rootNode: be32(2),
  leafRecords: be32(6),
  firstLeafNode: be32(10),
  lastLeafNode: be32(14),
  nodeSize: be16(18),
  maxKeyLength: be16(20),
  totalNodes: be32(22),
  freeNodes: be32(26),
  clumpSize: be32(32), // the fields from here on are zero on classic HFS
  btreeType: u8(36),
  keyCompareType: u8(37),
  attributes: be32(38),
});
export type TreeHeaderView = InstanceType<typeof TreeHeader>;
export const TREE_BIG_KEYS = 2;
export const TREE_VARIABLE_INDEX_KEYS = 4;
export const CASE_FOLDING = 0xcf;
export const BINARY_COMPARE = 0xbc;

/** Types of catalog records. */
export const FOLDER_RECORD = 1;
export const FILE_RECORD = 2;
export const FOLDER_THREAD = 3;
export const FILE_THREAD = 4;

export const PlusFolder = struct('HFSPlusCatalogFolder', 88, {
  recordType: be16(0),
  flags: be16(2),
  valence: be32(4),
  folderID: be32(8),
  createDate: be32(12),
  contentModDate: be32(16),
  attributeModDate: be32(20),
  accessDate: be32(24),
  backupDate: be32(28),
  ownerID: be32(32),
  groupID: be32(36),
  adminFlags: u8(40),
  ownerFlags: u8(41),
  fileMode: be16(42),
  special: be32(44),
  finderInfo: bytes(48, 32),
  textEncoding: be32(80),
});

export const PlusFile = struct('HFSPlusCatalogFile', 248, {
  recordType: be16(0),
  flags: be16(2),
  fileID: be32(8),
  createDate: be32(12),
  contentModDate: be32(16),
  attributeModDate: be32(20),
  accessDate: be32(24),
  backupDate: be32(28),
  ownerID: be32(32),
  groupID: be32(36),
  adminFlags: u8(40),
  ownerFlags: u8(41),
  fileMode: be16(42),
  special: be32(44), // iNodeNum of a link, linkCount of what it links to, or a device number
  finderInfo: bytes(48, 32),
  textEncoding: be32(80),
  dataFork: bytes(88, 80),
  resourceFork: bytes(168, 80),
});
/** HFSPlusCatalogFile.flags */
export const FILE_LOCKED = 1;
export const FILE_THREAD_EXISTS = 2;
export const FILE_HAS_ATTRIBUTES = 4;
/** ownerFlags: the user may not change the file (UF_IMMUTABLE). */
export const OWNER_IMMUTABLE = 2;

/** Finder types and creators, as four characters. TN1150, "Hard Links" and "Symbolic Links". */
export const HARD_LINK = [0x686c6e6b, 0x6866732b] as const; // 'hlnk', 'hfs+'
export const SYMBOLIC_LINK = [0x736c6e6b, 0x72686170] as const; // 'slnk', 'rhap'
/** The folder in the root that holds what hard links lead to, and open files without a name. */
export const PRIVATE_FOLDER = '\0\0\0\0HFS+ Private Data';
/** The same for directories, made by later systems: only hidden here. */
export const PRIVATE_DIRECTORY_FOLDER = '.HFS+ Private Directory Data\r';

/** HFSPlusAttrData; the value follows. */
export const AttributeData = struct('HFSPlusAttrData', 16, {
  recordType: be32(0),
  attrSize: be32(12),
});
export const ATTRIBUTE_INLINE = 0x10;
export const ATTRIBUTE_FORK = 0x20;
export const ATTRIBUTE_EXTENTS = 0x30;
export const AttributeFork = struct('HFSPlusAttrForkData', 88, {
  recordType: be32(0),
  fork: bytes(8, 80),
});

export const JournalInfoBlock = struct('JournalInfoBlock', 180, {
  flags: be32(0),
  offset: be64(36), // bytes from the volume's beginning
  size: be64(44),
});
export const JOURNAL_IN_FS = 1;
export const JOURNAL_ON_OTHER_DEVICE = 2;
export const JOURNAL_NEED_INIT = 4;
