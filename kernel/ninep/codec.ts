// The 9P2000.L codec: messages to bytes and back. Bytes come from strangers: no length in them is
// trusted, and what is malformed is EPROTO, never an exception.
//
//   size[4] type[1] tag[2] body        size counts itself; numbers are little-endian

import { EOVERFLOW, EPROTO, type Errno, PosixError } from '../abi/errno.ts';
import { Cursor } from './cursor.ts';
import { fileMessages } from './messages/files.ts';
import type { Codec } from './messages/message.ts';
import { nameMessages } from './messages/names.ts';
import { sessionMessages } from './messages/session.ts';
import { type DirEntry, type Message, type MessageName, T, type TMessage } from './types.ts';

const HEADER = 7; // bytes of size, type and tag

/** `granted`: the payload lies in a grant, so `count[4]` is there and no data follows it. */
export interface CodecOptions {
  readonly granted?: boolean;
}

/** Every message of the protocol has its pair: the compiler sees to it. */
const codecs: { [N in MessageName]: Codec<N> } = {
  ...sessionMessages,
  ...fileMessages,
  ...nameMessages,
};

const byType: (Codec<MessageName> | undefined)[] = new Array(256).fill(undefined);
for (const [name, type] of Object.entries(T)) {
  byType[type] = codecs[name as MessageName] as unknown as Codec<MessageName>;
}

/**
 * Writes a message at the cursor and returns its bytes, the size included. Whether a payload is
 * granted is the cursor's to know. Throws EOVERFLOW, the cursor unmoved, when it does not fit.
 */
export function encodeMessage(cursor: Cursor, tag: number, message: Message): number {
  const start = cursor.at;
  const type = T[message.name];
  cursor.putU32(0).putU8(type).putU16(tag);
  (codecs[message.name] as unknown as Codec<MessageName>).encode(cursor, message);
  if (cursor.overrun) {
    cursor.at = start;
    cursor.overrun = false;
    throw new PosixError(EOVERFLOW, `${message.name} does not fit ${cursor.bytes.length - start}`);
  }
  const size = cursor.at - start;
  cursor.view.setUint32(start, size, true);
  return size;
}

const DRAFT = new Uint8Array(8192);

/** The message as bytes of its own: for byte streams, replies that are kept, and tests. */
export function messageBytes(
  tag: number,
  message: Message,
  options: CodecOptions & { msize?: number } = {},
): Uint8Array {
  const most = options.msize ?? DRAFT.length;
  const bytes = most <= DRAFT.length ? DRAFT.subarray(0, most) : new Uint8Array(most);
  return bytes.slice(0, encodeMessage(new Cursor(bytes, options), tag, message));
}

/**
 * Reads one message that fills `bytes` exactly, or tells EPROTO. Payload is a view of `bytes`, not
 * a copy; everything else is copied.
 */
export function decodeMessage(
  bytes: Uint8Array,
  options: CodecOptions = {},
): { tag: number; message: Message } | Errno {
  const cursor = new Cursor(bytes, options);
  const size = cursor.u32();
  const codec = byType[cursor.u8()];
  const tag = cursor.u16();
  if (size < HEADER || size !== bytes.length || codec === undefined) return EPROTO;
  const message = codec.decode(cursor);
  if (cursor.overrun || cursor.at !== bytes.length) return EPROTO;
  return { tag, message };
}

/** A request, as against a reply: what a server accepts. */
export const isRequest = (message: Message): message is TMessage => (T[message.name] & 1) === 0;

/** `qid[13] offset[8] type[1] name[s]`. False, with nothing written, when the entry does not fit. */
export function putDirEntry(cursor: Cursor, entry: DirEntry): boolean {
  const start = cursor.at;
  cursor.putQid(entry.qid).putU64(entry.offset).putU8(entry.type).putStr(entry.name);
  if (!cursor.overrun) return true;
  cursor.at = start;
  cursor.overrun = false;
  return false;
}

/** The entries in the data of Rreaddir; EPROTO when they do not end where the data ends. */
export function decodeDirEntries(bytes: Uint8Array): DirEntry[] | Errno {
  const cursor = new Cursor(bytes);
  const entries: DirEntry[] = [];
  while (cursor.at < bytes.length) {
    entries.push({
      qid: cursor.qid(),
      offset: cursor.u64(),
      type: cursor.u8(),
      name: cursor.str(),
    });
    if (cursor.overrun) return EPROTO;
  }
  return entries;
}
