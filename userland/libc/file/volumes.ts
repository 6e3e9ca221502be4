// File systems by their boot sector or superblock, as the specifications of their formats lay them out:
// FAT (fatgen103), ext2 to ext4 (ondisk/super.rst), HFS (Inside Macintosh: Files) and HFS Plus (TN1150).

import { ctime } from '../time/date.ts';

export function bootSector(data: DataView): string {
  const jump = data.getUint8(0);
  const isFat =
    (jump === 0xeb || jump === 0xe9) &&
    /^FAT(12|16|32) {3}$/.test(typeOf(data)) &&
    data.getUint16(11, true) >= 512;
  return isFat ? fat(data) : 'DOS/MBR boot sector';
}

const typeOf = (data: DataView): string => {
  const wide = text(data, 82, 8);
  return wide.startsWith('FAT32') ? wide : text(data, 54, 8);
};

function fat(data: DataView): string {
  const byte = (at: number): number => data.getUint8(at);
  const short = (at: number): number => data.getUint16(at, true);
  const long = (at: number): number => data.getUint32(at, true);
  const kind = typeOf(data).slice(3, 5);
  const isWide = kind === '32';
  const said = (isSaid: boolean, words: string): string[] => (isSaid ? [words] : []);
  const at = isWide ? 67 : 39;
  const label = text(data, at + 4, 11);
  const serial = [
    `serial number 0x${long(at).toString(16)}`,
    label === 'NO NAME    ' ? 'unlabeled' : `label: "${label}"`,
  ];
  const isFollowed =
    byte(21) === 0xf0 && byte(512) === 0xf0 && byte(513) === 0xff && byte(514) === 0xff;
  return [
    `DOS/MBR boot sector, code offset 0x${byte(1).toString(16)}+2`,
    `OEM-ID "${text(data, 3, 8).replace(/\0.*$/s, '')}"`,
    ...said(short(11) !== 512, `Bytes/sector ${short(11)}`),
    ...said(byte(13) > 1, `sectors/cluster ${byte(13)}`),
    ...said(short(14) !== (isWide ? 32 : 1), `reserved sectors ${short(14)}`),
    ...said(byte(16) !== 2, `FAT  ${byte(16)}`),
    ...said(short(17) > 0, `root entries ${short(17)}`),
    ...said(short(19) > 0, `sectors ${short(19)} (volumes <=32 MB)`),
    ...said(byte(21) !== 0xf0, `Media descriptor 0x${byte(21).toString(16)}`),
    ...said(short(22) > 0, `sectors/FAT ${short(22)}`),
    `sectors/track ${short(24)}`,
    ...said(short(26) !== 2, `heads ${short(26)}`),
    ...said(long(28) > 0, `hidden sectors ${long(28)}`),
    ...said(long(32) > 0, `sectors ${long(32)} (volumes > 32 MB)`),
    ...(isWide
      ? [
          'FAT (32 bit)',
          `sectors/FAT ${long(36)}`,
          ...said(short(48) !== 1, `infoSector ${short(48)}`),
          ...said(short(50) === 0, 'no Backup boot sector'),
          ...serial,
        ]
      : [...serial, `FAT (${kind} bit)`]),
    ...said(isFollowed, 'followed by FAT'),
  ].join(', ');
}

const SUPER = 1024;
const HAS_JOURNAL = 0x4;

export function ext(data: DataView): string {
  const long = (at: number): number => data.getUint32(SUPER + at, true);
  const short = (at: number): number => data.getUint16(SUPER + at, true);
  const [compat, incompat, readOnly] = [long(0x5c), long(0x60), long(0x64)];
  const isNew = incompat > 0x3f || readOnly > 0x7;
  const generation = (compat & HAS_JOURNAL) === 0 ? 2 : isNew ? 4 : 3;
  const name = text(data, SUPER + 0x78, 16).split('\0')[0];
  const flags = [
    ...((incompat & 0x4) !== 0 ? ['needs journal recovery'] : []),
    ...((short(0x3a) & 2) !== 0 ? ['errors'] : []),
    ...((incompat & 0x40) !== 0 ? ['extents'] : []),
    ...((incompat & 0x80) !== 0 ? ['64bit'] : []),
    ...((readOnly & 0x2) !== 0 ? ['large files'] : []),
    ...((readOnly & 0x8) !== 0 ? ['huge files'] : []),
  ];
  const told = (words: readonly string[]): string => words.map((word) => ` (${word})`).join('');
  const volume = name === '' ? '' : `, volume name "${name}"`;
  const revision = `${long(0x4c)}.${short(0x3e)}`;
  return `Linux rev ${revision} ext${generation} filesystem data, UUID=${uuid(data, SUPER + 0x68)}${volume}${told(flags)}`;
}

function uuid(data: DataView, at: number): string {
  const hex = Array.from({ length: 16 }, (_, i) =>
    data
      .getUint8(at + i)
      .toString(16)
      .padStart(2, '0'),
  ).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

export function hfs(data: DataView): string | undefined {
  if (data.getUint16(SUPER + 0xe) !== 3) return undefined; // where the bitmap always begins
  const name = text(data, SUPER + 0x25, Math.min(27, data.getUint8(SUPER + 0x24)));
  const size = data.getUint32(SUPER + 0x14);
  const count = data.getInt16(SUPER + 0x12);
  return `Macintosh HFS data block size: ${size}, number of blocks: ${count}, volume name: ${name}`;
}

/** Seconds from 1904 to 1970. */
const MACINTOSH = 2_082_844_800;

export function hfsPlus(data: DataView): string {
  const long = (at: number): number => data.getUint32(SUPER + at);
  const time = (at: number): string => ctime(long(at) - MACINTOSH);
  const checked = long(0x1c) === 0 ? '' : `, last checked: ${time(0x1c)}`;
  return (
    `Apple HFS Plus version 4 data (mounted) last mounted by: '${text(data, SUPER + 8, 4)}', created: ${time(0x10)}, ` +
    `last modified: ${time(0x14)}${checked}, block size: ${long(0x28)}, number of blocks: ${long(0x2c)}, free blocks: ${long(0x30)}`
  );
}

function text(data: DataView, at: number, count: number): string {
  let out = '';
  for (let i = at; i < at + count; i++) out += String.fromCharCode(data.getUint8(i));
  return out;
}
