// What the handlers of a 9P session share: the file server behind it, the fids, the locks, and the
// rules that many messages have in common.

import { NAME_MAX } from '../abi/constants.ts';
import {
  EINVAL,
  EISDIR,
  ENAMETOOLONG,
  ENOTDIR,
  EOPNOTSUPP,
  EROFS,
  PosixError,
} from '../abi/errno.ts';
import { textSize } from '../abi/text.ts';
import type { Task } from '../ipc/task.ts';
import type { Fid, FidTable } from './fids.ts';
import type { FileServer, Now } from './file-server.ts';
import type { LockTable } from './locks.ts';
import { type Qid, QTDIR } from './types.ts';

export interface Session<N, C> {
  readonly fs: FileServer<N, C>;
  readonly fids: FidTable<N>;
  readonly locks: LockTable;
  msize: number; // bytes of the largest message
}

/** EROFS when the server does not take changes. */
export function checkWritable<N, C>(session: Session<N, C>): void {
  if (session.fs.readOnly) throw new PosixError(EROFS);
}

/** An operation that the server may have left out. */
export function need<F>(operation: F | undefined, what: string): F {
  if (operation === undefined) throw new PosixError(EOPNOTSUPP, `no ${what} here`);
  return operation;
}

/** The directory behind a fid that must be one. */
export function directory<N, C>(session: Session<N, C>, fid: number): Fid<N> {
  const entry = session.fids.get(fid);
  if (!isDirectory(entry.qid)) throw new PosixError(ENOTDIR, `fid ${fid} is no directory`);
  return entry;
}

export const isDirectory = (qid: Qid): boolean => (qid.type & QTDIR) !== 0;

/** A name to make or remove: one path element that is not '.' or '..'. */
export function checkName(name: string): void {
  checkElement(name);
  if (name === '.' || name === '..') throw new PosixError(EINVAL, `name '${name}'`);
}

/** One path element. */
export function checkElement(name: string): void {
  if (name === '') throw new PosixError(EINVAL, 'empty name');
  if (name.includes('/')) throw new PosixError(EINVAL, `'/' in the name '${name}'`);
  if (name.includes('\0')) throw new PosixError(EINVAL, 'NUL in a name');
  if (name.length > NAME_MAX || (name.length * 3 > NAME_MAX && textSize(name) > NAME_MAX)) {
    throw new PosixError(ENAMETOOLONG, `name of ${textSize(name)} bytes`);
  }
}

export function notDirectory(qid: Qid, what: string): void {
  if (isDirectory(qid)) throw new PosixError(EISDIR, what);
}

/** Waits for what a server inside the kernel may have returned as a task. */
export function* settle<T>(result: Now<T>): Task<T> {
  return isTask(result) ? yield* result : result;
}

function isTask<T>(result: Now<T>): result is Task<T> {
  return (
    typeof result === 'object' &&
    result !== null &&
    Symbol.iterator in result &&
    'next' in result &&
    typeof result.next === 'function'
  );
}

/**
 * A reference to a file goes: tells the server that the fid is given up, and that it was the last
 * one, before the table forgets it.
 */
export function release<N, C>(session: Session<N, C>, ctx: C, entry: Fid<N>): void {
  const { fs, fids } = session;
  fs.clunk?.(ctx, entry.handle, entry.open);
  if (fids.uses(entry.qid.path) === 1) fs.forget?.(ctx, entry.node);
}

/** A name of this file was removed: nobody will clunk it when no fid refers to it. */
export function nameGone<N, C>(session: Session<N, C>, ctx: C, node: N): void {
  if (session.fs.forget === undefined) return;
  const { path } = session.fs.qid(ctx, node);
  if (session.fids.uses(path) === 0) session.fs.forget(ctx, node);
}
