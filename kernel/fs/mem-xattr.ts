// Extended attributes of files in memory: the `user.` names of xattr(7).

import { S_IFDIR } from '../abi/constants.ts';
import {
  EEXIST,
  EINVAL,
  ENODATA,
  ENOSPC,
  EOPNOTSUPP,
  EPERM,
  ERANGE,
  fail,
  PosixError,
} from '../abi/errno.ts';
import { encodeText, textSize } from '../abi/text.ts';
import type { Quota } from './mem-data.ts';
import { isRegular, isType, type MemNode } from './mem-node.ts';

const XATTR_CREATE = 1;
const XATTR_REPLACE = 2;
const NAME_MAX = 255; // bytes
const LIST_MAX = 65536; // bytes of all names of a file: XATTR_LIST_MAX

/** The value; for the name '' the names of all, each ended by a NUL. */
export function getXattr(node: MemNode, name: string): Uint8Array {
  if (name === '')
    return encodeText([...(node.xattrs?.keys() ?? [])].map((n) => `${n}\0`).join(''));
  checkName(name);
  return node.xattrs?.get(name) ?? fail(ENODATA, name);
}

/** Sets, or removes when there is no value. */
export function setXattr(
  quota: Quota,
  node: MemNode,
  request: { name: string; value?: Uint8Array | undefined; flags: number },
): void {
  const { name, value, flags } = request;
  checkName(name);
  if (!isRegular(node) && !isType(node, S_IFDIR)) throw new PosixError(EPERM, name);
  const old = node.xattrs?.get(name);
  if (old === undefined && (value === undefined || (flags & XATTR_REPLACE) !== 0)) {
    throw new PosixError(ENODATA, name);
  }
  if (old !== undefined && (flags & XATTR_CREATE) !== 0) throw new PosixError(EEXIST, name);
  const cost = (of: Uint8Array | undefined): number => (of ? of.length + textSize(name) : 0);
  if (old === undefined) checkList(node, name);
  quota.refund(cost(old));
  if (!quota.charge(cost(value))) {
    quota.charge(cost(old));
    throw new PosixError(ENOSPC, name);
  }
  node.xattrs ??= new Map();
  if (value === undefined) node.xattrs.delete(name);
  else node.xattrs.set(name, value.slice());
}

function checkList(node: MemNode, name: string): void {
  let size = textSize(name) + 1;
  for (const other of node.xattrs?.keys() ?? []) size += textSize(other) + 1;
  if (size > LIST_MAX) throw new PosixError(ENOSPC, `${name}: too many attributes`);
}

function checkName(name: string): void {
  if (textSize(name) > NAME_MAX) throw new PosixError(ERANGE, 'name of an attribute');
  if (!name.startsWith('user.')) throw new PosixError(EOPNOTSUPP, name);
  if (name === 'user.') throw new PosixError(EINVAL, name);
}
