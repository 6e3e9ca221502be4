// Listing a directory: by position, for no set moves while it is read. The cookie is the slot behind the set.

import { DT_DIR, DT_REG } from '../../../../kernel/abi/constants.ts';
import type { DirSink } from '../../../../kernel/ninep/file-server.ts';
import { qidOf } from '../attr.ts';
import { ATTR_DIRECTORY, SLOT } from '../ondisk.ts';
import type { Op } from '../op.ts';
import { type Dir, eachBlock, inoOf, parentOf } from './places.ts';
import { type SetEntry, SetReader } from './set.ts';

const COOKIE_DOT = 1;
const COOKIE_DOTDOT = 2;
const COOKIE_FIRST = 3;

/** Adds the entries behind cookie `offset` until the sink is full. */
export function listDirectory(op: Op, dir: Dir, offset: number, sink: DirSink): void {
  const dot = (name: string, ino: number, cookie: number): boolean =>
    sink.add({ qid: qidOf(ino), offset: cookie, type: DT_DIR, name });
  if (offset < COOKIE_DOT && !dot('.', dir.ino, COOKIE_DOT)) return;
  if (offset < COOKIE_DOTDOT && !dot('..', parentOf(op, dir.ino), COOKIE_DOTDOT)) return;
  const from = Math.max(0, offset - COOKIE_FIRST);
  const reader = new SetReader();
  eachBlock(op, { dir, slot: from }, (view, first) => {
    for (let at = 0; at < view.byteLength; at += SLOT) {
      const slot = first.slot + at / SLOT;
      if (slot < from) continue;
      const set = reader.next(view, at, { slot, place: first.place + at / SLOT });
      if (set === 'end') return true;
      if (set !== undefined && !add(op, dir, set, sink)) return true;
    }
    return false;
  });
}

function add(op: Op, dir: Dir, set: SetEntry, sink: DirSink): boolean {
  const isDirectory = (set.attributes & ATTR_DIRECTORY) !== 0;
  const ino = inoOf(op, set.places[0] ?? 0);
  if (isDirectory) op.env.tree.learn(ino, dir.ino);
  const offset = set.slot + set.count + COOKIE_FIRST;
  return sink.add({ qid: qidOf(ino), offset, type: isDirectory ? DT_DIR : DT_REG, name: set.name });
}
