// One NBD client: negotiation, then its requests in order. What it sends is not trusted: lengths are
// bounded, and a client that breaks the protocol is dropped.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import * as n from './protocol.ts';
import { SocketReader } from './reader.ts';

/** A disk as it is exported. Methods throw errors with an `errno` of Linux. */
export interface Export {
  readonly name: string;
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  read(offset: number, into: Uint8Array): Promise<void>;
  write(offset: number, data: Uint8Array): Promise<void>;
  flush(): Promise<void>;
  trim(offset: number, length: number): Promise<void>;
}

const OPTION_BYTES = 4096;
const OPTIONS_MOST = 64;
const REQUEST_BYTES = 32 << 20;
/** Block status is told of pieces of this size, and of no more at once than this. */
const STATUS_PIECE = 64 << 10;
const STATUS_MOST = 16 << 20;
/** What is read at once for it, as long as a stretch goes on. */
const STATUS_AHEAD = 1 << 20;
const ZEROES = Buffer.alloc(1 << 20);
const [EPERM, EIO, EINVAL, ENOSPC, EOVERFLOW] = [1, 5, 22, 28, 75];
/** Errors that the protocol knows. */
const KNOWN = new Set([EPERM, EIO, 12, EINVAL, ENOSPC, EOVERFLOW, 95, 108]);

export async function serveClient(
  socket: Socket,
  find: (name: string) => Promise<Export | undefined>,
  list: () => Promise<readonly string[]>,
): Promise<void> {
  const client = new Client(socket, find, list);
  const disk = await client.negotiate();
  if (disk) await client.serve(disk);
}

class Client {
  readonly #socket: Socket;
  readonly #reader: SocketReader;
  readonly #find: (name: string) => Promise<Export | undefined>;
  readonly #list: () => Promise<readonly string[]>;
  #structured = false;
  #noZeroes = false;
  /** The client asked for block status of this export. */
  #statusOf: string | undefined;

  constructor(
    socket: Socket,
    find: (name: string) => Promise<Export | undefined>,
    list: () => Promise<readonly string[]>,
  ) {
    this.#socket = socket;
    this.#reader = new SocketReader(socket);
    this.#find = find;
    this.#list = list;
  }

  /** The export that the client chose; undefined: it went away, or broke the rules. */
  async negotiate(): Promise<Export | undefined> {
    await this.#send(n.greeting());
    const flags = (await this.#reader.take(4))?.readUInt32BE(0);
    if (flags === undefined || (flags & n.FLAG_FIXED_NEWSTYLE) === 0) return undefined;
    this.#noZeroes = (flags & n.FLAG_NO_ZEROES) !== 0;
    for (let i = 0; i < OPTIONS_MOST; i++) {
      const head = await this.#reader.take(16);
      if (head === undefined || head.readBigUInt64BE(0) !== n.OPTION_MAGIC) return undefined;
      const option = head.readUInt32BE(8);
      const length = head.readUInt32BE(12);
      if (length > OPTION_BYTES) return undefined;
      const data = await this.#reader.take(length);
      if (length > 0 && data === undefined) return undefined;
      const chosen = await this.#option(option, data ?? Buffer.alloc(0));
      if (chosen === 'over') return undefined;
      if (chosen) return chosen;
    }
    return undefined;
  }

  async serve(disk: Export): Promise<void> {
    for (;;) {
      const head = await this.#reader.take(n.REQUEST_SIZE);
      const request = head && n.parseRequest(head);
      if (request === undefined || request.type === n.CMD_DISC) return;
      const tooLong = request.type === n.CMD_WRITE && request.length > REQUEST_BYTES;
      if (tooLong) return; // its data would have to be taken in first
      const data =
        request.type === n.CMD_WRITE ? await this.#reader.take(request.length) : undefined;
      if (request.type === n.CMD_WRITE && request.length > 0 && data === undefined) return;
      await this.#answer(disk, request, data ?? Buffer.alloc(0));
    }
  }

  async #option(option: number, data: Buffer): Promise<Export | 'over' | undefined> {
    switch (option) {
      case n.OPT_EXPORT_NAME: {
        const disk = await this.#find(data.toString());
        if (disk === undefined) return 'over'; // this option has no way to say no
        await this.#send(Buffer.concat([describe(disk), Buffer.alloc(this.#noZeroes ? 0 : 124)]));
        return disk;
      }
      case n.OPT_ABORT:
        await this.#send(n.optionReply(option, n.REP_ACK));
        return 'over';
      case n.OPT_LIST:
        for (const name of await this.#list()) {
          const bytes = Buffer.from(name);
          const body = Buffer.concat([uint32(bytes.length), bytes]);
          await this.#send(n.optionReply(option, n.REP_SERVER, body));
        }
        await this.#send(n.optionReply(option, n.REP_ACK));
        return undefined;
      case n.OPT_INFO:
      case n.OPT_GO:
        return await this.#info(option, data);
      case n.OPT_STRUCTURED_REPLY:
        this.#structured = data.length === 0;
        await this.#send(n.optionReply(option, this.#structured ? n.REP_ACK : n.REP_ERR_INVALID));
        return undefined;
      case n.OPT_LIST_META_CONTEXT:
      case n.OPT_SET_META_CONTEXT:
        await this.#contexts(option, data);
        return undefined;
      default:
        await this.#send(n.optionReply(option, n.REP_ERR_UNSUP));
        return undefined;
    }
  }

  async #contexts(option: number, data: Buffer): Promise<void> {
    const asked = this.#structured ? n.parseContexts(data) : undefined;
    const sets = option === n.OPT_SET_META_CONTEXT;
    if (sets) this.#statusOf = undefined;
    if (asked === undefined) {
      await this.#send(n.optionReply(option, n.REP_ERR_INVALID));
      return;
    }
    const { name, queries } = asked;
    if ((await this.#find(name)) === undefined) {
      await this.#send(n.optionReply(option, n.REP_ERR_UNKNOWN));
      return;
    }
    const all = !sets && (queries.length === 0 || queries.includes('base:'));
    if (all || queries.includes(n.CONTEXT)) {
      if (sets) this.#statusOf = name;
      const body = Buffer.concat([uint32(sets ? n.CONTEXT_ID : 0), Buffer.from(n.CONTEXT)]);
      await this.#send(n.optionReply(option, n.REP_META_CONTEXT, body));
    }
    await this.#send(n.optionReply(option, n.REP_ACK));
  }

  async #info(option: number, data: Buffer): Promise<Export | undefined> {
    const length = data.length >= 6 ? data.readUInt32BE(0) : OPTION_BYTES;
    if (4 + length + 2 > data.length) {
      await this.#send(n.optionReply(option, n.REP_ERR_INVALID));
      return undefined;
    }
    const disk = await this.#find(data.toString('utf8', 4, 4 + length));
    if (disk === undefined) {
      await this.#send(n.optionReply(option, n.REP_ERR_UNKNOWN));
      return undefined;
    }
    const info = Buffer.concat([uint16(n.INFO_EXPORT), describe(disk)]);
    const sizes = [uint16(n.INFO_BLOCK_SIZE), uint32(1), uint32(4096), uint32(REQUEST_BYTES)];
    await this.#send(n.optionReply(option, n.REP_INFO, info));
    await this.#send(n.optionReply(option, n.REP_INFO, Buffer.concat(sizes)));
    await this.#send(n.optionReply(option, n.REP_ACK));
    return option === n.OPT_GO ? disk : undefined;
  }

  async #answer(disk: Export, request: n.Request, data: Buffer): Promise<void> {
    const { cookie, type } = request;
    try {
      if (type === n.CMD_BLOCK_STATUS) {
        if (this.#statusOf !== disk.name) throw new RequestError(EINVAL, 'no context');
        await this.#send(n.statusChunk(request, await blockStatus(disk, request)));
        return;
      }
      const read = await perform(disk, request, data);
      if (type !== n.CMD_READ) await this.#send(n.simpleReply(cookie, 0));
      else {
        await this.#send(this.#structured ? n.dataChunk(request) : n.simpleReply(cookie, 0));
        await this.#send(read);
      }
    } catch (error) {
      const known = error instanceof Error && 'errno' in error ? Number(error.errno) : EIO;
      const errno = KNOWN.has(Math.abs(known)) ? Math.abs(known) : EIO;
      const chunked = type === n.CMD_READ || type === n.CMD_BLOCK_STATUS;
      const structured = this.#structured && chunked;
      await this.#send(structured ? n.errorChunk(cookie, errno) : n.simpleReply(cookie, errno));
    }
  }

  /** Waits while the client does not take what it asked for. */
  async #send(bytes: Buffer): Promise<void> {
    if (bytes.length > 0 && !this.#socket.write(bytes)) {
      await Promise.race([once(this.#socket, 'drain'), once(this.#socket, 'close')]);
    }
  }
}

class RequestError extends Error {
  readonly errno: number;

  constructor(errno: number, message: string) {
    super(message);
    this.errno = errno;
  }
}

/** Does a request; returns what was read. */
async function perform(disk: Export, request: n.Request, data: Buffer): Promise<Buffer> {
  const { type, offset, length, flags } = request;
  const changes = [n.CMD_WRITE, n.CMD_TRIM, n.CMD_WRITE_ZEROES].includes(type);
  if (changes && disk.readOnly) throw new RequestError(EPERM, 'read-only');
  if (type !== n.CMD_FLUSH && !(offset + length <= disk.sizeBytes))
    throw new RequestError(type === n.CMD_WRITE ? ENOSPC : EINVAL, 'outside the disk');
  let read = Buffer.alloc(0);
  if (type === n.CMD_READ) {
    if (length > REQUEST_BYTES) throw new RequestError(EOVERFLOW, 'too long');
    read = Buffer.alloc(length);
    await disk.read(offset, read);
  } else if (type === n.CMD_WRITE) await disk.write(offset, data);
  else if (type === n.CMD_TRIM) await disk.trim(offset, length);
  else if (type === n.CMD_WRITE_ZEROES) {
    for (let done = 0; done < length; done += ZEROES.length)
      await disk.write(offset + done, ZEROES.subarray(0, Math.min(ZEROES.length, length - done)));
  } else if (type !== n.CMD_FLUSH) throw new RequestError(EINVAL, `command ${type}`);
  if (type === n.CMD_FLUSH || (changes && flags & n.CMD_FLAG_FUA)) await disk.flush();
  return read;
}

/** Stretches by what they hold: the host does not tell where its file has holes, zeroes tell it as well. */
async function blockStatus(disk: Export, request: n.Request): Promise<n.Stretch[]> {
  const { offset, length, flags } = request;
  if (length === 0 || !(offset + length <= disk.sizeBytes))
    throw new RequestError(EINVAL, 'outside the disk');
  const stretches: { length: number; flags: number }[] = [];
  // An answer may end before what was asked for does.
  const end = offset + Math.min(length, STATUS_MOST);
  let ahead = STATUS_PIECE;
  for (let at = offset; at < end; ahead = Math.min(2 * ahead, STATUS_AHEAD)) {
    const bytes = Buffer.alloc(Math.min(end - at, ahead - (at % STATUS_PIECE)));
    await disk.read(at, bytes);
    for (const part of pieces(bytes, at)) {
      const state = part.equals(ZEROES.subarray(0, part.length)) ? n.STATE_ZERO : 0;
      const last = stretches.at(-1);
      if (last?.flags === state) last.length += part.length;
      else if (last && flags & n.CMD_FLAG_REQ_ONE) return stretches;
      else stretches.push({ length: part.length, flags: state });
    }
    at += bytes.length;
  }
  return stretches;
}

/** What is told of on its own: parts that end where a piece of the disk does. */
function* pieces(bytes: Buffer, at: number): Generator<Buffer> {
  let from = 0;
  for (let to = STATUS_PIECE - (at % STATUS_PIECE); from < bytes.length; to += STATUS_PIECE) {
    yield bytes.subarray(from, to);
    from = to;
  }
}

function describe({ sizeBytes, readOnly }: Export): Buffer {
  const { hasFlags, flush, fua, trim, writeZeroes } = n.TRANSMISSION;
  const flags = hasFlags | flush | fua | trim | writeZeroes;
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(sizeBytes));
  return Buffer.concat([size, uint16(flags | (readOnly ? n.TRANSMISSION.readOnly : 0))]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
