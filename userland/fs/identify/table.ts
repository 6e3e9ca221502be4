// Partition tables for identify.ts: GPT (UEFI 2.10 §5.3) and MBR. The entries themselves are the driver's
// business: its `ctl` tells them.

import type { Medium } from '../../../daemons/lib/medium.ts';
import { formatUuid } from '../uuid.ts';
import { bytesAt, type Tags, tagsOf, viewOf } from './tags.ts';

const SIGNATURE = 0xaa55;
const PROTECTIVE = 0xee;
const TABLE_AT = 446;
const ENTRY = 16;
const DISK_ID = 0x1b8;
const GPT_GUID = 56;

export function identifyTable(medium: Medium): Tags | undefined {
  const sector = bytesAt(medium, 0, 512);
  if (sector === undefined) return undefined;
  const view = viewOf(sector);
  if (view.getUint16(510, true) !== SIGNATURE) return undefined;
  const types = [0, 1, 2, 3].map((i) => sector[TABLE_AT + i * ENTRY + 4] ?? 0);
  const flags = [0, 1, 2, 3].map((i) => sector[TABLE_AT + i * ENTRY] ?? 0);
  if (types.every((type) => type === 0) || flags.some((flag) => (flag & 0x7f) !== 0))
    return undefined;
  if (types.includes(PROTECTIVE)) return gptTags(medium);
  const id = view.getUint32(DISK_ID, true);
  return tagsOf([
    ['PTUUID', id === 0 ? undefined : id.toString(16).padStart(8, '0')],
    ['PTTYPE', 'dos'],
  ]);
}

/** The identity of a partition, told by the table of its disk. */
export function partitionTags(disk: Medium, number: number): Tags {
  const gpt = gptHeader(disk);
  if (gpt !== undefined) return gptEntry(disk, gpt, number);
  const id = identifyTable(disk)?.get('PTUUID');
  return tagsOf([['PARTUUID', id && `${id}-${number.toString(16).padStart(2, '0')}`]]);
}

interface GptHeader {
  readonly bytes: Uint8Array;
  readonly sectorSize: number;
}

function gptHeader(medium: Medium): GptHeader | undefined {
  for (const sectorSize of [512, 4096]) {
    const bytes = bytesAt(medium, sectorSize, 512);
    if (bytes && String.fromCharCode(...bytes.subarray(0, 8)) === 'EFI PART')
      return { bytes, sectorSize };
  }
  return undefined;
}

function gptTags(medium: Medium): Tags | undefined {
  const header = gptHeader(medium);
  return (
    header &&
    tagsOf([
      ['PTUUID', formatUuid(mixedEndian(header.bytes.subarray(GPT_GUID, GPT_GUID + 16)))],
      ['PTTYPE', 'gpt'],
    ])
  );
}

function gptEntry(disk: Medium, { bytes, sectorSize }: GptHeader, number: number): Tags {
  const view = viewOf(bytes);
  const first = view.getUint32(72, true) + view.getUint32(76, true) * 2 ** 32;
  const size = view.getUint32(84, true);
  const entry =
    size < 128 ? undefined : bytesAt(disk, first * sectorSize + (number - 1) * size, 128);
  if (entry === undefined) return tagsOf([]);
  const name = new TextDecoder('utf-16le').decode(entry.subarray(56, 128)).replace(/\0.*$/s, '');
  return tagsOf([
    ['PARTLABEL', name],
    ['PARTUUID', formatUuid(mixedEndian(entry.subarray(16, 32)))],
  ]);
}

/** A GUID's first three fields lie with their least byte first. */
const mixedEndian = (guid: Uint8Array): Uint8Array =>
  Uint8Array.from([3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15], (at) => guid[at] ?? 0);
