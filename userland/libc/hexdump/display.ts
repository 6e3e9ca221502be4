// The display of hexdump: each block of input through every format; blocks like the one before are a
// `*`. Behaves as BSD's (its manual and what the host's does).

import type { Output } from '../stdio.ts';
import { type Directive, formatFloat, formatInteger, formatString } from '../text/format.ts';
import type { Format, Print } from './format.ts';

export interface Dump {
  readonly formats: readonly Format[];
  readonly blockSize: number;
  readonly squeeze: boolean;
}

export class Display {
  readonly #out: Output;
  readonly #dump: Dump;
  #address: number;
  #before: Uint8Array | undefined;
  #starred = false;
  /** Where the data end, once that is known. */
  #end: number | undefined;

  constructor(out: Output, dump: Dump, address: number) {
    this.#out = out;
    this.#dump = dump;
    this.#address = address;
  }

  /** A block; the last one may hold fewer bytes than the block size. */
  block(data: Uint8Array): void {
    const { blockSize, squeeze } = this.#dump;
    const whole = data.length === blockSize;
    if (whole && squeeze && this.#before !== undefined && same(data, this.#before)) {
      if (!this.#starred) this.#out.text('*\n');
      this.#starred = true;
      this.#address += blockSize;
      return;
    }
    this.#starred = false;
    const padded = new Uint8Array(blockSize);
    padded.set(data);
    if (!whole) this.#end = this.#address + data.length;
    for (const format of this.#dump.formats) this.#show(format, padded);
    this.#before = padded;
    this.#address += blockSize;
  }

  finish(): void {
    const end = this.#end ?? this.#address;
    if (end === 0) return;
    const unit = this.#dump.formats.flatMap(({ units }) => units).findLast((one) => one.atEnd);
    for (const print of unit?.prints ?? []) {
      this.#out.latin1(print.before);
      if (print.kind === 'address') this.#out.text(formatInteger(print.directive, BigInt(end)));
    }
  }

  #show(format: Format, block: Uint8Array): void {
    let at = 0;
    for (const unit of format.units) {
      if (unit.atEnd) return;
      for (let left = unit.repeat; left > 0; left--)
        for (const print of unit.prints) {
          const isLast = left === 1;
          this.#out.latin1(isLast ? (print.lastText ?? print.before) : print.before);
          const address = this.#address + at;
          if (print.kind !== 'text') {
            const beyond = this.#end !== undefined && address >= this.#end;
            const text = beyond ? blank(print.directive) : value(print, block, { at, address });
            this.#out.latin1(text);
          }
          at += print.bytes;
        }
    }
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** What stands for data that are not there. */
const blank = (shape: Directive): string => ' '.repeat(shape.width);

function value(print: Print, block: Uint8Array, where: { at: number; address: number }): string {
  const { at, address } = where;
  const shape = print.directive;
  const byte = block[at] ?? 0;
  const data = new DataView(block.buffer, block.byteOffset, block.byteLength);
  switch (print.kind) {
    case 'address':
      return formatInteger(shape, BigInt(address));
    case 'signed':
      return formatInteger(shape, BigInt.asIntN(print.bytes * 8, word(data, at, print.bytes)));
    case 'unsigned':
      return formatInteger(shape, word(data, at, print.bytes));
    case 'double':
      return formatFloat(
        shape,
        print.bytes === 4 ? data.getFloat32(at, true) : data.getFloat64(at, true),
      );
    case 'char':
      return formatString({ ...shape, precision: undefined }, String.fromCharCode(byte));
    case 'string':
      return formatString(shape, cString(block.subarray(at, at + print.bytes)));
    case 'escaped':
      return formatString(shape, escaped(byte));
    case 'printable':
      return formatString(shape, isPrintable(byte) ? String.fromCharCode(byte) : '.');
    case 'named':
      return named(shape, byte);
    default:
      return '';
  }
}

function word(data: DataView, at: number, bytes: number): bigint {
  if (bytes === 8) return data.getBigUint64(at, true);
  if (bytes === 4) return BigInt(data.getUint32(at, true));
  return BigInt(bytes === 2 ? data.getUint16(at, true) : data.getUint8(at));
}

function cString(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end)));
}

const isPrintable = (byte: number): boolean => byte >= 32 && byte < 127;
const escapes: Readonly<Record<number, string>> = {
  0: '\\0',
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
};

const escaped = (byte: number): string =>
  escapes[byte] ??
  (isPrintable(byte) ? String.fromCharCode(byte) : byte.toString(8).padStart(3, '0'));

const controls =
  'nul soh stx etx eot enq ack bel bs ht lf vt ff cr so si dle dcl dc2 dc3 dc4 nak syn etb can em sub esc fs gs rs us'.split(
    ' ',
  );

function named(shape: Directive, byte: number): string {
  const name = controls[byte] ?? (byte === 127 ? 'del' : undefined);
  if (name !== undefined) return formatString(shape, name);
  if (isPrintable(byte)) return formatString(shape, String.fromCharCode(byte));
  return formatInteger({ ...shape, conversion: 'x' }, BigInt(byte));
}
