// ATA/ATAPI Command Set 3 (ACS-3): the command codes, status bits and IDENTIFY words that a disk's
// model and its drivers share.

export const ATA_DATA_SET_MANAGEMENT = 0x06; // §7.6
export const ATA_READ_SECTORS = 0x20; // 28-bit, PIO
export const ATA_READ_SECTORS_EXT = 0x24; // PIO
export const ATA_READ_DMA_EXT = 0x25;
export const ATA_READ_LOG_EXT = 0x2f; // §7.23
export const ATA_WRITE_SECTORS = 0x30; // 28-bit, PIO
export const ATA_WRITE_SECTORS_EXT = 0x34; // PIO
export const ATA_WRITE_DMA_EXT = 0x35;
export const ATA_WRITE_DMA_FUA_EXT = 0x3d;
export const ATA_READ_FPDMA_QUEUED = 0x60; // §7.21
export const ATA_WRITE_FPDMA_QUEUED = 0x61; // §7.61
export const ATA_IDENTIFY_PACKET = 0xa1;
export const ATA_READ_DMA = 0xc8; // 28-bit
export const ATA_WRITE_DMA = 0xca; // 28-bit
export const ATA_STANDBY_IMMEDIATE = 0xe0;
export const ATA_FLUSH_CACHE = 0xe7;
export const ATA_FLUSH_CACHE_EXT = 0xea;
export const ATA_IDENTIFY = 0xec;
export const ATA_SET_FEATURES = 0xef;

/** SET FEATURES subcommands, §7.45. */
export const FEATURE_ENABLE_WRITE_CACHE = 0x02;
export const FEATURE_SET_TRANSFER_MODE = 0x03;
export const FEATURE_DISABLE_WRITE_CACHE = 0x82;

/** READ LOG EXT: the logs' directory, and that of the queue's last error (§9.13). */
export const LOG_DIRECTORY = 0x00;
export const LOG_NCQ_ERROR = 0x10;
export const LOG_BYTES = 512; // a page
export const LOG_NOT_QUEUED = 0x80; // of byte 0: no queued command failed; else its tag
export const LOG_TAG_MASK = 0x1f;
export const QUEUE_DEPTH = 32;

/** DATA SET MANAGEMENT, features bit 0. */
export const DSM_TRIM = 0x01;
/** A TRIM range: 48 bits of LBA, 16 bits of count; 64 of them in a block of 512 bytes. */
export const DSM_RANGES_PER_BLOCK = 64;
export const DSM_MAX_COUNT = 0xffff;

/** Status register, §6.2. */
export const STATUS_ERR = 0x01;
export const STATUS_DRQ = 0x08;
export const STATUS_DF = 0x20; // device fault
export const STATUS_DRDY = 0x40;
export const STATUS_SERVICE = 0x10; // reads as 1 when idle, as disks have it
export const STATUS_OK = STATUS_DRDY | STATUS_SERVICE;

/** Error register, §6.3. */
export const ERROR_ABRT = 0x04; // command aborted
export const ERROR_IDNF = 0x10; // address not found
export const ERROR_UNC = 0x40; // uncorrectable data
export const ERROR_ICRC = 0x80; // interface CRC

const errorBits: readonly [number, string][] = [
  [ERROR_ICRC, 'interface CRC error'],
  [ERROR_UNC, 'uncorrectable data'],
  [ERROR_IDNF, 'address not found'],
  [ERROR_ABRT, 'command aborted'],
];

/** What the error register says. */
export const errorWords = (error: number): string[] =>
  errorBits.filter(([bit]) => error & bit).map(([, word]) => word);

/** Words of IDENTIFY DEVICE, §7.12.7. */
export const ID_SERIAL = 10; // 10 words of text
export const ID_FIRMWARE = 23; // 4 words
export const ID_MODEL = 27; // 20 words
export const ID_CAPABILITIES = 49; // bit 9 LBA, bit 8 DMA
export const ID_SECTORS_28 = 60; // 2 words
export const ID_QUEUE_DEPTH = 75; // less one
export const ID_SATA_CAPABILITIES = 76; // bit 8 NCQ
export const ID_COMMAND_SETS = 82; // bit 5 write cache
export const ID_COMMAND_SETS_2 = 83; // bit 10 LBA48, bit 12 FLUSH CACHE, bit 13 FLUSH CACHE EXT
export const ID_COMMAND_SETS_3 = 84; // bit 6 WRITE DMA FUA EXT
export const ID_ENABLED = 85; // as 82, what is on
export const ID_ENABLED_2 = 86;
export const ID_ENABLED_3 = 87;
export const ID_SECTORS_48 = 100; // 4 words
export const ID_DSM_BLOCKS = 105; // 512-byte blocks of TRIM ranges a command
export const ID_SECTOR_SIZE = 106;
export const ID_LOGICAL_SECTOR_WORDS = 117; // 2 words
export const ID_VENDOR = 129; // DEVIATES: bit 0 tells the write-protect switch, which ATA lacks
export const ID_DSM = 169; // bit 0 TRIM
export const ID_ROTATION = 217; // 1 = does not rotate
export const ID_INTEGRITY = 255; // low byte 0xa5, high byte makes the sum of all bytes 0

export const COMMAND_SET_WRITE_CACHE = 1 << 5;
export const COMMAND_SET_LBA48 = 1 << 10;
export const COMMAND_SET_FLUSH = 1 << 12;
export const COMMAND_SET_FLUSH_EXT = 1 << 13;
export const COMMAND_SET_FUA = 1 << 6;
export const SATA_CAPABILITY_NCQ = 1 << 8;
export const VENDOR_WRITE_PROTECTED = 1 << 0;

/** Most sectors in one 48-bit command (count 0 means this) and in one 28-bit command. */
export const MAX_SECTORS_48 = 65_536;
export const MAX_SECTORS_28 = 256;
