// Rows: reading files.

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Atoll } from '../../../host/atoll.ts';
import { ext2fsReads } from '../ext2fs.ts';
import type { Outcome, Row } from '../row.ts';
import { drop, type Inside, inside, MNT, type Stage, sh } from '../stage.ts';
import { MIB, nodeRandomReads, nodeReads, sharedCopies } from '../yardsticks.ts';

/** A cold read needs 6; with fewer on average read-ahead brought what nobody had asked for. */
const COLD_HOPS = 5;

/** A file of `mib` MiB in the volume; all of it cached. */
const makeFile = (os: Atoll, mib: number): Promise<string> =>
  sh(os, `head -c ${mib * MIB} /dev/urandom > ${MNT}/big; sync; cat ${MNT}/big > /dev/null`);

/** A file of the host, as large, and in its cache. */
function hostFile(stage: Stage, mib: number): string {
  const file = join(stage.directory, 'host.bin');
  writeFileSync(file, Buffer.alloc(mib * MIB, 7));
  return file;
}

async function cachedRandom(stage: Stage): Promise<Outcome> {
  const mib = stage.size(64, 8);
  const { p50Us, hops } = await stage.fresh(mib * 2 + 64, async (os) => {
    await makeFile(os, mib);
    return await inside(os, `-n ${stage.size(50_000, 5000)} -r 5 pread ${MNT}/big`);
  });
  const file = hostFile(stage, mib);
  const node = nodeRandomReads(file, stage.size(200_000, 20_000));
  rmSync(file);
  const [rate, yard] = [1e6 / p50Us, 1e6 / node.p50Us];
  return {
    figure: { value: rate, unit: '/s' },
    yardstick: { what: 'fs.readSync', value: yard, unit: '/s' },
    ratio: rate / yard,
    met: rate >= 1e6 && rate >= 5 * yard,
    note: `by the median of one; ${hops.toFixed(1)} hops`,
  };
}

async function cachedSequential(stage: Stage): Promise<Outcome> {
  const mib = stage.size(64, 8);
  const { mbPerSecond, hops } = await stage.fresh(mib * 2 + 64, async (os) => {
    await makeFile(os, mib);
    const args = `-n ${mib * stage.size(8, 1)} -s ${MIB} -r ${stage.rounds}`;
    return await inside(os, `${args} read ${MNT}/big`);
  });
  const yard = sharedCopies(mib * MIB * 8, mib * MIB);
  return {
    figure: { value: mbPerSecond, unit: 'MB/s' },
    yardstick: { what: 'copy of shared memory', value: yard, unit: 'MB/s' },
    ratio: mbPerSecond / yard,
    met: mbPerSecond >= 0.6 * yard,
    note: `${hops.toFixed(1)} hops a MiB`,
  };
}

async function coldSequential(stage: Stage): Promise<Outcome> {
  const mib = stage.size(256, 16);
  const image = await stage.image(mib * 2 + 64);
  const rates = await stage.machine({ image }, async (os) => {
    await makeFile(os, mib);
    const found: number[] = [];
    for (let round = 0; round < stage.rounds; round++) {
      await drop(os);
      found.push((await inside(os, `-n ${mib} -s ${MIB} read ${MNT}/big`)).mbPerSecond);
    }
    return found.sort((a, b) => a - b);
  });
  const rate = rates[rates.length >> 1] ?? Number.NaN;
  const yard = nodeReads(image, mib * MIB);
  const ext2 = await ext2fsReads(image, { path: '/big', bytes: mib * MIB });
  rmSync(image);
  const times = typeof ext2 === 'number' ? rate / ext2 : undefined;
  return {
    figure: { value: rate, unit: 'MB/s' },
    yardstick: { what: 'fs.readSync of the image', value: yard, unit: 'MB/s' },
    ratio: rate / yard,
    met: (rate >= 2500 || rate >= 0.5 * yard) && (times === undefined || times >= 10),
    note:
      times === undefined
        ? String(ext2)
        : `${times.toFixed(1)} × ext2fs (${Number(ext2).toFixed(0)} MB/s)`,
  };
}

async function coldRandom(stage: Stage): Promise<Outcome> {
  const mib = stage.size(256, 16);
  const image = await stage.image(mib * 2 + 64);
  const rounds = await stage.machine({ image }, async (os) => {
    await makeFile(os, mib);
    const found: Inside[] = [];
    for (let round = 0; round < stage.size(7, 1); round++) {
      await drop(os);
      found.push(await inside(os, `-n ${stage.size(2000, 200)} pread ${MNT}/big`));
    }
    return found;
  });
  const first = rounds[0]?.p50Us ?? Number.NaN;
  rounds.sort((a, b) => a.p50Us - b.p50Us);
  const { p50Us = 0, p95Us = 0, hops = 0 } = rounds[rounds.length >> 1] ?? {};
  const yard = nodeRandomReads(image, stage.size(20_000, 2000)).p50Us;
  rmSync(image);
  return {
    figure: { value: p50Us, unit: 'µs' },
    yardstick: { what: 'fs.readSync of the image', value: yard, unit: 'µs' },
    ratio: yard / p50Us,
    met: p50Us < 100 && hops > COLD_HOPS,
    note: `p95 ${p95Us.toFixed(0)} µs, ${first.toFixed(0)} µs before the code was compiled, ${hops.toFixed(1)} hops${hops > COLD_HOPS ? '' : ': not all of them were cold'}`,
  };
}

export const readRows: readonly Row[] = [
  {
    id: 'pread',
    what: 'random 4 KiB pread, cached, one process',
    target: '1,000,000/s and 5 × fs.readSync',
    run: cachedRandom,
  },
  {
    id: 'read',
    what: 'sequential read, cached, 1 MiB calls',
    target: '60 % of a copy of shared memory',
    run: cachedSequential,
  },
  {
    id: 'read-cold',
    what: 'sequential read of 256 MiB, page cache dropped',
    target: '2,500 MB/s or 50 % of fs.readSync, and 10 × ext2fs',
    run: coldSequential,
  },
  {
    id: 'pread-cold',
    what: 'random 4 KiB read, cold, p50',
    target: 'under 100 µs',
    run: coldRandom,
  },
];
