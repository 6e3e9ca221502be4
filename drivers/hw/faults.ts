// What the board does for faults: the seed and the first rules at power-on, before any worker runs,
// and at a power cut what the volatile caches of the drives still bring to their media.

import { randomInt } from 'node:crypto';
import { EINVAL, PosixError } from '../../kernel/abi/errno.ts';
import { ruleLines } from '../../kernel/abi/fault/parse.ts';
import type { PowerChoice } from '../../kernel/abi/fault/rule.ts';
import { FAULT_AREA } from '../../kernel/abi/memlayout.ts';
import { powerSeed } from '../../kernel/ipc/fault/chance.ts';
import { powerCut } from '../../kernel/ipc/fault/effects.ts';
import { FaultTable } from '../../kernel/ipc/fault/table.ts';
import { integersFrom } from '../../kernel/ipc/random.ts';
import { openDisk } from './disk/disk.ts';
import { losePower } from './disk/power-loss.ts';
import type { Hardware } from './hardware.ts';

export interface FirstFaults {
  /** Of chance; a fresh one unless given, to be read in /dev/fault/plan. */
  readonly seed?: number | undefined;
  /** Rules, a line each. */
  readonly rules?: string | undefined;
}

/** Throws EINVAL with line and column for a wrong rule. */
export function armFaults(ram: SharedArrayBuffer, { seed, rules = '' }: FirstFaults): void {
  const table = new FaultTable(ram);
  table.format(seed ?? randomInt(2 ** 31));
  for (const { line, text } of ruleLines(rules)) {
    try {
      table.add(text);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      throw new PosixError(EINVAL, `line ${line}: ${error.message}`);
    }
  }
}

/** What the caches keep, if a fault has cut the power. */
export const powerCutBy = (ram: SharedArrayBuffer): PowerChoice | undefined =>
  powerCut(new Int32Array(ram, FAULT_AREA, 64));

/** After all workers have ended: brings to the images what the cut left of the caches. */
export function settleCaches(ram: SharedArrayBuffer, hardware: Hardware, keep: PowerChoice): void {
  const below = integersFrom(powerSeed(new Int32Array(ram, FAULT_AREA, 64)));
  for (const { disk, memory } of hardware.bays) {
    if (disk?.mode !== 'rw') continue; // nobody will see it again
    const medium = openDisk(disk);
    try {
      losePower(medium, memory.cache, { keep, below });
    } finally {
      medium.close();
    }
  }
}
