// What a disk, a partition or an image holds: the kind of file system, its name and its identity, as
// blkid(8) tells them, each from the superblock tables of the file system's own daemon.

import type { Medium } from '../../../daemons/lib/medium.ts';
import { PosixError } from '../../../kernel/abi/errno.ts';
import { identifyExt } from './ext.ts';
import { identifyExFat, identifyFat } from './fat.ts';
import { identifyHfs } from './hfs.ts';
import { identifyTable } from './table.ts';
import type { Tags } from './tags.ts';

const kinds: readonly ((medium: Medium) => Tags | undefined)[] = [
  identifyExt,
  identifyHfs,
  identifyExFat,
  identifyFat,
  identifyTable,
];

/** Undefined when nothing is recognised; a volume that contradicts itself counts as none. */
export function identify(medium: Medium): Tags | undefined {
  for (const kind of kinds) {
    const tags = attempt(() => kind(medium));
    if (tags !== undefined) return tags;
  }
  return undefined;
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof PosixError) return undefined;
    throw error;
  }
}
