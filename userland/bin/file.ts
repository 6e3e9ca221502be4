// file: what kind of file it is, by its type and its first bytes. POSIX.1-2024 file -h -i, with the
// usual -b -L --mime-type --mime-encoding and -0; here -i is MIME, as everywhere but in the standard.

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
} from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { Stat } from '../../kernel/abi/stat.ts';
import { findMagic, type Kind, LOOKED_AT } from '../libc/file/magic.ts';
import { describeLanguage, isJson } from '../libc/file/script.ts';
import { describeText } from '../libc/file/text.ts';
import { statIfThere } from '../libc/files/path.ts';
import { program, type Tool } from '../libc/program.ts';
import { toLatin1 } from '../libc/text/latin1.ts';

interface Answer extends Kind {
  readonly charset: string; // '' = not told
}

export const main = program(
  {
    usage: `[-bhiL0] [--mime-type] [--mime-encoding] FILE...
Tell the kind of each FILE; - is standard input.
  -b, --brief        no names
  -h                 tell of symbolic links themselves (the default)
  -i, --mime         MIME type and encoding (--mime-type, --mime-encoding: one of them)
  -L, --dereference  follow symbolic links
  -0, --print0       NUL behind the name`,
    short: 'bhiL0',
    long: {
      brief: 'b',
      'no-dereference': 'h',
      mime: 'i',
      'mime-type': 'type',
      'mime-encoding': 'encoding',
      dereference: 'L',
      print0: '0',
    },
  },
  (tool, options) => {
    const names = options.operands;
    if (names.length === 0) tool.missingOperand();
    const shown = (name: string): string => (name === '-' ? '/dev/stdin' : name);
    const width = Math.max(...names.map((name) => shown(name).length)) + 2;
    for (const name of names) {
      const answer = examine(tool, name, options.last('h', 'L') === 'L' ? 'follow' : 'link');
      const type = options.has('type', 'i') ? answer.mime : '';
      const charset = options.has('encoding', 'i') ? answer.charset : '';
      const mime = type === '' ? charset : charset === '' ? type : `${type}; charset=${charset}`;
      const words =
        options.has('i', 'type', 'encoding') && answer.mime !== '' ? mime : answer.description;
      const mark = options.has('0') ? `${shown(name)}\0` : `${shown(name)}:`;
      tool.out.text(options.has('b') ? `${words}\n` : `${mark.padEnd(width)}${words}\n`);
    }
  },
);

function examine(tool: Tool, name: string, links: 'follow' | 'link'): Answer {
  try {
    if (name === '-') return contents(tool, 0);
    const stat = links === 'follow' ? tool.sys.stat(name) : tool.sys.lstat(name);
    const special = specialFile(tool, name, stat);
    if (special !== undefined) return special;
    if (stat.size === 0 && (stat.mode & S_IFMT) === S_IFREG)
      return { description: 'empty', mime: 'inode/x-empty', charset: 'binary' };
    const fd = tool.sys.open(name, O_RDONLY);
    try {
      return contents(tool, fd);
    } finally {
      tool.sys.close(fd);
    }
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return {
      description: `cannot open \`${name}' (${strerror(error.errno)})`,
      mime: '',
      charset: '',
    };
  }
}

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

function contents(tool: Tool, fd: number): Answer {
  const buffer = new Uint8Array(LOOKED_AT);
  let used = 0;
  while (used < buffer.length) {
    const count = tool.sys.read(fd, buffer.subarray(used));
    if (count === 0) break;
    used += count;
  }
  const data = buffer.subarray(0, used);
  if (used === 0) return { description: 'empty', mime: 'inode/x-empty', charset: 'binary' };
  const text = describeText(data);
  const charset = text?.charset ?? 'binary';
  const magic = findMagic(data);
  if (magic !== undefined) return { ...magic, charset };
  if (text === undefined) return { description: 'data', mime: 'application/octet-stream', charset };
  const plain = toLatin1(data);
  if (isJson(plain)) return { description: 'JSON text data', mime: 'application/json', charset };
  const language = describeLanguage(plain, text.encoding);
  const description = language?.description ?? `${text.encoding} text`;
  return { description: description + text.details, mime: language?.mime ?? 'text/plain', charset };
}
