// Rows: making, asking for and listing names; mounting.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { median, type Outcome, type Row } from '../row.ts';
import { inside, MNT, type Stage, sh } from '../stage.ts';
import { hostCommand, nodeCreates, nodeStats } from '../yardsticks.ts';

/** Bytes that mke2fs must find for one file: its inode, a block, the journal's share. */
const imageFor = (files: number): number => 64 + Math.ceil(files / 50);

async function create(stage: Stage): Promise<Outcome> {
  const count = stage.size(10_000, 200);
  const [first, { meanUs, hops }] = await stage.fresh(2 * imageFor(count), async (os) => {
    await sh(os, `mkdir ${MNT}/first ${MNT}/second`);
    const cold = await inside(os, `-k -n ${count} files ${MNT}/first`);
    return [cold, await inside(os, `-k -n ${count} files ${MNT}/second`)];
  });
  const directory = join(stage.directory, 'files');
  const yard = nodeCreates(directory, count);
  rmSync(directory, { recursive: true });
  const rate = 1e6 / meanUs;
  return {
    figure: { value: rate, unit: '/s' },
    yardstick: { what: "Node's fs on the host", value: yard, unit: '/s' },
    ratio: rate / yard,
    met: rate >= yard,
    note: `${hops.toFixed(1)} hops a file; ${(1e6 / first.meanUs).toFixed(0)} /s the first time`,
  };
}

/** How much slower the last of many files come than the first thousand. */
async function createMany(stage: Stage): Promise<Outcome> {
  const [few, many] = [stage.size(1000, 50), stage.size(100_000, 500)];
  const [small, large] = await stage.fresh(imageFor(many), async (os) => {
    await sh(os, `mkdir ${MNT}/few ${MNT}/many`);
    await inside(os, `-n ${few} files ${MNT}/few`); // the code is warm from here on
    const first = await inside(os, `-n ${few} -r 5 files ${MNT}/few`);
    return [first, await inside(os, `-k -n ${many} files ${MNT}/many`)];
  });
  const slower = large.meanUs / small.meanUs;
  return {
    figure: { value: 1e6 / large.meanUs, unit: '/s' },
    yardstick: { what: `the rate of ${few} files`, value: 1e6 / small.meanUs, unit: '/s' },
    ratio: 1 / slower,
    met: slower <= 1.5,
    note: `${slower.toFixed(2)} times the time of a file`,
  };
}

async function stat(stage: Stage): Promise<Outcome> {
  const count = stage.size(10_000, 200);
  const { meanUs, hops } = await stage.fresh(imageFor(count), (os) =>
    inside(os, `-k -n ${count} stat ${MNT}`),
  );
  const directory = join(stage.directory, 'files');
  nodeCreates(directory, count);
  const yard = nodeStats(directory, count);
  rmSync(directory, { recursive: true });
  return {
    figure: { value: meanUs, unit: 'µs' },
    yardstick: { what: 'fs.statSync', value: yard, unit: 'µs' },
    ratio: yard / meanUs,
    note: `${hops.toFixed(1)} hops`,
  };
}

/** A command over a directory, cached; the same one on the host. */
async function listing(
  stage: Stage,
  of: { count: number; command: string; args: readonly string[] },
): Promise<{ ms: number; firstMs: number; yardMs: number | undefined; hops: number }> {
  const { count, command, args } = of;
  const rounds = stage.size(20, 3);
  const found = await stage.fresh(imageFor(count), async (os) => {
    await inside(os, `-k -n ${count} files ${MNT}`);
    const words = [command, ...args, MNT].join(' ');
    const first = await inside(os, `-n 3 run '${words}'`);
    await inside(os, `-n ${stage.size(300, 1)} run '${words}'`); // the code is compiled from here on
    return { first, ...(await inside(os, `-n ${rounds} run '${words}'`)) };
  });
  const directory = join(stage.directory, 'files');
  nodeCreates(directory, count);
  const times = Array.from({ length: rounds }, () => hostCommand(command, [...args, directory]));
  rmSync(directory, { recursive: true });
  const known = times.filter((ms) => ms !== undefined);
  const yardMs = known.length > 0 ? median(known) : undefined;
  return {
    ...{ ms: found.p50Us / 1000, firstMs: found.first.meanUs / 1000 },
    ...{ yardMs, hops: found.hops },
  };
}

const ofListing = (
  { ms, firstMs, yardMs, hops }: Awaited<ReturnType<typeof listing>>,
  what: string,
): Outcome => ({
  figure: { value: ms, unit: 'ms' },
  ...(yardMs !== undefined && {
    yardstick: { what: `${what} of the host`, value: yardMs, unit: 'ms' },
    ratio: yardMs / ms,
  }),
  note: `${firstMs.toFixed(1)} ms the first times; ${hops.toFixed(0)} hops, the start of the program among them`,
});

async function ls(stage: Stage): Promise<Outcome> {
  const found = await listing(stage, { count: 100, command: 'ls', args: ['-l'] });
  return { ...ofListing(found, 'ls -l'), met: found.ms < 5 };
}

async function find(stage: Stage): Promise<Outcome> {
  const count = stage.size(10_000, 200);
  return ofListing(await listing(stage, { count, command: 'find', args: [] }), 'find');
}

/** The first mount is the one of the boot; the warm one comes after an umount. */
async function mount(stage: Stage): Promise<Outcome> {
  const cold: number[] = [];
  const warm: number[] = [];
  for (let round = 0; round < stage.rounds; round++) {
    await stage.fresh(256, async (os) => {
      cold.push(bootMount(os.log));
      const script = `umount ${MNT}; bench -t -n 1 run 'mount /dev/sd/sdC0/part/0 ${MNT}'`;
      for (let i = 0; i < stage.rounds; i++)
        warm.push(Number((await sh(os, script)).split('\t')[1]));
    });
  }
  const [first, again] = [median(cold), median(warm)];
  return {
    figure: { value: first, unit: 'ms' },
    met: first < 150 && again < 50,
    note: `warm ${again.toFixed(1)} ms, with the start of mount(8)`,
  };
}

/** Milliseconds between the kernel's first line and the one of the mount. */
function bootMount(log: readonly string[]): number {
  const ms = (line = ''): number => Number(/^\[ *([\d.]+)\]/.exec(line)?.[1] ?? Number.NaN) * 1000;
  return ms(log.find((line) => / mounted at /.test(line))) - ms(log[0]);
}

export const nameRows: readonly Row[] = [
  {
    id: 'create',
    what: 'create + write 5 bytes + close, 10,000 files in one directory',
    target: "the rate of Node's fs on the host's file system",
    run: create,
  },
  {
    id: 'create-many',
    what: 'the same, 100,000 files',
    target: 'within 1.5 of the rate at 1,000',
    run: createMany,
  },
  { id: 'stat', what: 'stat of 10,000 files', target: '', run: stat },
  { id: 'ls', what: 'ls -l of 100 entries, cached', target: 'under 5 ms', run: ls },
  { id: 'find', what: 'find of 10,000 files, cached', target: '', run: find },
  {
    id: 'mount',
    what: 'mount, cold: of the boot; warm: again',
    target: 'cold under 150 ms, warm under 50 ms',
    run: mount,
  },
];
