// Handlers of the messages that make, move and remove names: Tsymlink, Tmknod, Tmkdir, Tlink,
// Tunlinkat, Trenameat, Trename. 9P2000.L; the rules are POSIX's.

import { EEXIST, EINVAL, EPERM, PosixError } from '../../abi/errno.ts';
import {
  checkName,
  checkWritable,
  directory,
  isDirectory,
  nameGone,
  need,
  type Session,
} from '../session.ts';
import { AT_REMOVEDIR, type MessageOf, type RMessage } from '../types.ts';
import { currentName } from './walk.ts';

/** The directory in which a name is to be made, when all is well with both. */
function target<N, C>(s: Session<N, C>, dfid: number, filename: string): N {
  const dir = directory(s, dfid);
  checkWritable(s);
  checkName(filename);
  return dir.node;
}

export function Tsymlink<N, C>(s: Session<N, C>, ctx: C, m: MessageOf<'Tsymlink'>): RMessage {
  const dir = target(s, m.dfid, m.filename);
  need(s.fs.symlink, 'symlink');
  const request = { name: m.filename, target: m.symtgt, gid: m.gid };
  const node = s.fs.symlink?.(ctx, dir, request) as N;
  return { name: 'Rsymlink', qid: s.fs.qid(ctx, node) };
}

export function Tmknod<N, C>(s: Session<N, C>, ctx: C, m: MessageOf<'Tmknod'>): RMessage {
  const dir = target(s, m.dfid, m.filename);
  need(s.fs.mknod, 'mknod');
  const { mode, major, minor, gid } = m;
  const node = s.fs.mknod?.(ctx, dir, { name: m.filename, mode, major, minor, gid }) as N;
  return { name: 'Rmknod', qid: s.fs.qid(ctx, node) };
}

export function Tmkdir<N, C>(s: Session<N, C>, ctx: C, m: MessageOf<'Tmkdir'>): RMessage {
  const dir = target(s, m.dfid, m.filename);
  need(s.fs.mkdir, 'mkdir');
  const node = s.fs.mkdir?.(ctx, dir, { name: m.filename, mode: m.mode, gid: m.gid }) as N;
  return { name: 'Rmkdir', qid: s.fs.qid(ctx, node) };
}

export function Tlink<N, C>(s: Session<N, C>, ctx: C, m: MessageOf<'Tlink'>): RMessage {
  const file = s.fids.get(m.fid);
  const dir = target(s, m.dfid, m.filename);
  need(s.fs.link, 'link');
  if (isDirectory(file.qid)) {
    const exists = s.fs.walk(ctx, dir, m.filename) !== undefined;
    throw new PosixError(exists ? EEXIST : EPERM, 'a hard link to a directory');
  }
  s.fs.link?.(ctx, dir, file.node, m.filename);
  return { name: 'Rlink' };
}

export function Tunlinkat<N, C>(s: Session<N, C>, ctx: C, m: MessageOf<'Tunlinkat'>): RMessage {
  const dir = target(s, m.dirfd, m.filename);
  if ((m.flags & ~AT_REMOVEDIR) !== 0) throw new PosixError(EINVAL, `unlink flags ${m.flags}`);
  need(s.fs.unlink, 'unlink');
  const victim = s.fs.forget && s.fs.walk(ctx, dir, m.filename);
  s.fs.unlink?.(ctx, dir, m.filename, m.flags);
  if (victim !== undefined) nameGone(s, ctx, victim);
  return { name: 'Runlinkat' };
}

export function Trenameat<N, C>(s: Session<N, C>, ctx: C, m: MessageOf<'Trenameat'>): RMessage {
  const from = { dir: target(s, m.olddirfid, m.oldname), name: m.oldname };
  const to = { dir: target(s, m.newdirfid, m.newname), name: m.newname };
  rename(s, ctx, from, to);
  return { name: 'Rrenameat' };
}

export function Trename<N, C>(s: Session<N, C>, ctx: C, m: MessageOf<'Trename'>): RMessage {
  const entry = s.fids.get(m.fid);
  const to = { dir: target(s, m.dfid, m.filename), name: m.filename };
  const old = currentName(s, ctx, entry);
  rename(s, ctx, { dir: old.dir, name: old.filename }, to);
  const dirPath = s.fids.get(m.dfid).qid.path;
  s.fids.set(m.fid, { ...entry, name: { dir: to.dir, dirPath, filename: m.filename } });
  return { name: 'Rrename' };
}

interface Place<N> {
  dir: N;
  name: string;
}

function rename<N, C>(s: Session<N, C>, ctx: C, from: Place<N>, to: Place<N>): void {
  need(s.fs.rename, 'rename');
  const victim = s.fs.forget && s.fs.walk(ctx, to.dir, to.name);
  s.fs.rename?.(ctx, from, to);
  if (victim !== undefined) nameGone(s, ctx, victim);
}
