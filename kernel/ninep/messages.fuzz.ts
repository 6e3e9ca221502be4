// Random 9P messages for property tests: every message, every field over its whole range.

import fc from 'fast-check';
import { decodeText } from '../abi/text.ts';
import {
  type Attr,
  type Message,
  type MessageName,
  P9_SETATTR_ATIME_SET,
  P9_SETATTR_GID,
  P9_SETATTR_MODE,
  P9_SETATTR_MTIME_SET,
  P9_SETATTR_SIZE,
  P9_SETATTR_UID,
  type Qid,
  type SetAttr,
  T,
} from './types.ts';

const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffff_ffff);
const u64 = fc.maxSafeNat();
const time = fc.record({ sec: fc.maxSafeInteger(), nsec: fc.nat(999_999_999) });
const qid: fc.Arbitrary<Qid> = fc.record({ type: u8, version: u32, path: u64 });
const data = fc.uint8Array({ maxLength: 300 });
/** Text as it comes out of bytes, valid UTF-8 or not. */
const str = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.uint8Array({ maxLength: 60 }).map(decodeText),
);

const attr: fc.Arbitrary<Attr> = fc.record({
  valid: u64,
  qid,
  mode: u32,
  uid: u32,
  gid: u32,
  nlink: u64,
  rdev: u64,
  size: u64,
  blksize: u64,
  blocks: u64,
  atime: time,
  mtime: time,
  ctime: time,
  btime: time,
  gen: u64,
  dataVersion: u64,
});

/** What `valid` does not name is 0. */
const setAttr: fc.Arbitrary<SetAttr> = fc
  .record({ valid: u32, mode: u32, uid: u32, gid: u32, size: u64, atime: time, mtime: time })
  .map((a) => ({
    valid: a.valid,
    mode: a.valid & P9_SETATTR_MODE ? a.mode : 0,
    uid: a.valid & P9_SETATTR_UID ? a.uid : 0,
    gid: a.valid & P9_SETATTR_GID ? a.gid : 0,
    size: a.valid & P9_SETATTR_SIZE ? a.size : 0,
    atime: a.valid & P9_SETATTR_ATIME_SET ? a.atime : { sec: 0, nsec: 0 },
    mtime: a.valid & P9_SETATTR_MTIME_SET ? a.mtime : { sec: 0, nsec: 0 },
  }));

const stat = fc.record({
  type: u32,
  bsize: u32,
  blocks: u64,
  bfree: u64,
  bavail: u64,
  files: u64,
  ffree: u64,
  fsid: u64,
  namelen: u32,
});

const fid = { fid: u32 };
const named = { dfid: u32, filename: str };
const auth = { uname: str, aname: str, nUname: u32 };
const lock = { type: u8, start: u64, length: u64, procId: u32, clientId: str };
const opened = { qid, iounit: u32 };
const moved = { offset: u64, count: u32 };
const payload = data.map((bytes) => ({ count: bytes.length, data: bytes }));

const bodies: { [N in MessageName]: Record<string, fc.Arbitrary<unknown>> } = {
  Tversion: { msize: u32, version: str },
  Rversion: { msize: u32, version: str },
  Tauth: { afid: u32, ...auth },
  Rauth: { aqid: qid },
  Rlerror: { ecode: u32 },
  Tflush: { oldtag: u16 },
  Rflush: {},
  Tattach: { ...fid, afid: u32, ...auth },
  Rattach: { qid },
  Twalk: { ...fid, newfid: u32, wname: fc.array(str, { maxLength: 16 }) },
  Rwalk: { wqid: fc.array(qid, { maxLength: 16 }) },
  Tlopen: { ...fid, flags: u32 },
  Rlopen: opened,
  Tlcreate: { ...fid, filename: str, flags: u32, mode: u32, gid: u32 },
  Rlcreate: opened,
  Tsymlink: { ...named, symtgt: str, gid: u32 },
  Rsymlink: { qid },
  Tmknod: { ...named, mode: u32, major: u32, minor: u32, gid: u32 },
  Rmknod: { qid },
  Trename: { ...fid, ...named },
  Rrename: {},
  Treadlink: fid,
  Rreadlink: { target: str },
  Tgetattr: { ...fid, requestMask: u64 },
  Rgetattr: { attr },
  Tsetattr: { ...fid, attr: setAttr },
  Rsetattr: {},
  Txattrwalk: { ...fid, newfid: u32, attrName: str },
  Rxattrwalk: { size: u64 },
  Txattrcreate: { ...fid, attrName: str, attrSize: u64, flags: u32 },
  Rxattrcreate: {},
  Treaddir: { ...fid, ...moved },
  Rreaddir: {},
  Tfsync: { ...fid, datasync: u32 },
  Rfsync: {},
  Tallocate: { ...fid, mode: u32, offset: u64, length: u64 },
  Rallocate: { length: u64 },
  Tseek: { ...fid, offset: u64, whence: u32 },
  Rseek: { offset: u64, found: u32 },
  Tlock: { ...fid, flags: u32, ...lock },
  Rlock: { status: u8 },
  Tgetlock: { ...fid, ...lock },
  Rgetlock: lock,
  Tlink: { ...named, ...fid },
  Rlink: {},
  Tmkdir: { ...named, mode: u32, gid: u32 },
  Rmkdir: { qid },
  Trenameat: { olddirfid: u32, oldname: str, newdirfid: u32, newname: str },
  Rrenameat: {},
  Tunlinkat: { dirfd: u32, filename: str, flags: u32 },
  Runlinkat: {},
  Tread: { ...fid, ...moved },
  Rread: {},
  Twrite: { ...fid, offset: u64 },
  Rwrite: { count: u32 },
  Tclunk: fid,
  Rclunk: {},
  Tremove: fid,
  Rremove: {},
  Tstatfs: fid,
  Rstatfs: { stat },
};

const withPayload: ReadonlySet<MessageName> = new Set(['Rread', 'Twrite', 'Rreaddir']);

export const messageNames = Object.keys(T) as MessageName[];

/** Any message with this name. */
export function anyMessageNamed(name: MessageName): fc.Arbitrary<Message> {
  const body = fc.record({ name: fc.constant(name), ...bodies[name] });
  const whole = withPayload.has(name)
    ? fc.tuple(body, payload).map(([a, b]) => ({ ...a, ...b }))
    : body;
  return whole as unknown as fc.Arbitrary<Message>;
}

export const anyMessage: fc.Arbitrary<Message> = fc
  .constantFrom(...messageNames)
  .chain(anyMessageNamed);

export const anyTag = u16;

export const anyDirEntry = fc.record({ qid, offset: u64, type: u8, name: str });
