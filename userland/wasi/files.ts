// The descriptors of a WASI program: its numbers over the process's own, with the rights that preview 1
// gives each. 0, 1 and 2 are inherited; behind them lie the preopened directories.

import {
  O_ACCMODE,
  O_CLOEXEC,
  O_DIRECTORY,
  O_RDONLY,
  O_WRONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from '../../kernel/abi/constants.ts';
import { EMFILE, fail, PosixError } from '../../kernel/abi/errno.ts';
import type { Dirent } from '../../kernel/abi/stat.ts';
import type { Sys } from '../libc/sys.ts';
import {
  ALL_RIGHTS,
  BADF,
  DIRECTORY_RIGHTS,
  FILE_RIGHTS,
  FILETYPE,
  NOTCAPABLE,
  NOTDIR,
  RIGHT,
  refuse,
  STREAM_RIGHTS,
} from './abi.ts';

export interface WasiFile {
  /** The process's descriptor. */
  readonly fd: number;
  readonly type: number; // FILETYPE
  /** Absolute; undefined for what was inherited. */
  readonly path: string | undefined;
  /** The name under which a directory was opened beforehand. */
  readonly preopened: string | undefined;
  base: bigint;
  inheriting: bigint;
  /** FDFLAGS that the kernel does not keep: dsync, rsync, sync. */
  sync: number;
  /** A directory that is being read. */
  entries?: readonly Dirent[];
}

/** As many as the process may have. */
const MOST = 1024;

export class WasiFiles {
  readonly #sys: Sys;
  readonly #files: (WasiFile | undefined)[] = [];

  constructor(sys: Sys) {
    this.#sys = sys;
    for (const fd of [0, 1, 2]) this.#files[fd] = inherited(sys, fd);
    this.#preopen('/', '/');
    this.#preopen('.', sys.getcwd());
  }

  /** The file of a descriptor that has all of `rights`; EBADF, ENOTCAPABLE. */
  get(fd: number, rights = 0n): WasiFile {
    const file = this.#files[fd >>> 0] ?? refuse(BADF);
    if ((file.base & rights) !== rights) refuse(NOTCAPABLE);
    return file;
  }

  directory(fd: number, rights: bigint): WasiFile & { readonly path: string } {
    const file = this.get(fd);
    if (file.type !== FILETYPE.directory) refuse(NOTDIR);
    const { path = refuse(NOTDIR) } = file;
    return { ...this.get(fd, rights), path };
  }

  /** The lowest free number. */
  add(file: WasiFile): number {
    const free = this.#files.indexOf(undefined);
    const fd = free < 0 ? this.#files.length : free;
    if (fd >= MOST) fail(EMFILE);
    this.#files[fd] = file;
    return fd;
  }

  close(fd: number): void {
    const file = this.get(fd);
    this.#files[fd >>> 0] = undefined;
    this.#sys.close(file.fd);
  }

  /** `from` becomes `to`, which is closed; both must be open. */
  renumber(from: number, to: number): void {
    const [file, old] = [this.get(from), this.get(to)];
    if (file === old) return;
    this.#files[to >>> 0] = file;
    this.#files[from >>> 0] = undefined;
    this.#sys.close(old.fd);
  }

  #preopen(name: string, path: string): void {
    const fd = this.#sys.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const rights = { base: DIRECTORY_RIGHTS, inheriting: ALL_RIGHTS };
    while (this.#files.length < 3) this.#files.push(undefined);
    this.#files.push({
      ...{ fd, type: FILETYPE.directory, path, preopened: name, sync: 0 },
      ...rights,
    });
  }
}

/** What the process was started with; undefined when that descriptor is closed. */
function inherited(sys: Sys, fd: number): WasiFile | undefined {
  try {
    const type = fileType(sys.fstat(fd).mode);
    const access = sys.getfl(fd) & O_ACCMODE;
    const base = rightsOf(type, sys.isatty(fd)) & accessRights(access);
    const inheriting = type === FILETYPE.directory ? ALL_RIGHTS : 0n;
    return { fd, type, path: undefined, preopened: undefined, base, inheriting, sync: 0 };
  } catch (error) {
    if (error instanceof PosixError) return undefined;
    throw error;
  }
}

const accessRights = (access: number): bigint => {
  const writes = RIGHT.fdWrite | RIGHT.fdAllocate | RIGHT.fdFilestatSetSize;
  if (access === O_RDONLY) return ALL_RIGHTS & ~writes;
  return access === O_WRONLY ? ALL_RIGHTS & ~RIGHT.fdRead : ALL_RIGHTS;
};

/** The rights that can be had on a file of this type. */
export function rightsOf(type: number, isTerminal: boolean): bigint {
  if (type === FILETYPE.directory) return DIRECTORY_RIGHTS;
  const stream = type === FILETYPE.unknown || type === FILETYPE.socket || isTerminal;
  return stream ? STREAM_RIGHTS : FILE_RIGHTS;
}

/** A pipe is of no type that preview 1 knows. */
export function fileType(mode: number): number {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return FILETYPE.regular;
    case S_IFDIR:
      return FILETYPE.directory;
    case S_IFLNK:
      return FILETYPE.symlink;
    case S_IFCHR:
      return FILETYPE.characterDevice;
    case S_IFBLK:
      return FILETYPE.blockDevice;
    case S_IFSOCK:
      return FILETYPE.socket;
    default:
      return FILETYPE.unknown;
  }
}
