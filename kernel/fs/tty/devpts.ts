// /dev/pts: the terminals behind the masters that are open, by number. Opening one is the kernel's own
// business (terminals.ts): these are their names, owners and device numbers.

import { S_IFCHR } from '../../abi/constants.ts';
import type { Kernel } from '../../kernel.ts';
import { type TreeNode, TreeServer } from '../../ninep/tree.ts';
import type { Caller } from '../caller.ts';
import type { PtyMaster } from './pty.ts';
import { ptsDevice } from './terminals.ts';

/** The group tty. */
const TTY_GID = 5;
const DEVPTS_MAGIC = 0x1cd1;

export function devpts(kernel: Kernel): TreeServer<Caller> {
  const root: TreeNode<Caller> = {
    name: '',
    mode: 0o755,
    children: () => kernel.terminals.masters.map(nodeOf),
  };
  return new TreeServer(root, { now: () => kernel.clock.wallclock(), magic: DEVPTS_MAGIC });
}

const nodeOf = ({ number, owner, incarnation }: PtyMaster): TreeNode<Caller> => ({
  name: String(number),
  mode: S_IFCHR | 0o620,
  rdev: ptsDevice(number),
  uid: owner.uid,
  gid: TTY_GID,
  incarnation,
});
