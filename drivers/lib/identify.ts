// Reads what a disk tells of itself: IDENTIFY DEVICE, ACS-3 §7.12.7.

import { EIO, PosixError } from '../../kernel/abi/errno.ts';
import * as ata from './ata-regs.ts';

export interface DiskIdentity {
  readonly model: string;
  readonly serial: string;
  readonly firmware: string;
  readonly sectorCount: number;
  readonly writeCache: boolean;
  readonly readOnly: boolean;
  readonly trim: boolean;
  /** Queued commands that it takes at once; 0 = it has no native command queuing. */
  readonly queueDepth: number;
}

/** Parses the 512 bytes at `at`; throws EIO when the disk cannot be driven. */
export function parseIdentity(view: DataView, at: number): DiskIdentity {
  const word = (index: number) => view.getUint16(at + index * 2, true);
  checkIntegrity(view, at);
  if ((word(ata.ID_COMMAND_SETS_2) & ata.COMMAND_SET_LBA48) === 0)
    throw new PosixError(EIO, 'the disk lacks 48-bit addresses');
  const long = (word(ata.ID_SECTOR_SIZE) & 0xd000) === 0x5000;
  if (long) throw new PosixError(EIO, 'the disk has sectors of more than 512 bytes');
  const high = word(ata.ID_SECTORS_48 + 2) + word(ata.ID_SECTORS_48 + 3) * 2 ** 16;
  const low = word(ata.ID_SECTORS_48) + word(ata.ID_SECTORS_48 + 1) * 2 ** 16;
  const sectorCount = high * 2 ** 32 + low;
  if (sectorCount === 0 || sectorCount > 2 ** 44)
    throw new PosixError(EIO, `the disk claims ${sectorCount} sectors`);
  return {
    model: text(view, at + ata.ID_MODEL * 2, 40),
    serial: text(view, at + ata.ID_SERIAL * 2, 20),
    firmware: text(view, at + ata.ID_FIRMWARE * 2, 8),
    sectorCount,
    writeCache: (word(ata.ID_ENABLED) & ata.COMMAND_SET_WRITE_CACHE) !== 0,
    readOnly: (word(ata.ID_VENDOR) & ata.VENDOR_WRITE_PROTECTED) !== 0,
    trim: (word(ata.ID_DSM) & 1) !== 0,
    queueDepth: queueDepth(word),
  };
}

function queueDepth(word: (index: number) => number): number {
  const told = word(ata.ID_SATA_CAPABILITIES);
  const queues = told !== 0xffff && (told & ata.SATA_CAPABILITY_NCQ) !== 0;
  return queues ? (word(ata.ID_QUEUE_DEPTH) & (ata.QUEUE_DEPTH - 1)) + 1 : 0;
}

function checkIntegrity(view: DataView, at: number): void {
  if (view.getUint8(at + ata.ID_INTEGRITY * 2) !== 0xa5) return; // the disk gives no checksum
  let sum = 0;
  for (let i = 0; i < 512; i++) sum += view.getUint8(at + i);
  if ((sum & 0xff) !== 0) throw new PosixError(EIO, 'IDENTIFY DEVICE: wrong checksum');
}

/** Words of two characters, swapped; padded with blanks. */
function text(view: DataView, at: number, size: number): string {
  let out = '';
  for (let i = 0; i < size; i++) out += String.fromCharCode(view.getUint8(at + (i ^ 1)) & 0x7f);
  return out.replace(/[^ -~]/g, '').trim();
}
