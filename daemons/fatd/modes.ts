// What FAT and exFAT make of modes and owners: the mount options say them, but for read-only. As Linux's
// vfat, a change of mode is heard only in what maps to read-only; an owner that cannot be kept is EPERM.

import { S_IFDIR, S_IFREG } from '../../kernel/abi/constants.ts';
import { EPERM, fail } from '../../kernel/abi/errno.ts';
import {
  P9_SETATTR_GID,
  P9_SETATTR_MODE,
  P9_SETATTR_UID,
  type SetAttr,
} from '../../kernel/ninep/types.ts';
import { ATTR_READ_ONLY } from './ondisk.ts';
import type { MountOptions } from './options.ts';

/** `attributes`: of a file; undefined: a directory. */
export function modeOf({ fmask, dmask }: MountOptions, attributes: number | undefined): number {
  if (attributes === undefined) return S_IFDIR | (0o777 & ~dmask);
  const readOnly = (attributes & ATTR_READ_ONLY) !== 0;
  return S_IFREG | (0o777 & ~fmask & (readOnly ? ~0o222 : ~0));
}

/** Throws EPERM for an owner or a mode that cannot be kept. */
export function mustBeKept(options: MountOptions, { valid, uid, gid, mode }: SetAttr): void {
  const other =
    ((valid & P9_SETATTR_UID) !== 0 && uid !== options.uid) ||
    ((valid & P9_SETATTR_GID) !== 0 && gid !== options.gid) ||
    ((valid & P9_SETATTR_MODE) !== 0 && (mode & 0o7000) !== 0);
  if (other && !options.quiet) fail(EPERM);
}

/** A file's attributes after chmod: all of the write permissions or none. Any other change is passed over. */
export function withMode({ fmask }: MountOptions, attributes: number, mode: number): number {
  const write = mode & 0o222 & ~fmask;
  const all = 0o222 & ~fmask;
  const reads = 0o555 & ~fmask;
  if ((mode & reads) !== reads || (write !== 0 && write !== all)) return attributes;
  return write === 0 ? attributes | ATTR_READ_ONLY : attributes & ~ATTR_READ_ONLY;
}
