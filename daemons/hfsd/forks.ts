// The forks of a file by path, as Mac OS X has them: FILE/..namedfork/data is the file itself and
// FILE/..namedfork/rsrc its resource fork, moved through the block cache, where it is an attribute, too.
// Numbers beyond those of files stand for the directory and for the fork.

import { DT_DIR, DT_REG, NAMED_FORK, S_IFDIR } from '../../kernel/abi/constants.ts';
import { EFBIG, EPERM, fail } from '../../kernel/abi/errno.ts';
import type { DirSink } from '../../kernel/ninep/file-server.ts';
import {
  type Attr,
  P9_SETATTR_GID,
  P9_SETATTR_MODE,
  P9_SETATTR_SIZE,
  P9_SETATTR_UID,
  type Qid,
  QTDIR,
  QTFILE,
  type SetAttr,
} from '../../kernel/ninep/types.ts';
import { qidOf } from './attr.ts';
import type { Item } from './catalog/item.ts';
import { isRegular, maxFileSize, resourceFork } from './data.ts';
import { readBytes, writeInto } from './fork/bytes.ts';
import { cutFork } from './fork/fork.ts';
import type { Op } from './op.ts';

const DIRECTORY = 2 ** 33;
const RESOURCES = 2 ** 34;

export type Part = 'file' | 'forks' | 'resources';

export const partOf = (ino: number): Part =>
  ino >= RESOURCES ? 'resources' : ino >= DIRECTORY ? 'forks' : 'file';

/** The number of the file that has it. */
export const cnidOf = (ino: number): number => ino % DIRECTORY;

/** Extents that one request frees. */
const STEPS = 32;
/** Zeroes that a new size may ask for. */
const GROWTH_MAX = 1 << 20;
/** Bytes that one request puts through the log, about. */
const REQUEST_MAX = 128 * 1024;

export function walkFork(op: Op, ino: number, { item, name }: { item: Item; name: string }) {
  if (partOf(ino) === 'file')
    return name === NAMED_FORK && isRegular(op, item) ? DIRECTORY + item.cnid : undefined;
  if (name === 'data' || name === '..') return item.cnid;
  return name === 'rsrc' ? RESOURCES + item.cnid : undefined;
}

export function forkQid(op: Op, ino: number, item: Item): Qid {
  const { version } = qidOf(op, item);
  return { type: partOf(ino) === 'forks' ? QTDIR : QTFILE, version, path: ino };
}

/** The file's own, but for what is the fork's. */
export function forkAttr(op: Op, ino: number, { item, attr }: { item: Item; attr: Attr }): Attr {
  const qid = forkQid(op, ino, item);
  if (partOf(ino) === 'forks') {
    const mode = S_IFDIR | 0o555;
    return { ...attr, qid, mode, nlink: 2, size: 0, blocks: 0 };
  }
  const { size, blocks } = item.resources;
  return { ...attr, qid, size, blocks: (blocks * op.vol.allocSize) / 512 };
}

export function listForks(op: Op, item: Item, offset: number, sink: DirSink): void {
  const [directory, resources] = [DIRECTORY + item.cnid, RESOURCES + item.cnid];
  const entries = [
    { name: '.', type: DT_DIR, qid: forkQid(op, directory, item) },
    { name: '..', type: DT_DIR, qid: qidOf(op, item) },
    { name: 'data', type: DT_REG, qid: qidOf(op, item) },
    { name: 'rsrc', type: DT_REG, qid: forkQid(op, resources, item) },
  ];
  for (const [i, entry] of entries.entries())
    if (i >= offset && !sink.add({ ...entry, offset: i + 1 })) return;
}

export function readResources(op: Op, item: Item, offset: number, into: Uint8Array): number {
  const length = Math.min(into.length, Math.max(0, item.resources.size - offset));
  into.set(readBytes(op, resourceFork(op, item), { offset, length }));
  into.fill(0, length); // it may be a page
  return length;
}

/** `before`: bytes that the request wrote before. Less than all are written when it becomes too large. */
export function writeResources(
  op: Op,
  item: Item,
  { offset, from, before }: { offset: number; from: Uint8Array; before: number },
): number {
  const full = before + from.length >= REQUEST_MAX;
  const bytes = full ? from.subarray(0, Math.max(1, REQUEST_MAX / 2)) : from;
  if (offset + bytes.length > maxFileSize(op)) fail(EFBIG);
  if (offset > item.resources.size + GROWTH_MAX) fail(EFBIG);
  touch(op, item);
  writeInto(op, resourceFork(op, item), offset, bytes);
  return bytes.length;
}

/** A size; owner, mode and times are the file's. */
export function setForkAttr(op: Op, item: Item, attr: SetAttr): SetAttr {
  if ((attr.valid & (P9_SETATTR_MODE | P9_SETATTR_UID | P9_SETATTR_GID)) !== 0) fail(EPERM);
  if ((attr.valid & P9_SETATTR_SIZE) !== 0) resizeResources(op, item, attr.size);
  return { ...attr, valid: attr.valid & ~P9_SETATTR_SIZE };
}

function resizeResources(op: Op, item: Item, size: number): void {
  const { resources } = item;
  if (size > resources.size + GROWTH_MAX || size > maxFileSize(op)) fail(EFBIG);
  touch(op, item);
  if (size > resources.size) writeInto(op, resourceFork(op, item), size, new Uint8Array(0));
  resources.size = size;
  if (!cutResources(op, item)) op.tx.onCommit(() => op.env.unfinished(item.cnid));
  op.catalog.save(item);
}

function touch(op: Op, item: Item): void {
  item.modified = op.now;
  item.changed = op.now;
}

/** Frees what lies beyond the size, as far as one request goes. */
export function cutResources(op: Op, item: Item): boolean {
  const keep = Math.ceil(item.resources.size / op.vol.allocSize);
  if (item.resources.blocks <= keep) return true;
  return cutFork(op, resourceFork(op, item), { keep, steps: STEPS });
}
