// Inodes: one object for each file that the kernel knows, found by superblock and qid.path. It holds
// a fid on the file's server, the attributes, and, on a volume, the cached pages.

import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../abi/constants.ts';
import { assert, EIO, type Errno, fail } from '../abi/errno.ts';
import { PAGE_SIZE } from '../abi/memlayout.ts';
import type { Stat } from '../abi/stat.ts';
import type { Executor } from '../ipc/executor.ts';
import { Lock, type Task, type WaitQueue } from '../ipc/task.ts';
import type { InodeEntry, InodeTable } from '../mm/inode-table.ts';
import type { Page, PageCache } from '../mm/page-cache.ts';
import { READ_AHEAD_PAGES } from '../mm/read-ahead.ts';
import type { NinepClient, Request } from '../ninep/client.ts';
import {
  type Attr,
  NOFID,
  P9_GETATTR_ALL,
  type Qid,
  type RMessage,
  type TMessage,
} from '../ninep/types.ts';

export interface SuperblockOptions {
  readonly dev: number;
  readonly type: string;
  readonly source: string;
  readonly client: NinepClient;
  /** A volume: pages and attributes are cached here, and written back. */
  readonly cached: boolean;
  /** Names come and go by themselves (/proc): each lookup asks the server. */
  readonly volatile: boolean;
  readonly readOnly: boolean;
}

/** One mounted server. */
export class Superblock {
  readonly dev: number;
  type: string; // of a volume mounted as 'auto': what it turned out to be
  readonly source: string;
  readonly client: NinepClient;
  readonly cached: boolean;
  readonly volatile: boolean;
  readOnly: boolean;
  /** By qid.path. */
  readonly inodes = new Map<number, Inode>();
  /** Those with dirty pages or times. */
  readonly dirtyInodes = new Set<Inode>();
  /** Pages that are dirty, or on their way to the server. */
  unwritten = 0;
  /** A write-back of all of it is under way. */
  writingBack = false;
  /** Bytes that write(2) may still promise before it must ask the server; see mm/write.ts. */
  spaceLeft = 0;
  /** Write-back failed, and no sync(2) has told so yet. */
  writeError: Errno | undefined;
  /** The server died or was unmounted: nothing more is sent. */
  gone = false;
  /** The most that is read ahead of a sequential reader. */
  readAheadPages = READ_AHEAD_PAGES;
  /** Gives back what the server holds; run once it is mounted nowhere. */
  dispose: () => void = () => undefined;
  #root: Inode | undefined;

  constructor(options: SuperblockOptions) {
    this.dev = options.dev;
    this.type = options.type;
    this.source = options.source;
    this.client = options.client;
    this.cached = options.cached;
    this.volatile = options.volatile;
    this.readOnly = options.readOnly;
  }

  get root(): Inode {
    assert(this.#root, 'superblock without a root');
    return this.#root;
  }

  set root(inode: Inode) {
    this.#root = inode;
  }
}

export class Inode {
  readonly superblock: Superblock;
  readonly qid: Qid;
  readonly fid: number;
  attr: Attr;
  /** Dentries, open files and calls under way that use it. At 0 it may be evicted. */
  refs = 0;
  /** It is no longer known, and its fid is given up. */
  evicted = false;
  /** Open file descriptions. */
  opens = 0;
  /** Whether `fid` was opened for data: not yet, for reading, for both. Cached files only. */
  opened: 'no' | 'read' | 'write' = 'no';
  /** Held by whoever changes the file's content and size, or a directory's names. */
  readonly lock: Lock;
  /** Of a directory: names that somebody works on, beside others (dir-lock.ts). */
  readonly busyNames = new Map<string, WaitQueue>();
  /** Held while dirty pages are on their way to the server. */
  readonly flushLock: Lock;
  /** Cached pages by index in the file. */
  readonly pages = new Map<number, Page>();
  readonly dirty = new Set<Page>();
  dirtySinceMs = 0;
  /** mtime was set here and the server does not know it yet. */
  timesDirty = false;
  /** A write-back failed: told once to the next fsync or close. */
  writeError: Errno | undefined;
  /** What the page index calls this file, once a page of it was shown; 0 = nothing. */
  cacheId = 0;
  /** How often its attributes were told or spoilt: whether an answer under way is still the newest. */
  changes = 0;
  /** Where processes read its size and attributes, while it is open. */
  entry: InodeEntry | undefined;
  #stale = false;

  constructor(superblock: Superblock, fid: number, attr: Attr) {
    this.superblock = superblock;
    this.qid = attr.qid;
    this.fid = fid;
    this.attr = attr;
    this.lock = new Lock(`inode ${superblock.dev}:${attr.qid.path}`);
    this.flushLock = new Lock(`flush ${superblock.dev}:${attr.qid.path}`);
  }

  /** Something happened on the server that changed the attributes: ask again before telling them. */
  get stale(): boolean {
    return this.#stale;
  }

  set stale(stale: boolean) {
    this.#stale = stale;
    this.changes++;
    if (stale) this.entry?.spoil();
  }

  /** Size or attributes changed here: tells those who read them without asking. */
  publish(): void {
    this.entry?.publish(statOf(this), this.#stale);
  }

  get kind(): number {
    return this.attr.mode & S_IFMT;
  }

  get isDirectory(): boolean {
    return this.kind === S_IFDIR;
  }

  get isSymlink(): boolean {
    return this.kind === S_IFLNK;
  }

  /** A regular file whose pages the kernel caches. */
  get isCachedFile(): boolean {
    return this.superblock.cached && this.kind === S_IFREG;
  }

  get size(): number {
    return this.attr.size;
  }

  /**
   * Takes over what the server tells. Size and mtime of a cached file are the kernel's to know: an
   * answer may have been on its way while pages were written and flushed.
   */
  merge(attr: Attr): void {
    const { size, mtime } = this.attr;
    this.attr = this.isCachedFile ? { ...attr, size, mtime } : attr;
    this.stale = false;
    this.publish();
  }
}

/** What stat(2) tells of an inode, as far as it is known here. */
export function statOf(inode: Inode): Stat {
  const { attr, superblock } = inode;
  return {
    dev: superblock.dev,
    ino: attr.qid.path,
    mode: attr.mode,
    nlink: attr.nlink,
    uid: attr.uid,
    gid: attr.gid,
    rdev: attr.rdev,
    size: attr.size,
    blksize: attr.blksize,
    blocks: blocksOf(inode),
    atime: attr.atime,
    mtime: attr.mtime,
    ctime: attr.ctime,
  };
}

/** Blocks on the disk, and those that the dirty pages will take at most. */
function blocksOf({ attr, dirty, size }: Inode): number {
  const sectors = PAGE_SIZE / 512;
  const whole = Math.ceil(size / PAGE_SIZE) * sectors;
  return Math.max(attr.blocks, Math.min(whole, attr.blocks + dirty.size * sectors));
}

/** A cached file is opened: processes may read it by themselves as long as it is. */
export function shareInode(host: { inodes: InodeTable; pages: PageCache }, inode: Inode): void {
  if (!inode.isCachedFile) return;
  inode.entry = host.inodes.take(host.pages.idOf(inode));
  inode.publish();
}

/** The last description of it is closed. */
export function unshareInode({ inodes }: { inodes: InodeTable }, inode: Inode): void {
  if (inode.entry) inodes.give(inode.entry);
  inode.entry = undefined;
}

/** What inodes need of the kernel to come and go. */
export interface InodeHost {
  readonly executor: Executor;
  readonly pages: PageCache;
}

/** Finds or makes the inode for a fid just walked to; a second fid of a known file is clunked. */
export function iget(
  host: InodeHost,
  superblock: Superblock,
  found: { fid: number; attr: Attr },
): Inode {
  const known = superblock.inodes.get(found.attr.qid.path);
  if (known && !superblock.volatile) {
    known.merge(found.attr);
    clunkLater(host.executor, superblock, found.fid);
    return known;
  }
  const inode = new Inode(superblock, found.fid, found.attr);
  superblock.inodes.set(found.attr.qid.path, inode);
  return inode;
}

/**
 * Drops a reference. The last one forgets the inode with its pages; one with dirty pages stays until
 * they are written (mm/flush.ts comes back here), one without a name left loses them.
 */
export function iput(host: InodeHost, inode: Inode): void {
  inode.refs--;
  evictUnused(host, inode);
}

export function evictUnused(host: InodeHost, inode: Inode): void {
  const { superblock } = inode;
  const wanted = inode.dirty.size > 0 && inode.attr.nlink > 0 && !superblock.gone;
  if (inode.refs > 0 || wanted || inode.flushLock.held || inode.evicted) return;
  inode.evicted = true;
  host.pages.truncate(inode, 0);
  host.pages.forget(inode);
  superblock.dirtyInodes.delete(inode);
  if (superblock.inodes.get(inode.qid.path) === inode) superblock.inodes.delete(inode.qid.path);
  clunkLater(host.executor, superblock, inode.fid);
}

/** The server is gone: no page of it will ever be written or read again. */
export function abandon(host: InodeHost, superblock: Superblock): void {
  superblock.gone = true;
  for (const inode of [...superblock.inodes.values()]) {
    if (inode.dirty.size > 0) {
      inode.writeError = EIO;
      superblock.writeError = EIO;
    }
    host.pages.truncate(inode, 0);
    inode.timesDirty = false;
    superblock.dirtyInodes.delete(inode);
    evictUnused(host, inode);
  }
}

/** Clunks a fid without waiting for the answer. */
export function clunkLater(executor: Executor, superblock: Superblock, fid: number): void {
  executor.start(clunk(superblock, fid), 'clunk');
}

export function* clunk(superblock: Superblock, fid: number): Task<void> {
  if (!superblock.gone) yield* superblock.client.all([{ message: { name: 'Tclunk', fid } }]);
  superblock.client.freeFid(fid);
}

/** Asks the server for the attributes if they may have changed. */
export function* refresh(inode: Inode): Task<void> {
  const { cached, gone } = inode.superblock;
  if (cached && (gone || !inode.stale)) return; // of a dead server what is known, to unmount it by
  const { client } = inode.superblock;
  const { attr } = yield* client.rpc(getattr(inode.fid));
  inode.merge(attr);
}

export const getattr = (fid: number) =>
  ({ name: 'Tgetattr', fid, requestMask: P9_GETATTR_ALL }) as const;

/** Walks from a directory to a name: the new fid and its attributes, in one hop. */
export function* walkTo(
  superblock: Superblock,
  from: { fid: number; name: string },
): Task<{ fid: number; attr: Attr }> {
  const { client } = superblock;
  const fid = client.takeFid();
  const walk: TMessage = { name: 'Twalk', fid: from.fid, newfid: fid, wname: [from.name] };
  const [walked, told] = yield* client.all([{ message: walk }, { message: getattr(fid) }]);
  try {
    client.expect('Twalk', walked);
  } catch (error) {
    client.freeFid(fid);
    throw error;
  }
  try {
    return { fid, attr: client.expect('Tgetattr', told).attr };
  } catch (error) {
    yield* clunk(superblock, fid);
    throw error;
  }
}

/** Sends requests that belong together; throws the first error among the replies. */
export function* together(inode: Inode, requests: readonly Request[]): Task<RMessage[]> {
  const { client, gone } = inode.superblock;
  if (gone) fail(EIO);
  const replies = yield* client.all(requests);
  requests.forEach((request, i) => {
    client.expect(request.message.name, replies[i]);
  });
  return replies;
}

/** Attaches to a server and returns its root's fid and attributes. */
export function* attach(
  client: NinepClient,
  request: { aname: string },
): Task<{ fid: number; attr: Attr }> {
  const fid = client.takeFid();
  yield* client.rpc({ name: 'Tversion', msize: 8160, version: '9P2000.L' });
  yield* client.rpc({
    name: 'Tattach',
    fid,
    afid: NOFID,
    uname: 'root',
    aname: request.aname,
    nUname: 0,
  });
  const { attr } = yield* client.rpc(getattr(fid));
  return { fid, attr };
}
