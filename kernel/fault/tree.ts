// /dev/fault: the faces of the fault engine as files. Reading ctl lists the rules, writing it gives
// commands; log and plan tell what fired; points what there is to listen at.

import { EPERM, fail } from '../abi/errno.ts';
import { POINTS, spelled } from '../abi/fault/points.ts';
import { decodeText } from '../abi/text.ts';
import type { Caller } from '../fs/caller.ts';
import type { Kernel } from '../kernel.ts';
import type { TreeNode } from '../ninep/tree.ts';

export function faultTree(kernel: Kernel): TreeNode<Caller> {
  const { faults } = kernel;
  const text = (name: string, read: () => string): TreeNode<Caller> => ({
    ...{ name, mode: 0o444, text: read },
  });
  return {
    name: 'fault',
    mode: 0o555,
    children: [
      {
        name: 'ctl',
        mode: 0o600,
        text: () => faults.rules(),
        write: (caller, _offset, from) => {
          if (caller.uid !== 0) fail(EPERM);
          faults.command(decodeText(from.slice()));
          return from.length;
        },
      },
      text('log', () => faults.log()),
      text('plan', () => faults.plan()),
      text('points', () => points(kernel)),
    ],
  };
}

/** Every point of this machine: its name, then what can be done there. */
function points(kernel: Kernel): string {
  const names = new Set(kernel.volumes.servers.map(({ name }) => name));
  const places: Readonly<Record<string, readonly string[]>> = {
    blk: diskNames(kernel),
    irq: kernel.volumes.drivers.map(({ name }) => name),
    ipc: [...names, 'kernel'],
    proc: ['NAME'],
  };
  const lines: string[] = [];
  for (const one of POINTS) {
    const { kind, place, operations, actions } = one;
    for (const name of place === '' ? [''] : (places[kind] ?? [place])) {
      for (const operation of operations) {
        const point = spelled({ ...one, place: name, operations: [operation] });
        lines.push(`${point}: ${actions(operation).join(' ')}`);
      }
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Disks that have a volume; `DEV` stands for the others. */
function diskNames(kernel: Kernel): string[] {
  const names = kernel.volumes.servers.map(({ superblock }) => superblock.source);
  const disks = names.map((name) => /^sd[A-Z]\d+/.exec(name)?.[0] ?? '').filter((d) => d !== '');
  return disks.length === 0 ? ['DEV'] : [...new Set(disks)];
}
