// The NBD protocol (NetworkBlockDevice/nbd doc/proto.md): fixed newstyle negotiation, structured replies.
// Numbers, and how messages are made; all of it is big-endian.

export const INIT_MAGIC = 0x4e42_444d_4147_4943n; // "NBDMAGIC"
export const OPTION_MAGIC = 0x4948_4156_454f_5054n; // "IHAVEOPT"
export const OPTION_REPLY_MAGIC = 0x0003_e889_0455_65a9n;
export const FLAG_FIXED_NEWSTYLE = 1;
export const FLAG_NO_ZEROES = 2;

export const OPT_EXPORT_NAME = 1;
export const OPT_ABORT = 2;
export const OPT_LIST = 3;
export const OPT_INFO = 6;
export const OPT_GO = 7;
export const OPT_STRUCTURED_REPLY = 8;
export const OPT_LIST_META_CONTEXT = 9;
export const OPT_SET_META_CONTEXT = 10;

export const REP_ACK = 1;
export const REP_SERVER = 2;
export const REP_INFO = 3;
export const REP_META_CONTEXT = 4;
export const REP_ERR_UNSUP = 2 ** 31 + 1;
export const REP_ERR_INVALID = 2 ** 31 + 3;
export const REP_ERR_UNKNOWN = 2 ** 31 + 6;

export const INFO_EXPORT = 0;
export const INFO_BLOCK_SIZE = 3;

export const TRANSMISSION = {
  hasFlags: 1,
  readOnly: 2,
  flush: 4,
  fua: 8,
  trim: 32,
  writeZeroes: 64,
} as const;

export const REQUEST_MAGIC = 0x2560_9513;
export const REQUEST_SIZE = 28;
export const SIMPLE_REPLY_MAGIC = 0x6744_6698;
export const STRUCTURED_REPLY_MAGIC = 0x668e_33ef;
export const CMD_READ = 0;
export const CMD_WRITE = 1;
export const CMD_DISC = 2;
export const CMD_FLUSH = 3;
export const CMD_TRIM = 4;
export const CMD_WRITE_ZEROES = 6;
export const CMD_BLOCK_STATUS = 7;
export const CMD_FLAG_FUA = 1;
export const CMD_FLAG_REQ_ONE = 8;

/** The one metadata context: which stretches read as zeroes. */
export const CONTEXT = 'base:allocation';
export const CONTEXT_ID = 1;
export const STATE_ZERO = 2;
const REPLY_DONE = 1;
const REPLY_OFFSET_DATA = 1;
const REPLY_BLOCK_STATUS = 5;
const REPLY_ERROR = 2 ** 15 + 1;

export interface Request {
  readonly flags: number;
  readonly type: number;
  readonly cookie: bigint;
  readonly offset: number;
  readonly length: number;
}

/** undefined: it is no request. */
export function parseRequest(bytes: Buffer): Request | undefined {
  if (bytes.readUInt32BE(0) !== REQUEST_MAGIC) return undefined;
  return {
    flags: bytes.readUInt16BE(4),
    type: bytes.readUInt16BE(6),
    cookie: bytes.readBigUInt64BE(8),
    offset: Number(bytes.readBigUInt64BE(16)),
    length: bytes.readUInt32BE(24),
  };
}

export function simpleReply(cookie: bigint, error: number): Buffer {
  const reply = Buffer.alloc(16);
  reply.writeUInt32BE(SIMPLE_REPLY_MAGIC, 0);
  reply.writeUInt32BE(error, 4);
  reply.writeBigUInt64BE(cookie, 8);
  return reply;
}

/** The head of a chunk with data, which follows it; it is the only one of its request. */
export function dataChunk({ cookie, offset, length }: Request): Buffer {
  const head = chunk(cookie, REPLY_OFFSET_DATA, 8 + length);
  const at = Buffer.alloc(8);
  at.writeBigUInt64BE(BigInt(offset));
  return Buffer.concat([head, at]);
}

/** A stretch of a disk, all of it in the same state. */
export interface Stretch {
  readonly length: number;
  readonly flags: number;
}

export function statusChunk({ cookie }: Request, stretches: readonly Stretch[]): Buffer {
  const body = Buffer.alloc(4 + stretches.length * 8);
  body.writeUInt32BE(CONTEXT_ID, 0);
  stretches.forEach(({ length, flags }, i) => {
    body.writeUInt32BE(length, 4 + i * 8);
    body.writeUInt32BE(flags, 8 + i * 8);
  });
  return Buffer.concat([chunk(cookie, REPLY_BLOCK_STATUS, body.length), body]);
}

/** The export and the queries of a metadata context option; undefined: it is malformed. */
export function parseContexts(data: Buffer): { name: string; queries: string[] } | undefined {
  let at = 0;
  const text = (): string | undefined => {
    if (at + 4 > data.length) return undefined;
    const length = data.readUInt32BE(at);
    at += 4;
    if (at + length > data.length) return undefined;
    at += length;
    return data.toString('utf8', at - length, at);
  };
  const name = text();
  if (name === undefined || at + 4 > data.length) return undefined;
  const count = data.readUInt32BE(at);
  at += 4;
  const queries: string[] = [];
  for (let i = 0; i < count; i++) {
    const query = text(); // ends with the data, however many are claimed
    if (query === undefined) return undefined;
    queries.push(query);
  }
  return { name, queries };
}

export function errorChunk(cookie: bigint, error: number): Buffer {
  const body = Buffer.alloc(6);
  body.writeUInt32BE(error, 0); // then the length of a text: none
  return Buffer.concat([chunk(cookie, REPLY_ERROR, body.length), body]);
}

function chunk(cookie: bigint, type: number, length: number): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt32BE(STRUCTURED_REPLY_MAGIC, 0);
  head.writeUInt16BE(REPLY_DONE, 4);
  head.writeUInt16BE(type, 6);
  head.writeBigUInt64BE(cookie, 8);
  head.writeUInt32BE(length, 16);
  return head;
}

export function greeting(): Buffer {
  const bytes = Buffer.alloc(18);
  bytes.writeBigUInt64BE(INIT_MAGIC, 0);
  bytes.writeBigUInt64BE(OPTION_MAGIC, 8);
  bytes.writeUInt16BE(FLAG_FIXED_NEWSTYLE | FLAG_NO_ZEROES, 16);
  return bytes;
}

export function optionReply(option: number, type: number, body = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(20);
  head.writeBigUInt64BE(OPTION_REPLY_MAGIC, 0);
  head.writeUInt32BE(option, 8);
  head.writeUInt32BE(type, 12);
  head.writeUInt32BE(body.length, 16);
  return Buffer.concat([head, body]);
}
