// What a packed file takes over from the one it was made of, and the other way round.

import { PosixError } from '../../../kernel/abi/errno.ts';
import type { Stat } from '../../../kernel/abi/stat.ts';
import type { Sys } from '../sys.ts';

/** Owner (as far as the caller may), mode and times. */
export function copyAttributes(sys: Sys, target: string, stat: Stat): void {
  try {
    sys.chown(target, stat.uid, stat.gid);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error; // not everybody may give files away
  }
  sys.chmod(target, stat.mode & 0o7777);
  sys.utimens(target, { atime: stat.atime, mtime: stat.mtime, followSymlinks: true });
}
