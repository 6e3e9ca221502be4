// What the kernel and the board (the main thread) tell each other over their pair of rings:
// power for workers, the console's bytes, the machine's end. type u8, seat u8 padded to u32, body.

import { decodeText, encodeText } from './text.ts';

/** The kind of worker that a seat holds: which code it loads. */
export type Role = 'kernel' | 'driver' | 'volume' | 'process';

export type ToBoard =
  | { readonly type: 'powerOn'; readonly seat: number; readonly role: Role }
  | { readonly type: 'powerOff'; readonly seat: number }
  /** The spare that waits on seat `from` was told to be the worker of seat `seat`. */
  | { readonly type: 'reseat'; readonly seat: number; readonly from: number }
  /** Plugs the disk of this name in, or pulls it out. */
  | { readonly type: 'plug'; readonly text: string }
  | { readonly type: 'unplug'; readonly text: string }
  /** Bytes for the terminal. */
  | { readonly type: 'console'; readonly bytes: Uint8Array }
  /** A line of the kernel log, shown while booting. */
  | { readonly type: 'log'; readonly text: string }
  /** The prompt is about to appear (everything is mounted), or the machine could not boot. */
  | { readonly type: 'booted' }
  /** Everything is unmounted; the board ends the workers. `status` 0..255: the first shell's. */
  | { readonly type: 'halted'; readonly text: string; readonly status: number };

export type ToKernel =
  /** A worker ended; `text` tells why ('' when it was told to, or its stack). */
  | { readonly type: 'seatGone'; readonly seat: number; readonly text: string }
  /** What was asked last was done; or why not. */
  | { readonly type: 'replugged'; readonly errno: number; readonly text: string }
  /** Keys from the terminal. */
  | { readonly type: 'console'; readonly bytes: Uint8Array }
  | { readonly type: 'winsize'; readonly columns: number; readonly rows: number };

export type LinkMessage = ToBoard | ToKernel;

const TYPES = [
  ...['powerOn', 'powerOff', 'console', 'log', 'booted', 'halted', 'seatGone', 'winsize'],
  ...['reseat', 'plug', 'unplug', 'replugged'],
];
const ROLES: readonly Role[] = ['kernel', 'driver', 'volume', 'process'];

/** Longest `console` piece or text of one message, in bytes. */
export const LINK_BYTES = 4096;

/** Writes a message into a slot's payload; returns its length. */
export function putLink(into: Uint8Array, message: LinkMessage): number {
  into[0] = TYPES.indexOf(message.type);
  into[1] = 'seat' in message ? message.seat : 'status' in message ? message.status : 0;
  into[2] = message.type === 'powerOn' ? ROLES.indexOf(message.role) : 0;
  if (message.type === 'reseat') into[2] = message.from;
  if (message.type === 'replugged') into[1] = message.errno;
  const body = bodyOf(message).subarray(0, LINK_BYTES);
  into.set(body, 4);
  return 4 + body.length;
}

function bodyOf(message: LinkMessage): Uint8Array {
  if ('bytes' in message) return message.bytes;
  if ('text' in message) return encodeText(message.text);
  if (message.type === 'winsize') return encodeText(`${message.columns} ${message.rows}`);
  return new Uint8Array(0);
}

/** Reads a message; undefined when it is none. Bytes are copied. */
export function getLink(from: Uint8Array): LinkMessage | undefined {
  const type = TYPES[from[0] ?? 255];
  const seat = from[1] ?? 0;
  const bytes = from.slice(4);
  switch (type) {
    case 'powerOn':
      return { type, seat, role: ROLES[from[2] ?? 0] ?? 'process' };
    case 'powerOff':
      return { type, seat };
    case 'reseat':
      return { type, seat, from: from[2] ?? 0 };
    case 'plug':
    case 'unplug':
      return { type, text: decodeText(bytes) };
    case 'replugged':
      return { type, errno: seat, text: decodeText(bytes) };
    case 'console':
      return { type, bytes };
    case 'log':
      return { type, text: decodeText(bytes) };
    case 'halted':
      return { type, text: decodeText(bytes), status: seat };
    case 'booted':
      return { type };
    case 'seatGone':
      return { type, seat, text: decodeText(bytes) };
    case 'winsize': {
      const [columns = 80, rows = 24] = decodeText(bytes).split(' ').map(Number);
      return { type, columns, rows };
    }
    default:
      return undefined;
  }
}
