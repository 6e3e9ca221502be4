// FileServer: what a file system, a driver's tree or a synthetic tree implements. server.ts keeps
// the fids, checks the protocol's rules and calls these; transports carry the messages to it.

import type { Task } from '../ipc/task.ts';
import type { Attr, FsStat, Qid, SetAttr } from './types.ts';

/** A result now, or a task that gives it: only servers inside the kernel may return a task. */
export type Now<T> = T | Task<T>;

/** Takes directory entries until the reply is full: `false` means that the entry was not taken. */
export interface DirSink {
  add(entry: { qid: Qid; offset: number; type: number; name: string }): boolean;
}

/**
 * The 9P operations over the server's own handles.
 *
 * `N` is the server's handle of a file (an inode number, a tree node). `C` is the context of one
 * request: a volume's Transaction, or the Caller of a server inside the kernel.
 *
 * The server skeleton has already checked: the fid exists and is open or not as the message needs;
 * names are 1..255 bytes, without '/' and NUL, not '.' or '..' (but `walk` gets '..'); `node` of a
 * directory operation is a directory (ENOTDIR). It changes its fid table only after the operation
 * returned, so an operation that throws (a Missing block, an errno) has not happened.
 *
 * Every operation throws PosixError for its errno. Operations that a server leaves out answer
 * EOPNOTSUPP, or EROFS on a read-only server.
 */
export interface FileServer<N, C> {
  /** Answers EROFS to every change when true; asked at each request. */
  readonly readOnly: boolean;

  attach(ctx: C, request: { uname: string; aname: string; nUname: number }): N;
  qid(ctx: C, node: N): Qid;
  /** `walk` knows NAMED_FORK below regular files: a directory of the file's forks. */
  readonly hasForks?: true;
  /** One step of a walk; `undefined` when there is no such name. '..' of the root is the root. */
  walk(ctx: C, dir: N, name: string): N | undefined;
  /**
   * A fid of this node was opened: truncates for O_TRUNC. Permissions were checked by the kernel.
   * May return a node of this opening alone (a snapshot of a text, say): read, write, readdir and
   * clunk then get that one in place of `node`. On a read-only server never with write access.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: most servers' open returns nothing.
  open(ctx: C, node: N, flags: number): Now<N | void>;
  /** A fid is given up (clunk); `open` tells whether it was opened. */
  clunk?(ctx: C, node: N, open: boolean): void;
  /**
   * No fid refers to this file (its qid.path) any more: the last was clunked, or a name of it was
   * removed while there was none. A file without names is freed now, and not before. With `clunk`
   * and `forget` a server need not count who uses what; it must be ready for a file with names.
   */
  forget?(ctx: C, node: N): void;

  getattr(ctx: C, node: N, mask: number): Attr;
  setattr?(ctx: C, node: N, attr: SetAttr): void;
  statfs(ctx: C, node: N): FsStat;

  /** Fills `into` from `offset`; returns the bytes read, 0 at the end of the file. */
  read(ctx: C, node: N, offset: number, into: Uint8Array): Now<number>;
  /** Returns the bytes written, at least 1 unless `from` is empty. */
  write?(ctx: C, node: N, offset: number, from: Uint8Array): Now<number>;
  /** Adds entries behind cookie `offset` (0 = from the start, '.' and '..' included). */
  readdir(ctx: C, dir: N, offset: number, sink: DirSink): void;
  readlink?(ctx: C, node: N): string;
  fsync?(ctx: C, node: N, datasync: boolean): Now<void>;

  /**
   * fallocate(2) of a regular file from `offset` on: reserves room, or takes it away. Returns how many
   * bytes of it are done, at least 1: a long range goes in bounded requests. FALLOC_FL_PUNCH_HOLE and
   * FALLOC_FL_ZERO_RANGE come in whole blocks; the client zeroes what it has of the blocks at the edges.
   */
  allocate?(ctx: C, node: N, request: { mode: number; offset: number; length: number }): number;
  /**
   * Where the next data (SEEK_DATA) or hole (SEEK_HOLE) begins, at `offset` or behind it; the end of a
   * file is a hole. `found: false`: not before `offset` of the answer. ENXIO when there is none.
   */
  seek?(
    ctx: C,
    node: N,
    request: { offset: number; whence: number },
  ): { offset: number; found: boolean };

  create?(ctx: C, dir: N, request: { name: string; flags: number; mode: number; gid: number }): N;
  mkdir?(ctx: C, dir: N, request: { name: string; mode: number; gid: number }): N;
  symlink?(ctx: C, dir: N, request: { name: string; target: string; gid: number }): N;
  mknod?(
    ctx: C,
    dir: N,
    request: { name: string; mode: number; major: number; minor: number; gid: number },
  ): N;
  link?(ctx: C, dir: N, node: N, name: string): void;
  /** Removes a name; `flags` may hold AT_REMOVEDIR. The file itself lives on until `forget`. */
  unlink?(ctx: C, dir: N, name: string, flags: number): void;
  rename?(ctx: C, from: { dir: N; name: string }, to: { dir: N; name: string }): void;

  /** The value of an extended attribute (ENODATA when absent); name '' = the list, NUL-ended names. */
  getxattr?(ctx: C, node: N, name: string): Uint8Array;
  /** Sets, or removes when `value` is undefined. `flags`: 1 = XATTR_CREATE, 2 = XATTR_REPLACE. */
  setxattr?(ctx: C, node: N, name: string, value: Uint8Array | undefined, flags: number): void;
}
