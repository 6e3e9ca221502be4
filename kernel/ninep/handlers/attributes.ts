// Handlers of the messages about attributes and locks: Tgetattr, Tsetattr, Tstatfs, Treadlink,
// Txattrwalk, Txattrcreate, Tlock, Tgetlock. 9P2000.L.

import { NAME_MAX } from '../../abi/constants.ts';
import { E2BIG, EBADF, EINVAL, ERANGE, PosixError } from '../../abi/errno.ts';
import { textSize } from '../../abi/text.ts';
import type { Fid, XattrState } from '../fids.ts';
import { checkWritable, need, notDirectory, type Session } from '../session.ts';
import {
  type MessageOf,
  P9_LOCK_BLOCKED,
  P9_LOCK_SUCCESS,
  P9_LOCK_TYPE_UNLCK,
  P9_SETATTR_SIZE,
  QTSYMLINK,
  type RMessage,
} from '../types.ts';

const XATTR_SIZE_MAX = 65536; // bytes; linux/limits.h
const XATTR_REPLACE = 2;

export function Tgetattr<N, C>(s: Session<N, C>, ctx: C, m: MessageOf<'Tgetattr'>): RMessage {
  const { node } = s.fids.get(m.fid);
  return { name: 'Rgetattr', attr: s.fs.getattr(ctx, node, m.requestMask) };
}

export function Tsetattr<N, C>(s: Session<N, C>, ctx: C, m: MessageOf<'Tsetattr'>): RMessage {
  const { node, qid } = s.fids.get(m.fid);
  checkWritable(s);
  need(s.fs.setattr, 'setattr');
  if ((m.attr.valid & P9_SETATTR_SIZE) !== 0) {
    notDirectory(qid, 'a directory has no size to set');
    if ((qid.type & QTSYMLINK) !== 0) throw new PosixError(EINVAL, 'truncates a symbolic link');
  }
  s.fs.setattr?.(ctx, node, m.attr);
  return { name: 'Rsetattr' };
}

export function Tstatfs<N, C>(s: Session<N, C>, ctx: C, m: MessageOf<'Tstatfs'>): RMessage {
  return { name: 'Rstatfs', stat: s.fs.statfs(ctx, s.fids.get(m.fid).node) };
}

export function Treadlink<N, C>(s: Session<N, C>, ctx: C, m: MessageOf<'Treadlink'>): RMessage {
  const { node, qid } = s.fids.get(m.fid);
  if ((qid.type & QTSYMLINK) === 0) throw new PosixError(EINVAL, 'not a symbolic link');
  need(s.fs.readlink, 'readlink');
  return { name: 'Rreadlink', target: s.fs.readlink?.(ctx, node) ?? '' };
}

/** A new fid that reads the value of an attribute, or the list of names. */
export function Txattrwalk<N, C>(s: Session<N, C>, ctx: C, m: MessageOf<'Txattrwalk'>): RMessage {
  const entry = file(s, m.fid);
  s.fids.checkFree(m.newfid);
  checkXattrName(m.attrName);
  need(s.fs.getxattr, 'getxattr');
  const value = s.fs.getxattr?.(ctx, entry.node, m.attrName) ?? new Uint8Array(0);
  const { node, qid } = entry;
  s.fids.set(m.newfid, {
    node,
    handle: node,
    qid,
    open: false,
    flags: 0,
    xattr: { mode: 'read', value },
  });
  return { name: 'Rxattrwalk', size: value.length };
}

/** The fid takes the value by Twrite; Tclunk applies it. */
export function Txattrcreate<N, C>(
  s: Session<N, C>,
  _ctx: C,
  m: MessageOf<'Txattrcreate'>,
): RMessage {
  const entry = file(s, m.fid);
  if (entry.open) throw new PosixError(EBADF, `fid ${m.fid} is open`);
  checkWritable(s);
  checkXattrName(m.attrName);
  if (m.attrName === '') throw new PosixError(EINVAL, 'an attribute without a name');
  if (m.attrSize > XATTR_SIZE_MAX) throw new PosixError(E2BIG, `value of ${m.attrSize} bytes`);
  need(s.fs.setxattr, 'setxattr');
  const value = new Uint8Array(m.attrSize);
  s.fids.set(m.fid, {
    ...entry,
    xattr: { mode: 'write', name: m.attrName, flags: m.flags, value, written: 0 },
  });
  return { name: 'Rxattrcreate' };
}

/** A fid that is no attribute itself. */
function file<N, C>(s: Session<N, C>, fid: number): Fid<N> {
  const entry = s.fids.get(fid);
  if (entry.xattr) throw new PosixError(EBADF, `fid ${fid} is an attribute`);
  return entry;
}

function checkXattrName(name: string): void {
  if (name.includes('\0')) throw new PosixError(EINVAL, "NUL in an attribute's name");
  if (textSize(name) > NAME_MAX) throw new PosixError(ERANGE, `attribute name of ${name.length}`);
}

/** Linux removes an attribute by replacing it with nothing. */
export function applyXattr<N, C>(s: Session<N, C>, ctx: C, node: N, xattr: XattrState): void {
  if (xattr.mode !== 'write') return;
  checkWritable(s);
  const { name, value, flags, written } = xattr;
  if (written < value.length) {
    throw new PosixError(EINVAL, `${written} of ${value.length} bytes of attribute ${name}`);
  }
  const removes = value.length === 0 && flags === XATTR_REPLACE;
  s.fs.setxattr?.(ctx, node, name, removes ? undefined : value, removes ? 0 : flags);
}

export function Tlock<N, C>(s: Session<N, C>, _ctx: C, m: MessageOf<'Tlock'>): RMessage {
  const { qid } = file(s, m.fid);
  const done = s.locks.apply(qid.path, m);
  return { name: 'Rlock', status: done ? P9_LOCK_SUCCESS : P9_LOCK_BLOCKED };
}

export function Tgetlock<N, C>(s: Session<N, C>, _ctx: C, m: MessageOf<'Tgetlock'>): RMessage {
  const { qid } = file(s, m.fid);
  const held = s.locks.conflict(qid.path, m);
  const { start, length, procId, clientId } = m;
  if (held === undefined) {
    return { name: 'Rgetlock', type: P9_LOCK_TYPE_UNLCK, start, length, procId, clientId };
  }
  return {
    name: 'Rgetlock',
    type: held.type,
    start: held.start,
    length: Number.isFinite(held.end) ? held.end - held.start : 0,
    procId: held.procId,
    clientId: held.clientId,
  };
}
