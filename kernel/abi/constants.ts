// Numbers that programs, the kernel and servers share: open flags, file types, signals, limits.
// Linux's values (asm-generic/fcntl.h, linux/stat.h, asm-generic/signal.h, linux/limits.h).

export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_ACCMODE = 3;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NOCTTY = 0o400;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_DIRECTORY = 0o200000;
export const O_NOFOLLOW = 0o400000;
export const O_CLOEXEC = 0o2000000;

export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;
export const S_ISUID = 0o4000;
export const S_ISGID = 0o2000;
export const S_ISVTX = 0o1000;

/** d_type of a directory entry is the file type of a mode, shifted. */
export const dtype = (mode: number): number => (mode & S_IFMT) >> 12;
export const DT_UNKNOWN = 0;
export const DT_FIFO = 1;
export const DT_CHR = 2;
export const DT_DIR = 4;
export const DT_BLK = 6;
export const DT_REG = 8;
export const DT_LNK = 10;
export const DT_SOCK = 12;

export const SEEK_SET = 0;
export const SEEK_CUR = 1;
export const SEEK_END = 2;
export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;

// fallocate (linux/falloc.h)
export const FALLOC_FL_KEEP_SIZE = 0x1;
export const FALLOC_FL_PUNCH_HOLE = 0x2; // with KEEP_SIZE, always
export const FALLOC_FL_COLLAPSE_RANGE = 0x8;
export const FALLOC_FL_ZERO_RANGE = 0x10;
export const FALLOC_FL_INSERT_RANGE = 0x20;

export const R_OK = 4;
export const W_OK = 2;
export const X_OK = 1;
export const F_OK = 0;

export const NAME_MAX = 255; // bytes
/** Below a file: the directory of its forks, as Mac OS X has it. */
export const NAMED_FORK = '..namedfork';
export const PATH_MAX = 4096; // bytes, the NUL included
export const SYMLOOP_MAX = 40;
export const OPEN_MAX = 1024; // file descriptors a process
export const PIPE_BUF = 4096; // bytes written to a pipe in one piece
export const ARG_MAX = 128 * 1024; // bytes of argv and environment together

export const SIGHUP = 1;
export const SIGINT = 2;
export const SIGQUIT = 3;
export const SIGILL = 4;
export const SIGABRT = 6;
export const SIGKILL = 9;
export const SIGUSR1 = 10;
export const SIGSEGV = 11;
export const SIGUSR2 = 12;
export const SIGPIPE = 13;
export const SIGALRM = 14;
export const SIGTERM = 15;
export const SIGCHLD = 17;
export const SIGCONT = 18;
export const SIGSTOP = 19;
export const SIGTSTP = 20;
export const SIGTTIN = 21;
export const SIGTTOU = 22;
export const SIGXCPU = 24;
export const SIGXFSZ = 25;
export const SIGWINCH = 28;
export const NSIG = 32;

export const signalNames: Readonly<Record<string, number>> = {
  HUP: SIGHUP,
  INT: SIGINT,
  QUIT: SIGQUIT,
  ILL: SIGILL,
  ABRT: SIGABRT,
  KILL: SIGKILL,
  USR1: SIGUSR1,
  SEGV: SIGSEGV,
  USR2: SIGUSR2,
  PIPE: SIGPIPE,
  ALRM: SIGALRM,
  TERM: SIGTERM,
  CHLD: SIGCHLD,
  CONT: SIGCONT,
  STOP: SIGSTOP,
  TSTP: SIGTSTP,
  TTIN: SIGTTIN,
  TTOU: SIGTTOU,
  XCPU: SIGXCPU,
  XFSZ: SIGXFSZ,
  WINCH: SIGWINCH,
};

/** What wait(2) tells: an exit status, or the signal that ended the process, or that stopped it. */
export const WNOHANG = 1;
export const WUNTRACED = 2;
export const WCONTINUED = 8;
export const exitStatus = (code: number): number => (code & 0xff) << 8;
export const signalStatus = (signal: number): number => signal & 0x7f;
export const stopStatus = (signal: number): number => (signal << 8) | 0x7f;
export const CONTINUED_STATUS = 0xffff;
export const WIFEXITED = (status: number): boolean => (status & 0x7f) === 0;
export const WEXITSTATUS = (status: number): number => (status >> 8) & 0xff;
export const WTERMSIG = (status: number): number => status & 0x7f;
export const WIFSIGNALED = (status: number): boolean =>
  !WIFEXITED(status) && (status & 0x7f) !== 0x7f;
export const WIFSTOPPED = (status: number): boolean => (status & 0xff) === 0x7f;
export const WSTOPSIG = (status: number): number => (status >> 8) & 0xff;
export const WIFCONTINUED = (status: number): boolean => status === CONTINUED_STATUS;

// sigprocmask
export const SIG_BLOCK = 0;
export const SIG_UNBLOCK = 1;
export const SIG_SETMASK = 2;

// poll
export const POLLIN = 0x1;
export const POLLOUT = 0x4;
export const POLLERR = 0x8;
export const POLLHUP = 0x10;
export const POLLNVAL = 0x20;

// Resources of getrlimit (asm-generic/resource.h). No limit is Infinity.
export const RLIMIT_CPU = 0; // seconds
export const RLIMIT_FSIZE = 1;
export const RLIMIT_DATA = 2;
export const RLIMIT_STACK = 3;
export const RLIMIT_CORE = 4;
export const RLIMIT_NPROC = 6;
export const RLIMIT_NOFILE = 7;
export const RLIMIT_AS = 9;
export const RLIM_NLIMITS = 16;
