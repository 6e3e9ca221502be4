// Codecs of the messages that make a session: version, auth, attach, walk, flush, clunk, remove.
// 9P2000 manual section 5; n_uname and Rlerror as 9P2000.L has them.

import type { Cursor } from '../cursor.ts';
import { MAXWELEM, type Qid } from '../types.ts';
import { type Codec, empty, fidOnly, qidOnly } from './message.ts';

/** size[4] Tversion tag[2] msize[4] version[s] */
const Tversion: Codec<'Tversion'> = {
  decode: (c) => ({ name: 'Tversion', msize: c.u32(), version: c.str() }),
  encode: (c, m) => c.putU32(m.msize).putStr(m.version),
};

/** size[4] Rversion tag[2] msize[4] version[s] */
const Rversion: Codec<'Rversion'> = {
  decode: (c) => ({ name: 'Rversion', msize: c.u32(), version: c.str() }),
  encode: (c, m) => c.putU32(m.msize).putStr(m.version),
};

/** size[4] Tauth tag[2] afid[4] uname[s] aname[s] n_uname[4] */
const Tauth: Codec<'Tauth'> = {
  decode: (c) => ({
    name: 'Tauth',
    afid: c.u32(),
    uname: c.str(),
    aname: c.str(),
    nUname: c.u32(),
  }),
  encode: (c, m) => c.putU32(m.afid).putStr(m.uname).putStr(m.aname).putU32(m.nUname),
};

/** size[4] Rauth tag[2] aqid[13] */
const Rauth: Codec<'Rauth'> = {
  decode: (c) => ({ name: 'Rauth', aqid: c.qid() }),
  encode: (c, m) => c.putQid(m.aqid),
};

/** size[4] Rlerror tag[2] ecode[4] */
const Rlerror: Codec<'Rlerror'> = {
  decode: (c) => ({ name: 'Rlerror', ecode: c.u32() }),
  encode: (c, m) => c.putU32(m.ecode),
};

/** size[4] Tflush tag[2] oldtag[2] */
const Tflush: Codec<'Tflush'> = {
  decode: (c) => ({ name: 'Tflush', oldtag: c.u16() }),
  encode: (c, m) => c.putU16(m.oldtag),
};

/** size[4] Tattach tag[2] fid[4] afid[4] uname[s] aname[s] n_uname[4] */
const Tattach: Codec<'Tattach'> = {
  decode: (c) => ({
    name: 'Tattach',
    fid: c.u32(),
    afid: c.u32(),
    uname: c.str(),
    aname: c.str(),
    nUname: c.u32(),
  }),
  encode: (c, m) => c.putU32(m.fid).putU32(m.afid).putStr(m.uname).putStr(m.aname).putU32(m.nUname),
};

/** size[4] Twalk tag[2] fid[4] newfid[4] nwname[2] nwname*(wname[s]) */
const Twalk: Codec<'Twalk'> = {
  decode: (c) => ({ name: 'Twalk', fid: c.u32(), newfid: c.u32(), wname: names(c) }),
  encode: (c, m) => {
    c.putU32(m.fid).putU32(m.newfid).putU16(m.wname.length);
    if (m.wname.length > MAXWELEM) c.overrun = true;
    for (const name of m.wname) c.putStr(name);
  },
};

/** size[4] Rwalk tag[2] nwqid[2] nwqid*(wqid[13]) */
const Rwalk: Codec<'Rwalk'> = {
  decode: (c) => ({ name: 'Rwalk', wqid: qids(c) }),
  encode: (c, m) => {
    c.putU16(m.wqid.length);
    if (m.wqid.length > MAXWELEM) c.overrun = true;
    for (const qid of m.wqid) c.putQid(qid);
  },
};

/** The number of elements that follow, at most MAXWELEM. */
function elements(c: Cursor): number {
  const count = c.u16();
  if (count <= MAXWELEM) return count;
  c.overrun = true;
  return 0;
}

function names(c: Cursor): string[] {
  const found: string[] = [];
  for (let left = elements(c); left > 0 && !c.overrun; left--) found.push(c.str());
  return found;
}

function qids(c: Cursor): Qid[] {
  const found: Qid[] = [];
  for (let left = elements(c); left > 0 && !c.overrun; left--) found.push(c.qid());
  return found;
}

export const sessionMessages = {
  Tversion,
  Rversion,
  Tauth,
  Rauth,
  Rlerror,
  Tflush,
  /** size[4] Rflush tag[2] */
  Rflush: empty('Rflush'),
  Tattach,
  /** size[4] Rattach tag[2] qid[13] */
  Rattach: qidOnly('Rattach'),
  Twalk,
  Rwalk,
  /** size[4] Tclunk tag[2] fid[4] */
  Tclunk: fidOnly('Tclunk'),
  /** size[4] Rclunk tag[2] */
  Rclunk: empty('Rclunk'),
  /** size[4] Tremove tag[2] fid[4] */
  Tremove: fidOnly('Tremove'),
  /** size[4] Rremove tag[2] */
  Rremove: empty('Rremove'),
};
