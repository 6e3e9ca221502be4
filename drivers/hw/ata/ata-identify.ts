// The 512 bytes that a drive answers to IDENTIFY DEVICE: ACS-3 §7.12.7.

import {
  COMMAND_SET_FLUSH,
  COMMAND_SET_FLUSH_EXT,
  COMMAND_SET_FUA,
  COMMAND_SET_LBA48,
  COMMAND_SET_WRITE_CACHE,
  ID_CAPABILITIES,
  ID_COMMAND_SETS,
  ID_COMMAND_SETS_2,
  ID_COMMAND_SETS_3,
  ID_DSM,
  ID_DSM_BLOCKS,
  ID_ENABLED,
  ID_ENABLED_2,
  ID_ENABLED_3,
  ID_FIRMWARE,
  ID_INTEGRITY,
  ID_MODEL,
  ID_QUEUE_DEPTH,
  ID_ROTATION,
  ID_SATA_CAPABILITIES,
  ID_SECTOR_SIZE,
  ID_SECTORS_28,
  ID_SECTORS_48,
  ID_SERIAL,
  ID_VENDOR,
  SATA_CAPABILITY_NCQ,
  VENDOR_WRITE_PROTECTED,
} from '../../lib/ata-regs.ts';

export interface Identity {
  readonly model: string;
  readonly serial: string;
  readonly firmware: string;
  readonly sectorCount: number;
  readonly readOnly: boolean;
  readonly writeCache: boolean;
  /** Of native command queuing; 0 = it has none. */
  readonly queueDepth: number;
}

/** Blocks of TRIM ranges that one DATA SET MANAGEMENT may carry. */
export const DSM_BLOCK_LIMIT = 8;

export function identifyData(identity: Identity): Uint8Array {
  const data = new Uint8Array(512);
  const view = new DataView(data.buffer);
  const word = (index: number, value: number) => view.setUint16(index * 2, value, true);
  word(0, 0x0040); // an ATA device, fixed
  putText(data, ID_SERIAL, 10, identity.serial);
  putText(data, ID_FIRMWARE, 4, identity.firmware);
  putText(data, ID_MODEL, 20, identity.model);
  word(47, 0x8000);
  word(ID_CAPABILITIES, 0x0300); // LBA, DMA
  word(50, 0x4000);
  word(53, 0x0006); // words 64 to 70 and 88 are valid
  word(63, 0x0007); // multiword DMA 0 to 2
  word(64, 0x0003); // PIO 3 and 4
  for (const index of [65, 66, 67, 68]) word(index, 120); // ns a cycle
  word(69, 0x4000); // DRAT: a trimmed sector reads the same every time
  const queues = identity.queueDepth > 0;
  word(ID_QUEUE_DEPTH, queues ? identity.queueDepth - 1 : 0);
  word(ID_SATA_CAPABILITIES, 0x000e | (queues ? SATA_CAPABILITY_NCQ : 0)); // generations 1 to 3
  word(80, 0x03f0); // ATA/ATAPI-4 to ACS-3
  word(88, 0x407f); // ultra DMA 0 to 6, 6 is selected
  putCounts(view, identity.sectorCount);
  putCommandSets(word, identity.writeCache);
  word(ID_VENDOR, identity.readOnly ? VENDOR_WRITE_PROTECTED : 0);
  word(ID_DSM_BLOCKS, DSM_BLOCK_LIMIT);
  word(ID_SECTOR_SIZE, 0x6003); // one logical sector is 512 bytes, 8 of them a physical one
  word(ID_DSM, 0x0001);
  word(ID_ROTATION, 0x0001); // solid state
  word(222, 0x107f); // serial transport, SATA 3.x
  data[ID_INTEGRITY * 2] = 0xa5;
  data[ID_INTEGRITY * 2 + 1] = -data.reduce((sum, byte) => sum + byte, 0) & 0xff;
  return data;
}

function putCounts(view: DataView, sectorCount: number): void {
  view.setUint32(ID_SECTORS_28 * 2, Math.min(sectorCount, 0x0fff_ffff), true);
  view.setUint32(ID_SECTORS_48 * 2, sectorCount >>> 0, true);
  view.setUint32(ID_SECTORS_48 * 2 + 4, Math.floor(sectorCount / 2 ** 32), true);
}

function putCommandSets(word: (index: number, value: number) => void, writeCache: boolean): void {
  const second = 0x4000 | COMMAND_SET_FLUSH_EXT | COMMAND_SET_FLUSH | COMMAND_SET_LBA48;
  word(ID_COMMAND_SETS, COMMAND_SET_WRITE_CACHE);
  word(ID_COMMAND_SETS_2, second);
  word(ID_COMMAND_SETS_3, 0x4000 | COMMAND_SET_FUA);
  word(ID_ENABLED, writeCache ? COMMAND_SET_WRITE_CACHE : 0);
  word(ID_ENABLED_2, second & ~0x4000);
  word(ID_ENABLED_3, 0x4000 | COMMAND_SET_FUA);
}

/** §3.4.9: ASCII, padded with blanks, the two characters of each word swapped. */
function putText(data: Uint8Array, index: number, words: number, text: string): void {
  const padded = text.slice(0, words * 2).padEnd(words * 2);
  for (let i = 0; i < words * 2; i++) data[index * 2 + (i ^ 1)] = padded.charCodeAt(i) & 0x7f;
}
