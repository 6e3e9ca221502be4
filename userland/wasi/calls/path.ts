// path_open and the calls that change names.

import {
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
} from '../../../kernel/abi/constants.ts';
import { ENOTDIR, fail } from '../../../kernel/abi/errno.ts';
import { encodeText } from '../../../kernel/abi/text.ts';
import {
  FDFLAGS,
  FILETYPE,
  INVAL,
  NOTCAPABLE,
  OFLAGS,
  RIGHT,
  refuse,
  SYMLINK_FOLLOW,
} from '../abi.ts';
import { fileType, rightsOf, type WasiFile } from '../files.ts';
import { pathOf } from '../paths.ts';
import type { Wasi, WasiCalls } from '../wasi.ts';
import { openFlags } from './stat.ts';

const SYNC_FLAGS = FDFLAGS.dsync | FDFLAGS.rsync | FDFLAGS.sync;
const MODE = 0o666;
const READS = RIGHT.fdRead | RIGHT.fdReaddir;
const WRITES = RIGHT.fdWrite | RIGHT.fdAllocate | RIGHT.fdFilestatSetSize;

export const pathCalls: WasiCalls = {
  path_open: (
    wasi: Wasi,
    fd: number,
    lookup: number,
    pointer: number,
    length: number,
    oflags: number,
    base: bigint,
    inheriting: bigint,
    flags: number,
    result: number,
  ) => {
    const path = pathOf(wasi, fd, { pointer, length, rights: openRights(oflags) });
    const wanted = { base: BigInt.asUintN(64, base), inheriting: BigInt.asUintN(64, inheriting) };
    const given = wasi.files.get(fd).inheriting;
    if (((wanted.base | wanted.inheriting) & ~given) !== 0n) refuse(NOTCAPABLE);
    wasi.memory.bytes(result, 4); // checked before anything happens
    const file = open(wasi, { path, lookup, oflags, flags, ...wanted });
    try {
      wasi.memory.setU32(result, wasi.files.add(file));
    } catch (error) {
      wasi.sys.close(file.fd);
      throw error;
    }
  },
  path_create_directory: (wasi: Wasi, fd: number, pointer: number, length: number) => {
    wasi.sys.mkdir(pathOf(wasi, fd, { pointer, length, rights: RIGHT.pathCreateDirectory }), 0o777);
  },
  path_remove_directory: (wasi: Wasi, fd: number, pointer: number, length: number) => {
    wasi.sys.rmdir(pathOf(wasi, fd, { pointer, length, rights: RIGHT.pathRemoveDirectory }));
  },
  path_unlink_file: (wasi: Wasi, fd: number, pointer: number, length: number) => {
    const path = pathOf(wasi, fd, { pointer, length, rights: RIGHT.pathUnlinkFile });
    if (path.endsWith('/') && fileType(wasi.sys.lstat(path).mode) !== FILETYPE.directory)
      fail(ENOTDIR);
    wasi.sys.unlink(path);
  },
  path_readlink: (
    wasi: Wasi,
    fd: number,
    pointer: number,
    length: number,
    buffer: number,
    size: number,
    used: number,
  ) => {
    const path = pathOf(wasi, fd, { pointer, length, rights: RIGHT.pathReadlink });
    const into = wasi.memory.bytes(buffer, size);
    const target = encodeText(wasi.sys.readlink(path)).subarray(0, into.length);
    into.set(target);
    wasi.memory.setU32(used, target.length);
  },
  path_symlink: (
    wasi: Wasi,
    target: number,
    targetLength: number,
    fd: number,
    pointer: number,
    length: number,
  ) => {
    const path = pathOf(wasi, fd, { pointer, length, rights: RIGHT.pathSymlink });
    const to = wasi.memory.text(target, targetLength);
    if (to.startsWith('/')) refuse(NOTCAPABLE);
    wasi.sys.symlink(to, path);
  },
  path_link: (
    wasi: Wasi,
    fromFd: number,
    lookup: number,
    from: number,
    fromLength: number,
    toFd: number,
    to: number,
    toLength: number,
  ) => {
    if (lookup & SYMLINK_FOLLOW) refuse(INVAL);
    const source = { pointer: from, length: fromLength, rights: RIGHT.pathLinkSource };
    const target = { pointer: to, length: toLength, rights: RIGHT.pathLinkTarget };
    wasi.sys.link(pathOf(wasi, fromFd, source), pathOf(wasi, toFd, target));
  },
  path_rename: (
    wasi: Wasi,
    fromFd: number,
    from: number,
    fromLength: number,
    toFd: number,
    to: number,
    toLength: number,
  ) => {
    const source = { pointer: from, length: fromLength, rights: RIGHT.pathRenameSource };
    const target = { pointer: to, length: toLength, rights: RIGHT.pathRenameTarget };
    wasi.sys.rename(pathOf(wasi, fromFd, source), pathOf(wasi, toFd, target));
  },
};

const openRights = (oflags: number): bigint =>
  RIGHT.pathOpen |
  (oflags & OFLAGS.creat ? RIGHT.pathCreateFile : 0n) |
  (oflags & OFLAGS.trunc ? RIGHT.pathFilestatSetSize : 0n);

interface Opening {
  readonly path: string;
  readonly lookup: number;
  readonly oflags: number;
  readonly flags: number;
  readonly base: bigint;
  readonly inheriting: bigint;
}

function open({ sys }: Wasi, from: Opening): WasiFile {
  const fd = sys.open(from.path, flagsOf(from), MODE);
  const type = fileType(sys.fstat(fd).mode);
  const base = from.base & rightsOf(type, sys.isatty(fd));
  const { path, inheriting } = from;
  return { fd, type, path, preopened: undefined, base, inheriting, sync: from.flags & SYNC_FLAGS };
}

function flagsOf({ lookup, oflags, flags, base }: Opening): number {
  const writes = (base & WRITES) !== 0n || (oflags & OFLAGS.trunc) !== 0;
  const reads = (base & READS) !== 0n || !writes;
  if (oflags & OFLAGS.directory && oflags & (OFLAGS.creat | OFLAGS.excl | OFLAGS.trunc))
    refuse(INVAL);
  const directory = (oflags & OFLAGS.directory) !== 0;
  const access = directory ? O_RDONLY : writes ? (reads ? O_RDWR : O_WRONLY) : O_RDONLY;
  return (
    access |
    O_CLOEXEC |
    openFlags(flags) |
    (directory ? O_DIRECTORY : 0) |
    (oflags & OFLAGS.creat ? O_CREAT : 0) |
    (oflags & OFLAGS.excl ? O_EXCL : 0) |
    (oflags & OFLAGS.trunc ? O_TRUNC : 0) |
    (lookup & SYMLINK_FOLLOW ? 0 : O_NOFOLLOW)
  );
}
