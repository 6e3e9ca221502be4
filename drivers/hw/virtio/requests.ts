// What a virtio block device does with one request: VIRTIO 1.2 §5.2.6. The header leads the readable
// part of a chain, the status byte ends the writable part, data lies between.

import { EFAULT, EINVAL, PosixError } from '../../../kernel/abi/errno.ts';
import { encodeText } from '../../../kernel/abi/text.ts';
import type { Firing } from '../../../kernel/ipc/fault/firing.ts';
import * as r from '../../virtio-blk/regs.ts';
import type { Drive, SectorExtent } from '../device/drive.ts';
import type { DriveCommand } from '../device/drive-faults.ts';
import { gather, type Segments, scatter, sliceSegments, totalSize } from '../disk/segments.ts';
import { BadChain, type Chain } from './virtqueue.ts';

/** Most sectors that one range of DISCARD or WRITE ZEROES names, and ranges in a request. */
export const RANGE_SECTORS = 1 << 22;
export const RANGES = 16;
const ZEROES = new Uint8Array(1 << 16);

export interface BlockRequest {
  readonly chain: Chain;
  readonly type: number;
  readonly sector: number;
  /** Data for the device to read, or room for it to write. */
  readonly out: Segments;
  readonly into: Segments;
  /** As faults see it; undefined: none is about it. */
  readonly command: DriveCommand | undefined;
}

/** Takes a chain apart; throws BadChain when it has no room for header or status. */
export function parseRequest(chain: Chain): BlockRequest {
  const { readable, writable } = chain;
  const readBytes = totalSize(readable);
  const writeBytes = totalSize(writable);
  if (readBytes < r.RequestHeader.size || writeBytes < 1)
    throw new BadChain(`a request of ${readBytes} + ${writeBytes} bytes`);
  const header = new Uint8Array(r.RequestHeader.size);
  gather(readable, 0, header);
  const view = new DataView(header.buffer);
  const type = view.getUint32(0, true);
  const sector = view.getUint32(8, true) + view.getUint32(12, true) * 2 ** 32;
  const out = sliceSegments(readable, header.length, readBytes - header.length);
  const into = sliceSegments(writable, 0, writeBytes - 1);
  const count = totalSize(type === r.T_IN ? into : out) / r.SECTOR_SIZE;
  const operation = OPERATIONS[type];
  const command = operation && {
    ...{ operation, lba: operation === 'flush' ? 0 : sector },
    count: Math.floor(operation === 'flush' ? 0 : count),
  };
  return { chain, type, sector, out, into, command };
}

const OPERATIONS: Readonly<Record<number, DriveCommand['operation']>> = {
  [r.T_IN]: 'read',
  [r.T_OUT]: 'write',
  [r.T_FLUSH]: 'flush',
  [r.T_DISCARD]: 'trim',
  [r.T_WRITE_ZEROES]: 'write',
};

export interface DriveServer {
  readonly drive: Drive;
  readonly serial: string;
  /** Told what the host said when the medium failed. */
  readonly log: (line: string) => void;
}

/** Does the request and writes its status; returns the bytes written to the chain. */
export function execute(server: DriveServer, request: BlockRequest, firing?: Firing): number {
  const { writable } = request.chain;
  const done = outcome(server, request, firing);
  scatter(writable, totalSize(writable) - 1, Uint8Array.of(done.status));
  return done.moved + 1;
}

interface Outcome {
  readonly status: number;
  /** Bytes that were written to the driver's memory, the status left out. */
  readonly moved: number;
}

function outcome(server: DriveServer, request: BlockRequest, firing?: Firing): Outcome {
  try {
    const { broken } = request.chain;
    if (broken !== undefined) throw new PosixError(EFAULT, broken);
    return perform(server, request, firing);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    server.log(`virtio request ${request.type} at ${request.sector}: ${error.message}`);
    return { status: r.S_IOERR, moved: 0 };
  }
}

function perform(server: DriveServer, request: BlockRequest, firing: Firing | undefined): Outcome {
  const { drive, serial } = server;
  const { type, out, into } = request;
  const done = (moved = 0): Outcome => ({ status: r.S_OK, moved });
  switch (type) {
    case r.T_IN:
      return done(drive.read(extent(drive, request, into), () => into, firing));
    case r.T_OUT:
      drive.write(extent(drive, request, out), () => out, { firing });
      return done();
    case r.T_FLUSH:
      drive.flush(firing);
      return done();
    case r.T_GET_ID:
      return done(giveId(into, serial));
    case r.T_DISCARD:
      drive.trim(ranges(drive, out), firing);
      return done();
    case r.T_WRITE_ZEROES:
      for (const range of ranges(drive, out)) writeZeroes(drive, range, firing);
      return done();
    default:
      return { status: r.S_UNSUPP, moved: 0 };
  }
}

/** §5.2.6.2: data comes in whole sectors, inside the disk. */
function extent(drive: Drive, { sector }: BlockRequest, data: Segments): SectorExtent {
  const bytes = totalSize(data);
  const at = { lba: sector, count: bytes / r.SECTOR_SIZE };
  if (bytes === 0 || bytes % r.SECTOR_SIZE !== 0)
    throw new PosixError(EINVAL, `${bytes} bytes are no whole sectors`);
  return inside(drive, at);
}

function inside(drive: Drive, at: SectorExtent): SectorExtent {
  const { sectorCount } = drive.disk;
  if (at.lba + at.count <= sectorCount) return at;
  throw new PosixError(EINVAL, `${at.count} sectors at ${at.lba}: the disk has ${sectorCount}`);
}

function giveId(into: Segments, serial: string): number {
  const id = new Uint8Array(r.ID_BYTES);
  id.set(encodeText(serial).subarray(0, r.ID_BYTES));
  if (totalSize(into) < id.length) throw new PosixError(EINVAL, 'no room for the id');
  scatter(into, 0, id);
  return id.length;
}

function ranges(drive: Drive, out: Segments): SectorExtent[] {
  const bytes = totalSize(out);
  if (bytes === 0 || bytes % r.Range.size !== 0 || bytes > RANGES * r.Range.size)
    throw new PosixError(EINVAL, `${bytes} bytes of ranges`);
  const list = new DataView(new ArrayBuffer(bytes));
  gather(out, 0, new Uint8Array(list.buffer));
  const found: SectorExtent[] = [];
  for (let at = 0; at < bytes; at += r.Range.size) {
    const lba = list.getUint32(at, true) + list.getUint32(at + 4, true) * 2 ** 32;
    const count = list.getUint32(at + 8, true);
    if (count > RANGE_SECTORS) throw new PosixError(EINVAL, `a range of ${count} sectors`);
    found.push(inside(drive, { lba, count }));
  }
  return found;
}

function writeZeroes(drive: Drive, range: SectorExtent, firing: Firing | undefined): void {
  const most = ZEROES.length / r.SECTOR_SIZE;
  for (let done = 0; done < range.count; done += most) {
    const count = Math.min(most, range.count - done);
    const zeroes = ZEROES.subarray(0, count * r.SECTOR_SIZE);
    drive.write({ lba: range.lba + done, count }, () => [zeroes], { firing });
  }
}
