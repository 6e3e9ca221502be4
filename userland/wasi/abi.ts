// WASI preview 1 (wasi_snapshot_preview1.witx): its numbers and layouts. Little-endian, as WebAssembly.

import type { Errno } from '../../kernel/abi/errno.ts';
import * as posix from '../../kernel/abi/errno.ts';

export const ESUCCESS = 0;
export const BADF = 8;
export const FAULT = 21;
export const ILSEQ = 25;
export const INVAL = 28;
export const IO = 29;
export const IS_DIRECTORY = 31;
export const NOTDIR = 54;
export const NOTSOCK = 57;
export const NOTSUP = 58;
export const NOTCAPABLE = 76;

/** Our errnos as WASI numbers them. */
const errnos: Partial<Record<Errno, number>> = {
  [posix.E2BIG]: 1,
  [posix.EACCES]: 2,
  [posix.EAGAIN]: 6,
  [posix.EBADF]: BADF,
  [posix.EBADMSG]: 9,
  [posix.EBUSY]: 10,
  [posix.ECANCELED]: 11,
  [posix.ECHILD]: 12,
  [posix.EDEADLK]: 16,
  [posix.EDOM]: 18,
  [posix.EDQUOT]: 19,
  [posix.EEXIST]: 20,
  [posix.EFAULT]: FAULT,
  [posix.EFBIG]: 22,
  [posix.EINTR]: 27,
  [posix.EINVAL]: INVAL,
  [posix.EIO]: IO,
  [posix.EISDIR]: 31,
  [posix.ELOOP]: 32,
  [posix.EMFILE]: 33,
  [posix.EMLINK]: 34,
  [posix.ENAMETOOLONG]: 37,
  [posix.ENFILE]: 41,
  [posix.ENODEV]: 43,
  [posix.ENOENT]: 44,
  [posix.ENOEXEC]: 45,
  [posix.ENOMEM]: 48,
  [posix.ENOSPC]: 51,
  [posix.ENOSYS]: 52,
  [posix.ENOTDIR]: NOTDIR,
  [posix.ENOTEMPTY]: 55,
  [posix.EOPNOTSUPP]: NOTSUP,
  [posix.ENOTTY]: 59,
  [posix.ENXIO]: 60,
  [posix.EOVERFLOW]: 61,
  [posix.EPERM]: 63,
  [posix.EPIPE]: 64,
  [posix.EPROTO]: 65,
  [posix.ERANGE]: 68,
  [posix.EROFS]: 69,
  [posix.ESPIPE]: 70,
  [posix.ESRCH]: 71,
  [posix.ESTALE]: 72,
  [posix.ETIMEDOUT]: 73,
  [posix.EXDEV]: 75,
};

/** What has no number of its own is a broken device: EUCLEAN, EMEDIUMTYPE. */
export const wasiErrno = (errno: Errno): number => errnos[errno] ?? IO;

/** A call of the module is refused with this number. */
export class WasiError extends Error {
  readonly errno: number;

  constructor(errno: number) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(`WASI errno ${errno}`);
    Error.stackTraceLimit = limit;
    this.errno = errno;
  }
}

export function refuse(errno: number): never {
  throw new WasiError(errno);
}

export const FILETYPE = {
  ...{
    unknown: 0,
    blockDevice: 1,
    characterDevice: 2,
    directory: 3,
    regular: 4,
    socket: 6,
    symlink: 7,
  },
} as const;

const bit = (index: number): bigint => 1n << BigInt(index);

export const RIGHT = {
  fdDatasync: bit(0),
  fdRead: bit(1),
  fdSeek: bit(2),
  fdstatSetFlags: bit(3),
  fdSync: bit(4),
  fdTell: bit(5),
  fdWrite: bit(6),
  fdAdvise: bit(7),
  fdAllocate: bit(8),
  pathCreateDirectory: bit(9),
  pathCreateFile: bit(10),
  pathLinkSource: bit(11),
  pathLinkTarget: bit(12),
  pathOpen: bit(13),
  fdReaddir: bit(14),
  pathReadlink: bit(15),
  pathRenameSource: bit(16),
  pathRenameTarget: bit(17),
  pathFilestatGet: bit(18),
  pathFilestatSetSize: bit(19),
  pathFilestatSetTimes: bit(20),
  fdFilestatGet: bit(21),
  fdFilestatSetSize: bit(22),
  fdFilestatSetTimes: bit(23),
  pathSymlink: bit(24),
  pathRemoveDirectory: bit(25),
  pathUnlinkFile: bit(26),
  pollFdReadwrite: bit(27),
} as const;

export const ALL_RIGHTS = Object.values(RIGHT).reduce((all, right) => all | right, 0n);

const R = RIGHT;
/** What makes sense on a directory. */
export const DIRECTORY_RIGHTS =
  ALL_RIGHTS & ~(R.fdRead | R.fdSeek | R.fdTell | R.fdWrite | R.fdAllocate | R.fdFilestatSetSize);
/** On a regular file, and on a device that is no terminal. */
export const FILE_RIGHTS =
  R.fdDatasync |
  R.fdRead |
  R.fdSeek |
  R.fdstatSetFlags |
  R.fdSync |
  R.fdTell |
  R.fdWrite |
  R.fdAdvise |
  R.fdAllocate |
  R.fdFilestatGet |
  R.fdFilestatSetSize |
  R.fdFilestatSetTimes |
  R.pollFdReadwrite;
/** On a pipe or a terminal: what cannot be sought is how a program knows a terminal. */
export const STREAM_RIGHTS =
  R.fdRead | R.fdWrite | R.fdstatSetFlags | R.fdFilestatGet | R.pollFdReadwrite;

export const OFLAGS = { creat: 1, directory: 2, excl: 4, trunc: 8 } as const;
export const FDFLAGS = { append: 1, dsync: 2, nonblock: 4, rsync: 8, sync: 16 } as const;
export const SYMLINK_FOLLOW = 1;
export const FSTFLAGS = { atim: 1, atimNow: 2, mtim: 4, mtimNow: 8 } as const;
export const CLOCK = { realtime: 0, monotonic: 1, processCputime: 2, threadCputime: 3 } as const;
export const EVENT = { clock: 0, fdRead: 1, fdWrite: 2 } as const;

/** Numbers of preview 1 that name our signals: as Linux's, but that 16 is CHLD and so on. */
export const signalOf = (number: number): number => (number >= 16 ? number + 1 : number);
