// Files whose content means something else than it says: encrypted, under fs-verity, directories that
// fold case. They are shown, moved and deleted like others, but neither read nor written.
// inodes.rst, "i_flags".

import { ENOKEY, EOPNOTSUPP, type Errno, EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import {
  EXT4_CASEFOLD_FL,
  EXT4_EA_INODE_FL,
  EXT4_ENCRYPT_FL,
  EXT4_INLINE_DATA_FL,
  EXT4_VERITY_FL,
} from '../ondisk.ts';
import type { Inode } from './inode.ts';

interface Refusal {
  readonly flag: number;
  readonly errno: Errno;
  readonly why: string;
}

const REFUSALS: readonly Refusal[] = [
  { flag: EXT4_ENCRYPT_FL, errno: ENOKEY, why: 'is encrypted (encrypt)' },
  { flag: EXT4_VERITY_FL, errno: EOPNOTSUPP, why: 'is protected by fs-verity (verity)' },
  { flag: EXT4_CASEFOLD_FL, errno: EOPNOTSUPP, why: 'is a directory that folds case (casefold)' },
  { flag: EXT4_EA_INODE_FL, errno: EUCLEAN, why: 'is the value of an attribute (ea_inode)' },
  {
    flag: EXT4_INLINE_DATA_FL,
    errno: EUCLEAN,
    why: 'keeps its data in itself, on a volume without inline_data',
  },
];
const ANY = REFUSALS.reduce((bits, { flag }) => bits | flag, 0);

/** Throws, and tells the log, when the data or the names of the inode cannot be understood. */
export function mustBeKnown(inode: Inode): void {
  if ((inode.flags & ANY) === 0) return;
  for (const { flag, errno, why } of REFUSALS) {
    if ((inode.flags & flag) === 0 || (inode.isInline && flag === EXT4_INLINE_DATA_FL)) continue;
    const what = `inode ${inode.ino} ${why}: not supported`;
    inode.op.env.refused?.(what);
    fail(errno, what);
  }
}
