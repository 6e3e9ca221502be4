// struct(): an on-disk or in-ram structure declared once, as a table of fields, and turned into a
// view class when the module loads: getters and setters over a DataView, nothing copied. Checked at
// load: fields in order, no overlap, inside the size. See house-style.md, "Bytes".

import { EUCLEAN, PosixError } from './errno.ts';

export interface Field<T> {
  readonly at: number;
  readonly size: number;
  /** Bit fields and unions share bytes with their neighbour: left out of the overlap check. */
  readonly overlay: boolean;
  get(view: DataView, base: number): T;
  set(view: DataView, base: number, value: T): void;
}

type Fields = Readonly<Record<string, Field<number> | Field<bigint> | Field<Uint8Array>>>;

type FieldValue<F> = F extends Field<infer T> ? T : never;

/** A view: the DataView and the offset in it where the structure lies. */
export type View<F extends Fields> = { -readonly [K in keyof F]: FieldValue<F[K]> } & {
  readonly view: DataView;
  readonly at: number;
};

export interface StructClass<F extends Fields> {
  new (view: DataView, at?: number): View<F>;
  readonly structName: string;
  readonly size: number; // bytes
  /** Field name → offset; for docs, dumps and checksums that skip a field. */
  readonly offsets: { readonly [K in keyof F]: number };
}

/** Declares a structure of `size` bytes. Throws at load when the table contradicts itself. */
export function struct<F extends Fields>(name: string, size: number, fields: F): StructClass<F> {
  checkTable(name, size, fields);
  class StructView {
    declare readonly view: DataView;
    declare readonly at: number;
    static readonly structName = name;
    static readonly size = size;
    static readonly offsets = Object.fromEntries(
      Object.entries(fields).map(([key, field]) => [key, field.at]),
    );
    constructor(view: DataView, at = 0) {
      this.view = view;
      this.at = at;
    }
  }
  for (const [key, field] of Object.entries(fields)) defineField(StructView.prototype, key, field);
  return StructView as unknown as StructClass<F>;
}

// biome-ignore lint/suspicious/noExplicitAny: the one place where fields of all types meet.
function defineField(prototype: object, key: string, field: Field<any>): void {
  const { get, set } = field;
  Object.defineProperty(prototype, key, {
    enumerable: true,
    get(this: { view: DataView; at: number }) {
      return get(this.view, this.at);
    },
    set(this: { view: DataView; at: number }, value) {
      set(this.view, this.at, value);
    },
  });
}

function checkTable(name: string, size: number, fields: Fields): void {
  let end = 0;
  for (const [key, field] of Object.entries(fields)) {
    if (!field.overlay && field.at < end)
      throw new Error(`${name}.${key} overlaps the field before`);
    end = Math.max(end, field.at + field.size);
  }
  if (end > size) throw new Error(`${name} ends at ${end}, beyond its size of ${size}`);
}

const number = (
  at: number,
  size: number,
  get: (v: DataView, o: number) => number,
  set: (v: DataView, o: number, value: number) => void,
): Field<number> => ({
  at,
  size,
  overlay: false,
  get: (v, base) => get(v, base + at),
  set: (v, base, value) => set(v, base + at, value),
});

export const u8 = (at: number): Field<number> => ({
  at,
  size: 1,
  overlay: false,
  get: (v, base) => v.getUint8(base + at),
  set: (v, base, value) => v.setUint8(base + at, value),
});
export const le16 = (at: number): Field<number> => ({
  at,
  size: 2,
  overlay: false,
  get: (v, base) => v.getUint16(base + at, true),
  set: (v, base, value) => v.setUint16(base + at, value, true),
});
export const le32 = (at: number): Field<number> => ({
  at,
  size: 4,
  overlay: false,
  get: (v, base) => v.getUint32(base + at, true),
  set: (v, base, value) => v.setUint32(base + at, value, true),
});
export const le32s = (at: number): Field<number> => ({
  at,
  size: 4,
  overlay: false,
  get: (v, base) => v.getInt32(base + at, true),
  set: (v, base, value) => v.setInt32(base + at, value, true),
});
export const be16 = (at: number): Field<number> =>
  number(
    at,
    2,
    (v, o) => v.getUint16(o),
    (v, o, value) => v.setUint16(o, value),
  );
export const be32 = (at: number): Field<number> =>
  number(
    at,
    4,
    (v, o) => v.getUint32(o),
    (v, o, value) => v.setUint32(o, value),
  );

/** A u64 as a number; EUCLEAN above 2^53 - 1, which no valid count, size or block number reaches. */
export const le64 = (at: number): Field<number> =>
  number(
    at,
    8,
    (v, o) => join64(v.getUint32(o + 4, true), v.getUint32(o, true)),
    (v, o, value) => {
      v.setUint32(o, value >>> 0, true);
      v.setUint32(o + 4, Math.floor(value / 0x1_0000_0000), true);
    },
  );
export const be64 = (at: number): Field<number> =>
  number(
    at,
    8,
    (v, o) => join64(v.getUint32(o), v.getUint32(o + 4)),
    (v, o, value) => {
      v.setUint32(o + 4, value >>> 0);
      v.setUint32(o, Math.floor(value / 0x1_0000_0000));
    },
  );

/** A u64 used as a mask or a hash. */
export const le64bits = (at: number): Field<bigint> => ({
  at,
  size: 8,
  overlay: false,
  get: (v, base) => v.getBigUint64(base + at, true),
  set: (v, base, value) => v.setBigUint64(base + at, value, true),
});

/** Raw bytes: reading gives a view, assigning copies in and zero-fills the rest. */
export const bytes = (at: number, size: number): Field<Uint8Array> => ({
  at,
  size,
  overlay: false,
  get: (v, base) => new Uint8Array(v.buffer, v.byteOffset + base + at, size),
  set: (v, base, value) => {
    const target = new Uint8Array(v.buffer, v.byteOffset + base + at, size);
    target.fill(0);
    target.set(value.subarray(0, size));
  },
});

/** The same bytes under a second name (a union member): exempt from the overlap check. */
export const overlay = <T>(field: Field<T>): Field<T> => ({ ...field, overlay: true });

/** Joins two u32 into a number; EUCLEAN above 2^53 - 1. */
export function join64(high: number, low: number): number {
  if (high > 0x1f_ffff)
    throw new PosixError(EUCLEAN, `64-bit value above 2^53: 0x${high.toString(16)}…`);
  return high * 0x1_0000_0000 + low;
}
