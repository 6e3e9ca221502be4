// An event of a repeatable run in words: who told whom what, what was written where.

import type { NamedRecord } from '../../drivers/hw/machine.ts';
import { getLink } from '../../kernel/abi/board-link.ts';
import { CONTROLLERS, diskName } from '../../kernel/abi/disk/controllers.ts';
import { SEAT_BOARD, SEAT_KERNEL } from '../../kernel/abi/memlayout.ts';
import { syscallName } from '../../kernel/abi/syscall.ts';
import { decodeText } from '../../kernel/abi/text.ts';
import type { RecordedEvent } from '../../kernel/ipc/baton/record.ts';
import { T } from '../../kernel/ninep/types.ts';

const messageNames: ReadonlyMap<number, string> = new Map(
  Object.entries(T).map(([name, type]) => [type, name]),
);

export function inWords(event: RecordedEvent, record: NamedRecord): string {
  const { kind, from, to, place, length, digest, head } = event;
  const bytes = `${length} bytes, digest ${digest}`;
  if (kind === 'console') return `console output '${printable(head)}…' (${bytes})`;
  if (kind === 'flush') return `flush of disk ${unitName(from)}`;
  if (kind === 'write') return `write to disk ${unitName(from)} at sector ${place} (${bytes})`;
  const parties = `${who(from, record)} → ${who(to, record)}`;
  return `${parties}, ring 0x${place.toString(16)}: ${message(event, record)} (${bytes})`;
}

function message({ from, to, place, head }: RecordedEvent, record: NamedRecord): string {
  const { board, host } = record.rings;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const calls = place === host.requests || record.seats[from] === 'process';
  const answers = place === host.replies || record.seats[to] === 'process';
  if (place === board.toBoard || place === board.toKernel) return `board link: ${link(head)}`;
  if (to === SEAT_KERNEL && calls) return `call ${syscallName(view.getUint32(0, true))}`;
  if (from === SEAT_KERNEL && answers) return `answer, errno ${view.getUint32(4, true)}`;
  const name = messageNames.get(head[4] ?? 0);
  if (name !== undefined) return `${name} tag ${view.getUint16(5, true)}`;
  return `'${printable(head)}…'`;
}

function link(head: Uint8Array): string {
  const told = getLink(head);
  if (told === undefined) return 'no message';
  if ('seat' in told) return `${told.type} seat ${told.seat}`;
  return 'text' in told ? `${told.type} '${told.text}…'` : told.type;
}

const who = (seat: number, { seats }: NamedRecord): string =>
  seat === SEAT_BOARD ? 'board' : `${seats[seat] ?? 'worker'} (seat ${seat})`;

const printable = (bytes: Uint8Array): string =>
  decodeText(bytes.slice()).replace(/[^\x20-\x7e]/g, '.');

/** The disk that a record means: drivers/hw/bus.ts numbers them by controller and port. */
function unitName(unit: number): string {
  const controller = CONTROLLERS[Math.floor(unit / 32)] ?? 'ahci';
  return diskName(controller, unit % 32);
}
