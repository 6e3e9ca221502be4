// Headers of tar archives: ustar and pax (POSIX.1-2024 XCU pax, "ustar Interchange Format" and "pax Extended
// Header"), with GNU's long names and numbers in base 256 as far as reading goes.

import { decodeText, encodeText } from '../../../kernel/abi/text.ts';

export const BLOCK = 512;

export interface Member {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds, with a fraction where the archive has one. */
  readonly mtime: number;
  /** 0 file, 1 hard link, 2 symlink, 3 and 4 devices, 5 directory, 6 FIFO. */
  readonly type: string;
  readonly target: string;
  readonly user: string;
  readonly group: string;
  readonly major: number;
  readonly minor: number;
}

const fields = {
  ...{ name: [0, 100], mode: [100, 8], uid: [108, 8], gid: [116, 8], size: [124, 12] },
  ...{ mtime: [136, 12], checksum: [148, 8], type: [156, 1], target: [157, 100] },
  ...{ magic: [257, 8], user: [265, 32], group: [297, 32], major: [329, 8], minor: [337, 8] },
  prefix: [345, 155],
} as const;

type Field = keyof typeof fields;

const slice = (block: Uint8Array, field: Field): Uint8Array =>
  block.subarray(fields[field][0], fields[field][0] + fields[field][1]);

export const isZero = (block: Uint8Array): boolean => block.every((byte) => byte === 0);

/** The header in a block; undefined when its checksum is wrong. */
export function readHeader(block: Uint8Array): Member | undefined {
  const sum = number(slice(block, 'checksum'));
  if (sum !== checksum(block)) return undefined;
  const isUstar = text(slice(block, 'magic')).startsWith('ustar');
  const isPosix = block[262] === 0; // GNU's own has a blank there, and no prefix
  const prefix = isUstar && isPosix ? text(slice(block, 'prefix')) : '';
  const name = text(slice(block, 'name'));
  const type = String.fromCharCode(block[156] || 0x30);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: number(slice(block, 'mode')) & 0o7777,
    uid: number(slice(block, 'uid')),
    gid: number(slice(block, 'gid')),
    size: number(slice(block, 'size')),
    mtime: number(slice(block, 'mtime')),
    type: type === '7' ? '0' : type,
    target: text(slice(block, 'target')),
    user: isUstar ? text(slice(block, 'user')) : '',
    group: isUstar ? text(slice(block, 'group')) : '',
    major: isUstar ? number(slice(block, 'major')) : 0,
    minor: isUstar ? number(slice(block, 'minor')) : 0,
  };
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decodeText(end < 0 ? bytes : bytes.subarray(0, end));
}

/** Octal digits, or base 256 when the first bit is set. */
function number(bytes: Uint8Array): number {
  const first = bytes[0] ?? 0;
  if (first & 0x80) {
    let value = first === 0xff ? -1 : first & 0x7f;
    for (const byte of bytes.subarray(1)) value = value * 256 + byte;
    return Number.isSafeInteger(value) ? value : -1;
  }
  const digits = /^[ \0]*([0-7]*)/.exec(String.fromCharCode(...bytes))?.[1] ?? '';
  return Number.parseInt(digits || '0', 8);
}

/** All bytes of the block, those of the checksum being blanks. */
function checksum(block: Uint8Array): number {
  const [at, length] = [fields.checksum[0] ?? 0, fields.checksum[1] ?? 0];
  let sum = 32 * length;
  for (let i = 0; i < BLOCK; i++) if (i < at || i >= at + length) sum += block[i] ?? 0;
  return sum;
}

/** The blocks of a header; extended ones come first where ustar has no room for a value. */
export function writeHeader(member: Member): Uint8Array {
  const records: [string, string][] = [];
  const name = encodeText(member.name);
  const split = splitName(name);
  const target = encodeText(member.target);
  if (split === undefined) records.push(['path', member.name]);
  if (target.length > 100) records.push(['linkpath', member.target]);
  if (member.size >= 8 ** 11) records.push(['size', String(member.size)]);
  if (member.mtime % 1 !== 0 || member.mtime < 0 || member.mtime >= 8 ** 11) {
    records.push(['mtime', member.mtime.toFixed(9).replace(/\.?0+$/, '')]);
  }
  for (const key of ['uid', 'gid'] as const) {
    if (member[key] >= 8 ** 7) records.push([key, String(member[key])]);
  }
  const main = block(member, split ?? { prefix: new Uint8Array(0), name: name.subarray(0, 100) });
  if (records.length === 0) return main;
  const data = paxData(records);
  const extended = block(
    { ...member, type: 'x', size: data.length, mode: 0o644, target: '', mtime: 0 },
    { prefix: new Uint8Array(0), name: encodeText('././@PaxHeader') },
  );
  const out = new Uint8Array(BLOCK + padded(data.length) + BLOCK);
  out.set(extended);
  out.set(data, BLOCK);
  out.set(main, BLOCK + padded(data.length));
  return out;
}

export const padded = (size: number): number => Math.ceil(size / BLOCK) * BLOCK;

/** A name of up to 100 bytes, or two parts at a slash, the first of up to 155. */
function splitName(name: Uint8Array): { prefix: Uint8Array; name: Uint8Array } | undefined {
  if (name.length <= 100) return { prefix: new Uint8Array(0), name };
  const slash = name.indexOf(0x2f, name.length - 101);
  if (slash <= 0 || slash > 155 || slash + 1 >= name.length) return undefined;
  return { prefix: name.subarray(0, slash), name: name.subarray(slash + 1) };
}

function block(member: Member, names: { prefix: Uint8Array; name: Uint8Array }): Uint8Array {
  const out = new Uint8Array(BLOCK);
  const put = (field: Field, bytes: Uint8Array): void =>
    out.set(bytes.subarray(0, fields[field][1]), fields[field][0]);
  const octal = (field: Field, value: number): void => {
    const digits = fields[field][1] - 1;
    const fits = value >= 0 && value < 8 ** digits;
    put(
      field,
      encodeText(
        Math.floor(fits ? value : 0)
          .toString(8)
          .padStart(digits, '0'),
      ),
    );
  };
  put('name', names.name);
  put('prefix', names.prefix);
  for (const key of ['mode', 'uid', 'gid', 'size', 'mtime', 'major', 'minor'] as const) {
    octal(key, member[key]);
  }
  put('type', encodeText(member.type));
  put('target', encodeText(member.target));
  put('magic', encodeText('ustar\x0000'));
  put('user', encodeText(member.user));
  put('group', encodeText(member.group));
  put('checksum', encodeText(`${checksum(out).toString(8).padStart(6, '0')}\0 `));
  return out;
}

/** Records of `LENGTH KEY=VALUE`, the length counting itself. */
function paxData(records: readonly (readonly [string, string])[]): Uint8Array {
  let all = '';
  for (const [key, value] of records) {
    const size = encodeText(` ${key}=${value}\n`).length;
    let length = size + String(size).length;
    if (String(length).length > String(size).length) length++;
    all += `${length} ${key}=${value}\n`;
  }
  return encodeText(all);
}

/** The records of an extended header; undefined when they are damaged. */
export function readPax(bytes: Uint8Array): Map<string, string> | undefined {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(0x20, at);
    const length = Number(decodeText(bytes.subarray(at, blank < 0 ? at : blank)));
    if (!Number.isInteger(length) || length < 4 || at + length > bytes.length) return undefined;
    const record = decodeText(bytes.subarray(blank + 1, at + length - 1));
    const equals = record.indexOf('=');
    if (blank >= at + length || equals <= 0) return undefined;
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

export function withPax(member: Member, pax: ReadonlyMap<string, string>): Member {
  const numeric = (key: string, usual: number): number => {
    const value = Number(pax.get(key) ?? Number.NaN);
    return Number.isFinite(value) ? value : usual;
  };
  return {
    ...member,
    name: pax.get('path') || member.name,
    target: pax.get('linkpath') ?? member.target,
    user: pax.get('uname') ?? member.user,
    group: pax.get('gname') ?? member.group,
    size: numeric('size', member.size),
    mtime: numeric('mtime', member.mtime),
    uid: numeric('uid', member.uid),
    gid: numeric('gid', member.gid),
  };
}
