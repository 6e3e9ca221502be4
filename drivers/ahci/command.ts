// Builds commands in a port's memory: command header, command FIS and PRDT (AHCI 1.3.1 §4.2.2,
// §4.2.3), for the ATA commands that the driver uses.

import {
  ATA_DATA_SET_MANAGEMENT,
  ATA_FLUSH_CACHE_EXT,
  ATA_IDENTIFY,
  ATA_READ_DMA_EXT,
  ATA_READ_FPDMA_QUEUED,
  ATA_READ_LOG_EXT,
  ATA_STANDBY_IMMEDIATE,
  ATA_WRITE_DMA_EXT,
  ATA_WRITE_FPDMA_QUEUED,
  DSM_MAX_COUNT,
  DSM_RANGES_PER_BLOCK,
  DSM_TRIM,
  LOG_NCQ_ERROR,
} from '../lib/ata-regs.ts';
import type { BlockRequest, RamRange } from '../lib/request.ts';
import { SECTOR_SIZE } from '../lib/request.ts';
import type { PortMemory } from './memory.ts';
import {
  CommandHeader,
  FIS_H2D,
  H2D_COMMAND,
  HEADER_WRITE,
  Prd,
  RegisterH2D,
  TABLE_PRDT,
  TAG_SHIFT,
} from './regs.ts';

/** An ATA command with its data. */
export interface Command {
  readonly name: string;
  readonly command: number;
  readonly features: number;
  readonly lba: number;
  readonly count: number; // the register: 0 is 65,536 sectors
  readonly direction: 'to-device' | 'to-host' | 'none';
  readonly segments: readonly RamRange[];
  readonly bytes: number; // to be transferred
  /** By native command queuing: the slot is the tag. */
  readonly queued: boolean;
}

const plain = (name: string, command: number): Command => ({
  name,
  command,
  features: 0,
  lba: 0,
  count: 0,
  direction: 'none',
  segments: [],
  bytes: 0,
  queued: false,
});

export const standby: Command = plain('STANDBY IMMEDIATE', ATA_STANDBY_IMMEDIATE);

export const identify = (into: RamRange): Command => ({
  ...plain('IDENTIFY DEVICE', ATA_IDENTIFY),
  direction: 'to-host',
  segments: [into],
  bytes: into.length,
});

/** Sectors that one block of TRIM ranges can name. */
export const TRIM_LIMIT = DSM_RANGES_PER_BLOCK * DSM_MAX_COUNT;

/** The log that tells which queued command failed: ACS-3 §9.13. */
export const readErrorLog = (into: RamRange): Command => ({
  ...plain('READ LOG EXT', ATA_READ_LOG_EXT),
  ...{ lba: LOG_NCQ_ERROR, count: 1, direction: 'to-host', segments: [into], bytes: into.length },
});

export interface Means {
  /** Memory of the slot, for TRIM's ranges. */
  readonly payload: RamRange;
  readonly ram: DataView;
  /** Reads and writes go by native command queuing. */
  readonly queued: boolean;
}

/** The command for a block request. */
export function commandFor(request: BlockRequest, { payload, ram, queued }: Means): Command {
  switch (request.op) {
    case 'flush':
      return plain('FLUSH CACHE EXT', ATA_FLUSH_CACHE_EXT);
    case 'trim':
      putTrimRanges(ram, payload.address, request);
      return {
        ...plain('DATA SET MANAGEMENT', ATA_DATA_SET_MANAGEMENT),
        features: DSM_TRIM,
        count: 1,
        direction: 'to-device',
        segments: [payload],
        bytes: payload.length,
      };
    case 'read':
      return transfer(request, queued ? readQueued : readDma, 'to-host');
    case 'write':
      return transfer(request, queued ? writeQueued : writeDma, 'to-device');
  }
}

const readDma = plain('READ DMA EXT', ATA_READ_DMA_EXT);
const writeDma = plain('WRITE DMA EXT', ATA_WRITE_DMA_EXT);
const readQueued = { ...plain('READ FPDMA QUEUED', ATA_READ_FPDMA_QUEUED), queued: true };
const writeQueued = { ...plain('WRITE FPDMA QUEUED', ATA_WRITE_FPDMA_QUEUED), queued: true };

function transfer(
  request: BlockRequest,
  base: Command,
  direction: 'to-host' | 'to-device',
): Command {
  const { lba, count, segments } = request;
  return { ...base, lba, count: count & 0xffff, direction, segments, bytes: count * SECTOR_SIZE };
}

/** ACS-3 §7.6.3: 8 bytes a range; a count of 0 means nothing. */
function putTrimRanges(ram: DataView, at: number, request: BlockRequest): void {
  let left = request.count;
  let lba = request.lba;
  for (let i = 0; i < DSM_RANGES_PER_BLOCK; i++) {
    const count = Math.min(left, DSM_MAX_COUNT);
    ram.setUint32(at + i * 8, count === 0 ? 0 : lba >>> 0, true);
    ram.setUint16(at + i * 8 + 4, count === 0 ? 0 : Math.floor(lba / 2 ** 32), true);
    ram.setUint16(at + i * 8 + 6, count, true);
    lba += count;
    left -= count;
  }
}

/** Writes the command into the memory of its slot; the port may fetch it from then on. */
export function putCommand(
  ram: DataView,
  memory: PortMemory,
  slot: number,
  command: Command,
): void {
  const table = memory.table(slot);
  putFis(new RegisterH2D(ram, table), command, slot);
  command.segments.forEach((segment, i) => {
    const prd = new Prd(ram, table + TABLE_PRDT + i * Prd.size);
    prd.dba = segment.address;
    prd.dbc = segment.length - 1;
  });
  const header = new CommandHeader(ram, memory.commandList + slot * CommandHeader.size);
  const fisDwords = RegisterH2D.size / 4;
  header.flags = fisDwords | (command.direction === 'to-device' ? HEADER_WRITE : 0);
  header.prdtl = command.segments.length;
  header.prdbc = 0;
  header.ctba = table;
}

function putFis(fis: InstanceType<typeof RegisterH2D>, command: Command, tag: number): void {
  // §7.21: a queued command has its tag where others have the count, and the count in the features.
  const { queued } = command;
  const features = queued ? command.count : command.features;
  fis.type = FIS_H2D;
  fis.flags = H2D_COMMAND;
  fis.command = command.command;
  fis.features = features & 0xff;
  fis.featuresExp = features >> 8;
  fis.device = 0x40; // LBA
  const low = command.lba % 2 ** 24;
  const high = Math.floor(command.lba / 2 ** 24);
  fis.lba0 = low & 0xff;
  fis.lba1 = (low >> 8) & 0xff;
  fis.lba2 = low >> 16;
  fis.lba3 = high & 0xff;
  fis.lba4 = (high >> 8) & 0xff;
  fis.lba5 = high >> 16;
  fis.count = queued ? tag << TAG_SHIFT : command.count;
  fis.icc = 0;
  fis.control = 0;
}

/** How many bytes the slot's command has moved: PRDBC. */
export const transferred = (ram: DataView, memory: PortMemory, slot: number): number =>
  new CommandHeader(ram, memory.commandList + slot * CommandHeader.size).prdbc;
