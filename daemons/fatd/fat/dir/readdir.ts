// Listing a directory: by position, for no entry ever moves. The cookie is the slot behind the entry.

import { DT_DIR, DT_REG } from '../../../../kernel/abi/constants.ts';
import type { DirSink } from '../../../../kernel/ninep/file-server.ts';
import { qidOf } from '../../attr.ts';
import { inoOf } from '../inode.ts';
import { ATTR_DIRECTORY, SLOT } from '../ondisk.ts';
import { type Op, ROOT_INO } from '../op.ts';
import { type DirCluster, eachBlock, parentCluster, rootOf, slotPlace } from './dir.ts';
import { type Entry, EntryReader, isDots } from './entries.ts';

const COOKIE_DOT = 1;
const COOKIE_DOTDOT = 2;
const COOKIE_FIRST = 3;

/** Adds the entries behind cookie `offset` until the sink is full. */
export function listDirectory(op: Op, dir: DirCluster, offset: number, sink: DirSink): void {
  if (!listDots(op, dir, offset, sink)) return;
  const from = Math.max(0, offset - COOKIE_FIRST);
  const reader = new EntryReader();
  eachBlock(op, { dir, slot: from }, (view, firstSlot) => {
    for (let at = 0; at < view.byteLength; at += SLOT) {
      const slot = firstSlot + at / SLOT;
      if (slot < from) continue;
      const entry = reader.next(view, at, slot);
      if (entry === 'end') return true;
      if (entry === undefined || isDots(view, at)) continue;
      if (!add(op, dir, entry, sink)) return true;
    }
    return false;
  });
}

function listDots(op: Op, dir: DirCluster, offset: number, sink: DirSink): boolean {
  const { vol } = op;
  const dot = (name: string, cluster: DirCluster, cookie: number): boolean => {
    const ino = cluster === rootOf(vol) ? ROOT_INO : cluster;
    return sink.add({ qid: qidOf(ino), offset: cookie, type: DT_DIR, name });
  };
  if (offset < COOKIE_DOT && !dot('.', dir, COOKIE_DOT)) return false;
  return offset >= COOKIE_DOTDOT || dot('..', parentCluster(op, dir), COOKIE_DOTDOT);
}

function add(op: Op, dir: DirCluster, entry: Entry, sink: DirSink): boolean {
  const qid = qidOf(inoOf(op, slotPlace(op, dir, entry.slot)));
  const type = (entry.attr & ATTR_DIRECTORY) !== 0 ? DT_DIR : DT_REG;
  return sink.add({ qid, offset: entry.slot + 1 + COOKIE_FIRST, type, name: entry.name });
}
