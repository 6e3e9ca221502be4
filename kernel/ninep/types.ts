// The vocabulary of 9P2000.L: qids, attributes and the bodies of all messages, in our memory's form.
// Source: the protocol description of diod (protocol.md) and Linux include/net/9p/9p.h. The bytes
// are codec.ts's business. Numbers are unsigned; u64 are JS numbers up to 2^53 - 1.

import type { Timespec } from '../abi/stat.ts';

export const QTDIR = 0x80;
export const QTAPPEND = 0x40;
export const QTEXCL = 0x20;
export const QTTMP = 0x04;
export const QTSYMLINK = 0x02;
export const QTFILE = 0x00;

export const NOFID = 0xffff_ffff;
export const NOTAG = 0xffff;
export const NONUNAME = 0xffff_ffff;
export const P9_VERSION = '9P2000.L';
export const MAXWELEM = 16;

/** The server's name of a file: `path` is unique among all files that ever were on the server. */
export interface Qid {
  type: number; // QT*
  version: number; // u32
  path: number; // u64
}

// Tgetattr.request_mask, Rgetattr.valid
export const P9_GETATTR_MODE = 0x1;
export const P9_GETATTR_NLINK = 0x2;
export const P9_GETATTR_UID = 0x4;
export const P9_GETATTR_GID = 0x8;
export const P9_GETATTR_RDEV = 0x10;
export const P9_GETATTR_ATIME = 0x20;
export const P9_GETATTR_MTIME = 0x40;
export const P9_GETATTR_CTIME = 0x80;
export const P9_GETATTR_INO = 0x100;
export const P9_GETATTR_SIZE = 0x200;
export const P9_GETATTR_BLOCKS = 0x400;
export const P9_GETATTR_BASIC = 0x7ff;
export const P9_GETATTR_BTIME = 0x800;
export const P9_GETATTR_GEN = 0x1000;
export const P9_GETATTR_DATA_VERSION = 0x2000;
export const P9_GETATTR_ALL = 0x3fff;

// Tsetattr.valid
export const P9_SETATTR_MODE = 0x1;
export const P9_SETATTR_UID = 0x2;
export const P9_SETATTR_GID = 0x4;
export const P9_SETATTR_SIZE = 0x8;
export const P9_SETATTR_ATIME = 0x10; // to the server's now, unless ATIME_SET is given too
export const P9_SETATTR_MTIME = 0x20;
export const P9_SETATTR_CTIME = 0x40;
export const P9_SETATTR_ATIME_SET = 0x80; // to the atime in the message
export const P9_SETATTR_MTIME_SET = 0x100;

/** Tunlinkat.flags: remove a directory. */
export const AT_REMOVEDIR = 0x200;

// Tlock.type, Rlock.status
export const P9_LOCK_TYPE_RDLCK = 0;
export const P9_LOCK_TYPE_WRLCK = 1;
export const P9_LOCK_TYPE_UNLCK = 2;
export const P9_LOCK_SUCCESS = 0;
export const P9_LOCK_BLOCKED = 1;
export const P9_LOCK_ERROR = 2;
export const P9_LOCK_GRACE = 3;

/** Rgetattr's attributes; those outside `valid` are 0. */
export interface Attr {
  valid: number; // P9_GETATTR_*
  qid: Qid;
  mode: number;
  uid: number;
  gid: number;
  nlink: number;
  rdev: number;
  size: number;
  blksize: number;
  blocks: number; // of 512 bytes
  atime: Timespec;
  mtime: Timespec;
  ctime: Timespec;
  btime: Timespec;
  gen: number;
  dataVersion: number;
}

/** Tsetattr's attributes; only those that `valid` names mean anything. */
export interface SetAttr {
  valid: number; // P9_SETATTR_*
  mode: number; // permission bits
  uid: number;
  gid: number;
  size: number;
  atime: Timespec;
  mtime: Timespec;
}

/** Rstatfs. */
export interface FsStat {
  type: number;
  bsize: number;
  blocks: number;
  bfree: number;
  bavail: number;
  files: number;
  ffree: number;
  fsid: number;
  namelen: number;
}

/** An entry of Rreaddir; `offset` is the cookie that continues behind it. */
export interface DirEntry {
  qid: Qid;
  offset: number;
  type: number; // DT_*
  name: string;
}

/** Message numbers. */
export const T = {
  Rlerror: 7,
  Tstatfs: 8,
  Rstatfs: 9,
  Tlopen: 12,
  Rlopen: 13,
  Tlcreate: 14,
  Rlcreate: 15,
  Tsymlink: 16,
  Rsymlink: 17,
  Tmknod: 18,
  Rmknod: 19,
  Trename: 20,
  Rrename: 21,
  Treadlink: 22,
  Rreadlink: 23,
  Tgetattr: 24,
  Rgetattr: 25,
  Tsetattr: 26,
  Rsetattr: 27,
  Txattrwalk: 30,
  Rxattrwalk: 31,
  Txattrcreate: 32,
  Rxattrcreate: 33,
  Treaddir: 40,
  Rreaddir: 41,
  Tfsync: 50,
  Rfsync: 51,
  Tlock: 52,
  Rlock: 53,
  Tgetlock: 54,
  Rgetlock: 55,
  Tlink: 70,
  Rlink: 71,
  Tmkdir: 72,
  Rmkdir: 73,
  Trenameat: 74,
  Rrenameat: 75,
  Tunlinkat: 76,
  Runlinkat: 77,
  Tversion: 100,
  Rversion: 101,
  Tauth: 102,
  Rauth: 103,
  Tattach: 104,
  Rattach: 105,
  Tflush: 108,
  Rflush: 109,
  Twalk: 110,
  Rwalk: 111,
  Tread: 116,
  Rread: 117,
  Twrite: 118,
  Rwrite: 119,
  Tclunk: 120,
  Rclunk: 121,
  Tremove: 122,
  Rremove: 123,
  // Ours: no message of 9P2000.L reserves room or tells of holes. Answered EOPNOTSUPP where unknown.
  Tallocate: 138,
  Rallocate: 139,
  Tseek: 144,
  Rseek: 145,
} as const;

export type MessageName = keyof typeof T;

type Empty = Record<never, never>;

/**
 * The body of each message. `data` of Rread, Twrite and Rreaddir is empty when a grant carries it.
 * The spec's field `name` is `filename` or `attrName` here: `name` is the message's own name.
 */
export interface Bodies {
  Tversion: { msize: number; version: string };
  Rversion: { msize: number; version: string };
  Tauth: { afid: number; uname: string; aname: string; nUname: number };
  Rauth: { aqid: Qid };
  Rlerror: { ecode: number };
  Tflush: { oldtag: number };
  Rflush: Empty;
  Tattach: { fid: number; afid: number; uname: string; aname: string; nUname: number };
  Rattach: { qid: Qid };
  Twalk: { fid: number; newfid: number; wname: readonly string[] };
  Rwalk: { wqid: readonly Qid[] };
  Tlopen: { fid: number; flags: number };
  Rlopen: { qid: Qid; iounit: number };
  Tlcreate: { fid: number; filename: string; flags: number; mode: number; gid: number };
  Rlcreate: { qid: Qid; iounit: number };
  Tsymlink: { dfid: number; filename: string; symtgt: string; gid: number };
  Rsymlink: { qid: Qid };
  Tmknod: {
    dfid: number;
    filename: string;
    mode: number;
    major: number;
    minor: number;
    gid: number;
  };
  Rmknod: { qid: Qid };
  Trename: { fid: number; dfid: number; filename: string };
  Rrename: Empty;
  Treadlink: { fid: number };
  Rreadlink: { target: string };
  Tgetattr: { fid: number; requestMask: number };
  Rgetattr: { attr: Attr };
  Tsetattr: { fid: number; attr: SetAttr };
  Rsetattr: Empty;
  Txattrwalk: { fid: number; newfid: number; attrName: string };
  Rxattrwalk: { size: number };
  Txattrcreate: { fid: number; attrName: string; attrSize: number; flags: number };
  Rxattrcreate: Empty;
  Treaddir: { fid: number; offset: number; count: number };
  Rreaddir: { count: number; data: Uint8Array };
  Tfsync: { fid: number; datasync: number };
  Rfsync: Empty;
  Tlock: {
    fid: number;
    type: number;
    flags: number;
    start: number;
    length: number;
    procId: number;
    clientId: string;
  };
  Rlock: { status: number };
  Tgetlock: {
    fid: number;
    type: number;
    start: number;
    length: number;
    procId: number;
    clientId: string;
  };
  Rgetlock: { type: number; start: number; length: number; procId: number; clientId: string };
  Tlink: { dfid: number; fid: number; filename: string };
  Rlink: Empty;
  Tmkdir: { dfid: number; filename: string; mode: number; gid: number };
  Rmkdir: { qid: Qid };
  Trenameat: { olddirfid: number; oldname: string; newdirfid: number; newname: string };
  Rrenameat: Empty;
  Tunlinkat: { dirfd: number; filename: string; flags: number };
  Runlinkat: Empty;
  Tread: { fid: number; offset: number; count: number };
  Rread: { count: number; data: Uint8Array };
  Twrite: { fid: number; offset: number; count: number; data: Uint8Array };
  Rwrite: { count: number };
  Tclunk: { fid: number };
  Rclunk: Empty;
  Tremove: { fid: number };
  Rremove: Empty;
  Tstatfs: { fid: number };
  Rstatfs: { stat: FsStat };
  Tallocate: { fid: number; mode: number; offset: number; length: number };
  Rallocate: { length: number };
  Tseek: { fid: number; offset: number; whence: number };
  Rseek: { offset: number; found: number };
}

export type TName = Extract<MessageName, `T${string}`>;
export type RName = Extract<MessageName, `R${string}`>;

/** A message without its tag. */
export type MessageOf<N extends MessageName> = { [K in N]: { name: K } & Bodies[K] }[N];
export type TMessage = MessageOf<TName>;
export type RMessage = MessageOf<RName>;
export type Message = TMessage | RMessage;

/** The reply to a request that succeeds: Rwalk for Twalk. */
export type ReplyTo<N extends TName> = N extends `T${infer S}` ? Extract<RName, `R${S}`> : never;
