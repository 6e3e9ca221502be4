// stat: what stat(2) and statfs(2) tell, by format (-c, --printf), -f, -L, -t. GNU coreutils §14.3.

import { S_IFBLK, S_IFCHR, S_IFMT } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { Stat, StatFs, Timespec } from '../../kernel/abi/stat.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import { formatMode, typeName } from '../libc/files/mode.ts';
import { fileSystemName, mountPointOf } from '../libc/files/mounts.ts';
import { isSymlink } from '../libc/files/path.ts';
import { program, type Tool } from '../libc/program.ts';
import { expandEscapes } from '../libc/text/escapes.ts';
import { directive, directiveFlags, formatInteger, formatString } from '../libc/text/format.ts';
import { fromLatin1, toLatin1 } from '../libc/text/latin1.ts';
import { quoted } from '../libc/text/quote.ts';
import { strftime } from '../libc/time/date.ts';
import { Users } from '../libc/users.ts';

export const main = program(
  {
    usage: '[-fLt] [-c FORMAT | --printf=FORMAT] FILE...',
    short: 'c:fLt',
    long: {
      'format=': 'c',
      'printf=': 'printf',
      'file-system': 'f',
      dereference: 'L',
      terse: 't',
    },
  },
  (tool, options) => {
    if (options.operands.length === 0) tool.missingOperand();
    const given = options.last('c', 'printf');
    const format = given === undefined ? undefined : options.value(given);
    const mode = options.has('f') ? 'f' : 'n';
    const usual = options.has('t') ? terse[mode] : full[mode];
    for (const path of options.operands) {
      try {
        const value =
          mode === 'f' ? fsFields(tool, path) : fileFields(tool, path, options.has('L') ? 'L' : '');
        const text = toLatin1(encodeText(format ?? usual(value)));
        const line = expand(text, value, given === 'printf' ? 'printf' : 'plain');
        tool.out.write(fromLatin1(given === 'printf' || format === undefined ? line : `${line}\n`));
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        const what = mode === 'f' ? 'cannot read file system information for' : 'cannot statx';
        tool.warn(`${what} ${quoted(path)}: ${strerror(error.errno)}`);
      }
    }
  },
);

/** A directive's letter → its value. */
type Fields = (letter: string) => string | number | undefined;

const terse = {
  n: () => '%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %W %o\n',
  f: () => '%n %i %l %t %s %S %b %f %a %c %d\n',
};

const full = {
  n: (fields: Fields) => {
    const special = fields('isSpecial') === 1;
    const device = special
      ? 'Device: %Hd,%Ld\tInode: %-10i  Links: %-5h Device type: %Hr,%Lr\n'
      : 'Device: %Hd,%Ld\tInode: %-10i  Links: %h\n';
    const file = String(fields('file')).replaceAll('%', '%%');
    return `  File: ${file}\n  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\n${device}Access: (%04a/%10.10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\nAccess: %x\nModify: %y\nChange: %z\n Birth: %w\n`;
  },
  f: () =>
    '  File: "%n"\n    ID: %-8i Namelen: %-7l Type: %T\nBlock size: %-10s Fundamental block size: %S\nBlocks: Total: %-10b Free: %-10f Available: %a\nInodes: Total: %-10c Free: %d\n',
};

const major = (dev: number): number => Math.floor(dev / 256) & 0xfff;
const minor = (dev: number): number => (dev & 0xff) | (Math.floor(dev / 4096) & 0xfff00);

function fileFields(tool: Tool, path: string, follow: 'L' | ''): Fields {
  const stat =
    path === '-' ? tool.sys.fstat(0) : follow ? tool.sys.stat(path) : tool.sys.lstat(path);
  const users = new Users(tool.sys);
  const numbers = numberFields(stat);
  return (letter) => {
    if (letter in numbers) return numbers[letter];
    switch (letter) {
      case 'n':
        return path;
      case 'N':
        return isSymlink(stat)
          ? `${quoted(path)} -> ${quoted(tool.sys.readlink(path))}`
          : quoted(path);
      case 'file':
        return isSymlink(stat) ? `${path} -> ${tool.sys.readlink(path)}` : path;
      case 'F':
        return typeName(stat.mode, stat.size);
      case 'A':
        return formatMode(stat.mode);
      case 'U':
        return users.userName(stat.uid) ?? 'UNKNOWN';
      case 'G':
        return users.groupName(stat.gid) ?? 'UNKNOWN';
      case 'm':
        return mountPointOf(tool.sys, path);
      case 'w':
        return '-';
      case 'x':
        return timeText(stat.atime);
      case 'y':
        return timeText(stat.mtime);
      case 'z':
        return timeText(stat.ctime);
      case 'C':
        return '?';
      default:
        return undefined;
    }
  };
}

const timeText = (time: Timespec): string => strftime('%Y-%m-%d %H:%M:%S.%N %z', time);

function numberFields(stat: Stat): Record<string, string | number> {
  const type = stat.mode & S_IFMT;
  return {
    isSpecial: type === S_IFCHR || type === S_IFBLK ? 1 : 0,
    a: (stat.mode & 0o7777).toString(8),
    b: stat.blocks,
    B: 512,
    d: stat.dev,
    Hd: major(stat.dev),
    Ld: minor(stat.dev),
    D: stat.dev.toString(16),
    f: stat.mode.toString(16),
    g: stat.gid,
    h: stat.nlink,
    i: stat.ino,
    o: stat.blksize,
    r: stat.rdev,
    R: stat.rdev.toString(16),
    Hr: major(stat.rdev),
    Lr: minor(stat.rdev),
    s: stat.size,
    t: major(stat.rdev).toString(16),
    T: minor(stat.rdev).toString(16),
    u: stat.uid,
    W: 0,
    X: stat.atime.sec,
    Y: stat.mtime.sec,
    Z: stat.ctime.sec,
    '.X': String(stat.atime.nsec),
    '.Y': String(stat.mtime.nsec),
    '.Z': String(stat.ctime.nsec),
    '.W': '0',
  };
}

function fsFields(tool: Tool, path: string): Fields {
  const fs: StatFs = tool.sys.statfs(path);
  const values: Record<string, string | number> = {
    n: path,
    a: fs.bavail,
    b: fs.blocks,
    c: fs.files,
    d: fs.ffree,
    f: fs.bfree,
    i: fs.fsid.toString(16),
    l: fs.namelen,
    s: fs.bsize,
    S: fs.bsize,
    t: fs.type.toString(16),
    T: fileSystemName(fs.type),
  };
  return (letter) => values[letter];
}

/** %[flags][width][.precision][H|L]letter; escapes for --printf alone. */
function expand(format: string, fields: Fields, style: 'printf' | 'plain'): string {
  const source = style === 'printf' ? expandEscapes(format, 'format').text : format;
  return source.replace(
    /%([-+ #0']*)(\d*)(\.\d*)?([HL]?[A-Za-z%])/g,
    (whole, flags: string, width: string, dot: string | undefined, letter: string) => {
      if (letter === '%') return '%';
      const precision = dot === undefined ? undefined : Number(dot.slice(1) || '9');
      if (dot !== undefined && /[WXYZ]/.test(letter))
        return `${fields(letter)}.${String(fields(`.${letter}`))
          .padStart(9, '0')
          .slice(0, precision)}`;
      const value = fields(letter);
      if (value === undefined) return letter.length > 1 ? whole : '?';
      const d = directive({ ...directiveFlags(flags), width: Number(width), precision });
      if (typeof value === 'number') return formatInteger({ ...d, conversion: 'd' }, BigInt(value));
      const octal = letter === 'a' && d.alt ? `0${value}` : value;
      if (/^[afDRtT]$/.test(letter) && d.zero && !d.minus) return octal.padStart(d.width, '0');
      return formatString(d, toLatin1(encodeText(octal)));
    },
  );
}
