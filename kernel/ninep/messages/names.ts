// Codecs of the messages that make, move and remove names. 9P2000.L: diod protocol.md.

import { type Codec, empty, qidOnly } from './message.ts';

/** size[4] Tlcreate tag[2] fid[4] name[s] flags[4] mode[4] gid[4] */
const Tlcreate: Codec<'Tlcreate'> = {
  decode: (c) => ({
    name: 'Tlcreate',
    fid: c.u32(),
    filename: c.str(),
    flags: c.u32(),
    mode: c.u32(),
    gid: c.u32(),
  }),
  encode: (c, m) => c.putU32(m.fid).putStr(m.filename).putU32(m.flags).putU32(m.mode).putU32(m.gid),
};

/** size[4] Rlcreate tag[2] qid[13] iounit[4] */
const Rlcreate: Codec<'Rlcreate'> = {
  decode: (c) => ({ name: 'Rlcreate', qid: c.qid(), iounit: c.u32() }),
  encode: (c, m) => c.putQid(m.qid).putU32(m.iounit),
};

/** size[4] Tsymlink tag[2] dfid[4] name[s] symtgt[s] gid[4] */
const Tsymlink: Codec<'Tsymlink'> = {
  decode: (c) => ({
    name: 'Tsymlink',
    dfid: c.u32(),
    filename: c.str(),
    symtgt: c.str(),
    gid: c.u32(),
  }),
  encode: (c, m) => c.putU32(m.dfid).putStr(m.filename).putStr(m.symtgt).putU32(m.gid),
};

/** size[4] Tmknod tag[2] dfid[4] name[s] mode[4] major[4] minor[4] gid[4] */
const Tmknod: Codec<'Tmknod'> = {
  decode: (c) => ({
    name: 'Tmknod',
    dfid: c.u32(),
    filename: c.str(),
    mode: c.u32(),
    major: c.u32(),
    minor: c.u32(),
    gid: c.u32(),
  }),
  encode: (c, m) => {
    c.putU32(m.dfid).putStr(m.filename).putU32(m.mode);
    c.putU32(m.major).putU32(m.minor).putU32(m.gid);
  },
};

/** size[4] Tmkdir tag[2] dfid[4] name[s] mode[4] gid[4] */
const Tmkdir: Codec<'Tmkdir'> = {
  decode: (c) => ({
    name: 'Tmkdir',
    dfid: c.u32(),
    filename: c.str(),
    mode: c.u32(),
    gid: c.u32(),
  }),
  encode: (c, m) => c.putU32(m.dfid).putStr(m.filename).putU32(m.mode).putU32(m.gid),
};

/** size[4] Tlink tag[2] dfid[4] fid[4] name[s] */
const Tlink: Codec<'Tlink'> = {
  decode: (c) => ({ name: 'Tlink', dfid: c.u32(), fid: c.u32(), filename: c.str() }),
  encode: (c, m) => c.putU32(m.dfid).putU32(m.fid).putStr(m.filename),
};

/** size[4] Trename tag[2] fid[4] dfid[4] name[s] */
const Trename: Codec<'Trename'> = {
  decode: (c) => ({ name: 'Trename', fid: c.u32(), dfid: c.u32(), filename: c.str() }),
  encode: (c, m) => c.putU32(m.fid).putU32(m.dfid).putStr(m.filename),
};

/** size[4] Trenameat tag[2] olddirfid[4] oldname[s] newdirfid[4] newname[s] */
const Trenameat: Codec<'Trenameat'> = {
  decode: (c) => ({
    name: 'Trenameat',
    olddirfid: c.u32(),
    oldname: c.str(),
    newdirfid: c.u32(),
    newname: c.str(),
  }),
  encode: (c, m) => c.putU32(m.olddirfid).putStr(m.oldname).putU32(m.newdirfid).putStr(m.newname),
};

/** size[4] Tunlinkat tag[2] dirfd[4] name[s] flags[4] */
const Tunlinkat: Codec<'Tunlinkat'> = {
  decode: (c) => ({ name: 'Tunlinkat', dirfd: c.u32(), filename: c.str(), flags: c.u32() }),
  encode: (c, m) => c.putU32(m.dirfd).putStr(m.filename).putU32(m.flags),
};

export const nameMessages = {
  Tlcreate,
  Rlcreate,
  Tsymlink,
  /** size[4] Rsymlink tag[2] qid[13] */
  Rsymlink: qidOnly('Rsymlink'),
  Tmknod,
  /** size[4] Rmknod tag[2] qid[13] */
  Rmknod: qidOnly('Rmknod'),
  Tmkdir,
  /** size[4] Rmkdir tag[2] qid[13] */
  Rmkdir: qidOnly('Rmkdir'),
  Tlink,
  /** size[4] Rlink tag[2] */
  Rlink: empty('Rlink'),
  Trename,
  /** size[4] Rrename tag[2] */
  Rrename: empty('Rrename'),
  Trenameat,
  /** size[4] Rrenameat tag[2] */
  Rrenameat: empty('Rrenameat'),
  Tunlinkat,
  /** size[4] Runlinkat tag[2] */
  Runlinkat: empty('Runlinkat'),
};
