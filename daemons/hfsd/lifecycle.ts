// The end of a file: cut to its size, or deleted when neither a name nor a fid is left, in bounded steps.
// A crash between them leaves blocks beyond a file's size, which is allowed, or a file without a name,
// which the next mount deletes.

import type { Item } from './catalog/item.ts';
import { isNameless } from './catalog/private.ts';
import { cutToSize, dataFork, resourceFork, unfinished } from './data.ts';
import { cutFork } from './fork/fork.ts';
import { cutResources } from './forks.ts';
import { removeRecord } from './namei.ts';
import type { Op } from './op.ts';
import { dropAttributes } from './xattr.ts';

/** Extents that one request frees, and attributes. */
const STEPS = 32;
const ATTRIBUTES = 16;

/** Deletes a file or folder without a name; what one step does not manage is left to `truncateStep`. */
export function evict(op: Op, item: Item): void {
  if (isNameless(op, item) && !deleteStep(op, item)) unfinished(op, item);
}

function deleteStep(op: Op, item: Item): boolean {
  if (item.kind === 'file') {
    item.data.size = 0;
    if (!cutFork(op, dataFork(op, item), { keep: 0, steps: STEPS })) return false;
    item.resources.size = 0;
    if (!cutFork(op, resourceFork(op, item), { keep: 0, steps: STEPS })) return false;
  }
  if (!dropAttributes(op, item, ATTRIBUTES)) return false;
  removeRecord(op, item);
  return true;
}

/** One more step; true when another one is needed. */
export function truncateStep(op: Op, item: Item, { inUse }: { readonly inUse: boolean }): boolean {
  if (isNameless(op, item)) return inUse ? false : !deleteStep(op, item);
  return item.kind === 'file' && !(cutToSize(op, item) && cutResources(op, item));
}
