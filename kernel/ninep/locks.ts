// Advisory byte-range locks (fcntl(2) F_SETLK, F_GETLK) of the files of one session, for Tlock and
// Tgetlock. An owner is a process of a client: its locks never conflict with each other; a new one
// replaces, splits or joins them.

import { EINVAL, ENOMEM, PosixError } from '../abi/errno.ts';
import { P9_LOCK_TYPE_UNLCK, P9_LOCK_TYPE_WRLCK } from './types.ts';

const LOCKS_MAX = 4096; // a file

export interface RangeLock {
  readonly type: number; // P9_LOCK_TYPE_*
  readonly start: number; // bytes
  readonly end: number; // bytes, exclusive; Infinity = to the end of the file, however far
  readonly procId: number;
  readonly clientId: string;
  readonly fid: number; // a clunk of it gives the lock up
}

export interface LockRequest {
  readonly fid: number;
  readonly type: number;
  readonly start: number;
  readonly length: number; // 0 = to the end
  readonly procId: number;
  readonly clientId: string;
}

export class LockTable {
  readonly #byPath = new Map<number, RangeLock[]>();

  /** The first lock that stands in the way of `request` on the file `path`. */
  conflict(path: number, request: LockRequest): RangeLock | undefined {
    const wanted = toLock(request);
    return this.#byPath.get(path)?.find((held) => conflicts(held, wanted));
  }

  /** Sets or removes; `false` when another owner's lock stands in the way. */
  apply(path: number, request: LockRequest): boolean {
    const wanted = toLock(request);
    const held = this.#byPath.get(path) ?? [];
    if (held.some((lock) => conflicts(lock, wanted))) return false;
    const left = held.flatMap((lock) => (sameOwner(lock, wanted) ? without(lock, wanted) : [lock]));
    if (wanted.type !== P9_LOCK_TYPE_UNLCK) left.push(wanted);
    if (left.length > LOCKS_MAX) throw new PosixError(ENOMEM, `file ${path} has too many locks`);
    this.#replace(path, left);
    return true;
  }

  /** A fid is gone, and the locks taken through it. */
  dropFid(path: number, fid: number): void {
    const held = this.#byPath.get(path);
    if (held === undefined) return;
    this.#replace(
      path,
      held.filter((lock) => lock.fid !== fid),
    );
  }

  clear(): void {
    this.#byPath.clear();
  }

  #replace(path: number, locks: RangeLock[]): void {
    if (locks.length === 0) this.#byPath.delete(path);
    else this.#byPath.set(path, locks);
  }
}

function toLock(request: LockRequest): RangeLock {
  const { fid, type, start, length, procId, clientId } = request;
  if (type > P9_LOCK_TYPE_UNLCK) throw new PosixError(EINVAL, `lock of type ${type}`);
  const end = length === 0 ? Number.POSITIVE_INFINITY : start + length;
  return { fid, type, start, end, procId, clientId };
}

const sameOwner = (a: RangeLock, b: RangeLock): boolean =>
  a.procId === b.procId && a.clientId === b.clientId;

const overlap = (a: RangeLock, b: RangeLock): boolean => a.start < b.end && b.start < a.end;

const conflicts = (held: RangeLock, wanted: RangeLock): boolean =>
  wanted.type !== P9_LOCK_TYPE_UNLCK &&
  (held.type === P9_LOCK_TYPE_WRLCK || wanted.type === P9_LOCK_TYPE_WRLCK) &&
  overlap(held, wanted) &&
  !sameOwner(held, wanted);

/** What is left of a lock beside the range of another: none, one or two pieces. */
function without(lock: RangeLock, range: RangeLock): RangeLock[] {
  if (!overlap(lock, range)) return [lock];
  const pieces: RangeLock[] = [];
  if (lock.start < range.start) pieces.push({ ...lock, end: range.start });
  if (range.end < lock.end) pieces.push({ ...lock, start: range.end });
  return pieces;
}
