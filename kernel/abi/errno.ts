// Error numbers: the one typed table, with Linux's numbers (asm-generic/errno-base.h, errno.h) and
// the words of strerror(3). `Errno` is what crosses every boundary: Rlerror, a syscall's return.

export const EPERM = 1;
export const ENOENT = 2;
export const ESRCH = 3;
export const EINTR = 4;
export const EIO = 5;
export const ENXIO = 6;
export const E2BIG = 7;
export const ENOEXEC = 8;
export const EBADF = 9;
export const ECHILD = 10;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EFAULT = 14;
export const ENOTBLK = 15;
export const EBUSY = 16;
export const EEXIST = 17;
export const EXDEV = 18;
export const ENODEV = 19;
export const ENOTDIR = 20;
export const EISDIR = 21;
export const EINVAL = 22;
export const ENFILE = 23;
export const EMFILE = 24;
export const ENOTTY = 25;
export const EFBIG = 27;
export const ENOSPC = 28;
export const ESPIPE = 29;
export const EROFS = 30;
export const EMLINK = 31;
export const EPIPE = 32;
export const EDOM = 33;
export const ERANGE = 34;
export const EDEADLK = 35;
export const ENAMETOOLONG = 36;
export const ENOSYS = 38;
export const ENOTEMPTY = 39;
export const ELOOP = 40;
export const ENODATA = 61;
export const ETIME = 62;
export const EPROTO = 71;
export const EBADMSG = 74;
export const EOVERFLOW = 75;
export const EOPNOTSUPP = 95;
export const ETIMEDOUT = 110;
export const ESTALE = 116;
export const EUCLEAN = 117;
export const EDQUOT = 122;
export const EMEDIUMTYPE = 124;
export const ECANCELED = 125;
export const ENOKEY = 126;

const table = {
  [EPERM]: ['EPERM', 'Operation not permitted'],
  [ENOENT]: ['ENOENT', 'No such file or directory'],
  [ESRCH]: ['ESRCH', 'No such process'],
  [EINTR]: ['EINTR', 'Interrupted system call'],
  [EIO]: ['EIO', 'Input/output error'],
  [ENXIO]: ['ENXIO', 'No such device or address'],
  [E2BIG]: ['E2BIG', 'Argument list too long'],
  [ENOEXEC]: ['ENOEXEC', 'Exec format error'],
  [EBADF]: ['EBADF', 'Bad file descriptor'],
  [ECHILD]: ['ECHILD', 'No child processes'],
  [EAGAIN]: ['EAGAIN', 'Resource temporarily unavailable'],
  [ENOMEM]: ['ENOMEM', 'Cannot allocate memory'],
  [EACCES]: ['EACCES', 'Permission denied'],
  [EFAULT]: ['EFAULT', 'Bad address'],
  [ENOTBLK]: ['ENOTBLK', 'Block device required'],
  [EBUSY]: ['EBUSY', 'Device or resource busy'],
  [EEXIST]: ['EEXIST', 'File exists'],
  [EXDEV]: ['EXDEV', 'Invalid cross-device link'],
  [ENODEV]: ['ENODEV', 'No such device'],
  [ENOTDIR]: ['ENOTDIR', 'Not a directory'],
  [EISDIR]: ['EISDIR', 'Is a directory'],
  [EINVAL]: ['EINVAL', 'Invalid argument'],
  [ENFILE]: ['ENFILE', 'Too many open files in system'],
  [EMFILE]: ['EMFILE', 'Too many open files'],
  [ENOTTY]: ['ENOTTY', 'Inappropriate ioctl for device'],
  [EFBIG]: ['EFBIG', 'File too large'],
  [ENOSPC]: ['ENOSPC', 'No space left on device'],
  [ESPIPE]: ['ESPIPE', 'Illegal seek'],
  [EROFS]: ['EROFS', 'Read-only file system'],
  [EMLINK]: ['EMLINK', 'Too many links'],
  [EPIPE]: ['EPIPE', 'Broken pipe'],
  [EDOM]: ['EDOM', 'Numerical argument out of domain'],
  [ERANGE]: ['ERANGE', 'Numerical result out of range'],
  [EDEADLK]: ['EDEADLK', 'Resource deadlock avoided'],
  [ENAMETOOLONG]: ['ENAMETOOLONG', 'File name too long'],
  [ENOSYS]: ['ENOSYS', 'Function not implemented'],
  [ENOTEMPTY]: ['ENOTEMPTY', 'Directory not empty'],
  [ELOOP]: ['ELOOP', 'Too many levels of symbolic links'],
  [ENODATA]: ['ENODATA', 'No data available'],
  [ETIME]: ['ETIME', 'Timer expired'],
  [EPROTO]: ['EPROTO', 'Protocol error'],
  [EBADMSG]: ['EBADMSG', 'Bad message'],
  [EOVERFLOW]: ['EOVERFLOW', 'Value too large for defined data type'],
  [EOPNOTSUPP]: ['EOPNOTSUPP', 'Operation not supported'],
  [ETIMEDOUT]: ['ETIMEDOUT', 'Connection timed out'],
  [ESTALE]: ['ESTALE', 'Stale file handle'],
  [EUCLEAN]: ['EUCLEAN', 'Structure needs cleaning'],
  [EDQUOT]: ['EDQUOT', 'Disk quota exceeded'],
  [EMEDIUMTYPE]: ['EMEDIUMTYPE', 'Wrong medium type'],
  [ECANCELED]: ['ECANCELED', 'Operation canceled'],
  [ENOKEY]: ['ENOKEY', 'Required key not available'],
} as const;

export type Errno = keyof typeof table;

/** A number from outside (a ring, the network): is it one of ours? Anything else becomes EIO. */
export const toErrno = (n: number): Errno => (n in table ? (n as Errno) : EIO);

/** `ENOENT` for 2. */
export const errnoName = (errno: Errno): string => table[errno][0];

/** 2 for `ENOENT`; undefined when no error has that name. */
export function errnoByName(name: string): Errno | undefined {
  const found = Object.entries(table).find(([, [one]]) => one === name);
  return found === undefined ? undefined : (Number(found[0]) as Errno);
}

/** strerror(3): `No such file or directory` for 2. */
export const strerror = (errno: Errno): string => table[errno][1];

/**
 * A fault on its way to the one catch at its boundary: the serve loop of a daemon or driver, the
 * kernel's syscall entry, a program's main. Carries no stack (1.1 µs instead of 4.1); `message`
 * names the object that is wrong.
 */
export class PosixError extends Error {
  readonly errno: Errno;

  constructor(errno: Errno, message: string = strerror(errno)) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = limit;
    this.errno = errno;
  }

  override get name(): string {
    return 'PosixError';
  }

  /** `ENOENT`, as node:fs names it. */
  get code(): string {
    return errnoName(this.errno);
  }
}

/** Throws a PosixError; an expression, so that it can stand behind `??`. */
export function fail(errno: Errno, message?: string): never {
  throw new PosixError(errno, message);
}

/** For our own bugs only, never for bytes from a disk, a ring or a user. */
export function assert(condition: unknown, message = 'assertion failed'): asserts condition {
  if (!condition) throw new Error(message);
}
