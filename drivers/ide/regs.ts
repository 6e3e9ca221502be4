// An IDE channel as ATA/ATAPI-6 has it (T13 1410D §7, registers) behind a bus master of the PIIX kind
// (Programming Interface for Bus Master IDE Controller 1.0), in PCI native mode: as the driver and the
// model (drivers/hw/ide/) both see it.

import { le16, le32, struct } from '../../kernel/abi/struct.ts';

/** Mass storage, IDE; both channels native, bus master. */
export const PCI_CLASS_IDE = 0x010185;
export const CHANNELS = 2;
export const DRIVES = 2; // on a channel

/** BARs: of channel N the command block is 2N, the control block 2N + 1. */
export const commandBar = (channel: number): number => channel * 2;
export const controlBar = (channel: number): number => channel * 2 + 1;
export const BUS_MASTER_BAR = 4;
export const COMMAND_BLOCK_SIZE = 8;
export const CONTROL_BLOCK_SIZE = 4;
export const BUS_MASTER_SIZE = 16;

/** Command block, §7.x; data has two bytes, the others one. */
export const DATA = 0;
export const ERROR = 1; // read
export const FEATURES = 1; // write
export const COUNT = 2;
export const LBA_LOW = 3;
export const LBA_MID = 4;
export const LBA_HIGH = 5;
export const DEVICE = 6;
export const STATUS = 7; // read: takes the interrupt away
export const COMMAND = 7; // write

/** Control block. */
export const ALTERNATE_STATUS = 2; // read
export const CONTROL = 2; // write
export const CONTROL_NIEN = 0x02; // no interrupts
export const CONTROL_SRST = 0x04;
export const CONTROL_HOB = 0x80; // registers read as they were written before the last time

export const DEVICE_LBA = 0x40;
export const DEVICE_1 = 0x10;

/** Status bits besides those of ata-regs.ts. */
export const BSY = 0x80;

/** Bus master registers of a channel, at 8 times its number. */
export const busMaster = (channel: number): number => channel * 8;
export const BM_COMMAND = 0;
export const BM_STATUS = 2;
export const BM_PRDT = 4;
export const BM_START = 0x01;
export const BM_TO_MEMORY = 0x08;
export const BM_ACTIVE = 0x01;
export const BM_ERROR = 0x02; // written as one: cleared
export const BM_INTERRUPT = 0x04; // written as one: cleared

/** Physical region descriptor: it does not cross 64 KiB. */
export const Prd = struct('ide_prd', 8, {
  base: le32(0),
  count: le16(4), // bytes; 0 is 64 KiB
  flags: le16(6), // bit 15: the last
});
export const PRD_LAST = 0x8000;
export const PRD_BOUNDARY = 0x1_0000;

export const SECTOR_SIZE = 512;
