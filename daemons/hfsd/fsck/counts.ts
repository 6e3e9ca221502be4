// What the header counts: files and folders, on HFS those of the root besides.

import { ROOT_ID } from '../ondisk.ts';
import { MasterDirectoryBlock } from '../ondisk-hfs.ts';
import type { Entries } from './entries.ts';
import type { Opened } from './open.ts';
import type { Report } from './report.ts';
import { viewOf } from './tree.ts';

export interface Counts {
  readonly files: number;
  readonly folders: number; // the root is not counted
  readonly rootFiles: number;
  readonly rootFolders: number;
}

export function countsOf({ list }: Entries): Counts {
  const counts = { files: 0, folders: 0, rootFiles: 0, rootFolders: 0 };
  for (const { item } of list) {
    if (item.cnid === ROOT_ID) continue;
    counts[item.kind === 'file' ? 'files' : 'folders']++;
    if (item.key.parent === ROOT_ID) counts[item.kind === 'file' ? 'rootFiles' : 'rootFolders']++;
  }
  return counts;
}

export function checkCounts(
  { volume, head, header }: Opened,
  entries: Entries,
  report: Report,
): void {
  const due = countsOf(entries);
  const compare = (what: string, here: number, there: number): void => {
    if (here !== there) report.bad(`header: ${here} ${what}, there are ${there}`);
  };
  compare('files', head.files, due.files);
  compare('folders', head.folders, due.folders);
  if (volume.kind === 'hfs+') return;
  const mdb = new MasterDirectoryBlock(viewOf(header), 0);
  // 16 bits each: larger numbers are kept as they fit.
  compare('files in the root', mdb.drNmFls, due.rootFiles & 0xffff);
  compare('folders in the root', mdb.drNmRtDirs, due.rootFolders & 0xffff);
}
