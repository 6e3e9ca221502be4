// Serial ATA AHCI 1.3.1: the registers and memory structures of a host bus adapter, as its driver
// and its model (drivers/hw/ahci/) both see them.

import { le16, le32, le64, struct, u8 } from '../../kernel/abi/struct.ts';

/** §2.1: how the controller shows on the PCI bus. */
export const PCI_CLASS_AHCI = 0x010601; // mass storage, SATA, AHCI 1.0 programming interface
export const ABAR = 5; // the base address register of the HBA's memory

export const SECTOR_SIZE = 512;
export const MAX_PORTS = 32;
export const MAX_SLOTS = 32;

/** §3.1 generic host control. */
export const HBA_CAP = 0x00;
export const HBA_GHC = 0x04;
export const HBA_IS = 0x08;
export const HBA_PI = 0x0c;
export const HBA_VS = 0x10;
export const HBA_CAP2 = 0x24;
export const HBA_BOHC = 0x28;
export const HBA_SIZE = 0x1100; // generic registers and 32 ports

export const CAP_NP_MASK = 0x1f; // ports supported, less one
export const CAP_NCS_SHIFT = 8; // command slots, less one
export const CAP_NCS_MASK = 0x1f;
export const CAP_SAM = 1 << 18; // AHCI mode only
export const CAP_ISS_GEN3 = 3 << 20;
export const CAP_SCLO = 1 << 24; // command list override
export const CAP_SNCQ = 1 << 30; // native command queuing
export const CAP_S64A = 2 ** 31;

export const GHC_HR = 1 << 0; // HBA reset
export const GHC_IE = 1 << 1; // interrupt enable
export const GHC_AE = 2 ** 31; // AHCI enable

export const VS_1_3_1 = 0x0001_0301;

/** §3.3 port registers, from the port's base. */
export const portBase = (port: number): number => 0x100 + port * 0x80;
export const PORT_CLB = 0x00;
export const PORT_CLBU = 0x04;
export const PORT_FB = 0x08;
export const PORT_FBU = 0x0c;
export const PORT_IS = 0x10;
export const PORT_IE = 0x14;
export const PORT_CMD = 0x18;
export const PORT_TFD = 0x20;
export const PORT_SIG = 0x24;
export const PORT_SSTS = 0x28;
export const PORT_SCTL = 0x2c;
export const PORT_SERR = 0x30;
export const PORT_SACT = 0x34;
export const PORT_CI = 0x38;

/** §3.3.5 PxIS, §3.3.6 PxIE. */
export const IS_DHRS = 1 << 0; // a D2H register FIS with the I bit came
export const IS_PSS = 1 << 1; // a PIO setup FIS with the I bit came
export const IS_DSS = 1 << 2;
export const IS_SDBS = 1 << 3; // a Set Device Bits FIS with the I bit came
export const IS_DPS = 1 << 5; // a PRD with the I bit is transferred
export const IS_PCS = 1 << 6; // port connect change: mirrors PxSERR.DIAG.X
export const IS_PRCS = 1 << 22; // PhyRdy change: mirrors PxSERR.DIAG.N
export const IS_OFS = 1 << 24; // more data than the PRDT holds
export const IS_INFS = 1 << 26;
export const IS_IFS = 1 << 27; // interface fatal
export const IS_HBDS = 1 << 28; // host bus data error
export const IS_HBFS = 1 << 29; // host bus fatal: a bad address
export const IS_TFES = 1 << 30; // the device set ERR
/** §6.1: errors that stop the command list until software clears PxCMD.ST. */
export const IS_FATAL = IS_TFES | IS_HBFS | IS_HBDS | IS_IFS;

/** §3.3.7 PxCMD. */
export const CMD_ST = 1 << 0; // start
export const CMD_SUD = 1 << 1; // spin up
export const CMD_POD = 1 << 2; // power on
export const CMD_CLO = 1 << 3; // command list override
export const CMD_FRE = 1 << 4; // FIS receive enable
export const CMD_CCS_SHIFT = 8; // current command slot
export const CMD_CCS_MASK = 0x1f;
export const CMD_FR = 1 << 14; // FIS receive running
export const CMD_CR = 1 << 15; // command list running
export const CMD_ICC_ACTIVE = 1 << 28;

/** §3.3.8 PxTFD. */
export const TFD_ERR = 0x01;
export const TFD_DRQ = 0x08;
export const TFD_BSY = 0x80;
export const TFD_ERROR_SHIFT = 8;

export const SIG_ATA = 0x0000_0101;

/** §3.3.10 PxSSTS, §3.3.11 PxSCTL. */
export const SSTS_DET_MASK = 0xf;
export const SSTS_DET_PRESENT = 3; // a device, and the phy is up
export const SSTS_UP = 0x133; // active, generation 3, present
export const SCTL_DET_MASK = 0xf;
export const SCTL_DET_RESET = 1;

/** §3.3.12 PxSERR. */
export const SERR_DIAG_N = 1 << 16; // PhyRdy changed: the link went down, or came up
export const SERR_DIAG_X = 1 << 26; // exchanged: a COMINIT came

/** §4.2.2 command header: 32 of them are the command list. */
export const CommandHeader = struct('ahci_cmd_header', 0x20, {
  flags: le16(0x0), // HEADER_*
  prdtl: le16(0x2), // entries in the PRDT
  prdbc: le32(0x4), // bytes transferred, written by the HBA
  ctba: le64(0x8), // command table, 128-byte aligned
});
export const HEADER_CFL_MASK = 0x1f; // length of the command FIS in dwords
export const HEADER_ATAPI = 1 << 5;
export const HEADER_WRITE = 1 << 6;
export const HEADER_CLEAR_BUSY = 1 << 10;

/** §4.2.3 command table: the command FIS, then at 0x80 the PRDT. */
export const TABLE_PRDT = 0x80;
export const MAX_PRDT = 168;
export const TABLE_SIZE = TABLE_PRDT + MAX_PRDT * 0x10; // 0xb00, a multiple of 128

/** §4.2.3.3 physical region descriptor. */
export const Prd = struct('ahci_prd', 0x10, {
  dba: le64(0x0), // word aligned
  dbc: le32(0xc), // bytes less one in bits 21:0; bit 31 asks for an interrupt
});
export const PRD_DBC_MASK = 0x3f_ffff;
export const PRD_MAX_BYTES = 0x40_0000;
export const PRD_INTERRUPT = 2 ** 31;

export const COMMAND_LIST_SIZE = 0x400; // aligned to itself
export const RECEIVED_FIS_SIZE = 0x100; // aligned to itself

/** §4.2.1: where in the received-FIS area the HBA puts what the device sent. */
export const RFIS_PIO_SETUP = 0x20;
export const RFIS_D2H_REGISTER = 0x40;
export const RFIS_SET_DEVICE_BITS = 0x58;

/** Serial ATA 3.x §10.5.5 Register FIS, host to device. */
export const FIS_H2D = 0x27;
export const H2D_COMMAND = 0x80; // in flags: this FIS carries a command, not a control update
export const H2D_SRST = 0x04; // in control
export const RegisterH2D = struct('fis_register_h2d', 20, {
  type: u8(0),
  flags: u8(1),
  command: u8(2),
  features: u8(3),
  lba0: u8(4),
  lba1: u8(5),
  lba2: u8(6),
  device: u8(7),
  lba3: u8(8),
  lba4: u8(9),
  lba5: u8(10),
  featuresExp: u8(11),
  count: le16(12),
  icc: u8(14),
  control: u8(15),
});

/** Serial ATA 3.x §10.5.6 Register FIS, device to host; §10.5.11 PIO Setup begins alike. */
export const FIS_D2H = 0x34;
export const FIS_PIO_SETUP = 0x5f;
export const D2H_INTERRUPT = 0x40;
export const PIO_TO_HOST = 0x20;
export const RegisterD2H = struct('fis_register_d2h', 20, {
  type: u8(0),
  flags: u8(1),
  status: u8(2),
  error: u8(3),
  lba0: u8(4),
  lba1: u8(5),
  lba2: u8(6),
  device: u8(7),
  lba3: u8(8),
  lba4: u8(9),
  lba5: u8(10),
  count: le16(12),
  eStatus: u8(15), // PIO Setup only: the status after the transfer
  transferCount: le16(16), // PIO Setup only: bytes
});

/** Serial ATA 3.x §10.5.7 Set Device Bits FIS: which queued commands are over. */
export const FIS_SET_DEVICE_BITS = 0xa1;
export const SetDeviceBits = struct('fis_set_device_bits', 8, {
  type: u8(0),
  flags: u8(1),
  status: u8(2), // without BSY and DRQ
  error: u8(3),
  active: le32(4), // tags that end
});
/** The tag of a queued command, in its count register. */
export const TAG_SHIFT = 3;
