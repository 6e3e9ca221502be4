// Atoll's own figures for a mounted volume: the program `bench` in the machine does the work. Before a read that
// is not called cached, what the machine has cached of the file is dropped.

import type { Atoll } from '../../../host/atoll.ts';
import { median } from '../row.ts';
import { drop, type Inside, inside, sh } from '../stage.ts';
import { type Column, type Figures, type Load, PAGE, perSecond } from './load.ts';

/** In the machine's memory: what is copied to each volume. */
const SOURCE = '/tmp/many';

export async function makeSource(os: Atoll, { files }: Load): Promise<void> {
  await sh(os, `mkdir ${SOURCE}`);
  await inside(os, `-k -n ${files} files ${SOURCE}`);
}

/** The median of the rounds, and the first of them, when V8 had compiled little of the code. */
export async function atollFigures(
  os: Atoll,
  dir: string,
  load: Load,
): Promise<{ figures: Figures; first: Figures }> {
  const rounds = { ...(await ofLargeFile(os, dir, load)), ...(await ofFiles(os, dir, load)) };
  const taken = (take: (values: readonly number[]) => number | undefined): Figures =>
    Object.fromEntries(Object.entries(rounds).map(([column, values]) => [column, take(values)]));
  return { figures: taken(median), first: taken(([first]) => first) };
}

type Rounds = Partial<Record<Column, readonly number[]>>;

async function ofLargeFile(os: Atoll, dir: string, load: Load): Promise<Rounds> {
  const { bytes, piece, accesses, rounds } = load;
  const file = `${dir}/big`;
  const inOrder = `-n ${bytes / piece} -s ${piece}`;
  const anywhere = `-n ${accesses} -s ${PAGE}`;
  const eachTime = (body: () => Promise<Inside>): Promise<Inside[]> => eachRound(rounds, body);
  const rate = ({ mbPerSecond }: Inside): number => mbPerSecond;
  const often = ({ meanUs }: Inside): number => 1e6 / meanUs;
  const write = await eachTime(() => inside(os, `${inOrder} write ${file}`));
  const read = await eachTime(async () => {
    await drop(os);
    return await inside(os, `${inOrder} read ${file}`);
  });
  const cached = await eachTime(() => inside(os, `${inOrder} read ${file}`));
  const hit = await eachTime(() => inside(os, `${anywhere} pread ${file}`));
  const pwrite = await eachTime(() => inside(os, `${anywhere} pwrite ${file}`));
  const pread = await eachTime(async () => {
    await drop(os);
    return await inside(os, `${anywhere} pread ${file}`);
  });
  await sh(os, `rm ${file}`);
  return {
    ...{ write: write.map(rate), read: read.map(rate), cached: cached.map(rate) },
    ...{ pread: pread.map(often), hit: hit.map(often), pwrite: pwrite.map(often) },
  };
}

async function ofFiles(os: Atoll, dir: string, { files, rounds }: Load): Promise<Rounds> {
  const made = await eachRound(rounds, async (round) => {
    await sh(os, `mkdir ${dir}/many${round}`);
    return await inside(os, `-k -y -n ${files} files ${dir}/many${round}`);
  });
  const copied = await eachRound(rounds, async (round) => {
    const copy = await inside(os, `-n 1 -y run 'cp -r ${SOURCE} ${dir}/copy${round}'`);
    await sh(os, `[ "$(ls ${dir}/copy${round} | wc -l)" = ${files} ]`);
    return copy;
  });
  return {
    files: made.map(({ meanUs }) => 1e6 / meanUs),
    copied: copied.map(({ totalMs }) => perSecond(files, totalMs)),
  };
}

async function eachRound(
  rounds: number,
  body: (round: number) => Promise<Inside>,
): Promise<Inside[]> {
  const out: Inside[] = [];
  for (let round = 0; round < rounds; round++) out.push(await body(round));
  return out;
}
