// Handlers of the messages that make and give up fids: Tattach, Twalk, Tclunk, Tremove.
// 9P2000 manual walk(5), clunk(5), remove(5).

import { NAMED_FORK } from '../../abi/constants.ts';
import {
  EACCES,
  EBADF,
  EINVAL,
  ENAMETOOLONG,
  ENOENT,
  ENOTDIR,
  EOPNOTSUPP,
  type Errno,
  PosixError,
} from '../../abi/errno.ts';
import type { Fid, Name } from '../fids.ts';
import {
  checkElement,
  checkWritable,
  isDirectory,
  need,
  release,
  type Session,
} from '../session.ts';
import { AT_REMOVEDIR, type MessageOf, NOFID, type Qid } from '../types.ts';
import { applyXattr } from './attributes.ts';

export function Tattach<N, C>(s: Session<N, C>, ctx: C, m: MessageOf<'Tattach'>) {
  if (m.afid !== NOFID) throw new PosixError(EOPNOTSUPP, 'no authentication here');
  s.fids.checkFree(m.fid);
  const node = s.fs.attach(ctx, m);
  const qid = s.fs.qid(ctx, node);
  s.fids.set(m.fid, { node, handle: node, qid, open: false, flags: 0 });
  return { name: 'Rattach', qid } as const;
}

export function Twalk<N, C>(s: Session<N, C>, ctx: C, m: MessageOf<'Twalk'>) {
  const from = s.fids.get(m.fid);
  if (from.xattr !== undefined) throw new PosixError(EBADF, `fid ${m.fid} is an attribute`);
  if (m.newfid === m.fid) {
    if (from.open) throw new PosixError(EBADF, `fid ${m.fid} is open, it cannot move`);
  } else s.fids.checkFree(m.newfid);
  const { wqid, at } = walkNames(s, ctx, from, m.wname);
  if (wqid.length < m.wname.length) return { name: 'Rwalk', wqid } as const;
  if (m.newfid === m.fid && m.wname.length > 0) leave(s, ctx, from, at);
  s.fids.set(m.newfid, at);
  return { name: 'Rwalk', wqid } as const;
}

/** A fid moves from one file to another: the first loses a reference, unless they are the same. */
export function leave<N, C>(s: Session<N, C>, ctx: C, from: Fid<N>, to: Fid<N>): void {
  if (from.qid.path !== to.qid.path) release(s, ctx, from);
  else s.fs.clunk?.(ctx, from.handle, from.open);
}

interface Walked<N> {
  readonly wqid: Qid[];
  readonly at: Fid<N>;
}

/** Walks as far as it can. A first element that fails is an error, a later one ends the walk. */
function walkNames<N, C>(
  s: Session<N, C>,
  ctx: C,
  from: Fid<N>,
  names: readonly string[],
): Walked<N> {
  const wqid: Qid[] = [];
  let at: Fid<N> = { ...fresh(from.node, from.qid), ...(from.name && { name: from.name }) };
  for (const name of names) {
    const next = step(s, ctx, at, name);
    if (typeof next === 'number') {
      if (wqid.length === 0) throw new PosixError(next, `walk to '${name}'`);
      break;
    }
    wqid.push(next.qid);
    at = next;
  }
  return { wqid, at };
}

/** The misses of a walk. */
const misses: ReadonlySet<Errno> = new Set<Errno>([ENOENT, ENOTDIR, ENAMETOOLONG, EACCES, EINVAL]);

/**
 * DEVIATES: a fault of the server (EIO, EUCLEAN) behind the first element is an Rlerror, too, since
 * clients take a short Rwalk for ENOENT.
 */
function step<N, C>(s: Session<N, C>, ctx: C, at: Fid<N>, filename: string): Fid<N> | Errno {
  const toForks = filename === NAMED_FORK && s.fs.hasForks === true;
  if (!isDirectory(at.qid) && !toForks) return ENOTDIR;
  try {
    checkElement(filename);
    if (filename === '.') return at;
    const node = s.fs.walk(ctx, at.node, filename);
    if (node === undefined) return ENOENT;
    const entry = fresh(node, s.fs.qid(ctx, node));
    if (filename === '..') return entry;
    return { ...entry, name: { dir: at.node, dirPath: at.qid.path, filename } };
  } catch (error) {
    if (error instanceof PosixError && misses.has(error.errno)) return error.errno;
    throw error;
  }
}

export const fresh = <N>(node: N, qid: Qid): Fid<N> => ({
  node,
  handle: node,
  qid,
  open: false,
  flags: 0,
});

/** The fid is gone whatever comes of it: only an abandoned request (no PosixError) keeps it. */
export function Tclunk<N, C>(s: Session<N, C>, ctx: C, m: MessageOf<'Tclunk'>) {
  const entry = s.fids.get(m.fid);
  const { xattr } = entry;
  giveUp({ s, ctx, fid: m.fid }, () => {
    if (xattr?.mode === 'write') applyXattr(s, ctx, entry.node, xattr);
  });
  return { name: 'Rclunk' } as const;
}

/** Removes the file and gives the fid up, even when it could not be removed. */
export function Tremove<N, C>(s: Session<N, C>, ctx: C, m: MessageOf<'Tremove'>) {
  const entry = s.fids.get(m.fid);
  giveUp({ s, ctx, fid: m.fid }, () => removeByName(s, ctx, entry));
  return { name: 'Rremove' } as const;
}

function removeByName<N, C>(s: Session<N, C>, ctx: C, entry: Fid<N>): void {
  checkWritable(s);
  need(s.fs.unlink, 'unlink');
  const { dir, filename } = currentName(s, ctx, entry);
  s.fs.unlink?.(ctx, dir, filename, isDirectory(entry.qid) ? AT_REMOVEDIR : 0);
}

/** The name that a fid was walked by, if it still leads to its file. */
export function currentName<N, C>(s: Session<N, C>, ctx: C, entry: Fid<N>): Name<N> {
  const { name } = entry;
  if (name === undefined) throw new PosixError(EINVAL, 'the fid was not walked to by a name');
  const dir = s.fs.qid(ctx, name.dir);
  const node =
    dir.path === name.dirPath && isDirectory(dir)
      ? s.fs.walk(ctx, name.dir, name.filename)
      : undefined;
  if (node === undefined || s.fs.qid(ctx, node).path !== entry.qid.path) {
    throw new PosixError(ENOENT, `'${name.filename}' is another file now`);
  }
  return name;
}

/** Does `last`, then gives the fid up, though either may fail with an errno. */
function giveUp<N, C>(
  { s, ctx, fid }: { s: Session<N, C>; ctx: C; fid: number },
  last: () => void,
): void {
  const entry = s.fids.get(fid);
  const failures = [attempt(last), attempt(() => release(s, ctx, entry))];
  s.locks.dropFid(entry.qid.path, fid);
  s.fids.delete(fid);
  for (const failure of failures) if (failure !== undefined) throw failure;
}

/** The errno that came of it, if any; what is no errno goes on. */
function attempt(action: () => void): PosixError | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof PosixError) return error;
    throw error;
  }
  return undefined;
}
