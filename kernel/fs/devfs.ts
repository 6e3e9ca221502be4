// /dev: null, zero, full, random, urandom, tty, console, and the directory where the disks are
// mounted. Device numbers are Linux's (Documentation/admin-guide/devices.txt).

import { S_IFCHR } from '../abi/constants.ts';
import { ENOSPC, fail } from '../abi/errno.ts';
import type { Kernel } from '../kernel.ts';
import { type TreeNode, TreeServer } from '../ninep/tree.ts';
import type { Caller } from './caller.ts';

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
  const terminal: Partial<TreeNode<Caller>> = {
    read: (caller, _offset, into) => kernel.tty.read(kernel.processes.find(caller.pid), into),
    write: (_caller, _offset, from) => kernel.tty.write(from),
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
      device('tty', rdev(5, 0), terminal),
      device('console', rdev(5, 1), terminal),
      { name: 'sd', mode: 0o755, children: [] },
    ],
  };
  return new TreeServer(root, { now: () => kernel.clock.wallclock(), magic: 0x1373 });
}
