// ATA commands as the IDE driver gives them: 28-bit where the address allows it, by DMA where drive and
// controller have it, else by PIO (ATA/ATAPI-6 §8).

import * as ata from '../lib/ata-regs.ts';
import { type BlockRequest, type RamRange, SECTOR_SIZE } from '../lib/request.ts';

export interface IdeCommand {
  readonly name: string;
  readonly code: number;
  readonly protocol: 'none' | 'pio-in' | 'pio-out' | 'dma-in' | 'dma-out';
  readonly wide: boolean; // 48-bit registers
  readonly features: number;
  readonly lba: number;
  readonly count: number; // the register's value
  readonly segments: readonly RamRange[];
  readonly bytes: number;
}

const NARROW_END = 2 ** 28;
/** Ranges of TRIM that go in the one block of payload. */
export const TRIM_SECTORS = ata.DSM_RANGES_PER_BLOCK * ata.DSM_MAX_COUNT;

const plain = (name: string, code: number): IdeCommand => ({
  ...{ name, code, protocol: 'none', wide: false, features: 0, lba: 0, count: 0 },
  ...{ segments: [], bytes: 0 },
});

export const standby: IdeCommand = plain('STANDBY IMMEDIATE', ata.ATA_STANDBY_IMMEDIATE);

export const identify = (into: RamRange): IdeCommand => ({
  ...plain('IDENTIFY DEVICE', ata.ATA_IDENTIFY),
  ...{ protocol: 'pio-in', segments: [into], bytes: into.length },
});

/** What a disk's commands go by. */
export interface Means {
  readonly dma: boolean;
  /** Memory for TRIM's ranges. */
  readonly payload: RamRange;
  readonly ram: DataView;
}

export function commandFor(request: BlockRequest, { dma, payload, ram }: Means): IdeCommand {
  const { op, lba, count, segments } = request;
  const wide = lba + count > NARROW_END || count > ata.MAX_SECTORS_28;
  const moves = { wide, lba, count: count & (wide ? 0xffff : 0xff), segments };
  const bytes = count * SECTOR_SIZE;
  switch (op) {
    case 'flush':
      return { ...plain('FLUSH CACHE EXT', ata.ATA_FLUSH_CACHE_EXT), wide: true };
    case 'trim':
      putTrimRanges(ram, payload.address, request);
      return {
        ...plain('DATA SET MANAGEMENT', ata.ATA_DATA_SET_MANAGEMENT),
        ...{ protocol: 'dma-out', wide: true, features: ata.DSM_TRIM, count: 1 },
        ...{ segments: [payload], bytes: payload.length },
      };
    case 'read': {
      const code = READS[dma ? 'dma' : 'pio'][wide ? 1 : 0] ?? 0;
      const protocol = dma ? 'dma-in' : 'pio-in';
      return { ...plain(dma ? 'READ DMA' : 'READ SECTORS', code), ...moves, protocol, bytes };
    }
    case 'write': {
      const code = WRITES[dma ? 'dma' : 'pio'][wide ? 1 : 0] ?? 0;
      const protocol = dma ? 'dma-out' : 'pio-out';
      return { ...plain(dma ? 'WRITE DMA' : 'WRITE SECTORS', code), ...moves, protocol, bytes };
    }
  }
}

const READS = {
  dma: [ata.ATA_READ_DMA, ata.ATA_READ_DMA_EXT],
  pio: [ata.ATA_READ_SECTORS, ata.ATA_READ_SECTORS_EXT],
};
const WRITES = {
  dma: [ata.ATA_WRITE_DMA, ata.ATA_WRITE_DMA_EXT],
  pio: [ata.ATA_WRITE_SECTORS, ata.ATA_WRITE_SECTORS_EXT],
};

/** ACS-3 §7.6.3: 8 bytes a range; a count of 0 means nothing. */
function putTrimRanges(ram: DataView, at: number, { lba, count }: BlockRequest): void {
  let left = count;
  let from = lba;
  for (let i = 0; i < ata.DSM_RANGES_PER_BLOCK; i++) {
    const take = Math.min(left, ata.DSM_MAX_COUNT);
    ram.setUint32(at + i * 8, take === 0 ? 0 : from >>> 0, true);
    ram.setUint16(at + i * 8 + 4, take === 0 ? 0 : Math.floor(from / 2 ** 32), true);
    ram.setUint16(at + i * 8 + 6, take, true);
    from += take;
    left -= take;
  }
}
