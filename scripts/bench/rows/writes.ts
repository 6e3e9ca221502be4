// Rows: writing files.

import { join } from 'node:path';
import { readCounters } from '../../../kernel/ipc/trace.ts';
import { median, type Outcome, type Row } from '../row.ts';
import { inside, MNT, type Stage, sh } from '../stage.ts';
import { MIB, nodeRandomWrites, nodeWrites } from '../yardsticks.ts';

/**
 * Both sides write a file again and again. The first rounds touch the machine's memory and the blocks of a
 * sparse image for the first time, which the host pays for by the page: that is told beside the figure.
 */
async function sequential(stage: Stage): Promise<Outcome> {
  const mib = stage.size(256, 16);
  const rounds = stage.size(5, 1);
  const write = `-n ${mib} -s ${MIB} write ${MNT}/big`;
  const [first, later] = await stage.fresh(mib * 2 + 64, async (os) => {
    const { mbPerSecond } = await inside(os, write);
    await inside(os, write);
    return [mbPerSecond, (await inside(os, `-r ${rounds} ${write}`)).mbPerSecond];
  });
  const file = join(stage.directory, 'written');
  const yard = median(Array.from({ length: rounds }, () => nodeWrites(file, mib * MIB)));
  return {
    figure: { value: later, unit: 'MB/s' },
    yardstick: { what: 'fs.writeSync + fsync', value: yard, unit: 'MB/s' },
    ratio: later / yard,
    met: later >= 0.5 * yard,
    note: `${first.toFixed(0)} MB/s the first time`,
  };
}

async function random(stage: Stage): Promise<Outcome> {
  const mib = stage.size(64, 8);
  const count = stage.size(4000, 200);
  const found = await stage.fresh(mib * 2 + 64, async (os) => {
    await sh(os, `head -c ${mib * MIB} /dev/zero > ${MNT}/big; sync`);
    const before = readCounters(os.machine.ram).dmaBytes;
    const { totalMs } = await inside(os, `-n ${count} pwrite ${MNT}/big`);
    return { totalMs, moved: readCounters(os.machine.ram).dmaBytes - before };
  });
  const file = join(stage.directory, 'written');
  const yardMs = nodeRandomWrites(file, { bytes: mib * MIB, count });
  const [rate, yard] = [(count / found.totalMs) * 1000, (count / yardMs) * 1000];
  return {
    figure: { value: rate, unit: '/s' },
    yardstick: { what: 'fs.writeSync, then fsync', value: yard, unit: '/s' },
    ratio: rate / yard,
    note: `${(found.moved / count / 4096).toFixed(2)} bytes by DMA for each byte written`,
  };
}

export const writeRows: readonly Row[] = [
  {
    id: 'write',
    what: 'sequential write of 256 MiB + fsync',
    target: '50 % of fs.writeSync + fsync',
    run: sequential,
  },
  { id: 'pwrite', what: 'random 4 KiB writes, then fsync', target: '', run: random },
];
