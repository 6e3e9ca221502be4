// file: what kind of file it is, by its type and its first bytes. POSIX.1-2024 file -h -i, with the
// usual -b -F -f -L -N -s --mime-type --mime-encoding and -0; here -i is MIME, as everywhere but in the standard.

import {
  O_RDONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  S_ISGID,
  S_ISUID,
  S_ISVTX,
  SEEK_SET,
} from '../../kernel/abi/constants.ts';
import { ESPIPE, PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { Stat } from '../../kernel/abi/stat.ts';
import { decodeText, encodeText } from '../../kernel/abi/text.ts';
import { describeData } from '../libc/file/data.ts';
import { findMagic, type Kind, LOOKED_AT } from '../libc/file/magic.ts';
import { describeLanguage } from '../libc/file/script.ts';
import { describeText } from '../libc/file/text.ts';
import { statIfThere } from '../libc/files/path.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { toLatin1 } from '../libc/text/latin1.ts';

interface Answer extends Kind {
  readonly charset: string; // '' = not told
  /** Nothing but text. */
  readonly isPlain?: boolean;
}

export const main = program(
  {
    usage: `[-bhiLNprsE0] [-F SEPARATOR] [-f LIST] [--mime-type] [--mime-encoding] FILE...
Tell the kind of each FILE; - is standard input.
  -b, --brief          no names
  -E                   what cannot be looked at is an error
  -F, --separator=TEXT behind the name, instead of :
  -f, --files-from=F   the names are in F, one a line
  -h                   tell of symbolic links themselves (the default)
  -i, --mime           MIME type and encoding (--mime-type, --mime-encoding: one of them)
  -L, --dereference    follow symbolic links
  -N, --no-pad         descriptions need not stand in one column
  -r, --raw            bytes of names as they are, not as \\ooo
  -s, --special-files  look into devices, too
  -0, --print0         NUL behind the name; twice: behind the description, too`,
    short: 'bEF:f:hiLNnprs0',
    long: {
      brief: 'b',
      'separator=': 'F',
      'files-from=': 'f',
      'no-dereference': 'h',
      mime: 'i',
      'mime-type': 'type',
      'mime-encoding': 'encoding',
      dereference: 'L',
      'no-pad': 'N',
      'no-buffer': 'n',
      'preserve-date': 'p',
      raw: 'r',
      'special-files': 's',
      print0: '0',
    },
  },
  (tool, options) => {
    const lists = options.values('f').map((list) => namesIn(tool, list));
    if (lists.length === 0 && options.operands.length === 0) tool.missingOperand();
    for (const names of [...lists, options.operands]) tellAll(tool, options, names);
  },
);

function namesIn(tool: Tool, list: string): string[] {
  const names: string[] = [];
  tool.eachInput([list], (input) => {
    for (let line = input.line(); line !== undefined; line = input.line())
      names.push(decodeText(line));
  });
  return names;
}

const plainName = (name: string): string => (name === '-' ? '/dev/stdin' : name);

/** Bytes that cannot be seen are shown in octal. */
const visible = (name: string): string =>
  toLatin1(encodeText(name)).replace(
    /[^ -~]/g,
    (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );

function tellAll(tool: Tool, options: Options, names: readonly string[]): void {
  const shown = (name: string): string =>
    options.has('r') ? plainName(name) : visible(plainName(name));
  const lengthOf = (name: string): number =>
    options.has('r') ? encodeText(name).length : visible(name).length;
  const width = options.has('N') ? 0 : Math.max(0, ...names.map(lengthOf));
  const separator = options.value('F') ?? ':';
  const zeros = options.list.filter(({ name }) => name === '0').length;
  for (const name of names) {
    const words = wordsOf(tool, options, name);
    const gap = ' '.repeat(Math.max(0, width - lengthOf(name)) + 1);
    const mark = `${shown(name)}${zeros > 0 ? '\0' : ''}${zeros > 1 ? '' : `${separator}${gap}`}`;
    tool.out.text(`${options.has('b') ? '' : mark}${words}${zeros > 1 ? '\0' : '\n'}`);
  }
}

function wordsOf(tool: Tool, options: Options, name: string): string {
  const follow = options.last('h', 'L') === 'L';
  const answer = examine(tool, name, { follow, inside: options.has('s') });
  if (answer.mime === '') {
    if (!options.has('E')) return answer.description;
    tool.status = 1;
    return `ERROR: ${answer.description.replace('open', 'stat')}`;
  }
  if (!options.has('i', 'type', 'encoding')) return answer.description;
  const type = options.has('type', 'i') ? answer.mime : '';
  const charset = options.has('encoding', 'i') ? answer.charset : '';
  return type === '' || charset === '' ? type + charset : `${type}; charset=${charset}`;
}

interface Look {
  readonly follow: boolean;
  /** Into devices, too. */
  readonly inside: boolean;
}

function examine(tool: Tool, name: string, { follow, inside }: Look): Answer {
  try {
    if (name === '-') return standardInput(tool);
    const stat = follow ? tool.sys.stat(name) : tool.sys.lstat(name);
    const marks = marksOf(stat);
    const isFile = (stat.mode & S_IFMT) === S_IFREG;
    const special =
      inside && !NEVER_READ.has(stat.mode & S_IFMT) ? undefined : specialFile(tool, name, stat);
    if (special !== undefined)
      return { ...special, description: [...marks, special.description].join(', ') };
    if (stat.size === 0 && isFile && !inside)
      return {
        ...{ mime: 'inode/x-empty', charset: 'binary' },
        description: [...marks, 'empty'].join(', '),
      };
    const fd = tool.sys.open(name, O_RDONLY);
    try {
      const answer = contents(tool, fd, stat.size);
      if (answer.description === 'empty') return { ...answer, mime: 'application/x-empty' };
      const mark = marks.length === 0 ? '' : `${marks.join(', ')} ${answer.isPlain ? ', ' : ''}`;
      return { ...answer, description: mark + answer.description };
    } finally {
      tool.sys.close(fd);
    }
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return {
      description: `cannot open \`${visible(name)}' (${strerror(error.errno)})`,
      mime: '',
      charset: '',
    };
  }
}

const NEVER_READ: ReadonlySet<number> = new Set([S_IFDIR, S_IFLNK, S_IFSOCK]);

const marksOf = ({ mode }: Stat): string[] =>
  (mode & S_IFMT) === S_IFLNK
    ? []
    : [
        ...((mode & S_ISUID) !== 0 ? ['setuid'] : []),
        ...((mode & S_ISGID) !== 0 ? ['setgid'] : []),
        ...((mode & S_ISVTX) !== 0 ? ['sticky'] : []),
      ];

function specialFile(tool: Tool, name: string, stat: Stat): Answer | undefined {
  const answer = (description: string, mime: string): Answer => ({
    description,
    mime: `inode/${mime}`,
    charset: 'binary',
  });
  const device = `(${Math.floor(stat.rdev / 256)}/${stat.rdev % 256})`;
  switch (stat.mode & S_IFMT) {
    case S_IFDIR:
      return answer('directory', 'directory');
    case S_IFIFO:
      return answer('fifo (named pipe)', 'fifo');
    case S_IFSOCK:
      return answer('socket', 'socket');
    case S_IFCHR:
      return answer(`character special ${device}`, 'chardevice');
    case S_IFBLK:
      return answer(`block special ${device}`, 'blockdevice');
    case S_IFLNK: {
      const state = statIfThere(tool.sys, name) === undefined ? 'broken symbolic' : 'symbolic';
      return answer(`${state} link to ${tool.sys.readlink(name)}`, 'symlink');
    }
    default:
      return undefined;
  }
}

/** It can be asked of twice, if it can be read twice. */
function standardInput(tool: Tool): Answer {
  const answer = contents(tool, 0);
  try {
    tool.sys.lseek(0, 0, SEEK_SET);
  } catch (error) {
    if (!(error instanceof PosixError && error.errno === ESPIPE)) throw error;
  }
  return answer;
}

/** Undefined `size`: as much as there is to read. */
function contents(tool: Tool, fd: number, size?: number): Answer {
  const buffer = new Uint8Array(LOOKED_AT);
  let used = 0;
  while (used < buffer.length) {
    const count = tool.sys.read(fd, buffer.subarray(used));
    if (count === 0) break;
    used += count;
  }
  const data = buffer.subarray(0, used);
  const binary = { mime: 'application/octet-stream', charset: 'binary' };
  if (used === 0) return { description: 'empty', mime: 'inode/x-empty', charset: 'binary' };
  if (used === 1) return { ...binary, description: 'very short file (no magic)' };
  const charset = describeText(data)?.charset ?? 'binary';
  const magic = findMagic(data, size ?? used);
  if (magic !== undefined) return { ...magic, charset };
  const some = withoutZeros(data);
  const text = describeText(some);
  if (text === undefined) return { ...binary, description: 'data' };
  const plain = toLatin1(some);
  const shape = describeData(plain);
  if (shape !== undefined) return { ...shape, charset };
  const language = describeLanguage(plain, text.encoding);
  const description = language?.description ?? `${text.encoding} text`;
  return {
    description: description + (language?.alone ? '' : text.details),
    ...{ mime: language?.mime ?? 'text/plain', charset, isPlain: language === undefined },
  };
}

/** A text may end with zeros: an even number of bytes stays even, for the sake of UTF-16. */
function withoutZeros(data: Uint8Array): Uint8Array {
  let end = data.length;
  while (end > 1 && data[end - 1] === 0) end--;
  if (data.length % 2 === 0 && end % 2 === 1) end++;
  return data.subarray(0, end);
}
