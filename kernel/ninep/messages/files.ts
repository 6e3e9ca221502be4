// Codecs of the messages about one file: open, read, write, attributes, locks.
// 9P2000.L: diod protocol.md; Tfsync with datasync as Linux net/9p sends it.

import type { Cursor } from '../cursor.ts';
import {
  P9_SETATTR_ATIME_SET,
  P9_SETATTR_GID,
  P9_SETATTR_MODE,
  P9_SETATTR_MTIME_SET,
  P9_SETATTR_SIZE,
  P9_SETATTR_UID,
  type SetAttr,
} from '../types.ts';
import { type Codec, empty, fidOnly } from './message.ts';

/** size[4] Tlopen tag[2] fid[4] flags[4] */
const Tlopen: Codec<'Tlopen'> = {
  decode: (c) => ({ name: 'Tlopen', fid: c.u32(), flags: c.u32() }),
  encode: (c, m) => c.putU32(m.fid).putU32(m.flags),
};

/** size[4] Rlopen tag[2] qid[13] iounit[4] */
const Rlopen: Codec<'Rlopen'> = {
  decode: (c) => ({ name: 'Rlopen', qid: c.qid(), iounit: c.u32() }),
  encode: (c, m) => c.putQid(m.qid).putU32(m.iounit),
};

/** size[4] Tread tag[2] fid[4] offset[8] count[4] */
const Tread: Codec<'Tread'> = {
  decode: (c) => ({ name: 'Tread', fid: c.u32(), offset: c.u64(), count: c.u32() }),
  encode: (c, m) => c.putU32(m.fid).putU64(m.offset).putU32(m.count),
};

/** size[4] Rread tag[2] count[4] data[count] */
const Rread: Codec<'Rread'> = {
  decode: (c) => {
    const count = c.u32();
    return { name: 'Rread', count, data: c.payload(count) };
  },
  encode: (c, m) => c.putPayload(m.count, m.data),
};

/** size[4] Twrite tag[2] fid[4] offset[8] count[4] data[count] */
const Twrite: Codec<'Twrite'> = {
  decode: (c) => {
    const fid = c.u32();
    const offset = c.u64();
    const count = c.u32();
    return { name: 'Twrite', fid, offset, count, data: c.payload(count) };
  },
  encode: (c, m) => c.putU32(m.fid).putU64(m.offset).putPayload(m.count, m.data),
};

/** size[4] Rwrite tag[2] count[4] */
const Rwrite: Codec<'Rwrite'> = {
  decode: (c) => ({ name: 'Rwrite', count: c.u32() }),
  encode: (c, m) => c.putU32(m.count),
};

/** size[4] Treaddir tag[2] fid[4] offset[8] count[4] */
const Treaddir: Codec<'Treaddir'> = {
  decode: (c) => ({ name: 'Treaddir', fid: c.u32(), offset: c.u64(), count: c.u32() }),
  encode: (c, m) => c.putU32(m.fid).putU64(m.offset).putU32(m.count),
};

/** size[4] Rreaddir tag[2] count[4] data[count] */
const Rreaddir: Codec<'Rreaddir'> = {
  decode: (c) => {
    const count = c.u32();
    return { name: 'Rreaddir', count, data: c.payload(count) };
  },
  encode: (c, m) => c.putPayload(m.count, m.data),
};

/** size[4] Tfsync tag[2] fid[4] datasync[4] */
const Tfsync: Codec<'Tfsync'> = {
  decode: (c) => ({ name: 'Tfsync', fid: c.u32(), datasync: c.u32() }),
  encode: (c, m) => c.putU32(m.fid).putU32(m.datasync),
};

/** size[4] Tgetattr tag[2] fid[4] request_mask[8] */
const Tgetattr: Codec<'Tgetattr'> = {
  decode: (c) => ({ name: 'Tgetattr', fid: c.u32(), requestMask: c.u64() }),
  encode: (c, m) => c.putU32(m.fid).putU64(m.requestMask),
};

/**
 * size[4] Rgetattr tag[2] valid[8] qid[13] mode[4] uid[4] gid[4] nlink[8] rdev[8] size[8]
 * blksize[8] blocks[8] atime_sec[8] atime_nsec[8] mtime_sec[8] mtime_nsec[8] ctime_sec[8]
 * ctime_nsec[8] btime_sec[8] btime_nsec[8] gen[8] data_version[8]
 */
const Rgetattr: Codec<'Rgetattr'> = {
  decode: (c) => ({
    name: 'Rgetattr',
    attr: {
      valid: c.u64(),
      qid: c.qid(),
      mode: c.u32(),
      uid: c.u32(),
      gid: c.u32(),
      nlink: c.u64(),
      rdev: c.u64(),
      size: c.u64(),
      blksize: c.u64(),
      blocks: c.u64(),
      atime: c.time(),
      mtime: c.time(),
      ctime: c.time(),
      btime: c.time(),
      gen: c.u64(),
      dataVersion: c.u64(),
    },
  }),
  encode: (c, { attr }) => {
    c.putU64(attr.valid).putQid(attr.qid).putU32(attr.mode).putU32(attr.uid).putU32(attr.gid);
    c.putU64(attr.nlink).putU64(attr.rdev).putU64(attr.size).putU64(attr.blksize);
    c.putU64(attr.blocks).putTime(attr.atime).putTime(attr.mtime).putTime(attr.ctime);
    c.putTime(attr.btime).putU64(attr.gen).putU64(attr.dataVersion);
  },
};

/**
 * size[4] Tsetattr tag[2] fid[4] valid[4] mode[4] uid[4] gid[4] size[8]
 * atime_sec[8] atime_nsec[8] mtime_sec[8] mtime_nsec[8]
 */
const Tsetattr: Codec<'Tsetattr'> = {
  decode: (c) => ({ name: 'Tsetattr', fid: c.u32(), attr: setAttr(c) }),
  encode: (c, { fid, attr }) => {
    c.putU32(fid).putU32(attr.valid).putU32(attr.mode).putU32(attr.uid).putU32(attr.gid);
    c.putU64(attr.size).putTime(attr.atime).putTime(attr.mtime);
  },
};

/** Clients leave whatever they like in the fields that `valid` does not name: read as 0. */
function setAttr(c: Cursor): SetAttr {
  const valid = c.u32();
  const u32 = (bit: number): number => ((valid & bit) !== 0 ? c.u32() : gap(c, 4));
  return {
    valid,
    mode: u32(P9_SETATTR_MODE),
    uid: u32(P9_SETATTR_UID),
    gid: u32(P9_SETATTR_GID),
    size: (valid & P9_SETATTR_SIZE) !== 0 ? c.u64() : gap(c, 8),
    atime: (valid & P9_SETATTR_ATIME_SET) !== 0 ? c.time() : { sec: gap(c, 16), nsec: 0 },
    mtime: (valid & P9_SETATTR_MTIME_SET) !== 0 ? c.time() : { sec: gap(c, 16), nsec: 0 },
  };
}

function gap(c: Cursor, size: number): 0 {
  c.skip(size);
  return 0;
}

/**
 * size[4] Rstatfs tag[2] type[4] bsize[4] blocks[8] bfree[8] bavail[8] files[8] ffree[8] fsid[8]
 * namelen[4]
 */
const Rstatfs: Codec<'Rstatfs'> = {
  decode: (c) => ({
    name: 'Rstatfs',
    stat: {
      type: c.u32(),
      bsize: c.u32(),
      blocks: c.u64(),
      bfree: c.u64(),
      bavail: c.u64(),
      files: c.u64(),
      ffree: c.u64(),
      fsid: c.u64mark(),
      namelen: c.u32(),
    },
  }),
  encode: (c, { stat }) => {
    c.putU32(stat.type).putU32(stat.bsize).putU64(stat.blocks).putU64(stat.bfree);
    c.putU64(stat.bavail).putU64(stat.files).putU64(stat.ffree).putU64(stat.fsid);
    c.putU32(stat.namelen);
  },
};

/** size[4] Rreadlink tag[2] target[s] */
const Rreadlink: Codec<'Rreadlink'> = {
  decode: (c) => ({ name: 'Rreadlink', target: c.str() }),
  encode: (c, m) => c.putStr(m.target),
};

/** size[4] Txattrwalk tag[2] fid[4] newfid[4] name[s] */
const Txattrwalk: Codec<'Txattrwalk'> = {
  decode: (c) => ({
    name: 'Txattrwalk',
    fid: c.u32(),
    newfid: c.u32(),
    attrName: c.str(),
  }),
  encode: (c, m) => c.putU32(m.fid).putU32(m.newfid).putStr(m.attrName),
};

/** size[4] Rxattrwalk tag[2] size[8] */
const Rxattrwalk: Codec<'Rxattrwalk'> = {
  decode: (c) => ({ name: 'Rxattrwalk', size: c.u64() }),
  encode: (c, m) => c.putU64(m.size),
};

/** size[4] Txattrcreate tag[2] fid[4] name[s] attr_size[8] flags[4] */
const Txattrcreate: Codec<'Txattrcreate'> = {
  decode: (c) => ({
    name: 'Txattrcreate',
    fid: c.u32(),
    attrName: c.str(),
    attrSize: c.u64(),
    flags: c.u32(),
  }),
  encode: (c, m) => c.putU32(m.fid).putStr(m.attrName).putU64(m.attrSize).putU32(m.flags),
};

/**
 * size[4] Tlock tag[2] fid[4] type[1] flags[4] start[8] length[8] proc_id[4] client_id[s]
 */
const Tlock: Codec<'Tlock'> = {
  decode: (c) => ({
    name: 'Tlock',
    fid: c.u32(),
    type: c.u8(),
    flags: c.u32(),
    start: c.u64(),
    length: c.u64(),
    procId: c.u32(),
    clientId: c.str(),
  }),
  encode: (c, m) => {
    c.putU32(m.fid).putU8(m.type).putU32(m.flags).putU64(m.start).putU64(m.length);
    c.putU32(m.procId).putStr(m.clientId);
  },
};

/** size[4] Rlock tag[2] status[1] */
const Rlock: Codec<'Rlock'> = {
  decode: (c) => ({ name: 'Rlock', status: c.u8() }),
  encode: (c, m) => c.putU8(m.status),
};

/** size[4] Tgetlock tag[2] fid[4] type[1] start[8] length[8] proc_id[4] client_id[s] */
const Tgetlock: Codec<'Tgetlock'> = {
  decode: (c) => ({
    name: 'Tgetlock',
    fid: c.u32(),
    type: c.u8(),
    start: c.u64(),
    length: c.u64(),
    procId: c.u32(),
    clientId: c.str(),
  }),
  encode: (c, m) => {
    c.putU32(m.fid).putU8(m.type).putU64(m.start).putU64(m.length);
    c.putU32(m.procId).putStr(m.clientId);
  },
};

/** size[4] Rgetlock tag[2] type[1] start[8] length[8] proc_id[4] client_id[s] */
const Rgetlock: Codec<'Rgetlock'> = {
  decode: (c) => ({
    name: 'Rgetlock',
    type: c.u8(),
    start: c.u64(),
    length: c.u64(),
    procId: c.u32(),
    clientId: c.str(),
  }),
  encode: (c, m) => {
    c.putU8(m.type).putU64(m.start).putU64(m.length).putU32(m.procId).putStr(m.clientId);
  },
};

/**
 * size[4] Tallocate tag[2] fid[4] mode[4] offset[8] length[8]: fallocate(2), in whole blocks where it
 * takes room away (Tgetattr tells the block size).
 */
const Tallocate: Codec<'Tallocate'> = {
  decode: (c) => ({
    name: 'Tallocate',
    fid: c.u32(),
    mode: c.u32(),
    offset: c.u64(),
    length: c.u64(),
  }),
  encode: (c, m) => c.putU32(m.fid).putU32(m.mode).putU64(m.offset).putU64(m.length),
};

/** size[4] Rallocate tag[2] length[8]: done so far, at least 1; the client asks again for the rest. */
const Rallocate: Codec<'Rallocate'> = {
  decode: (c) => ({ name: 'Rallocate', length: c.u64() }),
  encode: (c, m) => c.putU64(m.length),
};

/** size[4] Tseek tag[2] fid[4] offset[8] whence[4]: SEEK_DATA or SEEK_HOLE of lseek(2) */
const Tseek: Codec<'Tseek'> = {
  decode: (c) => ({ name: 'Tseek', fid: c.u32(), offset: c.u64(), whence: c.u32() }),
  encode: (c, m) => c.putU32(m.fid).putU64(m.offset).putU32(m.whence),
};

/** size[4] Rseek tag[2] offset[8] found[4]: where it is, or (found 0) how far it was looked for */
const Rseek: Codec<'Rseek'> = {
  decode: (c) => ({ name: 'Rseek', offset: c.u64(), found: c.u32() }),
  encode: (c, m) => c.putU64(m.offset).putU32(m.found),
};

export const fileMessages = {
  Tallocate,
  Rallocate,
  Tseek,
  Rseek,
  Tlopen,
  Rlopen,
  Tread,
  Rread,
  Twrite,
  Rwrite,
  Treaddir,
  Rreaddir,
  Tfsync,
  /** size[4] Rfsync tag[2] */
  Rfsync: empty('Rfsync'),
  Tgetattr,
  Rgetattr,
  Tsetattr,
  /** size[4] Rsetattr tag[2] */
  Rsetattr: empty('Rsetattr'),
  /** size[4] Tstatfs tag[2] fid[4] */
  Tstatfs: fidOnly('Tstatfs'),
  Rstatfs,
  /** size[4] Treadlink tag[2] fid[4] */
  Treadlink: fidOnly('Treadlink'),
  Rreadlink,
  Txattrwalk,
  Rxattrwalk,
  Txattrcreate,
  /** size[4] Rxattrcreate tag[2] */
  Rxattrcreate: empty('Rxattrcreate'),
  Tlock,
  Rlock,
  Tgetlock,
  Rgetlock,
};
