// VIRTIO 1.2: the modern PCI transport (§4.1), split virtqueues (§2.7) and the block device (§5.2), as
// the driver and the model (drivers/hw/virtio/) both see them.

import { le16, le32, le64, struct, u8 } from '../../kernel/abi/struct.ts';

/** §4.1.2: the transitional ids end at 0x103f; a modern device is 0x1040 and its type. */
export const PCI_VENDOR_VIRTIO = 0x1af4;
export const PCI_DEVICE_BLOCK = 0x1042;

/** §4.1.4: vendor capabilities that tell where each structure lies. */
export const PCI_CAPABILITIES = 0x34;
export const PCI_CAP_VENDOR = 0x09;
export const PciCap = struct('virtio_pci_cap', 16, {
  cap_vndr: u8(0),
  cap_next: u8(1),
  cap_len: u8(2),
  cfg_type: u8(3), // CAP_*
  bar: u8(4),
  id: u8(5),
  offset: le32(8),
  length: le32(12),
});
export const CAP_COMMON = 1;
export const CAP_NOTIFY = 2; // followed by notify_off_multiplier, le32
export const CAP_ISR = 3;
export const CAP_DEVICE = 4;

/** §4.1.4.3 common configuration: offsets, each with the width of its field. */
export const COMMON = {
  deviceFeatureSelect: [0, 4],
  deviceFeature: [4, 4],
  driverFeatureSelect: [8, 4],
  driverFeature: [12, 4],
  configVector: [16, 2],
  numQueues: [18, 2],
  deviceStatus: [20, 1],
  configGeneration: [21, 1],
  queueSelect: [22, 2],
  queueSize: [24, 2],
  queueVector: [26, 2],
  queueEnable: [28, 2],
  queueNotifyOff: [30, 2],
  queueDesc: [32, 4],
  queueDescHigh: [36, 4],
  queueDriver: [40, 4],
  queueDriverHigh: [44, 4],
  queueDevice: [48, 4],
  queueDeviceHigh: [52, 4],
  queueNotifyData: [56, 2],
  queueReset: [58, 2],
} as const satisfies Readonly<Record<string, readonly [number, 1 | 2 | 4]>>;
export type CommonField = keyof typeof COMMON;
export const COMMON_SIZE = 60;
export const NO_VECTOR = 0xffff;

/** §2.1 device status. */
export const STATUS_ACKNOWLEDGE = 1;
export const STATUS_DRIVER = 2;
export const STATUS_DRIVER_OK = 4;
export const STATUS_FEATURES_OK = 8;
export const STATUS_NEEDS_RESET = 64;
export const STATUS_FAILED = 128;

/** §4.1.4.5 ISR status; reading clears it. */
export const ISR_QUEUE = 1;
export const ISR_CONFIG = 2;

/** Feature bits: §6 and §5.2.3. */
export const F_SIZE_MAX = 1;
export const F_SEG_MAX = 2;
export const F_RO = 5;
export const F_BLK_SIZE = 6;
export const F_FLUSH = 9;
export const F_CONFIG_WCE = 11;
export const F_MQ = 12;
export const F_DISCARD = 13;
export const F_WRITE_ZEROES = 14;
export const F_INDIRECT_DESC = 28;
export const F_EVENT_IDX = 29;
export const F_VERSION_1 = 32;

/** §5.2.4 device configuration. */
export const BlockConfig = struct('virtio_blk_config', 60, {
  capacity: le64(0), // sectors of 512 bytes
  size_max: le32(8),
  seg_max: le32(12),
  cylinders: le16(16),
  heads: u8(18),
  sectors: u8(19),
  blk_size: le32(20),
  physical_block_exp: u8(24),
  alignment_offset: u8(25),
  min_io_size: le16(26),
  opt_io_size: le32(28),
  writeback: u8(32),
  num_queues: le16(34),
  max_discard_sectors: le32(36),
  max_discard_seg: le32(40),
  discard_sector_alignment: le32(44),
  max_write_zeroes_sectors: le32(48),
  max_write_zeroes_seg: le32(52),
  write_zeroes_may_unmap: u8(56),
});

/** §2.7.5 descriptor. */
export const Descriptor = struct('virtq_desc', 16, {
  addr: le64(0),
  len: le32(8),
  flags: le16(12),
  next: le16(14),
});
export const DESC_NEXT = 1;
export const DESC_WRITE = 2; // the device writes it
export const DESC_INDIRECT = 4;

/** §2.7.6, §2.7.8: flags, idx, the ring, and the event index behind it. */
export const RING_FLAGS = 0;
export const RING_IDX = 2;
export const RING_ENTRIES = 4;
export const AVAIL_NO_INTERRUPT = 1;
export const USED_NO_NOTIFY = 1;
export const availSize = (queueSize: number): number => 6 + 2 * queueSize;
export const usedSize = (queueSize: number): number => 6 + 8 * queueSize;
export const usedEventAt = (queueSize: number): number => RING_ENTRIES + 2 * queueSize;
export const availEventAt = (queueSize: number): number => RING_ENTRIES + 8 * queueSize;
export const MAX_QUEUE_SIZE = 256;

/** §2.7.10: whether going from `before` to `now` passes the index that the other side waits for. */
export const passes = (event: number, now: number, before: number): boolean =>
  ((now - event - 1) & 0xffff) < ((now - before) & 0xffff);

/** §5.2.6 device operation. */
export const RequestHeader = struct('virtio_blk_req', 16, {
  type: le32(0),
  reserved: le32(4),
  sector: le64(8),
});
export const T_IN = 0;
export const T_OUT = 1;
export const T_FLUSH = 4;
export const T_GET_ID = 8;
export const T_DISCARD = 11;
export const T_WRITE_ZEROES = 13;
export const ID_BYTES = 20;

export const Range = struct('virtio_blk_discard_write_zeroes', 16, {
  sector: le64(0),
  num_sectors: le32(8),
  flags: le32(12), // bit 0: unmap
});
export const RANGE_UNMAP = 1;

export const S_OK = 0;
export const S_IOERR = 1;
export const S_UNSUPP = 2;

export const SECTOR_SIZE = 512;
