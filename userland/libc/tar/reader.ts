// Reading an archive as a stream: bytes are pushed in, members and their data come out in order.

import { decodeText } from '../../../kernel/abi/text.ts';
import { type Codec, FormatError } from '../archive/codec.ts';
import { BLOCK, isZero, type Member, padded, readHeader, readPax, withPax } from './header.ts';

export interface MemberHandler {
  /** A member begins. */
  begin(member: Member): void;
  /** The next bytes of its data, valid until the return. */
  data(bytes: Uint8Array): void;
  end(): void;
}

/** Extended headers and long names are no longer. */
const EXTRA_MOST = 1 << 20;
const HAS_DATA = /[0-9A-Za-z]/;

export class TarReader implements Codec {
  readonly #handler: MemberHandler;
  readonly #block = new Uint8Array(BLOCK);
  #held = 0;
  /** Bytes of the member's data, and of the zeros behind it, that are still to come. */
  #left = 0;
  #padding = 0;
  #extra: { kind: string; bytes: Uint8Array; used: number } | undefined;
  #pax = new Map<string, string>();
  #global = new Map<string, string>();
  #ended = false;
  #started = false;
  /** Behind the last member. */
  #end = 0;
  #at = 0;

  constructor(handler: MemberHandler) {
    this.#handler = handler;
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.#ended; ) {
      const room =
        this.#left > 0 ? this.#left : this.#padding > 0 ? this.#padding : BLOCK - this.#held;
      const piece = bytes.subarray(at, at + room);
      at += piece.length;
      this.#at += piece.length;
      if (this.#left > 0) this.#data(piece);
      else if (this.#padding > 0) this.#padding -= piece.length;
      else {
        this.#block.set(piece, this.#held);
        this.#held += piece.length;
        if (this.#held === BLOCK) this.#header();
      }
    }
  }

  end(): void {
    if (this.#left > 0 || this.#held > 0) throw new FormatError('Unexpected EOF in archive');
  }

  /** Where the next member would be written. */
  get endOfMembers(): number {
    return this.#end;
  }

  #data(piece: Uint8Array): void {
    this.#left -= piece.length;
    if (this.#extra !== undefined) {
      this.#extra.bytes.set(piece, this.#extra.used);
      this.#extra.used += piece.length;
    } else this.#handler.data(piece);
    if (this.#left === 0) this.#finish();
  }

  #header(): void {
    this.#held = 0;
    if (isZero(this.#block)) {
      this.#ended = true;
      this.#started = true;
      return;
    }
    const header = readHeader(this.#block);
    if (header === undefined || header.size < 0) {
      throw new FormatError(
        this.#started
          ? 'Archive is damaged: a header is wrong'
          : 'This does not look like a tar archive',
      );
    }
    this.#started = true;
    const { type, size } = header;
    if ('xgLK'.includes(type)) {
      if (size > EXTRA_MOST)
        throw new FormatError('Archive is damaged: an extended header is too long');
      this.#extra = { kind: type, bytes: new Uint8Array(size), used: 0 };
      this.#begin(size);
      return;
    }
    const member = withPax(withPax(header, this.#global), this.#pax);
    this.#pax = new Map();
    const empty = '123456'.includes(type);
    this.#handler.begin(empty ? { ...member, size: 0 } : member);
    this.#begin(empty || !HAS_DATA.test(type) ? 0 : member.size);
  }

  #begin(size: number): void {
    this.#left = size;
    this.#padding = padded(size) - size;
    if (size === 0) this.#finish();
  }

  #finish(): void {
    const extra = this.#extra;
    this.#extra = undefined;
    if (extra === undefined) {
      this.#end = this.#at + this.#padding;
      this.#handler.end();
    } else if (extra.kind === 'L' || extra.kind === 'K') {
      const zero = extra.bytes.indexOf(0);
      const name = decodeText(zero < 0 ? extra.bytes : extra.bytes.subarray(0, zero));
      this.#pax.set(extra.kind === 'L' ? 'path' : 'linkpath', name);
    } else {
      const records = readPax(extra.bytes);
      if (records === undefined)
        throw new FormatError('Archive is damaged: an extended header is wrong');
      if (extra.kind === 'x') for (const [key, value] of records) this.#pax.set(key, value);
      else this.#global = new Map([...this.#global, ...records]);
    }
  }
}
