// A traced call as strace(1) prints it: `open("/etc/passwd", O_RDONLY) = 3`. What an argument is follows
// from a table beside the calls of kernel/abi/syscall.ts.

import {
  O_ACCMODE,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_TRUNC,
} from '../../../kernel/abi/constants.ts';
import { errnoName, strerror, toErrno } from '../../../kernel/abi/errno.ts';
import type { TracedCall } from '../../../kernel/abi/syscall.ts';
import { SYS, type SyscallName, syscallName } from '../../../kernel/abi/syscall.ts';
import { signalName } from '../stdlib.ts';

/** Calls by which a runtime and the kernel keep house: no program made them. */
export const HOUSEKEEPING: ReadonlySet<number> = new Set([
  ...[SYS.ready, SYS.takeSignals, SYS.load, SYS.readAhead, SYS.pipeReady, SYS.pipeMoved, SYS.batch],
]);

/**
 * Arguments in their order: `path` and `path2` from the data, `data` and its `length`, `answer`; what
 * stands behind a colon is the argument's index.
 */
const ARGUMENTS: Partial<Record<SyscallName, string>> = {
  exit: 'number:0',
  open: 'path flags:0 mode:1',
  close: 'number:0',
  read: 'number:0 answer number:1',
  write: 'number:0 data length',
  pread: 'number:0 answer number:1 number:2',
  pwrite: 'number:0 data length number:2',
  lseek: 'number:0 number:1 whence:2',
  stat: 'path',
  lstat: 'path',
  fstat: 'number:0',
  statfs: 'path',
  getdents: 'number:0 number:1',
  mkdir: 'path octal:0',
  rmdir: 'path',
  link: 'path path2',
  symlink: 'path path2',
  readlink: 'path answer',
  unlink: 'path',
  rename: 'path path2',
  truncate: 'path number:0',
  ftruncate: 'number:0 number:1',
  chmod: 'path octal:0',
  chown: 'path number:0 number:1',
  utimens: 'path path2',
  access: 'path access:0',
  mknod: 'path octal:0 number:1',
  fsync: 'number:0',
  getxattr: 'path path2',
  setxattr: 'path path2',
  listxattr: 'path',
  removexattr: 'path path2',
  dup: 'number:0 number:1',
  dup2: 'number:0 number:1',
  setCloexec: 'number:0 number:1',
  pipe: 'pair',
  isatty: 'number:0',
  spawn: 'program',
  exec: 'program',
  wait: 'number:0 number:1',
  kill: 'number:0 signal:1',
  getpgid: 'number:0',
  setpgid: 'number:0 number:1',
  setuid: 'number:0',
  setgid: 'number:0',
  umask: 'octal:0',
  chdir: 'path',
  getcwd: 'answer',
  sigaction: 'signal:0 disposition:1',
  sleep: 'number:0',
  mount: 'path path2',
  umount: 'path',
  fallocate: 'number:0 number:1 number:2 number:3',
  sigprocmask: 'number:0 number:1',
  setitimer: 'number:0 number:1',
  getrlimit: 'number:0',
  getpriority: 'number:0',
  setpriority: 'number:0 number:1',
  poll: 'number:0',
};

export function formatCall(call: TracedCall, shown: number): string {
  const name = syscallName(call.number);
  const kinds = (ARGUMENTS[name as SyscallName] ?? '').split(' ').filter((kind) => kind !== '');
  const words = kinds.map((kind) => argument(kind, call, shown));
  return `${name}(${words.join(', ')}) = ${resultOf(call)}`;
}

function resultOf({ number, errno, r0 }: TracedCall): string {
  if (number === SYS.exit) return '?';
  if (errno === 0) return String(r0);
  const known = toErrno(errno);
  return `-1 ${errnoName(known)} (${strerror(known)})`;
}

function argument(kind: string, call: TracedCall, shown: number): string {
  const [what = '', index = '0'] = kind.split(':');
  const value = call.args[Number(index)] ?? 0;
  switch (what) {
    case 'path':
      return quote(call.data.split('\0')[0] ?? '', { shown: 256, length: 0 });
    case 'path2':
      return quote(call.data.split('\0')[1] ?? '', { shown: 256, length: 0 });
    case 'data':
      return quote(call.data, { shown, length: call.length });
    case 'length':
      return String(call.length);
    case 'answer':
      return call.errno === 0 ? quote(call.answer, { shown, length: call.answerLength }) : '""';
    case 'flags':
      return flags(value);
    case 'mode':
      return ((call.args[0] ?? 0) & O_CREAT) !== 0 ? octal(value) : '0';
    case 'octal':
      return octal(value);
    case 'whence':
      return ['SEEK_SET', 'SEEK_CUR', 'SEEK_END', 'SEEK_DATA', 'SEEK_HOLE'][value] ?? String(value);
    case 'access':
      return access(value);
    case 'signal':
      return `SIG${signalName(value) ?? value}`;
    case 'disposition':
      return ['SIG_DFL', 'SIG_IGN', 'handler'][value] ?? String(value);
    case 'pair':
      return `[${call.r0}, ${call.r1}]`;
    case 'program':
      return program(call.data);
    default:
      return String(value);
  }
}

const octal = (value: number): string => `0${value.toString(8)}`;

const FLAGS: readonly (readonly [number, string])[] = [
  [O_CREAT, 'O_CREAT'],
  [O_EXCL, 'O_EXCL'],
  [O_NOCTTY, 'O_NOCTTY'],
  [O_TRUNC, 'O_TRUNC'],
  [O_APPEND, 'O_APPEND'],
  [O_NONBLOCK, 'O_NONBLOCK'],
  [O_DIRECTORY, 'O_DIRECTORY'],
  [O_NOFOLLOW, 'O_NOFOLLOW'],
  [O_CLOEXEC, 'O_CLOEXEC'],
];

function flags(value: number): string {
  const mode = ['O_RDONLY', 'O_WRONLY', 'O_RDWR'][value & O_ACCMODE] ?? '3';
  return [mode, ...FLAGS.flatMap(([bit, name]) => ((value & bit) !== 0 ? [name] : []))].join('|');
}

function access(value: number): string {
  const names = [
    [4, 'R_OK'],
    [2, 'W_OK'],
    [1, 'X_OK'],
  ] as const;
  return names.flatMap(([bit, name]) => ((value & bit) !== 0 ? [name] : [])).join('|') || 'F_OK';
}

/** The path and the arguments stand at the beginning of the JSON, which may have been cut off. */
function program(json: string): string {
  const path = /"path":("(?:[^"\\]|\\.)*")/.exec(json)?.[1] ?? '?';
  const argv = /"argv":(\[(?:"(?:[^"\\]|\\.)*",?)*\]?)/.exec(json)?.[1] ?? '[]';
  return `${path}, ${argv.replaceAll('","', '", "')}`;
}

function quote(text: string, { shown, length }: { shown: number; length: number }): string {
  let out = '';
  for (const char of text.slice(0, shown)) {
    const code = char.codePointAt(0) ?? 0;
    if (char === '"' || char === '\\') out += `\\${char}`;
    else if (code >= 0x20 && code < 0x7f) out += char;
    else out += { 10: '\\n', 9: '\\t', 13: '\\r' }[code] ?? `\\${(code & 0xff).toString(8)}`;
  }
  const cut = text.length > shown || length > Math.max(shown, text.length);
  return `"${out}"${cut ? '...' : ''}`;
}
