// Listing a folder in the order of its entries' numbers: whatever is there during the whole scan comes once,
// whatever is added, removed or renamed meanwhile. The list is made when a scan begins and kept for a
// while; a scan that comes back too late finds a new one, in the same order.

import { DT_DIR, dtype } from '../../kernel/abi/constants.ts';
import type { DirSink } from '../../kernel/ninep/file-server.ts';
import { type Qid, QTDIR } from '../../kernel/ninep/types.ts';
import { modeOf, qidOf } from './attr.ts';
import type { Item } from './catalog/item.ts';
import { isHidden, isNameless, resolve } from './catalog/private.ts';
import { ROOT_ID } from './ondisk.ts';
import type { Op } from './op.ts';

const COOKIE_DOT = 1;
const COOKIE_DOTDOT = 2;
const COOKIE_FIRST = 3;

interface Listed {
  readonly number: number; // of the entry itself: a hard link has one of its own
  readonly qid: Qid;
  readonly type: number; // DT_*
  readonly name: string;
}

/** Lists of folders that are being read. */
export class Listings {
  readonly #lists = new Map<number, readonly Listed[]>();
  #entries = 0;

  get(dir: number): readonly Listed[] | undefined {
    return this.#lists.get(dir);
  }

  set(dir: number, list: readonly Listed[]): void {
    this.#entries += list.length - (this.#lists.get(dir)?.length ?? 0);
    this.#lists.delete(dir);
    this.#lists.set(dir, list);
    for (const [old, { length }] of this.#lists) {
      if (old === dir || (this.#entries <= ENTRIES_MAX && this.#lists.size <= LISTS_MAX)) break;
      this.#lists.delete(old);
      this.#entries -= length;
    }
  }
}

const LISTS_MAX = 16;
const ENTRIES_MAX = 200_000;

/** Adds the entries behind cookie `offset` until the sink is full. */
export function listFolder(
  op: Op,
  dir: Item,
  { offset, sink, listings }: { offset: number; sink: DirSink; listings: Listings },
): void {
  if (!listDots(dir, { offset, sink }) || isNameless(op, dir)) return;
  const begins = offset < COOKIE_FIRST;
  const list = (begins ? undefined : listings.get(dir.cnid)) ?? collect(op, dir);
  listings.set(dir.cnid, list);
  for (let i = behind(list, offset - COOKIE_FIRST); i < list.length; i++) {
    const entry = list[i];
    if (entry === undefined) return;
    const { qid, type, name, number } = entry;
    if (!sink.add({ qid, type, name, offset: number + COOKIE_FIRST })) return;
  }
}

function listDots(dir: Item, { offset, sink }: { offset: number; sink: DirSink }): boolean {
  const dot = (name: string, path: number, cookie: number): boolean =>
    sink.add({ qid: { type: QTDIR, version: 0, path }, offset: cookie, type: DT_DIR, name });
  if (offset < COOKIE_DOT && !dot('.', dir.cnid, COOKIE_DOT)) return false;
  const parent = dir.cnid === ROOT_ID ? ROOT_ID : dir.key.parent;
  return offset >= COOKIE_DOTDOT || dot('..', parent, COOKIE_DOTDOT);
}

function collect(op: Op, dir: Item): Listed[] {
  const list: Listed[] = [];
  op.catalog.children(dir.cnid, (entry) => {
    if (isHidden(op, entry.key)) return true;
    const item = resolve(op, entry);
    const type = dtype(modeOf(op, item, { umask: 0 }));
    const name = op.vol.names.fromDisk(entry.key.name);
    list.push({ number: entry.cnid, qid: qidOf(op, item), type, name });
    return true;
  });
  return list.sort((a, b) => a.number - b.number);
}

/** The first entry with a number above this one. */
function behind(list: readonly Listed[], number: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle]?.number ?? 0) > number) high = middle;
    else low = middle + 1;
  }
  return low;
}
