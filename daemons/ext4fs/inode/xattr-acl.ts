// POSIX ACLs: ext4 keeps them in a shorter form than getxattr(2) shows. They can be read; setting
// them is refused, since nothing above checks them yet. Linux fs/ext4/acl.h, posix_acl_xattr.h.

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';

const DISK_VERSION = 1;
const XATTR_VERSION = 2;
const ACL_USER = 0x2;
const ACL_GROUP = 0x8;
const UNDEFINED_ID = 0xffff_ffff;

export const isAcl = (index: number): boolean => index === 2 || index === 3;

/** From the disk's form (ids only where they mean something) to that of getxattr(2). */
export function aclToXattr(disk: Uint8Array): Uint8Array {
  const from = new DataView(disk.buffer, disk.byteOffset, disk.byteLength);
  if (disk.length < 4 || from.getUint32(0, true) !== DISK_VERSION) fail(EUCLEAN, 'bad ACL');
  const out = new Uint8Array(4 + (disk.length - 4) * 2);
  const to = new DataView(out.buffer);
  to.setUint32(0, XATTR_VERSION, true);
  let end = 4;
  for (let at = 4; at + 4 <= disk.length; end += 8) {
    const tag = from.getUint16(at, true);
    const named = tag === ACL_USER || tag === ACL_GROUP;
    if (named && at + 8 > disk.length) fail(EUCLEAN, 'bad ACL');
    to.setUint16(end, tag, true);
    to.setUint16(end + 2, from.getUint16(at + 2, true), true);
    to.setUint32(end + 4, named ? from.getUint32(at + 4, true) : UNDEFINED_ID, true);
    at += named ? 8 : 4;
  }
  return out.subarray(0, end);
}
