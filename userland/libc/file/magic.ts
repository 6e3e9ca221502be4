// What bytes at their places tell of a file's kind: the magic numbers of the formats' own specifications
// (RFC 1952, RFC 8878, PNG §5.2, System V ABI, POSIX pax, WebAssembly §5.5, ext4's ondisk/super.rst …).

export interface Kind {
  readonly description: string;
  readonly mime: string;
}

interface Magic {
  readonly at: number;
  readonly bytes: string; // one character a byte
  readonly mime: string;
  readonly describe: string | ((data: DataView) => string);
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
  { at: 257, bytes: 'ustar\0', mime: 'application/x-tar', describe: 'POSIX tar archive' },
  { at: 257, bytes: 'ustar  \0', mime: 'application/x-tar', describe: 'POSIX tar archive (GNU)' },
  { at: 0, bytes: 'PK\x03\x04', mime: 'application/zip', describe: 'Zip archive data' },
  { at: 0, bytes: '!<arch>\n', mime: 'application/x-archive', describe: 'current ar archive' },
  {
    at: 0,
    bytes: '070701',
    mime: 'application/x-cpio',
    describe: 'ASCII cpio archive (SVR4 with no CRC)',
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
  {
    at: 0,
    bytes: 'SQLite format 3\0',
    mime: 'application/vnd.sqlite3',
    describe: 'SQLite 3.x database',
  },
  { at: 1080, bytes: '\x53\xef', mime: 'application/octet-stream', describe: ext },
  {
    at: 1024,
    bytes: 'H+\0\x04',
    mime: 'application/octet-stream',
    describe: 'Macintosh HFS Extended version 4 data',
  },
  { at: 1024, bytes: 'BD', mime: 'application/octet-stream', describe: 'Macintosh HFS data' },
  {
    at: 3,
    bytes: 'EXFAT   ',
    mime: 'application/octet-stream',
    describe: 'DOS/MBR boot sector, exFAT',
  },
  {
    at: 82,
    bytes: 'FAT32   ',
    mime: 'application/octet-stream',
    describe: 'DOS/MBR boot sector, FAT (32 bit)',
  },
  {
    at: 54,
    bytes: 'FAT16   ',
    mime: 'application/octet-stream',
    describe: 'DOS/MBR boot sector, FAT (16 bit)',
  },
  {
    at: 54,
    bytes: 'FAT12   ',
    mime: 'application/octet-stream',
    describe: 'DOS/MBR boot sector, FAT (12 bit)',
  },
  { at: 510, bytes: '\x55\xaa', mime: 'application/octet-stream', describe: 'DOS/MBR boot sector' },
];

/** How much of a file is looked at. */
export const LOOKED_AT = 1 << 16;

export function findMagic(bytes: Uint8Array): Kind | undefined {
  // What a description looks at beyond the end is zero.
  const data = new DataView(new ArrayBuffer(Math.max(bytes.length, 2048)));
  new Uint8Array(data.buffer).set(bytes);
  const magic = magics.find(
    (one) =>
      bytes.length >= one.at + one.bytes.length &&
      text(data, one.at, one.bytes.length) === one.bytes,
  );
  if (magic === undefined) return undefined;
  const { describe } = magic;
  const description = typeof describe === 'string' ? describe : describe(data);
  return { description, mime: magic.bytes === '\x7fELF' ? elfMime(data) : magic.mime };
}

function text(data: DataView, at: number, count: number): string {
  let out = '';
  for (let i = at; i < at + count; i++) out += String.fromCharCode(data.getUint8(i));
  return out;
}

const systems = ['FAT filesystem (MS-DOS, OS/2, NT)', 'Amiga', 'VMS', 'Unix'];

function gzip(data: DataView): string {
  const flags = data.getUint8(3);
  const system = systems[data.getUint8(9)];
  const name = (flags & 0x1c) === 8 ? `, was "${text(data, 10, 255).split('\0')[0]}"` : '';
  return `gzip compressed data${name}${system === undefined ? '' : `, from ${system}`}`;
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

const EXT_JOURNAL = 0x4;
const EXT4_INCOMPAT = 0x2c0; // extents, 64bit, flex_bg

function ext(data: DataView): string {
  const compat = data.getUint32(1024 + 0x5c, true);
  const incompat = data.getUint32(1024 + 0x60, true);
  const revision = `${data.getUint32(1024 + 0x4c, true)}.${data.getUint16(1024 + 0x3e, true)}`;
  const generation = (incompat & EXT4_INCOMPAT) !== 0 ? 4 : (compat & EXT_JOURNAL) !== 0 ? 3 : 2;
  return `Linux rev ${revision} ext${generation} filesystem data`;
}
