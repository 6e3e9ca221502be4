// What stat(2), statfs(2) and getdents(2) tell, in our memory's form.

/** Seconds since 1970 (may be negative) and nanoseconds 0..999,999,999. */
export interface Timespec {
  readonly sec: number;
  readonly nsec: number;
}

export interface Stat {
  dev: number;
  ino: number;
  mode: number; // S_IF* and permission bits
  nlink: number;
  uid: number;
  gid: number;
  rdev: number;
  size: number; // bytes
  blksize: number;
  blocks: number; // of 512 bytes
  atime: Timespec;
  mtime: Timespec;
  ctime: Timespec;
}

export interface StatFs {
  type: number; // magic number
  bsize: number;
  blocks: number; // of bsize bytes
  bfree: number;
  bavail: number;
  files: number;
  ffree: number;
  fsid: number;
  namelen: number;
}

export interface Dirent {
  ino: number;
  type: number; // DT_*
  name: string;
}

export const compareTimespec = (a: Timespec, b: Timespec): number =>
  a.sec - b.sec || a.nsec - b.nsec;
