// /dev: null, zero, full, random, urandom, tty, console, ptmx, and the directories where the disks
// and PTYs are mounted. Device numbers are Linux's (Documentation/admin-guide/devices.txt). Terminals
// are opened by the kernel itself (vfs/open.ts), as FIFOs are: here they have their names.

import { S_IFCHR } from '../abi/constants.ts';
import { ENOSPC, fail } from '../abi/errno.ts';
import { faultTree } from '../fault/tree.ts';
import type { Kernel } from '../kernel.ts';
import { type TreeNode, TreeServer } from '../ninep/tree.ts';
import type { Caller } from './caller.ts';
import { ttyDevice } from './tty/terminals.ts';

const device = (name: string, rdev: number, how: Partial<TreeNode<Caller>>): TreeNode<Caller> => ({
  name,
  mode: S_IFCHR | 0o666,
  rdev,
  ...how,
});

const rdev = (major: number, minor: number): number => major * 256 + minor;

/** The largest piece that a program gets at a time. */
const all = (_caller: Caller, _offset: number, from: Uint8Array): number => from.length;

export function devfs(kernel: Kernel): TreeServer<Caller> {
  const zeroes = (_caller: Caller, _offset: number, into: Uint8Array): number => {
    into.fill(0);
    return into.length;
  };
  const random = (_caller: Caller, _offset: number, into: Uint8Array): number => {
    kernel.random(into);
    return into.length;
  };
  const root: TreeNode<Caller> = {
    name: '',
    mode: 0o755,
    children: [
      device('null', rdev(1, 3), { read: () => 0, write: all }),
      device('zero', rdev(1, 5), { read: zeroes, write: all }),
      device('full', rdev(1, 7), { read: zeroes, write: () => fail(ENOSPC) }),
      device('random', rdev(1, 8), { read: random, write: all }),
      device('urandom', rdev(1, 9), { read: random, write: all }),
      device('tty', ttyDevice('tty'), {}),
      device('console', ttyDevice('console'), {}),
      device('ptmx', ttyDevice('ptmx'), {}),
      { name: 'pts', mode: 0o755, children: [] },
      { name: 'sd', mode: 0o755, children: [] },
      faultTree(kernel),
    ],
  };
  return new TreeServer(root, { now: () => kernel.clock.wallclock(), magic: 0x1373 });
}
