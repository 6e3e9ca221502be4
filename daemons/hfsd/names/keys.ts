// Keys of the B-trees in both formats: how they are written, read, compared, and judged before they
// are. TN1150, "Catalog File Key", "Extents Overflow File Key", "Attributes"; Inside Macintosh: Files.

import { FOLD } from '../../../kernel/abi/names/hfsplus.ts';
import { RANK } from '../../../kernel/abi/names/macroman.ts';
import { room } from '../btree/room.ts';

/** A key where it lies: `at` is the place of its length. */
type Compare = (a: DataView, aAt: number, b: DataView, bAt: number) => number;

export interface KeyFormat {
  /** Bytes of the length field: 1 on HFS, 2 on HFS Plus. */
  readonly lengthSize: 1 | 2;
  /** The longest key, without its length field. */
  readonly longest: number;
  readonly compare: Compare;
  /** Is a key of `length` bytes one that `compare` may look at? */
  valid(view: DataView, at: number, length: number): boolean;
}

export interface CatalogKey {
  readonly parent: number;
  /** As on the disk: MacRoman bytes or UTF-16 units. */
  readonly name: string;
}
export interface ExtentsKey {
  readonly cnid: number;
  readonly fork: number;
  readonly start: number; // allocation block of the fork
}
export interface AttributeKey {
  readonly cnid: number;
  readonly name: string;
  readonly start: number;
}

/** How one of the formats writes its keys. */
export interface Keys {
  readonly catalog: KeyFormat;
  readonly extents: KeyFormat;
  catalogKey(key: CatalogKey): Uint8Array;
  readCatalogKey(view: DataView, at: number): CatalogKey;
  extentsKey(key: ExtentsKey): Uint8Array;
  readExtentsKey(view: DataView, at: number): ExtentsKey;
}

export const hfsKeys: Keys = {
  catalog: {
    lengthSize: 1,
    longest: 37,
    compare(a, aAt, b, bAt) {
      const parent = a.getUint32(aAt + 2) - b.getUint32(bAt + 2);
      if (parent !== 0) return parent;
      const [aLength, bLength] = [a.getUint8(aAt + 6), b.getUint8(bAt + 6)];
      const length = Math.min(aLength, bLength);
      for (let i = 0; i < length; i++) {
        const x = RANK[a.getUint8(aAt + 7 + i)] ?? 0;
        const y = RANK[b.getUint8(bAt + 7 + i)] ?? 0;
        if (x !== y) return x - y;
      }
      return aLength - bLength;
    },
    valid: (view, at, length) =>
      length >= 6 && length <= 37 && view.getUint8(at + 6) <= Math.min(31, length - 6),
  },
  extents: {
    lengthSize: 1,
    longest: 7,
    compare: (a, aAt, b, bAt) =>
      a.getUint32(aAt + 2) - b.getUint32(bAt + 2) ||
      a.getUint8(aAt + 1) - b.getUint8(bAt + 1) ||
      a.getUint16(aAt + 6) - b.getUint16(bAt + 6),
    valid: (_, __, length) => length === 7,
  },
  catalogKey({ parent, name }) {
    const { bytes, view } = keyBytes(Math.ceil((7 + name.length) / 2) * 2);
    view.setUint8(0, 6 + name.length);
    view.setUint32(2, parent);
    view.setUint8(6, name.length);
    for (let i = 0; i < name.length; i++) bytes[7 + i] = name.charCodeAt(i);
    return bytes;
  },
  readCatalogKey(view, at) {
    let name = '';
    const length = view.getUint8(at + 6);
    for (let i = 0; i < length; i++) name += String.fromCharCode(view.getUint8(at + 7 + i));
    return { parent: view.getUint32(at + 2), name };
  },
  extentsKey({ cnid, fork, start }) {
    const { bytes, view } = keyBytes(8);
    view.setUint8(0, 7);
    view.setUint8(1, fork);
    view.setUint32(2, cnid);
    view.setUint16(6, start);
    return bytes;
  },
  readExtentsKey: (view, at) => ({
    cnid: view.getUint32(at + 2),
    fork: view.getUint8(at + 1),
    start: view.getUint16(at + 6),
  }),
};

/** `binary`: HFSX with case-sensitive names. */
export const plusKeys = (comparing: 'folded' | 'binary'): Keys => ({
  catalog: {
    lengthSize: 2,
    longest: 516,
    compare: comparing === 'folded' ? compareFolded : compareBinary,
    valid: (view, at, length) =>
      length >= 6 && length <= 516 && 6 + 2 * view.getUint16(at + 6) <= length,
  },
  extents: {
    lengthSize: 2,
    longest: 10,
    compare: (a, aAt, b, bAt) =>
      a.getUint32(aAt + 4) - b.getUint32(bAt + 4) ||
      a.getUint8(aAt + 2) - b.getUint8(bAt + 2) ||
      a.getUint32(aAt + 8) - b.getUint32(bAt + 8),
    valid: (_, __, length) => length === 10,
  },
  catalogKey({ parent, name }) {
    const { bytes, view } = keyBytes(8 + 2 * name.length);
    view.setUint16(0, 6 + 2 * name.length);
    view.setUint32(2, parent);
    putUnits(view, 6, name);
    return bytes;
  },
  readCatalogKey: (view, at) => ({ parent: view.getUint32(at + 2), name: readUnits(view, at + 6) }),
  extentsKey({ cnid, fork, start }) {
    const { bytes, view } = keyBytes(12);
    view.setUint16(0, 10);
    view.setUint8(2, fork);
    view.setUint32(4, cnid);
    view.setUint32(8, start);
    return bytes;
  },
  readExtentsKey: (view, at) => ({
    cnid: view.getUint32(at + 4),
    fork: view.getUint8(at + 2),
    start: view.getUint32(at + 8),
  }),
});

const compareFolded: Compare = (a, aAt, b, bAt) => {
  const parent = a.getUint32(aAt + 2) - b.getUint32(bAt + 2);
  if (parent !== 0) return parent;
  const [aEnd, bEnd] = [a.getUint16(aAt + 6), b.getUint16(bAt + 6)];
  for (let i = 0, j = 0; ; ) {
    let x = 0;
    let y = 0;
    while (i < aEnd && x === 0) x = FOLD[a.getUint16(aAt + 8 + 2 * i++)] ?? 0;
    while (j < bEnd && y === 0) y = FOLD[b.getUint16(bAt + 8 + 2 * j++)] ?? 0;
    if (x !== y) return x - y;
    if (x === 0) return 0;
  }
};

const compareBinary: Compare = (a, aAt, b, bAt) =>
  a.getUint32(aAt + 2) - b.getUint32(bAt + 2) ||
  compareUnits({ view: a, at: aAt + 6 }, { view: b, at: bAt + 6 });

/** Attributes exist on HFS Plus alone. */
export const attributeFormat: KeyFormat = {
  lengthSize: 2,
  longest: 266,
  compare: (a, aAt, b, bAt) =>
    a.getUint32(aAt + 4) - b.getUint32(bAt + 4) ||
    compareUnits({ view: a, at: aAt + 12 }, { view: b, at: bAt + 12 }) ||
    a.getUint32(aAt + 8) - b.getUint32(bAt + 8),
  valid: (view, at, length) =>
    length >= 12 && length <= 266 && 12 + 2 * view.getUint16(at + 12) <= length,
};

export function attributeKey({ cnid, name, start }: AttributeKey): Uint8Array {
  const { bytes, view } = keyBytes(14 + 2 * name.length);
  view.setUint16(0, 12 + 2 * name.length);
  view.setUint32(4, cnid);
  view.setUint32(8, start);
  putUnits(view, 12, name);
  return bytes;
}

export const readAttributeKey = (view: DataView, at: number): AttributeKey => ({
  cnid: view.getUint32(at + 4),
  start: view.getUint32(at + 8),
  name: readUnits(view, at + 12),
});

interface Units {
  readonly view: DataView;
  readonly at: number;
}

function compareUnits(a: Units, b: Units): number {
  const [aLength, bLength] = [a.view.getUint16(a.at), b.view.getUint16(b.at)];
  const length = Math.min(aLength, bLength);
  for (let i = 1; i <= length; i++) {
    const order = a.view.getUint16(a.at + 2 * i) - b.view.getUint16(b.at + 2 * i);
    if (order !== 0) return order;
  }
  return aLength - bLength;
}

/** A length and as many UTF-16 units. */
export function putUnits(view: DataView, at: number, text: string): void {
  view.setUint16(at, text.length);
  for (let i = 0; i < text.length; i++) view.setUint16(at + 2 + 2 * i, text.charCodeAt(i));
}

export function readUnits(view: DataView, at: number): string {
  let text = '';
  const length = view.getUint16(at);
  for (let i = 0; i < length; i++) text += String.fromCharCode(view.getUint16(at + 2 + 2 * i));
  return text;
}

function keyBytes(size: number): { bytes: Uint8Array; view: DataView } {
  const bytes = room(size);
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}
