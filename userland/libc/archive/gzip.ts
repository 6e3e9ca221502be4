// The gzip format (RFC 1952) around pako's port of zlib: members one behind the other, each with its
// header, its deflated data, its CRC-32 and length.

import {
  Deflate,
  Z_BUF_ERROR,
  Z_NO_FLUSH,
  Z_OK,
  Z_STREAM_END,
  ZStream,
  zlibInflate,
  zlibInflateInit2,
} from 'pako';
import { type Codec, FormatError, type Sink } from './codec.ts';
import { crc32 } from './crc32.ts';

const MAGIC = [0x1f, 0x8b] as const;
const DEFLATED = 8;
const FLAGS = { crc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;
const UNIX = 3;
const CHUNK = 65_536;
const NOTHING = new Uint8Array(0);
/** No header is longer: names and comments end somewhere. */
const HEADER_MOST = 1 << 20;

export interface GzipHeader {
  /** Without its directory, as bytes of ISO 8859-1; '' = none. */
  readonly name: string;
  /** Seconds since 1970; 0 = none. */
  readonly mtime: number;
}

export function gzipPacker(sink: Sink, options: GzipHeader & { readonly level: number }): Codec {
  const { name, mtime, level } = options;
  const deflate = new Deflate({ level, raw: true, chunkSize: CHUNK });
  deflate.onData = sink;
  let [crc, size] = [0, 0];
  const header = new Uint8Array(10 + (name === '' ? 0 : name.length + 1));
  const view = new DataView(header.buffer);
  header.set([...MAGIC, DEFLATED, name === '' ? 0 : FLAGS.name]);
  view.setUint32(4, mtime >= 0 && mtime < 2 ** 32 ? mtime : 0, true);
  header[8] = level === 9 ? 2 : level === 1 ? 4 : 0;
  header[9] = UNIX;
  for (let i = 0; i < name.length; i++) header[10 + i] = name.charCodeAt(i);
  sink(header);
  return {
    push(bytes) {
      crc = crc32(bytes, crc);
      size = (size + bytes.length) % 2 ** 32;
      deflate.push(bytes, false);
    },
    end() {
      deflate.push(NOTHING, true);
      const trailer = new Uint8Array(8);
      const trailerView = new DataView(trailer.buffer);
      trailerView.setUint32(0, crc, true);
      trailerView.setUint32(4, size, true);
      sink(trailer);
    },
  };
}

/** Tells of each member once its header is known. */
export class GzipUnpacker implements Codec {
  readonly #sink: Sink;
  readonly #passes: boolean;
  /** Of the last member that was begun. */
  header: GzipHeader | undefined;
  crc = 0;
  size = 0;
  /** Bytes of headers and trailers. */
  overhead = 0;
  #state: 'header' | 'data' | 'trailer' | 'zeros' | 'plain' = 'header';
  /** Bytes that wait for the rest of a header or trailer. */
  #held: Uint8Array = NOTHING;
  #stream = new ZStream();
  readonly #out = new Uint8Array(CHUNK);

  /** `passes` hands on what is not packed as it is. */
  constructor(sink: Sink, { passes = false }: { readonly passes?: boolean } = {}) {
    this.#sink = sink;
    this.#passes = passes;
  }

  push(bytes: Uint8Array): void {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#state === 'data') rest = this.#inflate(rest);
      else if (this.#state === 'zeros') rest = this.#zeros(rest);
      else if (this.#state === 'plain') rest = this.#plain(rest);
      else {
        const all = joined(this.#held, rest);
        const used = this.#state === 'header' ? this.#readHeader(all) : this.#readTrailer(all);
        this.#held = used === undefined ? all.slice() : NOTHING;
        if (used === undefined) return;
        rest = all.subarray(used);
      }
    }
  }

  end(): void {
    const held = this.#held;
    if (this.#state === 'header' && this.#passes && held.length < MAGIC.length) {
      if (held.length > 0) this.#sink(held);
      return;
    }
    const between = this.#state === 'header' && this.header !== undefined;
    if (this.#state === 'zeros' || this.#state === 'plain' || (between && held.length === 0))
      return;
    if (this.header === undefined && held[0] === 0) throw new FormatError('not in gzip format');
    throw new FormatError('unexpected end of file', 'end');
  }

  /** How many bytes the header has; undefined when it is not all there. */
  #readHeader(all: Uint8Array): number | undefined {
    const isFirst = this.header === undefined;
    if (!isFirst && !this.#passes && all[0] === 0) {
      this.#state = 'zeros';
      return 0;
    }
    if (all.length < MAGIC.length) return undefined;
    if (all[0] !== MAGIC[0] || all[1] !== MAGIC[1]) {
      if (this.#passes) {
        this.#state = 'plain';
        return 0;
      }
      if (isFirst) throw new FormatError('not in gzip format');
      return garbage();
    }
    if (all.length < 10) return undefined;
    const method = all[2];
    if (method !== DEFLATED) throw new FormatError(`unknown method ${method} -- not supported`);
    const flags = all[3] ?? 0;
    if (flags & FLAGS.reserved) throw new FormatError('has reserved flags set -- not supported');
    const end = headerEnd(all, flags);
    if (end === undefined) {
      if (all.length > HEADER_MOST) throw new FormatError('header is too long');
      return undefined;
    }
    const view = new DataView(all.buffer, all.byteOffset);
    this.header = { name: nameIn(all, flags), mtime: view.getUint32(4, true) };
    this.crc = 0;
    this.size = 0;
    this.overhead += end + 8;
    this.#stream = new ZStream();
    zlibInflateInit2(this.#stream, -15);
    this.#state = 'data';
    return end;
  }

  /** What follows the deflated data. */
  #inflate(bytes: Uint8Array): Uint8Array {
    const stream = this.#stream;
    stream.input = bytes;
    stream.next_in = 0;
    stream.avail_in = bytes.length;
    for (;;) {
      stream.output = this.#out;
      stream.next_out = 0;
      stream.avail_out = CHUNK;
      const status = zlibInflate(stream, Z_NO_FLUSH);
      const out = this.#out.subarray(0, stream.next_out);
      if (out.length > 0) {
        this.crc = crc32(out, this.crc);
        this.size += out.length;
        this.#sink(out);
      }
      if (status === Z_STREAM_END) {
        this.#state = 'trailer';
        return bytes.subarray(stream.next_in);
      }
      if (status !== Z_OK && status !== Z_BUF_ERROR) {
        throw new FormatError('invalid compressed data--format violated', 'end');
      }
      if (stream.avail_in === 0 && stream.avail_out > 0) return NOTHING;
      if (status === Z_BUF_ERROR && out.length === 0) return NOTHING;
    }
  }

  #readTrailer(all: Uint8Array): number | undefined {
    if (all.length < 8) return undefined;
    const view = new DataView(all.buffer, all.byteOffset);
    if (view.getUint32(0, true) !== this.crc) {
      throw new FormatError('invalid compressed data--crc error');
    }
    if (view.getUint32(4, true) !== this.size % 2 ** 32) {
      throw new FormatError('invalid compressed data--length error');
    }
    this.#state = 'header';
    return 8;
  }

  #plain(bytes: Uint8Array): Uint8Array {
    this.#sink(bytes);
    return NOTHING;
  }

  /** Tapes are filled up with zeros. */
  #zeros(bytes: Uint8Array): Uint8Array {
    if (bytes.some((byte) => byte !== 0)) garbage();
    return NOTHING;
  }
}

function garbage(): never {
  throw new FormatError('decompression OK, trailing garbage ignored', 'warning');
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

function headerEnd(all: Uint8Array, flags: number): number | undefined {
  let at = 10;
  if (flags & FLAGS.extra) {
    if (all.length < 12) return undefined;
    at += 2 + (all[10] ?? 0) + (all[11] ?? 0) * 256;
  }
  for (const flag of [FLAGS.name, FLAGS.comment]) {
    if ((flags & flag) === 0) continue;
    const zero = all.indexOf(0, at);
    if (zero < 0 || at > all.length) return undefined;
    at = zero + 1;
  }
  if (flags & FLAGS.crc) at += 2;
  return at <= all.length ? at : undefined;
}

function nameIn(all: Uint8Array, flags: number): string {
  if ((flags & FLAGS.name) === 0) return '';
  const from = flags & FLAGS.extra ? 12 + (all[10] ?? 0) + (all[11] ?? 0) * 256 : 10;
  return String.fromCharCode(...all.subarray(from, Math.min(all.indexOf(0, from), from + 4096)));
}
