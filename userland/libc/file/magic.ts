// What bytes at their places tell of a file's kind: the magic numbers of the formats' own specifications
// (RFC 1952, RFC 8878, PNG §5.2, System V ABI, POSIX pax, WebAssembly §5.5, ext4's ondisk/super.rst …).

import { ctime } from '../time/date.ts';
import { bootSector, ext, hfs, hfsPlus } from './volumes.ts';

export interface Kind {
  readonly description: string;
  readonly mime: string;
  /** Nothing is told of how its lines end. */
  readonly alone?: boolean;
}

interface Magic {
  readonly at: number;
  readonly bytes: string; // one character a byte
  readonly mime: string;
  /** Undefined: it is something else that happens to begin so. */
  readonly describe: string | ((data: DataView, size: number) => string | undefined);
}

const magics: readonly Magic[] = [
  { at: 0, bytes: '\x1f\x8b', mime: 'application/gzip', describe: gzip },
  { at: 0, bytes: 'BZh', mime: 'application/x-bzip2', describe: bzip2 },
  { at: 0, bytes: '\xfd7zXZ\0', mime: 'application/x-xz', describe: xz },
  {
    at: 0,
    bytes: '\x28\xb5\x2f\xfd',
    mime: 'application/zstd',
    describe: 'Zstandard compressed data (v0.8+), Dictionary ID: None',
  },
  {
    ...{ at: 0, bytes: '\x04\x22\x4d\x18', mime: 'application/x-lz4' },
    describe: 'LZ4 compressed data (v1.4+)',
  },
  { at: 257, bytes: 'ustar\0', mime: 'application/x-tar', describe: tar('POSIX tar archive') },
  {
    ...{ at: 257, bytes: 'ustar  \0', mime: 'application/x-tar' },
    describe: tar('POSIX tar archive (GNU)'),
  },
  { at: 0, bytes: 'PK\x05\x06', mime: 'application/zip', describe: 'Zip archive data (empty)' },
  { at: 0, bytes: 'PK\x03\x04', mime: 'application/zip', describe: zip },
  { at: 0, bytes: '!<arch>\n', mime: 'application/x-archive', describe: 'current ar archive' },
  {
    at: 0,
    bytes: '070701',
    mime: 'application/x-cpio',
    describe: 'ASCII cpio archive (SVR4 with no CRC)',
  },
  {
    ...{ at: 0, bytes: '070702', mime: 'application/x-cpio' },
    describe: 'ASCII cpio archive (SVR4 with CRC)',
  },
  {
    ...{ at: 0, bytes: '070707', mime: 'application/x-cpio' },
    describe: 'ASCII cpio archive (pre-SVR4 or odc)',
  },
  { at: 0, bytes: '\x89PNG\r\n\x1a\n', mime: 'image/png', describe: png },
  { at: 0, bytes: '\xff\xd8\xff', mime: 'image/jpeg', describe: jpeg },
  { at: 0, bytes: 'GIF8', mime: 'image/gif', describe: gif },
  {
    at: 0,
    bytes: '%PDF-',
    mime: 'application/pdf',
    describe: (d) => `PDF document, version ${text(d, 5, 3)}`,
  },
  { at: 0, bytes: '\0asm', mime: 'application/wasm', describe: wasm },
  { at: 0, bytes: '\x7fELF', mime: 'application/x-object', describe: elf },
  { at: 0, bytes: 'SQLite format 3\0', mime: 'application/vnd.sqlite3', describe: sqlite },
  { at: 0, bytes: 'BM', mime: 'image/bmp', describe: bmp },
  { at: 0, bytes: 'RIFF', mime: 'audio/x-wav', describe: wave },
  { at: 1080, bytes: '\x53\xef', mime: 'application/octet-stream', describe: ext },
  { at: 1024, bytes: 'H+\0\x04', mime: 'application/octet-stream', describe: hfsPlus },
  { at: 1024, bytes: 'BD', mime: 'application/x-apple-diskimage', describe: hfs },
  { at: 510, bytes: '\x55\xaa', mime: 'application/octet-stream', describe: bootSector },
];

/** How much of a file is looked at. */
export const LOOKED_AT = 1 << 16;

export function findMagic(bytes: Uint8Array, size: number): Kind | undefined {
  // What a description looks at beyond the end is zero.
  const data = new DataView(new ArrayBuffer(Math.max(bytes.length, 2048)));
  new Uint8Array(data.buffer).set(bytes);
  for (const magic of magics) {
    if (bytes.length < magic.at + magic.bytes.length) continue;
    if (text(data, magic.at, magic.bytes.length) !== magic.bytes) continue;
    const { describe } = magic;
    const description = typeof describe === 'string' ? describe : describe(data, size);
    if (description === undefined) continue;
    const mime = magic.bytes === '\x7fELF' ? elfMime(data) : magic.mime;
    return { description, mime, alone: true };
  }
  return undefined;
}

function text(data: DataView, at: number, count: number): string {
  let out = '';
  for (let i = at; i < at + count; i++) out += String.fromCharCode(data.getUint8(i));
  return out;
}

const systems = ['FAT filesystem (MS-DOS, OS/2, NT)', 'Amiga', 'VMS', 'Unix'];
const GZIP_LEAST = 18;

function gzip(data: DataView, size: number): string | undefined {
  if (size < GZIP_LEAST) return undefined;
  const flags = data.getUint8(3);
  const seconds = data.getUint32(4, true);
  const effort = { 2: ', max compression', 4: ', max speed' }[data.getUint8(8)] ?? '';
  const system = systems[data.getUint8(9)];
  const name = (flags & 0x1c) === 8 ? `, was "${text(data, 10, 255).split('\0')[0]}"` : '';
  const time = seconds === 0 ? '' : `, last modified: ${ctime(seconds)}`;
  const from = system === undefined ? '' : `, from ${system}`;
  const whole =
    size <= data.byteLength ? `, original size modulo 2^32 ${data.getUint32(size - 4, true)}` : '';
  return `gzip compressed data${name}${time}${effort}${from}${whole}`;
}

/** The checksum of its first header must be right. */
function tar(name: string): (data: DataView) => string | undefined {
  return (data) => {
    let sum = 0;
    for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 32 : data.getUint8(i);
    const told = /^ *([0-7]+)/.exec(text(data, 148, 8))?.[1];
    return told !== undefined && Number.parseInt(told, 8) === sum ? name : undefined;
  };
}

const methods: Readonly<Record<number, string>> = { 0: 'store', 8: 'deflate', 12: 'bzip2' };

function zip(data: DataView): string | undefined {
  const version = data.getUint8(4);
  const method = methods[data.getUint16(8, true)];
  if (method === undefined || version < 10) return undefined;
  const needed = `v${Math.floor(version / 10)}.${version % 10}`;
  return `Zip archive data, at least ${needed} to extract, compression method=${method}`;
}

function bzip2(data: DataView): string {
  return `bzip2 compressed data, block size = ${text(data, 3, 1)}00k`;
}

const checks: Readonly<Record<number, string>> = {
  0: 'NONE',
  1: 'CRC32',
  4: 'CRC64',
  10: 'SHA-256',
};

function xz(data: DataView): string {
  const check = checks[data.getUint8(7)];
  return `XZ compressed data${check === undefined ? '' : `, checksum ${check}`}`;
}

const colours: Readonly<Record<number, string>> = {
  0: ' grayscale',
  2: '/color RGB',
  3: ' colormap',
  4: ' gray+alpha',
  6: '/color RGBA',
};

function png(data: DataView): string {
  const size = `${data.getUint32(16)} x ${data.getUint32(20)}`;
  const colour = `${data.getUint8(24)}-bit${colours[data.getUint8(25)] ?? ''}`;
  return `PNG image data, ${size}, ${colour}, ${data.getUint8(28) === 1 ? '' : 'non-'}interlaced`;
}

function jpeg(data: DataView): string {
  if (text(data, 6, 5) !== 'JFIF\0') return 'JPEG image data';
  const version = `${data.getUint8(11)}.${String(data.getUint8(12)).padStart(2, '0')}`;
  const units = ['aspect ratio', 'resolution (DPI)', 'resolution (DPCM)'][data.getUint8(13)];
  const density = `${data.getUint16(14)}x${data.getUint16(16)}`;
  return `JPEG image data, JFIF standard ${version}, ${units}, density ${density}, segment length ${data.getUint16(4)}`;
}

function gif(data: DataView): string {
  return `GIF image data, version ${text(data, 3, 3)}, ${data.getUint16(6, true)} x ${data.getUint16(8, true)}`;
}

function wasm(data: DataView): string {
  const version = data.getUint32(4, true);
  const name = version === 1 ? ' (MVP)' : '';
  return `WebAssembly (wasm) binary module version 0x${version.toString(16)}${name}`;
}

const machines: Readonly<Record<number, string>> = {
  3: 'Intel 80386',
  8: 'MIPS',
  40: 'ARM',
  62: 'x86-64',
  183: 'ARM aarch64',
  243: 'UCB RISC-V',
};
const elfTypes = ['no file type', 'relocatable', 'executable', 'shared object', 'core file'];

function elf(data: DataView): string {
  const little = data.getUint8(5) === 1;
  const wide = data.getUint8(4) === 2;
  const type = elfTypes[data.getUint16(16, little)] ?? 'processor-specific';
  const machine = machines[data.getUint16(18, little)] ?? 'unknown architecture';
  const system = data.getUint8(7) === 0 ? ' (SYSV)' : data.getUint8(7) === 3 ? ' (GNU/Linux)' : '';
  const sections = data.getUint16(wide ? 60 : 48, little) === 0 ? ', no section header' : '';
  const shape = `${wide ? '64' : '32'}-bit ${little ? 'LSB' : 'MSB'}`;
  return `ELF ${shape} ${type}, ${machine}, version ${data.getUint8(6)}${system}${sections}`;
}

function elfMime(data: DataView): string {
  const type = data.getUint16(16, data.getUint8(5) === 1);
  const names = ['object', 'object', 'executable', 'sharedlib', 'coredump'];
  return `application/x-${names[type] ?? 'object'}`;
}

const encodings = ['unknown 0 encoding', 'UTF-8', 'UTF-16 little endian', 'UTF-16 big endian'];

function sqlite(data: DataView): string {
  const number = (at: number): number => data.getUint32(at);
  const hex = (value: number): string => (value === 0 ? '0' : `0x${value.toString(16)}`);
  const pageSize = data.getUint16(16);
  return [
    'SQLite 3.x database',
    ...(number(60) === 0 ? [] : [`user version ${number(60)}`]),
    `last written using SQLite version ${number(96)}`,
    ...(pageSize === 4096 ? [] : [`page size ${pageSize}`]),
    `file counter ${number(24)}`,
    `database pages ${number(28)}`,
    `cookie ${hex(number(40))}`,
    `schema ${number(44)}`,
    encodings[number(56)] ?? `unknown ${hex(number(56))} encoding`,
    `version-valid-for ${number(92)}`,
  ].join(', ');
}

function bmp(data: DataView): string | undefined {
  if (data.getUint32(14, true) !== 40) return undefined;
  const size = `${data.getInt32(18, true)} x ${data.getInt32(22, true)}`;
  const shape = `${size} x ${data.getUint16(28, true)}`;
  const end = `cbSize ${data.getUint32(2, true)}, bits offset ${data.getUint32(10, true)}`;
  return `PC bitmap, Windows 3.x format, ${shape}, ${end}`;
}

function wave(data: DataView): string | undefined {
  if (text(data, 8, 8) !== 'WAVEfmt ' || data.getUint16(20, true) !== 1) return undefined;
  const channels = data.getUint16(22, true);
  const width = channels === 1 ? 'mono' : channels === 2 ? 'stereo' : `${channels} channels`;
  const bits = `${data.getUint16(34, true)} bit`;
  return `RIFF (little-endian) data, WAVE audio, Microsoft PCM, ${bits}, ${width} ${data.getUint32(24, true)} Hz`;
}
